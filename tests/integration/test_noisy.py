"""An entry or a list that is mostly no match when people look is put in quarantine, and lifted by a person."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from seawall import flow, noisy
from seawall.database.tables import CaseItem, Content, Entry, Quarantine
from seawall.errors import BadInput, Conflict, NotFound
from seawall.evidence import audit
from seawall.hashlists import quarantines, store
from seawall.hashlists.quarantines import Grounds, QuarantineView, Why
from seawall.hashlists.store import ListDefinition
from seawall.records import SYSTEM, Actor, Answer, EntryDraft, HashArrival, Outcome, Role, Trust, Verdict
from seawall.runtime import Runtime
from tests.integration.cases.material import match
from tests.integration.second import pairs
from tests.integration.test_flow import put_on_list, runtime

__all__ = ["runtime"]

LISTED = b"\5" * 16
MANAGER = Actor("user", "manager-1")


def sent(runtime: Runtime, content_id: str, md5: bytes = LISTED, account: str | None = None) -> Answer:
    """Other bytes each time, by their SHA-256, of which the list says the same; of another account each time."""
    sha256 = hashlib.sha256(content_id.encode()).digest()
    arrival = HashArrival(content_id, md5=md5, sha256=sha256, account_id=account or content_id)
    return flow.judge_hashes(runtime.rooms, arrival)


def decided(runtime: Runtime, content_id: str, outcome: Outcome) -> None:
    person = pairs.somebody(runtime.database, "test-reviewer", Role.REVIEWER)
    with runtime.database.transaction() as session:
        wanted = select(CaseItem.id).join(Content, Content.id == CaseItem.content_row)
        item = session.scalars(wanted.where(Content.content_id == content_id)).one()
    pairs.decide(runtime.rooms, person, item, outcome, "A harmless test file.")
    runtime.rooms.index.catch_up()


def standing(runtime: Runtime) -> list[QuarantineView]:
    with runtime.database.transaction() as session:
        return quarantines.standing(session)


def acts(runtime: Runtime, subject: str) -> list[tuple[str, str, dict[str, audit.Json]]]:
    with runtime.database.transaction() as session:
        assert audit.verify(session).ok
        return [
            (link.actor, link.act, dict(link.details)) for link in audit.links(session) if subject in link.subject
        ]


def lift(runtime: Runtime, number: int, reason: str = "The source looked again.") -> None:
    with runtime.database.transaction() as session:
        quarantines.lift(session, number, reason, MANAGER)
    runtime.rooms.index.catch_up()


def test_an_entry_that_is_mostly_no_match_blocks_no_more_until_somebody_lifts_it(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED, upstream_id="test-1"))
    for number in range(4):
        assert standing(runtime) == []
        assert sent(runtime, f"c{number}").verdict is Verdict.BLOCK
        decided(runtime, f"c{number}", Outcome.NOT_A_MATCH)
    (found,) = standing(runtime)
    assert (found.list_name, found.upstream_id, found.grounds) == ("Test list", "test-1", Grounds(Why.REVIEW, 4, 4))
    answer = sent(runtime, "held")
    assert answer.verdict is Verdict.HOLD
    assert "an entry that is disputed" in answer.reasons[0].explanation
    lift(runtime, found.id)
    assert standing(runtime) == []
    with pytest.raises(Conflict):
        lift(runtime, found.id)
    assert sent(runtime, "blocked").verdict is Verdict.BLOCK
    for content_id in ("held", "blocked"):  # what was decided before does not count against it again
        decided(runtime, content_id, Outcome.NOT_A_MATCH)
    assert sent(runtime, "blocked too").verdict is Verdict.BLOCK
    assert acts(runtime, f"entry:{found.entry_id}") == [
        (
            "system:seawall",
            "entry.dispute",
            {"list": "Test list", "disputed": True, "because": "review", "not_a_match": 4, "decided": 4},
        ),
        (
            "user:manager-1",
            "entry.dispute",
            {"list": "Test list", "disputed": False, "reason": "The source looked again.", "quarantine": found.id},
        ),
    ]


def test_an_entry_that_is_sometimes_right_stays_as_it_is(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED), trust=Trust.STANDARD)
    for number in range(6):
        sent(runtime, f"c{number}")
        decided(runtime, f"c{number}", Outcome.CONFIRM if number < 2 else Outcome.NOT_A_MATCH)
    assert standing(runtime) == []


def test_one_account_alone_brings_no_quarantine_about(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED), trust=Trust.STANDARD)
    for number in range(6):
        sent(runtime, f"c{number}", account="account-1")
        decided(runtime, f"c{number}", Outcome.NOT_A_MATCH)
    assert standing(runtime) == []


def test_an_appeal_quarantines_an_entry_unless_it_is_surely_right_more_often(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED), trust=Trust.STANDARD)
    with runtime.database.transaction() as session:
        listed = replace(match(), entry_id=session.scalars(select(Entry.id)).one())
    for number in range(10):
        sent(runtime, f"c{number}")
        decided(runtime, f"c{number}", Outcome.NOT_A_MATCH if number == 0 else Outcome.CONFIRM)
        if number in (0, 9):
            with runtime.database.transaction() as session:
                noisy.overturned(session, runtime.settings, [listed])
        if number == 0:
            (found,) = standing(runtime)
            assert (found.entry_id, found.grounds) == (listed.entry_id, Grounds(Why.APPEAL, 1, 1))
            lift(runtime, found.id)
            with runtime.database.transaction() as session:  # what was decided before it counts on
                session.execute(delete(Quarantine))
    assert standing(runtime) == []


def test_what_an_entry_met_that_is_noisy_says_nothing_of_its_list(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED), trust=Trust.STANDARD)
    for number in range(10):
        sent(runtime, f"c{number}")
        decided(runtime, f"c{number}", Outcome.NOT_A_MATCH)
    assert noisy.look_at_lists(runtime.database, runtime.settings) == 0
    (found,) = standing(runtime)
    assert found.entry_id is not None
    lift(runtime, found.id)
    assert noisy.look_at_lists(runtime.database, runtime.settings) == 0
    with runtime.database.transaction() as session:
        session.execute(delete(Quarantine))
    # Had it never been in quarantine, all ten would count.
    assert noisy.look_at_lists(runtime.database, runtime.settings) == 1


def test_taking_the_mark_off_by_hand_lifts_it_too(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED))
    with runtime.database.transaction() as session:
        entry = session.scalars(select(Entry.id)).one()
        assert quarantines.quarantine_entries(session, [entry], Grounds(Why.APPEAL, 0, 1)) == [entry]
        assert quarantines.quarantine_entries(session, [entry], Grounds(Why.APPEAL, 0, 1)) == []
        assert quarantines.entries_standing(session) == {"Test list": 1}
        store.dispute_entry(session, entry, False, MANAGER)
        assert quarantines.standing(session) == []
        assert quarantines.entries_standing(session) == {}


def test_lifting_takes_a_reason_and_something_to_lift(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=LISTED))
    with runtime.database.transaction() as session:
        quarantines.quarantine_entries(session, session.scalars(select(Entry.id)).all(), Grounds(Why.REVIEW, 4, 4))
    (found,) = standing(runtime)
    for reason in (" ", "x" * 501, "a\0b"):
        with pytest.raises(BadInput):
            lift(runtime, found.id, reason)
    with pytest.raises(NotFound):
        lift(runtime, found.id + 1)
    assert standing(runtime) == [found]


def test_a_list_that_is_mostly_no_match_blocks_no_more(runtime: Runtime) -> None:
    hashes = [bytes([number]) * 16 for number in range(1, 12)]
    definition = ListDefinition(source="test source", trust=Trust.TRUSTED, is_test=True)
    with runtime.database.transaction() as session:
        drafts = [EntryDraft(number, md5=md5) for number, md5 in enumerate(hashes)]
        store.import_entries(session, "Test list", drafts, actor=SYSTEM, definition=definition)
    runtime.rooms.index.catch_up()
    for number, md5 in enumerate(hashes[:9]):
        assert noisy.look_at_lists(runtime.database, runtime.settings) == 0
        assert sent(runtime, f"c{number}", md5).verdict is Verdict.BLOCK
        decided(runtime, f"c{number}", Outcome.NOT_A_MATCH)
    assert noisy.look_at_lists(runtime.database, runtime.settings) == 1
    assert noisy.look_at_lists(runtime.database, runtime.settings) == 0
    runtime.rooms.index.catch_up()
    (found,) = standing(runtime)
    assert (found.entry_id, found.grounds) == (None, Grounds(Why.REVIEW, 9, 9))
    answer = sent(runtime, "held", hashes[9])
    assert answer.verdict is Verdict.HOLD
    assert "a list that is in quarantine" in answer.reasons[0].explanation
    lift(runtime, found.id)
    assert sent(runtime, "blocked", hashes[10]).verdict is Verdict.BLOCK
    assert noisy.look_at_lists(runtime.database, runtime.settings) == 0
    assert [act for _actor, act, _details in acts(runtime, "list:Test list")][-2:] == [
        "list.quarantine",
        "list.lift_quarantine",
    ]
