"""An entry is taken off its list or disputed: what it alone had held goes back, and what others hold stays."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from seawall import flow, late, retraction
from seawall.access.people import PersonSession
from seawall.cases import store as cases
from seawall.database.tables import (
    AuditEvent,
    Case,
    CaseItem,
    Content,
    Entry,
    Evidence,
    OutboxMessage,
    Report,
    Retractions,
    Walk,
)
from seawall.errors import Conflict
from seawall.evidence import audit
from seawall.hashlists import store
from seawall.hashlists.store import ImportMode
from seawall.records import (
    SYSTEM,
    CaseState,
    ContentState,
    EntryDraft,
    HashArrival,
    ItemState,
    MediaArrival,
    Outcome,
    Trust,
    Verdict,
)
from seawall.reporting.states import ReportState
from seawall.runtime import Runtime
from tests.integration.reporting.desk import REPORTER_FILE
from tests.integration.second import pairs
from tests.integration.test_flow import encoded, list_by_sight, list_exactly, picture, put_on_list, reviewer, runtime

__all__ = ["runtime"]

PICTURE = encoded(picture(41))
JPEG = encoded(picture(41), "JPEG", quality=80)
KNOWN = b"\5" * 32
OTHER = b"\6" * 32


@pytest.fixture
def person(runtime: Runtime) -> PersonSession:
    return reviewer(runtime)


def entry_of(runtime: Runtime, name: str = "Test list") -> int:
    with runtime.database.transaction() as session:
        list_id = store.get_list(session, name).list_id
        return session.scalars(select(Entry.id).where(Entry.list_id == list_id)).one()


def remove(runtime: Runtime, name: str = "Test list") -> None:
    entry = entry_of(runtime, name)
    with runtime.database.transaction() as session:
        store.remove_entry(session, entry, SYSTEM)


def dispute(runtime: Runtime, name: str = "Test list") -> None:
    entry = entry_of(runtime, name)
    with runtime.database.transaction() as session:
        store.dispute_entry(session, entry, True, SYSTEM)


def states(runtime: Runtime) -> dict[str, str]:
    with runtime.database.transaction() as session:
        return {row.content_id: row.state for row in session.execute(select(Content.content_id, Content.state))}


def items(runtime: Runtime) -> list[tuple[str, str]]:
    """State of each item and of its case."""
    with runtime.database.transaction() as session:
        wanted = select(CaseItem.state, Case.state).join(Case, Case.id == CaseItem.case_id).order_by(CaseItem.id)
        return [(item, case) for item, case in session.execute(wanted)]


def events(runtime: Runtime) -> list[str]:
    with runtime.database.transaction() as session:
        return list(session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.created_at)))


def last_data(runtime: Runtime) -> dict[str, object]:
    with runtime.database.transaction() as session:
        row = session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at.desc()).limit(1)).one()
        data: dict[str, object] = row.payload["data"]
        return data


def confirm(runtime: Runtime, person: PersonSession, outcome: Outcome = Outcome.CONFIRM) -> int:
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id).where(CaseItem.state == ItemState.PENDING.value)).one()
    pairs.decide(runtime.rooms, person, item, outcome, "A harmless test picture.")
    return item


PENDING_OPEN = (ItemState.PENDING.value, CaseState.OPEN.value)
RETRACTED_DECIDED = (ItemState.RETRACTED.value, CaseState.DECIDED.value)
CONFIRMED_DECIDED = (ItemState.CONFIRMED.value, CaseState.DECIDED.value)


def blocked(runtime: Runtime, content_id: str = "c1", *, account_id: str | None = "account-1") -> None:
    list_exactly(runtime, PICTURE)
    answer = flow.judge_media(runtime.rooms, MediaArrival(content_id, PICTURE, account_id=account_id))
    assert answer.verdict is Verdict.BLOCK


# --------------------------------------------------------------------------- nothing holds it any more


def test_what_a_removed_entry_alone_had_held_is_released_once(runtime: Runtime) -> None:
    blocked(runtime)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert (states(runtime), items(runtime)) == ({"c1": ContentState.PUBLISHED}, [RETRACTED_DECIDED])
    assert events(runtime) == ["content.block", "content.release"]
    told = last_data(runtime)
    assert (told["outcome"], told["content_id"], told["test"]) == ("retracted", "c1", True)
    assert told["reasons"] == [
        {
            "code": "entry_retracted",
            "rule": "retraction",
            "list": "Test list",
            "kind": None,
            "distance": None,
            "orientation": None,
            "explanation": 'The list "Test list" no longer has the entry that it met.',
        }
    ]
    with runtime.database.transaction() as session:
        assert audit.verify(session).ok
        event = session.scalars(select(AuditEvent).where(AuditEvent.act == "item.retract")).one()
        assert (event.details["entries_retracted"], event.details["lists"]) == (1, ["Test list"])
        record = session.scalars(select(Walk).where(Walk.reason == retraction.RETRACTION)).one()
        assert (record.lists, record.entries, record.candidates, record.matches) == (["Test list"], 1, 1, 1)
        item = session.scalars(select(CaseItem)).one()
        assert ([each["finding"] for each in item.retracted], item.findings) == (["match"], [])
        assert session.scalars(select(Evidence)).one().item_id == item.id
    assert retraction.look_back(runtime.rooms) == 0
    assert len(events(runtime)) == 2


def test_it_is_judged_as_any_other_afterwards(runtime: Runtime) -> None:
    blocked(runtime)
    remove(runtime)
    retraction.look_back(runtime.rooms)
    again = flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE, account_id="account-1"))
    assert (again.verdict, again.reasons) == (Verdict.ALLOW, ())
    list_exactly(runtime, PICTURE, name="Another test list")
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime) == {"c1": ContentState.BLOCKED}
    assert items(runtime) == [RETRACTED_DECIDED, PENDING_OPEN]


def test_an_entry_that_comes_back_holds_again(runtime: Runtime) -> None:
    """Nobody has decided anything: what was retracted counts for nothing that a reviewer had seen."""
    blocked(runtime)
    remove(runtime)
    retraction.look_back(runtime.rooms)
    list_exactly(runtime, PICTURE)
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime) == {"c1": ContentState.BLOCKED}


def test_a_decision_on_what_was_retracted_is_refused(runtime: Runtime, person: PersonSession) -> None:
    blocked(runtime)
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    remove(runtime)
    retraction.look_back(runtime.rooms)
    with pytest.raises(Conflict, match="needs no decision any more"):
        flow.decide_item(runtime.rooms, person, item, Outcome.CONFIRM, "Too late.")


@pytest.mark.parametrize("way", ["a new version", "the whole list", "another hash"])
def test_every_way_in_which_an_entry_goes(runtime: Runtime, way: str) -> None:
    put_on_list(runtime, EntryDraft(1, sha256=KNOWN, upstream_id="one"))
    put_on_list(runtime, EntryDraft(2, sha256=OTHER, upstream_id="two"))
    assert flow.judge_hashes(runtime.rooms, HashArrival("c1", sha256=KNOWN)).verdict is Verdict.BLOCK
    assert flow.judge_hashes(runtime.rooms, HashArrival("c2", sha256=OTHER)).verdict is Verdict.BLOCK
    with runtime.database.transaction() as session:
        if way == "a new version":
            kept = [EntryDraft(1, sha256=OTHER, upstream_id="two")]
            store.import_entries(session, "Test list", kept, actor=SYSTEM, mode=ImportMode(replace=True))
        elif way == "another hash":
            other = [EntryDraft(1, sha256=b"\7" * 32, upstream_id="one")]
            store.import_entries(session, "Test list", other, actor=SYSTEM)
        else:
            store.remove_list(session, "Test list", SYSTEM)
    whole = way == "the whole list"
    assert retraction.look_back(runtime.rooms) == 1 + whole
    assert states(runtime) == {
        "c1": ContentState.PUBLISHED,
        "c2": ContentState.PUBLISHED if whole else ContentState.BLOCKED,
    }


def test_a_list_that_is_disabled_lets_nothing_go(runtime: Runtime) -> None:
    """It stops matching; it has not said that it was wrong. Nor does what stands on it go with another's entry."""
    blocked(runtime)
    list_exactly(runtime, PICTURE, name="Another test list")
    flow.judge_media(runtime.rooms, MediaArrival("c2", PICTURE, account_id="account-1"))
    with runtime.database.transaction() as session:
        store.disable_list(session, "Test list", SYSTEM)
    assert retraction.look_back(runtime.rooms) == 0
    remove(runtime, "Another test list")
    assert retraction.look_back(runtime.rooms) == 1
    assert states(runtime) == {"c1": ContentState.BLOCKED, "c2": ContentState.BLOCKED}


