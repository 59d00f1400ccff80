"""What a report owes of items that are decided again: the newest says where it stands, and no file is owed twice."""

from __future__ import annotations

from sqlalchemy import select, update

from seawall.cases import retractions
from seawall.database.tables import Case, CaseItem, Content
from seawall.database.tables import Report as ReportRow
from seawall.records import CaseState, ItemState
from seawall.reporting import drafting
from seawall.reporting.facts import confirmed_items
from seawall.reporting.originals import items_with_originals
from seawall.reporting.states import ReportState
from tests.integration.cases.material import judgement, match
from tests.integration.reporting.desk import Desk


def taken_up(desk: Desk, case_id: int) -> CaseItem:
    """The newest item of a decided case is pending again, in a case of its own."""
    with desk.database.transaction() as session:
        case = session.get_one(Case, case_id)
        case.state = CaseState.DECIDED.value
        session.flush()
        item = session.scalars(
            select(CaseItem).where(CaseItem.case_id == case_id).order_by(CaseItem.id.desc())
        ).first()
        assert item is not None
        content = session.get_one(Content, item.content_row)
        found = [match()]
        _case, again = retractions.take_up_again(session, case, item, content, judgement(found), found, ())
        assert (again.case_id != case_id, again.state) == (True, ItemState.PENDING)
        return again


def settle(desk: Desk, item: CaseItem, state: ItemState) -> int | None:
    """Decides it; the draft of its case, if there is one then."""
    with desk.database.transaction() as session:
        session.execute(update(CaseItem).where(CaseItem.id == item.id).values(state=state.value))
        return drafting.draft(session, desk.vault, desk.settings, item.case_id)


def draft(desk: Desk, case_id: int) -> int | None:
    with desk.database.transaction() as session:
        return drafting.draft(session, desk.vault, desk.settings, case_id)


def owed(desk: Desk, case_id: int) -> list[int]:
    with desk.database.transaction() as session:
        return [each.item_id for each in confirmed_items(session, case_id)]


def test_a_draft_loses_what_is_taken_up_again_and_the_newest_is_owed_once(desk: Desk) -> None:
    case_id = desk.decided(files=2)
    first, last = desk.items_of(desk.report(case_id).id)
    again = taken_up(desk, case_id)
    # Also where it is confirmed before the draft of the earlier case is looked at again.
    report = settle(desk, again, ItemState.CONFIRMED)
    assert report is not None
    assert draft(desk, case_id) is not None
    assert (desk.items_of(desk.report(case_id).id), desk.items_of(report)) == ([first], [again.id])
    with desk.database.transaction() as session:
        assert items_with_originals(session, case_id) == [first]
        assert items_with_originals(session, again.case_id) == [again.id]
    # Taken up once more: the one in the middle says nothing any more either.
    once_more = taken_up(desk, again.case_id)
    assert once_more.again_of == last
    assert draft(desk, again.case_id) is None
    assert settle(desk, once_more, ItemState.NOT_A_MATCH) is None
    assert [owed(desk, each) for each in (case_id, again.case_id, once_more.case_id)] == [[], [], []]
    assert desk.items_of(desk.report(case_id).id) == [first]


def test_what_was_reported_is_not_owed_again_however_often_it_is_confirmed(desk: Desk) -> None:
    case_id = desk.decided(files=1)
    with desk.database.transaction() as session:
        row = session.scalars(select(ReportRow).where(ReportRow.case_id == case_id)).one()
        row.state, row.live = ReportState.FILED.value, False
    for _ in range(2):
        again = taken_up(desk, case_id)
        assert settle(desk, again, ItemState.CONFIRMED) is None
        assert owed(desk, again.case_id) == []
        case_id = again.case_id


def test_a_report_on_its_way_counts_as_one(desk: Desk) -> None:
    case_id = desk.decided(files=1)
    with desk.database.transaction() as session:
        session.execute(update(ReportRow).values(state=ReportState.STOPPED.value))
    again = taken_up(desk, case_id)
    assert settle(desk, again, ItemState.CONFIRMED) is None
