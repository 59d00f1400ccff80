"""What stands beside a case: notes that are only added, what happened, and the cases that are linked with it."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from seawall.cases import history, lookups, notes, related, reveals, store
from seawall.cases.history import Event, Happening
from seawall.cases.lookups import By
from seawall.cases.related import Bond
from seawall.cases.stages import Floor
from seawall.database.sessions import Database
from seawall.database.tables import CaseNote, Content, OutboxMessage, WebhookEndpoint, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import Outcome, RevealStage
from tests.integration.cases.material import add, match, person, scan_owed, sealed


def happenings(events: tuple[Event, ...]) -> list[Happening]:
    return [event.happening for event in events]


# Notes


def test_notes_stay_in_the_order_in_which_they_were_written(database: Database) -> None:
    with database.transaction() as session:
        case, _item, _created = add(session, "c1", "account-1")
        first, second = person(session, "first"), person(session, "second")
        notes.add(session, case.id, second, "  Seen before.\r\nSee <b>case 1</b>.  ")
        notes.add(session, case.id, first, "Agreed.")
        found = notes.of_case(session, case.id)
    assert [(note.user, note.text) for note in found] == [
        ("second", "Seen before.\nSee <b>case 1</b>."),
        ("first", "Agreed."),
    ]


@pytest.mark.parametrize("text", ["", " \n ", "x" * (notes.LONGEST_NOTE + 1), "a\0b"])
def test_what_is_no_note_is_refused(database: Database, text: str) -> None:
    with database.transaction() as session:
        case, _item, _created = add(session, "c1", "account-1")
        user = person(session)
        with pytest.raises(BadInput):
            notes.add(session, case.id, user, text)
        assert notes.of_case(session, case.id) == ()


def test_a_note_needs_a_case(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        notes.add(session, 77, person(session), "words")


def test_a_case_has_no_more_notes_than_can_be_read(database: Database) -> None:
    with database.transaction() as session:
        case, _item, _created = add(session, "c1", "account-1")
        user = person(session)
        rows = [CaseNote(case_id=case.id, user_id=user, text=str(n)) for n in range(notes.MOST_NOTES - 1)]
        session.add_all(rows)
        session.flush()
        notes.add(session, case.id, user, "the last")
        with pytest.raises(Conflict):
            notes.add(session, case.id, user, "one too many")


# What happened


def test_everything_that_happened_is_told_newest_first(database: Database) -> None:
    with database.transaction() as session:
        case, item, _created = add(session, "c1", "account-1")
        evidence, user = sealed(session, item), person(session)
        case_id, item_id = case.id, item.id
        endpoint = WebhookEndpoint(url="http://127.0.0.1:9/", secret_sealed=b"")
        session.add(endpoint)
        session.flush()
        message = OutboxMessage(endpoint_id=endpoint.id, event="content.hold", payload={}, case_id=case.id)
        message.state, message.delivered_at = "delivered", now()
        session.add(message)
    with database.transaction() as session:
        token = reveals.ask(session, evidence, user, RevealStage.BLURRED, Floor())
        reveals.ask(session, evidence, user, RevealStage.BLURRED, Floor())  # asked for and never shown
    with database.transaction() as session:
        reveals.redeem(session, token, user)
    with database.transaction() as session:
        notes.add(session, case_id, user, "words that are not in the history")
    with database.transaction() as session:
        store.decide(session, item_id=item_id, user_id=user, outcome=Outcome.CONFIRM, reason="seen")
    with database.transaction() as session:
        events = history.of_case(session, case_id)
        newest = history.of_case(session, case_id, 2)
    assert sorted(happenings(events)) == sorted(
        [
            Happening.OPENED,
            Happening.ARRIVED,
            Happening.TOLD,
            Happening.REVEALED,
            Happening.NOTED,
            Happening.DECIDED,
            Happening.CLOSED,
        ]
    )
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    assert newest == events[:2]
    told = {event.happening: event for event in events}
    assert (told[Happening.DECIDED].user, told[Happening.DECIDED].what) == ("test reviewer", "confirm")
    assert told[Happening.DECIDED].how == "viewed"
    assert told[Happening.REVEALED].item_id == item_id
    assert (told[Happening.TOLD].what, told[Happening.TOLD].how) == ("content.hold", "delivered")
    assert "words" not in str(events)


def test_what_was_late_and_what_was_taken_back_are_told_as_such(database: Database) -> None:
    with database.transaction() as session:
        case, item, _created = add(session, "c1", "account-1")
        item.late, item.state, item.decided_at = True, "retracted", now() + timedelta(seconds=1)
        session.flush()
        events = history.of_case(session, case.id)
    assert set(happenings(events)) == {Happening.OPENED, Happening.LATE, Happening.RETRACTED}
    assert happenings(events)[0] is Happening.RETRACTED


# Linked cases


def test_cases_are_linked_by_account_bytes_and_entry(database: Database) -> None:
    with database.transaction() as session:
        user = person(session)
        earlier, item, _ = add(session, "c1", "account-1", findings=[scan_owed()])
        store.decide(session, item_id=item.id, user_id=user, outcome=Outcome.CONFIRM, reason="seen")
        this, mine, _ = add(session, "c2", "account-1", findings=[match()])
        by_entry, _, _ = add(session, "c3", "account-3", findings=[match(distance=9)])
        by_bytes, copy, _ = add(session, "c4", "account-4", findings=[scan_owed()])
        add(session, "c5", "account-5", findings=[scan_owed()])  # has nothing in common
        contents = {row.id: row for row in session.scalars(select(Content))}
        contents[copy.content_row].sha256 = contents[mine.content_row].sha256
        session.flush()
        found = related.of_case(session, this.id)
        assert [(each.case_id, each.bonds) for each in found] == [
            (by_bytes.id, (Bond.BYTES,)),
            (by_entry.id, (Bond.ENTRY,)),
            (earlier.id, (Bond.SUBJECT,)),
        ]
        assert {each.case_id for each in related.of_case(session, by_bytes.id)} == {this.id}
        assert [each.case_id for each in related.of_case(session, this.id, 2)] == [by_bytes.id, by_entry.id]


def test_several_bonds_make_one_link(database: Database) -> None:
    with database.transaction() as session:
        this, mine, _ = add(session, "c1", "account-1", findings=[match()])
        that, theirs, _ = add(session, "c2", "account-2", findings=[match()])
        for item in (mine, theirs):
            session.get_one(Content, item.content_row).sha256 = hashlib.sha256(b"same").digest()
        session.flush()
        (found,) = related.of_case(session, this.id)
        assert (found.case_id, found.bonds) == (that.id, (Bond.BYTES, Bond.ENTRY))


# Looking up


def test_a_case_is_found_by_every_id_that_names_it(database: Database) -> None:
    with database.transaction() as session:
        case, item, _ = add(session, "c1", "account-1")
        other, _, _ = add(session, "c2")
        row = session.get_one(Content, item.content_row)
        row.md5, row.sha1 = bytes(range(16)), bytes(range(20))
        endpoint = WebhookEndpoint(url="http://127.0.0.1:9/", secret_sealed=b"")
        session.add(endpoint)
        session.flush()
        message = OutboxMessage(endpoint_id=endpoint.id, event="content.hold", payload={}, case_id=case.id)
        session.add(message)
        session.flush()
        assert row.sha256 is not None
        whole, alone = (case.id, None), (case.id, item.id)
        for words, by, found in (
            (f"#{case.id}", By.NUMBER, whole),
            (f" {case.id} ", By.NUMBER, whole),
            ("account-1", By.ACCOUNT, whole),
            ("c1", By.CONTENT, alone),
            (row.sha256.hex().upper(), By.HASH, alone),
            (row.sha1.hex(), By.HASH, alone),
            (row.md5.hex(), By.HASH, alone),
            (str(message.id), By.MESSAGE, whole),
        ):
            (hit,) = lookups.find(session, words)
            assert (hit.by, (hit.case_id, hit.item_id)) == (by, found), words
        assert [hit.case_id for hit in lookups.find(session, "c2")] == [other.id]
        for nothing in ("", "account", "9" * 18, "0" * 64, "a\0b", "x" * 600, "%", "' OR 1=1 --"):
            assert lookups.find(session, nothing) == (), nothing