def test_what_was_unreadable_stays_held(runtime: Runtime) -> None:
    broken = PICTURE[:2000]
    list_exactly(runtime, broken)
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", broken)).verdict is Verdict.BLOCK
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert (states(runtime), items(runtime)) == ({"c1": ContentState.HELD}, [PENDING_OPEN])
    assert events(runtime) == ["content.block", "content.hold"]


def test_a_case_with_another_item_stays_open_and_is_weighed_anew(runtime: Runtime) -> None:
    blocked(runtime)
    list_by_sight(runtime, encoded(picture(42)), name="Standard test list", trust=Trust.STANDARD)
    flow.judge_media(runtime.rooms, MediaArrival("c2", encoded(picture(42), "JPEG"), account_id="account-1"))
    with runtime.database.transaction() as session:
        assert session.scalars(select(Case.urgent)).one() is True
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert items(runtime) == [(ItemState.RETRACTED.value, CaseState.OPEN.value), PENDING_OPEN]
    with runtime.database.transaction() as session:
        case = session.scalars(select(Case)).one()
        view = cases.get_case(session, case.id)
        assert (case.urgent, case.priority) == (False, sum(term.points for term in view.terms))


# -------------------------------------------------------------------------------- others hold it still


def test_what_another_list_holds_takes_the_milder_verdict(runtime: Runtime) -> None:
    list_by_sight(runtime, PICTURE, name="Standard test list", trust=Trust.STANDARD)
    blocked(runtime)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert (states(runtime), items(runtime)) == ({"c1": ContentState.HELD}, [PENDING_OPEN])
    assert events(runtime) == ["content.block", "content.hold"]
    told = last_data(runtime)["reasons"]
    assert isinstance(told, list)
    assert [reason["code"] for reason in told] == ["entry_retracted", "perceptual_match"]
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem)).one()
        assert [finding["list"]["name"] for finding in item.findings] == ["Standard test list"]
        assert [finding["list"]["name"] for finding in item.retracted] == ["Test list"]


