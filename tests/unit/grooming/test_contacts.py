"""What the signs of a contact come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.conversation_records import AgeBand
from seawall.grooming.contacts import (
    FRICTION_AT,
    LOOK_AT,
    NO_RISK,
    AccountFacts,
    AgeSource,
    ContactRisk,
    Window,
    contact_risk,
)

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
ADULT = AccountFacts("adult-1", AgeBand.ADULT, opened_at=AT - timedelta(days=400), region="GB")
CHILD = AccountFacts("child-1", AgeBand.FROM_13_TO_15, region="GB")
NOTHING = Window()
SEEKING = Window(reached=20, reached_children=18, accepted=2, declined=9, blocked=3)
windows = st.builds(Window, *[st.integers(0, 10_000)] * 7)


def risk(actor: AccountFacts, other: AccountFacts, window: Window = NOTHING, mutuals: int | None = 0) -> ContactRisk:
    return contact_risk(actor, other, window, mutuals=mutuals, at=AT)


def codes(found: ContactRisk) -> set[str]:
    return {sign.code for sign in found.signs}


def test_one_request_of_an_adult_to_a_strange_child_is_looked_at_and_nobody_slowed_down() -> None:
    found = risk(ADULT, CHILD)
    assert codes(found) == {"adult_to_child"}
    assert found.look
    assert not found.friction


def test_with_a_common_connection_a_child_is_no_stranger() -> None:
    assert risk(ADULT, CHILD, mutuals=2) == NO_RISK


def test_who_seeks_out_many_children_and_is_refused_is_worth_a_look_and_better_slowed_down() -> None:
    found = risk(ADULT, CHILD, SEEKING)
    assert {"adult_to_child", "fan_out", "refused", "blocked"} <= codes(found)
    assert found.points >= FRICTION_AT > LOOK_AT
    assert found.look
    assert found.friction
    says = {sign.code: sign.says for sign in found.signs}
    assert says["fan_out"] == "Contacted 18 unconnected children within 7 days"
    assert says["refused"] == "12 of 14 who answered refused, muted or blocked"
    assert says["blocked"] == "Blocked by 3 people within 7 days"


def test_toward_an_adult_there_is_none() -> None:
    assert risk(ADULT, replace(ADULT, account_id="adult-2"), SEEKING) == NO_RISK


def test_a_child_who_makes_many_friends_is_left_alone() -> None:
    popular = Window(reached=30, reached_children=30, accepted=26, declined=3)
    found = risk(replace(CHILD, account_id="child-2"), CHILD, popular)
    assert not found.look


def test_a_younger_child_is_told_apart_from_one_of_like_age() -> None:
    young = AccountFacts("child-3", AgeBand.UNDER_13)
    assert codes(risk(AccountFacts("a", AgeBand.FROM_16_TO_17), young)) == {"older_to_child"}
    assert risk(AccountFacts("a", AgeBand.FROM_13_TO_15), young) == NO_RISK


def test_an_unknown_age_weighs_half_and_is_not_innocent() -> None:
    unknown = AccountFacts("someone")
    assert codes(risk(unknown, CHILD)) == {"unknown_to_child"}
    assert risk(ADULT, unknown, SEEKING).points < risk(ADULT, CHILD, SEEKING).points
    assert risk(ADULT, unknown, SEEKING).points > 0


def test_an_adult_who_says_to_be_a_child() -> None:
    pretending = replace(ADULT, said_band=AgeBand.FROM_13_TO_15)
    assert "claims_to_be_a_child" in codes(risk(pretending, CHILD))
    assert "claims_to_be_a_child" not in codes(risk(replace(ADULT, said_band=AgeBand.ADULT), CHILD))


@pytest.mark.parametrize(("days", "new"), [(13, True), (14, False)])
def test_a_new_account(days: int, new: bool) -> None:
    found = risk(replace(ADULT, opened_at=AT - timedelta(days=days)), CHILD)
    assert ("new_account" in codes(found)) is new


def test_another_region_counts_where_both_are_known_and_nobody_is_in_common() -> None:
    far = replace(ADULT, region="NZ")
    assert "other_region" in codes(risk(far, CHILD))
    assert "other_region" not in codes(risk(far, CHILD, mutuals=None))
    assert "other_region" not in codes(risk(replace(far, region=None), CHILD))


def test_a_child_whose_age_was_verified_weighs_half() -> None:
    told = replace(CHILD, account_id="child-2")
    verified = replace(told, age_source=AgeSource.VERIFIED)
    assert risk(verified, CHILD, SEEKING).points == pytest.approx(risk(told, CHILD, SEEKING).points / 2, abs=0.002)


@given(windows)
def test_every_sign_is_capped_and_the_sum_is_theirs(window: Window) -> None:
    found = risk(ADULT, CHILD, window)
    assert found.points == pytest.approx(sum(sign.points for sign in found.signs), abs=0.002)
    assert all(0 < sign.points <= 3 for sign in found.signs)
    assert [sign.points for sign in found.signs] == sorted((sign.points for sign in found.signs), reverse=True)


@given(windows, st.sampled_from(["reached_children", "blocked", "reported", "declined"]))
def test_more_of_what_tells_never_makes_it_milder(window: Window, name: str) -> None:
    more = {name: getattr(window, name) + 1}
    if name == "reached_children":
        more["reached"] = window.reached + 1
    assert risk(ADULT, CHILD, replace(window, **more)).points >= risk(ADULT, CHILD, window).points - 0.002
