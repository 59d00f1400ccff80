"""The queue: the most pressing cases first, page by page, in one query however many there are."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, func, select, text
from sqlalchemy.orm import Session

from seawall.cases.clocks import Clocks
from seawall.cases.conditions import EVERYTHING, QueueFilter, conditions
from seawall.cases.items import terms_from_json
from seawall.cases.priority import Terms
from seawall.database.documents import reason_from_json
from seawall.database.tables import Case
from seawall.errors import BadInput
from seawall.records import CaseState, HarmClass, Reason

UNDECIDED = (CaseState.OPEN, CaseState.ESCALATED)
LARGEST_PAGE = 500

# What is pressing first: as ix_cases_queue has it.
ORDER = "NOT urgent, rank, id"
# When each ought to have been decided, the longest overdue first.
DUE_ORDER = "due_at, id"

_COLUMNS = "id, subject, account_id, state, urgent, priority, terms, harm_class, is_test, rank, opened_at, updated_at"
# One ordered walk over the index ix_cases_queue for each state, merged: asking for all states at once would sort the
# whole queue. The lateral parts are looked up for the rows of the page alone.
_WALK = f"""
    SELECT walk.* FROM unnest(CAST(:states AS text[])) AS wanted(state)
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS}, opened_at AS due_at FROM cases
        WHERE cases.state = wanted.state AND (NOT urgent, rank, id)
              > (CAST(:calm AS boolean), CAST(:rank AS bigint), CAST(:id AS bigint)){{conditions}}
        ORDER BY {ORDER} LIMIT :limit
    ) AS walk
    ORDER BY {ORDER} LIMIT :limit
"""  # noqa: S608 - made of constants
# The same over the index ix_cases_clock, for each state and each kind of case that has a clock of its own.
_OVERDUE = f"""
    SELECT walk.* FROM unnest(CAST(:states AS text[])) AS wanted(state)
    CROSS JOIN unnest(CAST(:urgents AS boolean[]), CAST(:classes AS text[]), CAST(:lasts AS interval[]))
        AS clock(urgent, harm_class, lasts)
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS}, opened_at + clock.lasts AS due_at FROM cases
        WHERE cases.state = wanted.state AND cases.urgent = clock.urgent AND cases.harm_class = clock.harm_class
          AND opened_at < now() - clock.lasts
          AND (opened_at, id) > (CAST(:due_at AS timestamptz) - clock.lasts, CAST(:id AS bigint)){{conditions}}
        ORDER BY opened_at, id LIMIT :limit
    ) AS walk
    ORDER BY {DUE_ORDER} LIMIT :limit
"""  # noqa: S608 - made of constants
_PAGE = """
SELECT page.*, counted.items, counted.pending, found.lists, first.reasons,
       holder.user_id AS holder_id, holder.name AS holder, looking.names AS looking
FROM ({walk}) AS page
CROSS JOIN LATERAL (
    SELECT count(*) AS items, count(*) FILTER (WHERE state = 'pending') AS pending
    FROM case_items WHERE case_id = page.id
) AS counted
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT reason ->> 'list') AS lists
    FROM case_items CROSS JOIN jsonb_array_elements(case_items.reasons) AS reason
    WHERE case_id = page.id AND reason ->> 'list' IS NOT NULL
) AS found
LEFT JOIN LATERAL (
    SELECT reasons FROM case_items WHERE case_id = page.id
    ORDER BY state = 'pending' DESC, verdict = 'block' DESC, id LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT claims.user_id, users.name FROM claims JOIN users ON users.id = claims.user_id
    WHERE claims.case_id = page.id AND claims.expires_at > clock_timestamp()
) AS holder ON true
CROSS JOIN LATERAL (
    SELECT array_agg(users.name ORDER BY users.name) AS names FROM presences
    JOIN users ON users.id = presences.user_id
    WHERE presences.case_id = page.id AND presences.seen_at > clock_timestamp() - interval '50 seconds'
) AS looking
ORDER BY {order}
"""
_LATE = text("""
SELECT coalesce(sum(walk.number), 0) FROM unnest(CAST(:states AS text[])) AS wanted(state)
CROSS JOIN unnest(CAST(:urgents AS boolean[]), CAST(:classes AS text[]), CAST(:lasts AS interval[]))
    AS clock(urgent, harm_class, lasts)
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT FROM cases
        WHERE cases.state = wanted.state AND cases.urgent = clock.urgent AND cases.harm_class = clock.harm_class
          AND opened_at < now() - clock.lasts LIMIT :limit
    ) AS late
) AS walk
""")


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One case in the queue. `reasons` are those of its most severe pending item (of its most severe, when none is
    pending), `lists` the names of all lists that its items matched. `holder` works on it, `looking` have it open.
    `cursor` is what to pass as `after` to go on behind this row."""

    case_id: int
    subject: str
    account_id: str | None
    state: CaseState
    urgent: bool
    priority: int
    terms: Terms
    harm_class: HarmClass
    is_test: bool
    opened_at: datetime
    updated_at: datetime
    items: int
    pending: int
    reasons: tuple[Reason, ...]
    lists: tuple[str, ...]
    holder_id: int | None
    holder: str | None
    looking: tuple[str, ...]
    cursor: str


