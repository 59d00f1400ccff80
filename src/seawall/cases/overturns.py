"""How often what entries and lists had met was no match, when people looked.

The same bytes count once, by what was decided of them last, and so does one account: nobody alone brings a quarantine
about, with however many files. A content that was decided before a quarantine was lifted counts no more, and what
an entry met that is disputed or gone says nothing of the rest of its list.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.intervals import wilson

# Of what was met (`of`, `item`): once the bytes, then once the account; the decision that was last counts.
_COUNT = """
    SELECT of, count(*) AS decided, count(*) FILTER (WHERE state = 'not_a_match') AS refused
    FROM (
        SELECT DISTINCT ON (of, coalesce('account:' || account_id, 'item:' || item)) of, state
        FROM (
            SELECT DISTINCT ON (met.of, coalesce(c.sha256, c.identity))
                met.of, i.id AS item, i.state, i.decided_at, c.account_id
            FROM met
            JOIN case_items AS i ON i.id = met.item
            JOIN content AS c ON c.id = i.content_row
            ORDER BY met.of, coalesce(c.sha256, c.identity), i.decided_at DESC, i.id DESC
        ) AS files
        ORDER BY of, coalesce('account:' || account_id, 'item:' || item), decided_at DESC, item DESC
    ) AS counted GROUP BY of ORDER BY of
"""
_BY_ENTRY = text(f"""
    WITH met AS (
        SELECT wanted.id AS of, i.id AS item
        FROM unnest(CAST(:entries AS bigint[])) AS wanted (id)
        JOIN case_items AS i ON i.findings @> jsonb_build_array(jsonb_build_object('entry_id', wanted.id))
        WHERE i.state IN ('confirmed', 'not_a_match') AND i.decided_at > coalesce(
            (SELECT max(lifted_at) FROM quarantines AS q WHERE q.entry_id = wanted.id), '-infinity'
        )
    )
    {_COUNT}
""")  # noqa: S608 - made of constants
_BY_LIST = text(f"""
    WITH met AS (
        SELECT l.id AS of, i.id AS item
        FROM case_items AS i
        CROSS JOIN LATERAL (
            SELECT DISTINCT CAST(finding #>> '{{list,list_id}}' AS bigint) AS list_id
            FROM jsonb_array_elements(i.findings) AS finding
            WHERE finding ->> 'finding' = 'match' AND NOT EXISTS (
                SELECT FROM entries AS e
                WHERE e.id = CAST(finding ->> 'entry_id' AS bigint) AND (e.disputed OR e.removed_at IS NOT NULL)
            ) AND NOT EXISTS (
                SELECT FROM quarantines AS q
                WHERE q.entry_id = CAST(finding ->> 'entry_id' AS bigint) AND q.lifted_at >= i.decided_at
            )
        ) AS named
        JOIN hash_lists AS l ON l.id = named.list_id AND l.enabled AND NOT l.quarantined
        WHERE i.state IN ('confirmed', 'not_a_match') AND i.decided_at > greatest(:since, coalesce(
            (SELECT max(lifted_at) FROM quarantines AS q WHERE q.list_id = l.id AND q.entry_id IS NULL), '-infinity'
        ))
    )
    {_COUNT}
""")  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Overturns:
    """Of `decided` contents that an entry or a list (`of`, by number) had met, one of each account, `refused` were no
    match."""

    of: int
    decided: int
    refused: int

    def is_noisy(self, share: float) -> bool:
        """Whether surely more than this share was no match: few decisions prove little."""
        low, _high = wilson(self.refused, self.decided)
        return low > share

    def is_sound(self, share: float) -> bool:
        """Whether surely less than this share was no match: few decisions prove little here, too."""
        _low, high = wilson(self.refused, self.decided)
        return high < share


def of_entries(session: Session, entry_ids: Collection[int]) -> list[Overturns]:
    """Each of these entries of which something was decided."""
    return [Overturns(*row) for row in session.execute(_BY_ENTRY, {"entries": sorted(set(entry_ids))})]


def of_lists(session: Session, since: datetime) -> list[Overturns]:
    """Each enabled list that is not in quarantine, by what was decided since then."""
    return [Overturns(*row) for row in session.execute(_BY_LIST, {"since": since})]
