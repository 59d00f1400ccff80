"""What a reviewer confirms is found again under every other content id, and goes back with the decision."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from PIL import ImageOps
from sqlalchemy import select, update

from seawall import copies, flow, late, retraction
from seawall.access.people import PersonSession
from seawall.database.tables import CaseItem, Content, Entry, HashList
from seawall.errors import BadInput
from seawall.evidence import audit
from seawall.hashlists import store
from seawall.hashlists.changes import next_change
from seawall.hashlists.store import ListDefinition
from seawall.policy.rules import Copies
from seawall.records import (
    SYSTEM,
    Classification,
    ContentState,
    EntryDraft,
    HarmClass,
    HashArrival,
    ItemState,
    MediaArrival,
    Outcome,
    Trust,
    Verdict,
)
from seawall.rooms import Rooms
from seawall.runtime import Runtime
from tests.integration.second import pairs
from tests.integration.test_flow import encoded, list_exactly, picture, put_on_list, reviewer, runtime
from tests.integration.test_retraction import remove, states

__all__ = ["runtime"]

PICTURE = encoded(picture(51))
ALTERED = encoded(picture(51), "JPEG", quality=70)
FAR = encoded(picture(52))
TEST_BANK = "Confirmed here (csam, test data)"


@pytest.fixture
def person(runtime: Runtime) -> PersonSession:
    return reviewer(runtime)


def policy(runtime: Runtime, digest: bool, distance: int | None) -> Rooms:
    return replace(runtime.rooms, policy=replace(runtime.rooms.policy, copies=Copies(digest, distance)))


def decide(runtime: Runtime, person: PersonSession, outcome: Outcome, rooms: Rooms | None = None) -> None:
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id).where(CaseItem.state == ItemState.PENDING.value)).one()
    pairs.decide(rooms or runtime.rooms, person, item, outcome, "A harmless test picture.")
    runtime.rooms.index.catch_up()


def upload(runtime: Runtime, content_id: str, body: bytes, rooms: Rooms | None = None) -> Verdict:
    return flow.judge_media(rooms or runtime.rooms, MediaArrival(content_id, body, account_id=content_id)).verdict


def confirmed(runtime: Runtime, person: PersonSession, body: bytes = PICTURE, rooms: Rooms | None = None) -> None:
    """One listed picture, confirmed; its list has nothing but its SHA-256."""
    list_exactly(runtime, body)
    assert upload(runtime, "c1", body) is Verdict.BLOCK
    decide(runtime, person, Outcome.CONFIRM, rooms)


def banked(runtime: Runtime) -> list[tuple[str, bool, bool]]:
    """List, whether it has a digest and whether it has PDQ, of each entry that binds on the platform's own lists."""
    with runtime.database.transaction() as session:
        wanted = (
            select(HashList.name, Entry.sha256, Entry.pdq)
            .join(HashList, HashList.id == Entry.list_id)
            .where(Entry.content_row.is_not(None), Entry.removed_at.is_(None))
            .order_by(Entry.id)
        )
        return [(name, sha256 is not None, pdq is not None) for name, sha256, pdq in session.execute(wanted)]


def test_every_copy_is_found_under_another_content_id(runtime: Runtime, person: PersonSession) -> None:
    assert upload(runtime, "shown", ALTERED) is Verdict.ALLOW
    confirmed(runtime, person)
    remove(runtime)  # whatever becomes of the list, the platform knows by itself
    runtime.rooms.index.catch_up()
    assert banked(runtime) == [(TEST_BANK, True, True)]
    assert upload(runtime, "same", PICTURE) is Verdict.BLOCK
    assert upload(runtime, "altered", ALTERED) is Verdict.HOLD
    assert upload(runtime, "far", FAR) is Verdict.ALLOW
    sha256 = hashlib.sha256(PICTURE).digest()
    assert flow.judge_hashes(runtime.rooms, HashArrival("hashes", sha256=sha256)).verdict is Verdict.BLOCK
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime)["shown"] == ContentState.HELD
    with runtime.database.transaction() as session:
        bank = store.get_list(session, TEST_BANK)
        assert (bank.source, bank.trust, bank.harm_class, bank.max_distance, bank.is_test) == (
            "this platform",
            Trust.TRUSTED,
            HarmClass.CSAM,
            10,
            True,
        )
        (summary,) = [each for each in store.summaries(session) if each.info.is_own]
        assert summary.entries == 1
        assert audit.verify(session).ok