BEFORE_ALL = {"calm": False, "rank": -(2**62), "id": 0, "due_at": "-infinity"}


def queue(
    session: Session,
    states: Collection[CaseState] = UNDECIDED,
    *,
    limit: int = 50,
    after: str | None = None,
    filters: QueueFilter = EVERYTHING,
    overdue: Clocks | None = None,
) -> list[QueueRow]:
    """Cases of these states: urgent ones first, then by priority and age.

    Args:
        limit: at most this many, 500 at most.
        after: the `cursor` of the last row of the page before.
        overdue: only what ought to have been decided by these clocks, the longest overdue first.

    Raises:
        BadInput: the cursor is none of ours.
    """
    statement, values = page(states, filters, overdue)
    values |= {"limit": max(1, min(limit, LARGEST_PAGE)), **(BEFORE_ALL if after is None else _place(after))}
    return [_row(row, late=overdue is not None) for row in session.execute(statement, values)]


def page(
    states: Collection[CaseState], filters: QueueFilter, overdue: Clocks | None
) -> tuple[TextClause, dict[str, object]]:
    """The statement for a page of these cases, and its values but for the place where it begins."""
    asked, values = conditions(filters)
    walk, order = (_WALK, ORDER) if overdue is None else (_OVERDUE, DUE_ORDER)
    values["states"] = [state.value for state in states]
    if overdue is not None:
        values |= _kinds(overdue)
    return text(_PAGE.format(walk=walk.format(conditions=asked), order=order)), values


def counts(session: Session) -> dict[CaseState, int]:
    """How many cases stand where."""
    rows = session.execute(select(Case.state, func.count()).group_by(Case.state)).all()
    found = {CaseState(state): int(number) for state, number in rows}
    return {state: found.get(state, 0) for state in CaseState}


def undecided(session: Session) -> dict[CaseState, int]:
    """How many cases wait, by their state; decided ones are not gone through."""
    wanted = select(Case.state, func.count()).where(Case.state.in_([state.value for state in UNDECIDED]))
    found = {CaseState(state): int(number) for state, number in session.execute(wanted.group_by(Case.state)).all()}
    return {state: found.get(state, 0) for state in UNDECIDED}


def count_overdue(session: Session, clocks: Clocks, *, limit: int = 1000) -> int:
    """How many undecided cases ought to have been decided; of each kind and state, up to `limit` are counted."""
    values = {"states": [state.value for state in UNDECIDED], "limit": limit, **_kinds(clocks)}
    return int(session.execute(_LATE, values).scalar_one())


def _kinds(clocks: Clocks) -> dict[str, object]:
    kinds = list(clocks.each())
    return {
        "urgents": [urgent for urgent, _, _ in kinds],
        "classes": [harm_class.value for _, harm_class, _ in kinds],
        "lasts": [lasts for _, _, lasts in kinds],
    }


def _cursor(row: Row[Any], late: bool) -> str:
    place = [row.due_at.isoformat(), row.id] if late else [row.urgent, row.rank, row.id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> dict[str, object]:
    try:
        *first, case_id = json.loads(base64.b64decode(cursor, b"-_", validate=True))
        if type(case_id) is not int or not 0 <= case_id < 2**63:
            raise ValueError("not the number of a case")
        if len(first) == 1:
            due_at = datetime.fromisoformat(first[0])
            if due_at.tzinfo is None:
                raise ValueError("not the time of a cursor")
            return {**BEFORE_ALL, "due_at": due_at, "id": case_id}
        urgent, rank = first
        if type(urgent) is not bool or type(rank) is not int or not -(2**63) <= rank < 2**63:
            raise ValueError("not the place of a cursor")
    except (ValueError, TypeError, RecursionError):
        raise BadInput("That place in the queue does not exist.", hint="Begin at the first page.") from None
    return {**BEFORE_ALL, "calm": not urgent, "rank": rank, "id": case_id}


def _row(row: Row[Any], *, late: bool) -> QueueRow:
    return QueueRow(
        case_id=row.id,
        subject=row.subject,
        account_id=row.account_id,
        state=CaseState(row.state),
        urgent=row.urgent,
        priority=row.priority,
        terms=terms_from_json(row.terms),
        harm_class=HarmClass(row.harm_class),
        is_test=row.is_test,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        items=row.items,
        pending=row.pending,
        reasons=tuple(reason_from_json(document) for document in row.reasons or ()),
        lists=tuple(sorted(row.lists or ())),
        holder_id=row.holder_id,
        holder=row.holder,
        looking=tuple(row.looking or ()),
        cursor=_cursor(row, late),
    )
