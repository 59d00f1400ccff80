"""A blind review that does not agree: held again on the platform, and settled by a senior."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from seawall import flow, reviewing
from seawall.access.people import PersonSession
from seawall.cases import blind
from seawall.database.tables import Case, CaseItem, Content, OutboxMessage, Report, ReportItem
from seawall.errors import Conflict
from seawall.evidence import audit
from seawall.records import CaseState, ContentState, EntryDraft, HashArrival, ItemState, Outcome, Role, Trust
from seawall.reporting.facts import confirmed_items
from seawall.reporting.states import ReportState
from seawall.request_records import RequestState
from seawall.rooms import Rooms
from seawall.runtime import Runtime
from tests.integration.reporting.desk import REPORTER_FILE
from tests.integration.second.pairs import somebody
from tests.integration.test_flow import put_on_list, runtime

__all__ = ["runtime"]


def pending(runtime: Runtime) -> int:
    with runtime.database.transaction() as session:
        return session.scalars(select(CaseItem.id).where(CaseItem.state == ItemState.PENDING.value)).one()


def standing(runtime: Runtime) -> tuple[str, list[str]]:
    """Where the content stands, and what the platform was told of it."""
    with runtime.database.transaction() as session:
        events = session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.created_at, OutboxMessage.id))
        return session.scalars(select(Content.state)).one(), list(events)


@pytest.mark.parametrize("outcome", [Outcome.NOT_A_MATCH, Outcome.CONFIRM])
def test_two_who_disagree_leave_it_to_a_senior(runtime: Runtime, outcome: Outcome) -> None:
    settings = runtime.settings.model_copy(update={"blind_review_percent": "csam=100"})
    rooms = replace(runtime.rooms, settings=settings)
    put_on_list(runtime, EntryDraft(1, md5=b"\5" * 16), trust=Trust.STANDARD)
    flow.judge_hashes(rooms, HashArrival("c1", md5=b"\5" * 16, account_id="account-1"))
    first, second = (somebody(runtime.database, f"test-{number}", Role.REVIEWER) for number in (1, 2))
    flow.decide_item(rooms, first, pending(runtime), outcome, "A harmless test file.")
    with runtime.database.transaction() as session:
        assert blind.take(session, first.user_id) is None
        held = blind.take(session, second.user_id)
    assert held is not None
    other = Outcome.CONFIRM if outcome is Outcome.NOT_A_MATCH else Outcome.NOT_A_MATCH
    assert not reviewing.answer(rooms, second, held.id, other, "It is another file.")
    state, told = standing(runtime)
    # What was released is held again; what was removed stays removed until somebody has settled it.
    if outcome is Outcome.NOT_A_MATCH:
        assert (state, told[-1]) == (ContentState.HELD, "content.hold")
    else:
        assert (state, told[-1]) == (ContentState.REMOVED, "content.remove")
    with runtime.database.transaction() as session:
        (case,) = session.scalars(select(Case).where(Case.state != CaseState.DECIDED.value))
        assert case.state == CaseState.ESCALATED
    item = pending(runtime)
    for person in (first, second, somebody(runtime.database, "test-3", Role.REVIEWER)):
        with pytest.raises(Conflict, match="senior"):
            flow.decide_item(rooms, person, item, other, "Once more.")
    flow.decide_item(rooms, somebody(runtime.database, "test-4", Role.SENIOR), item, other, "The second was right.")
    assert standing(runtime)[0] == (ContentState.REMOVED if other is Outcome.CONFIRM else ContentState.RELEASED)
    with runtime.database.transaction() as session:
        assert audit.verify(session).ok
        (answered,) = [link for link in audit.links(session) if link.act == "item.review_blindly"]
        assert (answered.actor, answered.details["agrees"]) == ("user:test-2", False)


def disagreement(runtime: Runtime, rooms: Rooms, first: PersonSession, second: PersonSession) -> int:
    """One confirms, the other says that it is no match; the item that waits then."""
    flow.judge_hashes(rooms, HashArrival("c1", md5=b"\5" * 16, account_id="account-1"))
    flow.decide_item(rooms, first, pending(runtime), Outcome.CONFIRM, "A harmless test file.")
    with runtime.database.transaction() as session:
        held = blind.take(session, second.user_id)
    assert held is not None
    assert not reviewing.answer(rooms, second, held.id, Outcome.NOT_A_MATCH, "It is another file.")
    return pending(runtime)


def reports(runtime: Runtime) -> list[tuple[str, list[int]]]:
    """The state and the items of each report."""
    with runtime.database.transaction() as session:
        return [
            (row.state, list(session.scalars(select(ReportItem.item_id).where(ReportItem.report_id == row.id))))
            for row in session.scalars(select(Report).order_by(Report.id))
        ]


@pytest.mark.parametrize("settled", [Outcome.NOT_A_MATCH, Outcome.CONFIRM])
def test_what_two_disagree_about_is_in_no_report_until_it_is_confirmed_again(
    runtime: Runtime, tmp_path: Path, settled: Outcome
) -> None:
    (told := tmp_path / "reporter.toml").write_text(REPORTER_FILE, "utf-8")
    settings = runtime.settings.model_copy(
        update={"blind_review_percent": "csam=100", "cybertip_reporter_file": told}
    )
    rooms = replace(runtime.rooms, settings=settings)
    put_on_list(runtime, EntryDraft(1, md5=b"\5" * 16), trust=Trust.STANDARD)
    first, second = (somebody(runtime.database, f"test-{number}", Role.REVIEWER) for number in (1, 2))
    item = disagreement(runtime, rooms, first, second)
    assert reports(runtime) == [(ReportState.SET_ASIDE, [])]
    flow.decide_item(rooms, somebody(runtime.database, "test-3", Role.SENIOR), item, settled, "Looked at it.")
    wanted = [(ReportState.DRAFT, [item])] if settled is Outcome.CONFIRM else []
    assert reports(runtime) == [(ReportState.SET_ASIDE, []), *wanted]
    with runtime.database.transaction() as session:
        # Nothing of the earlier case is owed, whatever is drafted anew.
        earlier = session.scalars(select(CaseItem.case_id).order_by(CaseItem.id).limit(1)).one()
        assert confirmed_items(session, earlier) == []


def test_one_of_the_two_does_not_agree_to_its_release_either(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"blind_review_percent": "csam=100"})
    rooms = replace(runtime.rooms, settings=settings)
    put_on_list(runtime, EntryDraft(1, md5=b"\5" * 16), trust=Trust.TRUSTED)
    first, second, third, fourth = (somebody(runtime.database, f"test-{n}", Role.SENIOR) for n in range(4))
    item = disagreement(runtime, rooms, first, second)
    asked = flow.decide_item(rooms, third, item, Outcome.NOT_A_MATCH, "The second was right.").waits
    assert asked is not None
    for person in (first, second):
        with pytest.raises(Conflict, match="senior"):
            flow.answer_request(rooms, person, asked, approved=True, words="I agree.")
    assert standing(runtime)[0] == ContentState.REMOVED
    answered = flow.answer_request(rooms, fourth, asked, approved=True, words="I agree.")
    assert answered.state is RequestState.CARRIED_OUT
    assert standing(runtime)[0] == ContentState.RELEASED
