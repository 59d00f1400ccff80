"""How the desk does: what came and what was decided day by day, how long it took, and how often lists were right.

Days are those of UTC. Nothing here names a person, an account or a content: these are the team's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

_FLOW = text("""
    WITH days AS (SELECT generate_series(CAST(:since AS date), CAST(:until AS date), interval '1 day')::date AS day),
    opened AS (
        SELECT (opened_at AT TIME ZONE 'UTC')::date AS day, count(*) AS cases FROM cases
        WHERE opened_at >= CAST(:since AS date) AT TIME ZONE 'UTC' GROUP BY 1
    ), closed AS (
        SELECT (decided_at AT TIME ZONE 'UTC')::date AS day, count(*) AS cases FROM cases
        WHERE decided_at >= CAST(:since AS date) AT TIME ZONE 'UTC' GROUP BY 1
    ), waited AS (
        SELECT (decided_at AT TIME ZONE 'UTC')::date AS day, count(*) AS items,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - added_at)) AS median_s,
               percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - added_at)) AS most_s
        FROM case_items
        WHERE state IN ('confirmed', 'not_a_match') AND decided_at >= CAST(:since AS date) AT TIME ZONE 'UTC'
        GROUP BY 1
    ), looked AS (
        SELECT (shown_at AT TIME ZONE 'UTC')::date AS day, count(*) AS looks FROM reveals
        WHERE shown_at >= CAST(:since AS date) AT TIME ZONE 'UTC' GROUP BY 1
    )
    SELECT days.day, coalesce(opened.cases, 0) AS opened, coalesce(closed.cases, 0) AS closed,
           coalesce(waited.items, 0) AS items, waited.median_s, waited.most_s, coalesce(looked.looks, 0) AS looks
    FROM days LEFT JOIN opened USING (day) LEFT JOIN closed USING (day) LEFT JOIN waited USING (day)
        LEFT JOIN looked USING (day)
    ORDER BY days.day
""")
_WAITING = text("SELECT count(*) FROM cases WHERE state <> 'decided'")
_FIRST = text("""
    SELECT least((SELECT min(opened_at) FROM cases), (SELECT min(shown_at) FROM reveals)) AT TIME ZONE 'UTC'
""")
# Each item counts once for each list that it met; what is still to decide, or was retracted, counts for none.
_PRECISION = text("""
    SELECT met.list, count(*) FILTER (WHERE item.state = 'confirmed') AS confirmed,
           count(*) FILTER (WHERE item.state = 'not_a_match') AS refused,
           count(appeal.id) AS appealed, count(*) FILTER (WHERE appeal.state = 'overturned') AS overturned
    FROM case_items AS item
    LEFT JOIN appeals AS appeal ON appeal.item_id = item.id AND appeal.state IN ('upheld', 'overturned')
    CROSS JOIN LATERAL (
        SELECT DISTINCT finding #>> '{list,name}' AS list FROM jsonb_array_elements(item.findings) AS finding
        WHERE finding ->> 'finding' = 'match'
    ) AS met
    WHERE item.state IN ('confirmed', 'not_a_match')
      AND (CAST(:since AS date) IS NULL OR item.decided_at >= CAST(:since AS date) AT TIME ZONE 'UTC')
    GROUP BY met.list ORDER BY met.list
""")


@dataclass(frozen=True, slots=True)
class DayAtDesk:
    """One day. `opened` and `closed` are cases, `items` those decided on that day, `median_s` and `most_s` the
    seconds within which half and nine tenths of them were decided after they came; None where none was. `looks` are
    reveals that were shown."""

    day: date
    opened: int
    closed: int
    items: int
    median_s: float | None
    most_s: float | None
    looks: int


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of the items that met one list, where somebody decided. Appeals against `appealed` of them were
    decided, of which `overturned` were right."""

    list: str
    confirmed: int
    refused: int
    appealed: int = 0
    overturned: int = 0

    @property
    def decided(self) -> int:
        """How many were decided."""
        return self.confirmed + self.refused


def days(session: Session, since: date, until: date) -> list[DayAtDesk]:
    """Each day from `since` to `until`, both among them."""
    rows = session.execute(_FLOW, {"since": since, "until": until})
    return [DayAtDesk(*row) for row in rows]


def waiting(session: Session) -> int:
    """How many cases are undecided now."""
    return int(session.execute(_WAITING).scalar_one())


def first_day(session: Session) -> date | None:
    """The day on which the first case was opened; None when there is none."""
    first = session.execute(_FIRST).scalar_one()
    return None if first is None else first.date()


def reviewed(session: Session, since: date | None = None) -> list[Reviewed]:
    """Of each list that items met which were decided since then (ever, without a day), what became of them."""
    return [Reviewed(*row) for row in session.execute(_PRECISION, {"since": since})]