def test_the_same_verdict_is_not_told_again(runtime: Runtime) -> None:
    list_exactly(runtime, PICTURE, name="Another test list")
    blocked(runtime)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert (states(runtime), events(runtime)) == ({"c1": ContentState.BLOCKED}, ["content.block"])


def test_a_turned_copy_is_not_let_go_because_the_ledger_keeps_upright_hashes(runtime: Runtime) -> None:
    """What the picture itself had met stands as long as the entry does, though the ledger's hash misses it."""
    turned = encoded(picture(41).rotate(90, expand=True), "JPEG", quality=30)
    list_by_sight(runtime, PICTURE, name="Standard test list", trust=Trust.STANDARD)
    list_exactly(runtime, turned)
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", turned)).verdict is Verdict.BLOCK
    with runtime.database.transaction() as session:
        session.execute(text("UPDATE hash_lists SET max_distance = 0 WHERE name = 'Standard test list'"))
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert states(runtime) == {"c1": ContentState.HELD}


def test_a_disputed_entry_holds_what_it_had_blocked(runtime: Runtime) -> None:
    """By the shipped policy. A second pass over the same finds nothing to do."""
    blocked(runtime)
    dispute(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert (states(runtime), events(runtime)) == ({"c1": ContentState.HELD}, ["content.block", "content.hold"])
    forget(runtime)
    assert retraction.look_back(runtime.rooms) == 0
    assert events(runtime) == ["content.block", "content.hold"]


def forget(runtime: Runtime) -> None:
    """As after a pass that was killed before its end."""
    with runtime.database.transaction() as session:
        session.execute(update(Retractions).values(generation=0))


# ------------------------------------------------------------------------------ reviewers have decided


def test_what_was_confirmed_waits_for_a_person_again_and_stays_removed(
    runtime: Runtime, person: PersonSession
) -> None:
    blocked(runtime)
    earlier = confirm(runtime, person)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert (states(runtime), items(runtime)) == ({"c1": ContentState.REMOVED}, [CONFIRMED_DECIDED, PENDING_OPEN])
    assert events(runtime) == ["content.block", "content.remove"]
    with runtime.database.transaction() as session:
        (case,) = [row.case_id for row in cases.queue(session)]
        view = cases.get_case(session, case)
        item = view.items[0]
        assert (item.evidence_id is not None, [each.user for each in item.decisions]) == (True, [person.name])
        assert (item.findings, [each.list.name for each in item.retracted]) == ((), ["Test list"])  # type: ignore[union-attr]
        assert item.verdict is Verdict.HOLD
        assert session.get_one(CaseItem, item.id).again_of == earlier
        assert session.scalars(select(Content.case_id)).one() == case
    again = flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE, account_id="account-1"))
    assert again.verdict is Verdict.BLOCK
    forget(runtime)
    assert retraction.look_back(runtime.rooms) == 0
    assert states(runtime) == {"c1": ContentState.REMOVED}
    confirm(runtime, person, Outcome.NOT_A_MATCH)
    assert states(runtime) == {"c1": ContentState.RELEASED}
    assert events(runtime)[-1] == "content.release"


