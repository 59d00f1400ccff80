"""The records that pass between rooms: what is frozen about them, and what is a contract."""

from __future__ import annotations

import dataclasses
import enum
import inspect

import pytest

from seawall import records
from seawall.records import Actor, EventType, Frame, HashKind, MediaArrival, Orientation, Scope, Verdict

RECORDS = [thing for _, thing in inspect.getmembers(records, dataclasses.is_dataclass)]
ENUMS = [
    thing
    for _, thing in inspect.getmembers(records, inspect.isclass)
    if issubclass(thing, enum.Enum) and thing.__module__ == records.__name__
]


@pytest.mark.parametrize("record", [r for r in RECORDS if inspect.isclass(r)], ids=lambda record: record.__name__)
def test_a_record_is_frozen_and_says_what_it_is(record: type) -> None:
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(record, "__slots__")
    doc = inspect.getdoc(record)
    assert doc
    assert not doc.startswith(f"{record.__name__}("), "the docstring is the one that dataclass makes up"


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_an_enum_is_text_and_says_what_it_is(kind: type[enum.Enum]) -> None:
    assert issubclass(kind, enum.StrEnum)
    assert inspect.getdoc(kind)


def test_verdicts_go_from_mild_to_severe() -> None:
    assert sorted(Verdict, key=lambda verdict: verdict.severity) == [
        Verdict.ALLOW,
        Verdict.WARN,
        Verdict.HOLD,
        Verdict.BLOCK,
    ]


def test_orientations_keep_their_order_since_hashes_are_stored_in_it() -> None:
    assert [orientation.value for orientation in Orientation] == [
        "upright",
        "rotated-90",
        "rotated-180",
        "rotated-270",
        "flipped",
        "mirrored",
        "transposed",
        "transversed",
    ]


def test_the_first_hash_of_a_frame_is_the_upright_one() -> None:
    hashes = tuple(bytes([number]) * 32 for number in range(8))
    assert Frame(0, hashes, 100).pdq == hashes[0]


@pytest.mark.parametrize(("kind", "length"), [("md5", 16), ("sha1", 20), ("sha256", 32), ("pdq", 32)])
def test_every_hash_has_its_length(kind: str, length: int) -> None:
    assert HashKind(kind).length == length


def test_all_hash_kinds_have_a_length_and_a_name_for_people() -> None:
    assert all(kind.length > 0 and kind.label for kind in HashKind)


def test_an_upload_does_not_show_its_bytes() -> None:
    assert "do not log me" not in repr(MediaArrival(content_id="1", body=b"do not log me"))


def test_event_types_are_a_contract_with_platforms() -> None:
    assert {event.value for event in EventType} == {
        "content.hold",
        "content.block",
        "content.release",
        "content.remove",
        "account.restrict",
        "appeal.decided",
        "conversation.review",
        "conversation.decided",
        "webhook.test",
    }


def test_scopes_are_a_contract_with_platforms() -> None:
    assert {scope.value for scope in Scope} == {"judge", "appeals", "lists", "metrics", "admin"}


def test_an_actor_is_named_by_kind_and_name() -> None:
    assert str(Actor("user", "reviewer-1")) == "user:reviewer-1"
    assert str(records.SYSTEM) == "system:seawall"
