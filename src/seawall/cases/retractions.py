"""What becomes of items when entries that they met are taken back: by which they are found, and what is written."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.cases.decisions import close_if_done
from seawall.cases.items import add_item, put_findings, weigh
from seawall.database.documents import finding_to_json
from seawall.database.tables import Case, CaseItem, Content, now
from seawall.records import CaseState, Finding, ItemState, Judgement, Match

# Up to so many entries their items are looked up one by one in the index; beyond, all items are read once.
FEW_ENTRIES = 2000
OPEN_TO_RETRACTIONS = (ItemState.PENDING.value, ItemState.CONFIRMED.value)
# Of several items of one content the newest says where it stands.
NEWEST = "NOT EXISTS (SELECT FROM case_items AS n WHERE n.content_row = i.content_row AND n.id > i.id)"
LOST = "e.retracted > :since AND e.retracted <= :until"
BY_INDEX = text(f"""
    SELECT DISTINCT i.id FROM entries AS e
    JOIN case_items AS i ON i.findings @> jsonb_build_array(jsonb_build_object('entry_id', e.id))
    WHERE {LOST} AND i.state = ANY(:states) AND {NEWEST} ORDER BY i.id
""")  # noqa: S608 - made of constants
BY_ITEM = text(f"""
    SELECT DISTINCT i.id FROM case_items AS i CROSS JOIN LATERAL jsonb_array_elements(i.findings) AS f (finding)
    JOIN entries AS e ON e.id = CAST(f.finding ->> 'entry_id' AS bigint)
    WHERE {LOST} AND i.state = ANY(:states) AND {NEWEST} ORDER BY i.id
""")  # noqa: S608 - made of constants
BY_LIST = text(f"""
    SELECT DISTINCT i.id FROM list_removals AS l
    JOIN case_items AS i
        ON i.findings @> jsonb_build_array(jsonb_build_object('list', jsonb_build_object('list_id', l.list_id)))
    WHERE l.change > :since AND l.change <= :until AND i.state = ANY(:states) AND {NEWEST} ORDER BY i.id
""")  # noqa: S608 - made of constants
COUNT = text(f"SELECT count(*) FROM entries AS e WHERE {LOST}")  # noqa: S608 - made of constants
NAMES = text(f"""
    SELECT DISTINCT l.name FROM entries AS e JOIN hash_lists AS l ON l.id = e.list_id WHERE {LOST}
    UNION SELECT name FROM list_removals WHERE change > :since AND change <= :until ORDER BY name
""")  # noqa: S608 - made of constants
WRITTEN_SINCE = text(f"""
    SELECT i.id FROM case_items AS i JOIN content AS c ON c.id = i.content_row
    WHERE i.written_in >= CAST(CAST(:since AS text) AS xid8) AND c.generation < :generation
        AND i.state = ANY(:states) AND {NEWEST} ORDER BY i.id
""")  # noqa: S608 - made of constants


def entries_lost(session: Session, since: int, until: int) -> tuple[int, list[str]]:
    """How many entries lost something by changes after `since`, up to `until`, and the names of their lists and of
    those that were removed as a whole."""
    values = {"since": since, "until": until}
    entries: int = session.execute(COUNT, values).scalar_one()
    return entries, list(session.scalars(NAMES, values))


def items_naming(session: Session, since: int, until: int, entries: int) -> set[int]:
    """Items, undecided or confirmed, that met an entry which lost something by changes after `since`, up to `until`,
    or any entry of a list that was removed by them.

    Args:
        entries: how many entries that are, as `entries_lost` counts them.
    """
    values = {"since": since, "until": until, "states": list(OPEN_TO_RETRACTIONS)}
    found = set(session.scalars(BY_LIST, values))
    if entries:
        found.update(session.scalars(BY_INDEX if entries <= FEW_ENTRIES else BY_ITEM, values))
    return found


def items_written_since(session: Session, horizon: str, generation: int) -> set[int]:
    """Items whose findings were written by transactions from `horizon` on, and that were judged with lists older than
    `generation`."""
    values = {"since": horizon, "generation": generation, "states": list(OPEN_TO_RETRACTIONS)}
    return set(session.scalars(WRITTEN_SINCE, values))


def judge_anew(
    session: Session,
    case: Case,
    item: CaseItem,
    judgement: Judgement,
    findings: Sequence[Finding],
    fallen: Sequence[Match],
    *,
    urgent: bool,
) -> None:
    """Writes what an undecided item meets now. The caller holds case and item and appends the audit event.

    Args:
        fallen: what it met before and meets no more, because the entries were taken back.
        urgent: whether the case is urgent, by all its undecided items.
    """
    put_findings(item, judgement, findings)
    _remember(item, fallen)
    weigh(session, case, urgent=urgent)


def close_retracted(session: Session, case: Case, item: CaseItem) -> bool:
    """Takes an item that nothing obliges any more out of what people must decide; whether that closed its case."""
    item.state, item.decided_at = ItemState.RETRACTED.value, now()
    case.updated_at = item.decided_at
    session.flush()
    return close_if_done(session, case)


def take_up_again(
    session: Session,
    case: Case,
    item: CaseItem,
    content: Content,
    judgement: Judgement,
    findings: Sequence[Finding],
    fallen: Sequence[Match],
) -> tuple[Case, CaseItem]:
    """Has a confirmed item decided again: in its own case while that is undecided, else as a new item of the
    subject's undecided case, or of a new one. What was decided stays on record. The caller holds subject, case and
    item.

    Returns the case and the item that is pending now.
    """
    if case.state == CaseState.DECIDED:
        earlier = item
        case, item, _created = add_item(
            session,
            subject=case.subject,
            account_id=case.account_id,
            content_row=content,
            judgement=judgement,
            findings=findings,
            is_test=case.is_test,
        )
        item.again_of = earlier.again_of or earlier.id
        item.late, item.added_at = earlier.late, earlier.added_at
        item.retracted = list(earlier.retracted)
        content.case_id = case.id
    item.state, item.decided_at = ItemState.PENDING.value, None
    put_findings(item, judgement, findings)
    _remember(item, fallen)
    weigh(session, case, urgent=case.urgent or judgement.urgent)
    return case, item


def undecided_findings(session: Session, case_id: int, except_item: int) -> list[tuple[str, list[dict[str, object]]]]:
    """Surface and findings (as documents) of the other undecided items of a case."""
    wanted = (
        select(Content.surface, CaseItem.findings)
        .join(Content, Content.id == CaseItem.content_row)
        .where(CaseItem.case_id == case_id, CaseItem.id != except_item, CaseItem.state == ItemState.PENDING.value)
    )
    return [(surface, findings) for surface, findings in session.execute(wanted)]


def _remember(item: CaseItem, fallen: Sequence[Match]) -> None:
    if fallen:
        item.retracted = [*item.retracted, *(finding_to_json(finding) for finding in fallen)]
