"""The state of one conversation: bounded, and the same after it was put away and taken out again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from seawall.conversation_records import Level
from seawall.grooming.ears import Ears, Listening
from seawall.grooming.risk import ConversationRisk
from seawall.grooming.talk import MOST_TOLD, QUIET_MESSAGES, Talk

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Listening(None).ears()


def begun(ears: Ears) -> Talk:
    return Talk.from_document(ears.noticer.catalogue, {}, None)


def test_a_clock_that_goes_back_fades_nothing(ears: Ears) -> None:
    said = ears.noticer.notice("keep it our secret, don't tell your mum")
    calm = ears.noticer.notice("ok")
    steady, late = begun(ears), begun(ears)
    steady.take("a", said, NOON)
    late.take("a", said, NOON)
    late.take("b", calm, NOON - timedelta(days=400))
    steady.take("b", calm, NOON)
    assert late.take("a", calm, NOON).risk == steady.take("a", calm, NOON).risk


def test_the_state_is_the_same_after_it_was_put_away(ears: Ears) -> None:
    kept = begun(ears)
    for text in ("how old are you", "keep it secret", "add me on snapchat"):
        kept.take("a", ears.noticer.notice(text), NOON)
    assert kept.tell("b", "secrecy")
    assert kept.needs_case("a", 6, 2)
    kept.put_case("a", 17)
    again = Talk.from_document(ears.noticer.catalogue, json.loads(json.dumps(kept.document())), kept.last_at)
    assert again.document() == kept.document()
    assert again.case_of("a") == 17
    assert not again.tell("b", "secrecy")


def test_the_same_text_is_told_once_in_a_while(ears: Ears) -> None:
    talk, calm = begun(ears), ears.noticer.notice("ok")
    assert talk.tell("b", "secrecy")
    assert talk.tell("c", "secrecy")
    assert not talk.tell("b", "secrecy")
    for _ in range(QUIET_MESSAGES):
        talk.take("a", calm, NOON)
    assert talk.tell("b", "secrecy")


def test_a_person_is_told_of_what_is_graver_or_new(ears: Ears) -> None:
    talk = begun(ears)
    assert talk.needs_case("a", 6, 3)
    assert not talk.needs_case("a", 6, 3)
    assert talk.needs_case("a", 7, 3)
    assert not talk.needs_case("a", 6, 3)
    assert talk.needs_case("a", 6, 9)
    assert talk.needs_case("b", 6, 3)


def test_what_is_remembered_is_bounded(ears: Ears) -> None:
    talk = begun(ears)
    for number in range(5 * MOST_TOLD):
        talk.tell(f"child-{number}", "secrecy")
        talk.needs_case(f"author-{number}", 6, 1)
    assert len(talk.told) == len(talk.cased) == MOST_TOLD


def test_what_many_were_told_does_not_keep_something_graver_from_being_told(ears: Ears) -> None:
    talk = begun(ears)
    assert all(talk.tell(f"child-{number}", "moving") for number in range(MOST_TOLD))
    assert talk.tell("child-7", "extortion")
    assert not talk.tell("child-7", "extortion")
    assert not talk.tell("child-1", "moving"), "only the oldest went"


def test_levels_are_those_of_the_thresholds() -> None:
    ears = Ears(Listening(None).ears().noticer, {"warn": 0.4, "review": 0.8})
    assert [ears.level(score) for score in (0.39, 0.4, 0.79, 0.8, 1.0)] == [
        Level.NONE,
        Level.WARN,
        Level.WARN,
        Level.REVIEW,
        Level.REVIEW,
    ]
    assert isinstance(begun(ears).risk, ConversationRisk)