def test_hashes_alone_are_not_put_on_the_list(runtime: Runtime, person: PersonSession) -> None:
    """They are the sender's word: nobody has seen what they stand for."""
    put_on_list(runtime, EntryDraft(1, sha256=b"\5" * 32))
    flow.judge_hashes(runtime.rooms, HashArrival("c1", sha256=b"\5" * 32, md5=b"\6" * 16))
    decide(runtime, person, Outcome.CONFIRM)
    assert banked(runtime) == []
    assert flow.judge_hashes(runtime.rooms, HashArrival("c2", md5=b"\6" * 16)).verdict is Verdict.ALLOW


def test_what_nobody_could_read_is_not_put_on_the_list(runtime: Runtime, person: PersonSession) -> None:
    assert upload(runtime, "c1", PICTURE[:2000]) is Verdict.HOLD
    decide(runtime, person, Outcome.CONFIRM)
    assert banked(runtime) == []


def test_harm_class_and_classification_come_from_the_list(runtime: Runtime, person: PersonSession) -> None:
    with runtime.database.transaction() as session:
        draft = EntryDraft(1, sha256=hashlib.sha256(PICTURE).digest(), classification=Classification("uk", "B"))
        definition = ListDefinition("source", Trust.STANDARD, HarmClass.NCII, is_test=False)
        store.import_entries(session, "A list", [draft], actor=SYSTEM, definition=definition)
    runtime.rooms.index.catch_up()
    list_exactly(runtime, PICTURE, name="A test list about csam")
    upload(runtime, "c1", PICTURE)
    with runtime.database.transaction() as session:
        # Of two harm classes the worse; and what one real list says makes it a real entry.
        assert len(session.scalars(select(CaseItem)).one().findings) == 2
    decide(runtime, person, Outcome.CONFIRM)
    assert banked(runtime) == [("Confirmed here (csam)", True, True)]
    with runtime.database.transaction() as session:
        entry = session.scalars(select(Entry).where(Entry.content_row.is_not(None))).one()
        assert (entry.classification_scheme, entry.classification_code) == ("uk", "B")


