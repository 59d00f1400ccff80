"""How often what entries and lists had met was no match, when people looked.

The same bytes count once, by what was decided of them last; a content that was decided before a quarantine was lifted
counts no more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.intervals import wilson

_BY_ENTRY = text("""
    SELECT met.of, count(*) AS decided, count(*) FILTER (WHERE met.state = 'not_a_match') AS refused
    FROM (
        SELECT DISTINCT ON (wanted.id, coalesce(c.sha256, c.identity)) wanted.id AS of, i.state
        FROM unnest(CAST(:entries AS bigint[])) AS wanted (id)
        JOIN case_items AS i ON i.findings @> jsonb_build_array(jsonb_build_object('entry_id', wanted.id))
        JOIN content AS c ON c.id = i.content_row
        WHERE i.state IN ('confirmed', 'not_a_match') AND i.decided_at > coalesce(
            (SELECT max(lifted_at) FROM quarantines AS q WHERE q.entry_id = wanted.id), '-infinity'
        )
        ORDER BY wanted.id, coalesce(c.sha256, c.identity), i.decided_at DESC, i.id DESC
    ) AS met GROUP BY met.of ORDER BY met.of
""")
_BY_LIST = text("""
    SELECT met.of, count(*) AS decided, count(*) FILTER (WHERE met.state = 'not_a_match') AS refused
    FROM (
        SELECT DISTINCT ON (l.id, coalesce(c.sha256, c.identity)) l.id AS of, i.state
        FROM case_items AS i
        JOIN content AS c ON c.id = i.content_row
        CROSS JOIN LATERAL (
            SELECT DISTINCT CAST(finding #>> '{list,list_id}' AS bigint) AS list_id
            FROM jsonb_array_elements(i.findings) AS finding WHERE finding ->> 'finding' = 'match'
        ) AS named
        JOIN hash_lists AS l ON l.id = named.list_id AND l.enabled AND NOT l.quarantined
        WHERE i.state IN ('confirmed', 'not_a_match') AND i.decided_at > greatest(:since, coalesce(
            (SELECT max(lifted_at) FROM quarantines AS q WHERE q.list_id = l.id AND q.entry_id IS NULL), '-infinity'
        ))
        ORDER BY l.id, coalesce(c.sha256, c.identity), i.decided_at DESC, i.id DESC
    ) AS met GROUP BY met.of ORDER BY met.of
""")


@dataclass(frozen=True, slots=True)
class Overturns:
    """Of `decided` contents that an entry or a list (`of`, by number) had met, `refused` were no match."""

    of: int
    decided: int
    refused: int

    def is_noisy(self, share: float) -> bool:
        """Whether surely more than this share was no match: few decisions prove little."""
        low, _high = wilson(self.refused, self.decided)
        return low > share


def of_entries(session: Session, entry_ids: Collection[int]) -> list[Overturns]:
    """Each of these entries of which something was decided."""
    return [Overturns(*row) for row in session.execute(_BY_ENTRY, {"entries": sorted(set(entry_ids))})]


def of_lists(session: Session, since: datetime) -> list[Overturns]:
    """Each enabled list that is not in quarantine, by what was decided since then."""
    return [Overturns(*row) for row in session.execute(_BY_LIST, {"since": since})]