def test_no_draft_tells_of_what_waits_for_a_person_again(
    runtime: Runtime, person: PersonSession, tmp_path: Path
) -> None:
    (told := tmp_path / "reporter.toml").write_text(REPORTER_FILE, "utf-8")
    settings = runtime.settings.model_copy(update={"cybertip_reporter_file": told})
    rooms = replace(runtime.rooms, settings=settings)
    blocked(runtime)
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    flow.decide_item(rooms, person, item, Outcome.CONFIRM, "A harmless test picture.")
    remove(runtime)
    assert retraction.look_back(rooms) == 1
    with runtime.database.transaction() as session:
        assert session.scalars(select(Report.state)).all() == [ReportState.SET_ASIDE]


@pytest.mark.parametrize("how", [remove, dispute])
def test_who_confirms_again_has_the_last_word(runtime: Runtime, person: PersonSession, how: object) -> None:
    """Whoever decides it again knows that the entry is gone or disputed: nothing reopens it for the same reason."""
    blocked(runtime)
    confirm(runtime, person)
    how(runtime)  # type: ignore[operator]
    assert retraction.look_back(runtime.rooms) == 1
    confirm(runtime, person)
    forget(runtime)
    assert retraction.look_back(runtime.rooms) == 0
    assert items(runtime) == [CONFIRMED_DECIDED, CONFIRMED_DECIDED]
    assert states(runtime) == {"c1": ContentState.REMOVED}


def test_in_a_case_that_is_not_decided_the_item_itself_is_pending_again(
    runtime: Runtime, person: PersonSession
) -> None:
    blocked(runtime)
    other = encoded(picture(43))
    list_exactly(runtime, other, name="Another test list")
    confirmed = confirm_one_of_two(runtime, person, other)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    assert items(runtime) == [PENDING_OPEN, PENDING_OPEN]
    with runtime.database.transaction() as session:
        assert session.get_one(CaseItem, confirmed).again_of is None
    # A dispute or a removal of what it met besides releases nothing that was confirmed once.
    remove(runtime, "Another test list")
    assert retraction.look_back(runtime.rooms) == 1
    assert states(runtime) == {"c1": ContentState.REMOVED, "c2": ContentState.PUBLISHED}


def confirm_one_of_two(runtime: Runtime, person: PersonSession, other: bytes) -> int:
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    flow.judge_media(runtime.rooms, MediaArrival("c2", other, account_id="account-1"))
    flow.decide_item(runtime.rooms, person, item, Outcome.CONFIRM, "A harmless test picture.")
    return item


def test_what_was_confirmed_by_two_lists_waits_until_both_are_gone(runtime: Runtime, person: PersonSession) -> None:
    list_exactly(runtime, PICTURE, name="Another test list")
    blocked(runtime)
    confirm(runtime, person)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 0
    dispute(runtime, "Another test list")
    assert retraction.look_back(runtime.rooms) == 1
    assert items(runtime) == [CONFIRMED_DECIDED, PENDING_OPEN]


def test_a_later_case_of_the_same_account_takes_it_up(runtime: Runtime, person: PersonSession) -> None:
    blocked(runtime)
    confirm(runtime, person)
    other = encoded(picture(43))
    list_exactly(runtime, other, name="Another test list")
    flow.judge_media(runtime.rooms, MediaArrival("c2", other, account_id="account-1"))
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
    with runtime.database.transaction() as session:
        (row,) = cases.queue(session)
        assert (row.items, row.pending) == (2, 2)


def test_what_a_reviewer_released_stays_released(runtime: Runtime, person: PersonSession) -> None:
    blocked(runtime)
    confirm(runtime, person, Outcome.NOT_A_MATCH)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 0
    assert (states(runtime), len(events(runtime))) == ({"c1": ContentState.RELEASED}, 2)


def test_a_release_by_a_reviewer_counts_again_when_what_came_later_is_gone(
    runtime: Runtime, person: PersonSession
) -> None:
    blocked(runtime)
    confirm(runtime, person, Outcome.NOT_A_MATCH)
    list_exactly(runtime, PICTURE, name="Another test list")
    assert late.walk(runtime.rooms).matches == 1
    remove(runtime, "Another test list")
    assert retraction.look_back(runtime.rooms) == 1
    assert states(runtime) == {"c1": ContentState.RELEASED}
    assert late.walk(runtime.rooms, lists=("Test list",), anew=True).matches == 0
    assert events(runtime)[-1] == "content.release"


