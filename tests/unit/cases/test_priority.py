"""A priority is the sum of its terms, however the items came in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seawall.cases import priority
from seawall.records import HarmClass, Match, Trust
from tests.integration.cases.material import match, scan_owed

FINDINGS = st.lists(
    st.one_of(
        st.just(scan_owed()),
        st.builds(
            match,
            trust=st.sampled_from(Trust),
            harm_class=st.sampled_from(HarmClass),
            distance=st.integers(0, 31),
        ),
    ),
    max_size=4,
)


@given(st.lists(st.tuples(FINDINGS, st.booleans()), min_size=1, max_size=60))
def test_raising_item_by_item_arrives_at_the_sum_of_the_terms(items: list[tuple[list[Match], bool]]) -> None:
    points, was_urgent = 0, False
    for number, (findings, urgent) in enumerate(items):
        before = points
        points = priority.raised(points, was_urgent, number, was_urgent or urgent, findings)
        was_urgent = was_urgent or urgent
        assert points >= before
    assert points == priority.total(priority.of_case(was_urgent, [findings for findings, _ in items]))


def test_terms_say_what_they_are_for() -> None:
    terms = priority.of_case(True, [[match(trust=Trust.TRUSTED, distance=0)], [scan_owed()]])
    assert {term.name: term.points for term in terms} == {
        "urgent": 1000,
        "trusted list": 100,
        "harm class csam": 50,
        "distance 0": 31,
        "2 items": 1,
    }


def test_what_is_urgent_outweighs_everything_else() -> None:
    calm = priority.of_case(False, [[match(trust=Trust.TRUSTED, distance=0)]] * 1000)
    assert priority.total(calm) < priority.URGENT


def test_a_scan_that_is_owed_weighs_less_than_any_match() -> None:
    assert priority.of_item([scan_owed()]) == ()
    assert priority.total(priority.of_item([match(harm_class=HarmClass.OTHER, distance=30)])) > 0
