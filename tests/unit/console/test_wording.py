"""The words that reviewers read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from seawall.actions.schedule import MessageState
from seawall.console import wording
from seawall.records import (
    CaseState,
    ContentState,
    HarmClass,
    HashKind,
    MatchKind,
    Orientation,
    Outcome,
    RevealStage,
    Trust,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(0), "<1 min"),
        (timedelta(seconds=59), "<1 min"),
        (timedelta(seconds=-30), "<1 min"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_an_age_is_said_in_the_largest_unit_that_says_enough(ago: timedelta, said: str) -> None:
    assert wording.age(NOW - ago, NOW) == said


def test_the_exact_time_is_utc_wherever_it_came_from() -> None:
    here = datetime.fromisoformat("2026-01-31T14:00:00+02:00")
    assert wording.exact_time(here) == "2026-01-31 12:00:00 UTC"


@pytest.mark.parametrize(
    ("kind", "distance", "said"),
    [
        (MatchKind.EXACT, 0, "The very same file as a listed one"),
        (MatchKind.PERCEPTUAL, 0, "Looks the same, all 256 bits agree"),
        (MatchKind.PERCEPTUAL, 1, "1 bit of 256 differs (very close)"),
        (MatchKind.PERCEPTUAL, 10, "10 bits of 256 differ (very close)"),
        (MatchKind.PERCEPTUAL, 11, "11 bits of 256 differ (close)"),
        (MatchKind.PERCEPTUAL, 31, "31 bits of 256 differ (similar)"),
    ],
)
def test_likeness_is_said_in_words(kind: MatchKind, distance: int, said: str) -> None:
    assert wording.likeness(kind, distance) == said


def test_every_value_that_a_page_shows_has_its_word() -> None:
    for words, values in (
        (wording.ORIENTATIONS, Orientation),
        (wording.CASE_STATES, CaseState),
        (wording.STANDINGS, ContentState),
        (wording.TRUST, Trust),
        (wording.HARM_CLASSES, HarmClass),
        (wording.DELIVERY_STATES, MessageState),
        (wording.OUTCOMES, Outcome),
        (wording.STAGES, RevealStage),
    ):
        assert set(words) == set(values)
    assert [choice.value for choice in wording.CHOICES] == [outcome.value for outcome in Outcome]
    assert all(choice.presets for choice in wording.CHOICES)


def test_details_of_the_audit_chain_read_as_words() -> None:
    assert wording.words(True) == "yes"
    assert wording.words(None) == "none"
    assert wording.words({"a": 1, "b": [True, "x"]}) == "a: 1, b: yes, x"


@pytest.mark.parametrize(("number", "said"), [(1, "1 item"), (0, "0 items"), (1234, "1,234 items")])
def test_numbers_are_counted(number: int, said: str) -> None:
    assert wording.counted(number, "item") == said


@pytest.mark.parametrize(("number", "said"), [(812, "812 B"), (3_140, "3.1 kB"), (2_449_000, "2.4 MB")])
def test_sizes_are_for_people(number: int, said: str) -> None:
    assert wording.size(number) == said


def test_an_exact_match_says_by_which_digest() -> None:
    assert wording.likeness(MatchKind.EXACT, 0, HashKind.SHA1) == "The very same file, by its SHA-1"


def test_looks_are_said_by_person() -> None:
    assert wording.looks(["reviewer-2", "reviewer-1", "reviewer-1"]) == "reviewer-1 2 times, reviewer-2 once"
    assert wording.looks([]) == ""


def test_a_decision_claims_no_message_that_nobody_hears() -> None:
    told = wording.consequence(Outcome.CONFIRM, restricted=True, heard=True)
    assert told == "The platform is told to remove it, and to restrict the account."
    assert "was not told" in wording.consequence(Outcome.CONFIRM, restricted=True, heard=False)
    assert "unpublished" in wording.consequence(Outcome.ESCALATE, restricted=False, heard=False)