# -------------------------------------------------------------------------------------- at once, alone


def test_many_passes_at_once_act_once(runtime: Runtime) -> None:
    list_exactly(runtime, PICTURE)
    for number in range(6):
        flow.judge_media(runtime.rooms, MediaArrival(f"c{number}", PICTURE, account_id="account-1"))
    remove(runtime)
    passes = [threading.Thread(target=retraction.look_back, args=(runtime.rooms,)) for _ in range(4)]
    for each in passes:
        each.start()
    for each in passes:
        each.join()
    assert sorted(events(runtime)) == ["content.block"] * 6 + ["content.release"] * 6
    assert set(states(runtime).values()) == {ContentState.PUBLISHED}


def test_a_hold_on_its_way_does_not_slip_through(runtime: Runtime) -> None:
    """It was looked up before the entry was taken back, and becomes visible after the pass."""
    blocked(runtime, "c0")
    before = runtime.rooms.index.generation
    with runtime.database.transaction() as session:
        session.execute(text("UPDATE content SET generation = :g"), {"g": before})
        session.execute(text("DELETE FROM evidence"))
    remove(runtime)
    with runtime.database.transaction() as slow:
        insert = text(
            "INSERT INTO content (content_id, identity, surface, sha256, frames, verdict, reasons, policy_version,"
            " state, generation, account_id) SELECT 'c1', identity, surface, sha256, frames, verdict, reasons,"
            " policy_version, state, generation, 'account-2' FROM content WHERE content_id = 'c0' RETURNING id"
        )
        row = slow.execute(insert).scalar_one()
        case = slow.execute(
            text(
                "INSERT INTO cases (subject, account_id, state) VALUES ('account:account-2', 'account-2', 'open')"
                " RETURNING id"
            )
        ).scalar_one()
        slow.execute(
            text(
                "INSERT INTO case_items (case_id, content_row, state, verdict, findings, reasons, policy_version)"
                " SELECT :case, :row, state, verdict, findings, reasons, policy_version FROM case_items"
            ),
            {"case": case, "row": row},
        )
        assert retraction.look_back(runtime.rooms) == 1
        # A pass while it is still on its way must not forget it.
        assert retraction.look_back(runtime.rooms) == 0
        assert states(runtime) == {"c0": ContentState.PUBLISHED}
    assert retraction.look_back(runtime.rooms) == 1
    assert states(runtime) == {"c0": ContentState.PUBLISHED, "c1": ContentState.PUBLISHED}
    assert retraction.look_back(runtime.rooms) == 0


def test_a_database_of_a_cluster_that_counts_from_lower_on(runtime: Runtime) -> None:
    """What a dump says was written by transactions that are still to come would hide what is written from now on, or
    be looked at each second until they have come."""
    far = 1 << 40
    blocked(runtime, "c0")
    with runtime.database.transaction() as session:
        session.execute(text("UPDATE retractions SET horizon = CAST(:n AS text)::xid8"), {"n": str(far)})
        session.execute(text("UPDATE case_items SET written_in = CAST(:n AS text)::xid8"), {"n": str(far + 5)})
    retraction.settle(runtime.database)
    retraction.look_back(runtime.rooms)
    with runtime.database.transaction() as session:
        written, horizon, following = session.execute(
            text(
                "SELECT max(i.written_in)::text, max(r.horizon)::text, pg_snapshot_xmax(pg_current_snapshot())::text"
                " FROM case_items AS i, retractions AS r"
            )
        ).one()
    assert int(written) < int(horizon) <= int(following), "nothing is owed, and what comes is newer"
    test_a_hold_on_its_way_does_not_slip_through(runtime)


def test_settling_changes_nothing_in_the_cluster_itself(runtime: Runtime) -> None:
    blocked(runtime, "c0")
    retraction.look_back(runtime.rooms)
    wanted = text("SELECT i.written_in::text, r.horizon::text FROM case_items AS i, retractions AS r")
    with runtime.database.transaction() as session:
        before = session.execute(wanted).all()
    retraction.settle(runtime.database)
    with runtime.database.transaction() as session:
        assert session.execute(wanted).all() == before


def test_many_entries_at_once_are_found_by_the_items(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.cases.retractions.FEW_ENTRIES", 0)
    blocked(runtime)
    remove(runtime)
    assert retraction.look_back(runtime.rooms) == 1
