"""A priority is the sum of its terms, however the items came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


@given(st.lists(st.tuples(FINDINGS, st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_raising_item_by_item_arrives_at_the_terms(items: list[tuple[list[Match], bool, bool]]) -> None:
    terms: priority.Terms = ()
    was_urgent, was_at_risk = False, False
    for number, (findings, urgent, at_risk) in enumerate(items):
        before = priority.total(terms)
        was_urgent, was_at_risk = was_urgent or urgent, was_at_risk or at_risk
        terms = priority.raised(terms, number, was_urgent, findings, at_risk=was_at_risk)
        assert priority.total(terms) >= before
    of_all = priority.of_case(was_urgent, [findings for findings, _, _ in items], at_risk=was_at_risk)
    assert priority.total(terms) == priority.total(of_all)


def test_waiting_counts_by_the_hour() -> None:
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    terms = priority.of_item([match(distance=31)])
    assert priority.with_waiting(terms, opened, opened + timedelta(minutes=59)) == terms
    later = priority.with_waiting(terms, opened, opened + timedelta(hours=37, minutes=5))
    assert later[-1] == priority.Term("waiting 37 h", 37)
    assert priority.with_waiting(terms, opened, opened - timedelta(hours=1)) == terms


def test_a_child_at_risk_comes_before_what_is_urgent() -> None:
    assert priority.total(priority.of_case(True, [[]], at_risk=True)) == 3000


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