def test_every_frame_of_an_animation_is_known(runtime: Runtime, person: PersonSession) -> None:
    frames = [picture(seed, (240, 180)) for seed in (61, 62, 63)]
    confirmed(runtime, person, encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert banked(runtime) == [(TEST_BANK, True, True), (TEST_BANK, False, True), (TEST_BANK, False, True)]
    assert upload(runtime, "c2", encoded(frames[2])) is Verdict.HOLD


def test_of_a_framed_picture_only_the_whole_is_known(runtime: Runtime, person: PersonSession) -> None:
    framed = ImageOps.expand(picture(64), 60, (12, 60, 30))
    confirmed(runtime, person, encoded(framed))
    with runtime.database.transaction() as session:
        frames = session.scalars(select(Content.frames)).one()
    assert [frame.get("is_part", False) for frame in frames][:2] == [False, True]
    assert banked(runtime) == [(TEST_BANK, True, True)]


def test_the_policy_says_what_a_copy_is(runtime: Runtime, person: PersonSession) -> None:
    confirmed(runtime, person)
    remove(runtime)
    runtime.rooms.index.catch_up()
    by_digest, by_pdq = policy(runtime, True, None), policy(runtime, False, 10)
    assert upload(runtime, "c2", ALTERED, by_digest) is Verdict.ALLOW
    assert upload(runtime, "c3", PICTURE, by_digest) is Verdict.BLOCK
    assert upload(runtime, "c4", ALTERED, by_pdq) is Verdict.HOLD
    assert copies.align(by_digest)
    with runtime.database.transaction() as session:
        assert store.get_list(session, TEST_BANK).max_distance == 0
    assert copies.align(by_digest)


def test_nothing_is_put_on_the_list_where_nothing_counts(runtime: Runtime, person: PersonSession) -> None:
    confirmed(runtime, person, rooms=policy(runtime, False, None))
    assert banked(runtime) == []


def test_a_decision_waits_for_no_import(runtime: Runtime, person: PersonSession) -> None:
    with runtime.database.transaction() as busy:
        list_exactly(runtime, PICTURE)
        next_change(busy)
        assert upload(runtime, "c1", PICTURE) is Verdict.BLOCK
        decide(runtime, person, Outcome.CONFIRM)
        assert states(runtime) == {"c1": ContentState.REMOVED}
        assert (copies.settle(runtime.rooms), banked(runtime)) == (0, [])
    assert copies.settle(runtime.rooms) == 1
    assert banked(runtime) == [(TEST_BANK, True, True)]
    assert copies.settle(runtime.rooms) == 0


def test_it_is_taken_back_with_the_decision(runtime: Runtime, person: PersonSession) -> None:
    """The list withdraws the entry, the reviewer decides again, and what only the copy's entry had held goes too."""
    confirmed(runtime, person)
    remove(runtime)
    runtime.rooms.index.catch_up()
    assert upload(runtime, "c2", PICTURE) is Verdict.BLOCK
    assert retraction.look_back(runtime.rooms) == 1
    with runtime.database.transaction() as session:
        first = session.scalar(select(Content.case_id).where(Content.content_id == "c1"))
        item = session.scalars(
            select(CaseItem.id).where(CaseItem.case_id == first, CaseItem.state == "pending")
        ).one()
    # Its own entry says nothing of it: it is found by no list now.
    with runtime.database.transaction() as session:
        assert session.get_one(CaseItem, item).findings == []
    assert states(runtime) == {"c1": ContentState.REMOVED, "c2": ContentState.BLOCKED}
    pairs.decide(runtime.rooms, person, item, Outcome.NOT_A_MATCH, "Another test picture.")
    assert banked(runtime) == []
    assert retraction.look_back(runtime.rooms) == 1
    assert states(runtime) == {"c1": ContentState.RELEASED, "c2": ContentState.PUBLISHED}
    runtime.rooms.index.catch_up()
    assert upload(runtime, "c3", PICTURE) is Verdict.ALLOW


def test_its_own_entry_does_not_hold_what_was_released(runtime: Runtime, person: PersonSession) -> None:
    """Between the decision and the entry's removal lies a moment in which the ledger is walked."""
    confirmed(runtime, person)
    remove(runtime)
    late.walk(runtime.rooms)
    retraction.look_back(runtime.rooms)
    with runtime.database.transaction() as busy:
        next_change(busy)
        decide(runtime, person, Outcome.NOT_A_MATCH)
        assert banked(runtime) == [(TEST_BANK, True, True)]
        assert late.stragglers(runtime.rooms) == 0
        assert upload(runtime, "c1", PICTURE) is Verdict.ALLOW
    assert states(runtime) == {"c1": ContentState.RELEASED}


def test_two_reviewers_who_say_the_opposite_of_the_same_bytes(runtime: Runtime, person: PersonSession) -> None:
    confirmed(runtime, person)
    assert upload(runtime, "c2", PICTURE) is Verdict.BLOCK
    decide(runtime, person, Outcome.NOT_A_MATCH)
    with runtime.database.transaction() as session:
        entry = session.scalars(select(Entry).where(Entry.content_row.is_not(None))).one()
        assert entry.disputed
        (summary,) = [each for each in store.summaries(session) if each.info.is_own]
        assert summary.disputed == 1
    remove(runtime)
    runtime.rooms.index.catch_up()
    assert upload(runtime, "c3", PICTURE) is Verdict.HOLD


def test_the_list_can_be_removed_like_any_other(runtime: Runtime, person: PersonSession) -> None:
    confirmed(runtime, person)
    remove(runtime)
    runtime.rooms.index.catch_up()
    assert upload(runtime, "c2", PICTURE) is Verdict.BLOCK
    with runtime.database.transaction() as session:
        store.remove_list(session, TEST_BANK, SYSTEM)
    assert retraction.look_back(runtime.rooms) == 2
    assert states(runtime) == {"c1": ContentState.REMOVED, "c2": ContentState.PUBLISHED}


def test_another_list_of_that_name_stays_what_it_is(runtime: Runtime, person: PersonSession) -> None:
    list_exactly(runtime, FAR, name=TEST_BANK)
    confirmed(runtime, person)
    assert banked(runtime) == [(f"{TEST_BANK} *", True, True)]


def test_no_other_list_can_have_the_source(runtime: Runtime) -> None:
    definition = ListDefinition(source="this platform")
    with runtime.database.transaction() as session, pytest.raises(BadInput, match="this platform"):
        store.ensure_list(session, "Mine", definition, SYSTEM)
    with runtime.database.transaction() as session, pytest.raises(BadInput, match="this platform"):
        store.import_entries(session, "Mine", [], actor=SYSTEM, definition=definition)


def test_what_was_confirmed_before_is_told_at_the_next_start(runtime: Runtime, person: PersonSession) -> None:
    confirmed(runtime, person)
    with runtime.database.transaction() as session:
        store.remove_list(session, TEST_BANK, SYSTEM)
        session.execute(update(CaseItem).values(copies_due=True))
    assert copies.settle(runtime.rooms) == 1
    assert banked(runtime) == [(TEST_BANK, True, True)]
