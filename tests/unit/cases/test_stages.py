"""The order of looks: nothing is skipped, nothing is shown beyond the floor, and floors only ever add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.cases import stages
from seawall.cases.stages import STAGES, Floor
from seawall.errors import Conflict, Forbidden
from seawall.readable import bounds_of
from seawall.records import RevealStage

BOUNDS = st.tuples(st.sampled_from(STAGES), st.sampled_from(STAGES)).map(lambda two: sorted(two, key=stages.rank))
FLOORS = BOUNDS.map(lambda two: Floor(*two))


@given(FLOORS, st.lists(st.sampled_from(STAGES), max_size=30))
def test_whatever_is_asked_nothing_is_skipped(floor: Floor, wanted: list[RevealStage]) -> None:
    """Against a simple model: a number, the clearest stage that is open."""
    seen: set[RevealStage] = set()
    reach = stages.rank(floor.first)
    for stage in wanted:
        open_now = stages.open_to(floor, seen)
        assert open_now == STAGES[: reach + 1]
        if stages.rank(stage) <= reach:
            stages.check(stage, floor, seen)
            seen.add(stage)
            reach = min(max(reach, stages.rank(stage) + 1), stages.rank(floor.clearest))
        else:
            beyond = stages.rank(stage) > stages.rank(floor.clearest)
            with pytest.raises(Forbidden if beyond else Conflict):
                stages.check(stage, floor, seen)


@given(FLOORS, FLOORS, FLOORS)
def test_floors_add_up_to_what_protects_as_each(one: Floor, two: Floor, three: Floor) -> None:
    both = one.raised_by(two)
    assert both == two.raised_by(one)
    assert both.protects_as(one)
    assert both.protects_as(two)
    assert both.raised_by(three) == one.raised_by(two.raised_by(three))
    assert stages.strictest([one, two, three]) == both.raised_by(three)
    for seen in (set(), set(STAGES)):
        assert set(stages.open_to(both, seen)) <= set(stages.open_to(one, seen))


def test_without_a_floor_the_first_look_is_blurred() -> None:
    assert stages.open_to(stages.strictest([]), set()) == (RevealStage.BLURRED,)


def test_looks_cannot_start_clearer_than_they_may_become() -> None:
    with pytest.raises(ValueError, match="clearer"):
        Floor(RevealStage.COLOUR, RevealStage.GREY)
    with pytest.raises(ValueError, match="clearer"):
        bounds_of("csam=colour-grey")


@pytest.mark.parametrize(
    "told", ["csam", "csam=grey", "csam=blurred-bright", "cats=blurred-grey", "csam:blurred-grey"]
)
def test_a_floor_that_cannot_be_read(told: str) -> None:
    with pytest.raises(ValueError, match="write class=first-clearest"):
        bounds_of(told)
