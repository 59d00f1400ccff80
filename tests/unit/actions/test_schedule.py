"""What follows an attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.actions.schedule import LONGEST_PAUSE_S, SPREAD, Attempt, MessageState, after, pause_s
from seawall.settings import Settings

DAY_S = 86_400
CHANCE = st.floats(0, 1)


def test_the_usual_attempts_span_about_four_days() -> None:
    attempts: int = Settings.model_fields["webhook_attempts"].default
    span = sum(pause_s(made) for made in range(1, attempts))
    assert 3.5 * DAY_S < span < 4.5 * DAY_S


def test_the_first_retries_come_soon() -> None:
    assert [pause_s(made) for made in (1, 2, 3)] == [5, 15, 45]


@given(made=st.integers(1, 10_000))
def test_pauses_grow_and_end_growing(made: int) -> None:
    assert pause_s(made) <= pause_s(made + 1) <= LONGEST_PAUSE_S


@given(status=st.integers(200, 299), made=st.integers(1, 50), chance=CHANCE)
def test_any_success_is_delivered(status: int, made: int, chance: float) -> None:
    then = after(Attempt(status), made, 16, chance)
    assert (then.state, then.pause_s, then.disable_endpoint) == (MessageState.DELIVERED, None, False)


UNDELIVERED = st.one_of(st.none(), st.integers(100, 199), st.integers(300, 599))


@given(status=UNDELIVERED, made=st.integers(1, 40), allowed=st.integers(1, 40), chance=CHANCE)
def test_all_else_is_tried_again_until_the_last(status: int | None, made: int, allowed: int, chance: float) -> None:
    then = after(Attempt(status, "TimeoutError"), made, allowed, chance)
    assert then.disable_endpoint == (status == 410)
    if made >= allowed:
        assert then.state is MessageState.FAILED
        assert then.pause_s is None
    else:
        assert then.state is MessageState.PENDING
        assert then.pause_s is not None
        assert 1 - SPREAD - 1e-9 <= then.pause_s / pause_s(made) <= 1 + SPREAD + 1e-9


@pytest.mark.parametrize(("asked", "given_"), [(None, 5), (2.0, 5), (120.0, 120), (1e9, LONGEST_PAUSE_S), (-5.0, 5)])
def test_a_longer_pause_that_the_receiver_asks_for_is_kept(asked: float | None, given_: float) -> None:
    then = after(Attempt(503, retry_after_s=asked), 1, 16, 0.5)
    assert then.pause_s == given_
