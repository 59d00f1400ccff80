"""Cases that have something in common with a case: the account, the same bytes, or an entry that both met."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from seawall.records import CaseState

MOST = 20


class Bond(enum.StrEnum):
    """What two cases have in common."""

    SUBJECT = "subject"
    BYTES = "bytes"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class RelatedCase:
    """Another case, and all that it has in common with the first."""

    case_id: int
    subject: str
    state: CaseState
    opened_at: datetime
    bonds: tuple[Bond, ...]


# Every part goes by an index and stops early: a picture that went round may be in very many cases, and an entry may
# have been met by as many. Only the newest of them are of use to a person.
_FOUND = text("""
WITH own AS (
    SELECT c.sha256, i.findings FROM case_items AS i JOIN content AS c ON c.id = i.content_row
    WHERE i.case_id = :case_id ORDER BY i.id DESC LIMIT 50
), met AS (
    SELECT DISTINCT CAST(finding ->> 'entry_id' AS bigint) AS entry_id
    FROM own CROSS JOIN LATERAL jsonb_array_elements(own.findings) AS finding
    WHERE finding ->> 'entry_id' IS NOT NULL LIMIT 50
), bonds AS (
    (SELECT other.id AS case_id, 'subject' AS bond FROM cases AS this
     JOIN cases AS other ON other.subject = this.subject AND other.id <> this.id
     WHERE this.id = :case_id ORDER BY other.id DESC LIMIT :most)
    UNION
    SELECT copies.case_id, 'bytes' FROM (SELECT DISTINCT sha256 FROM own WHERE sha256 IS NOT NULL) AS hashed
    CROSS JOIN LATERAL (
        SELECT i.case_id FROM (SELECT id FROM content WHERE content.sha256 = hashed.sha256 LIMIT 1000) AS same
        JOIN case_items AS i ON i.content_row = same.id WHERE i.case_id <> :case_id LIMIT 200
    ) AS copies
    UNION
    SELECT likewise.case_id, 'entry' FROM met CROSS JOIN LATERAL (
        SELECT i.case_id FROM case_items AS i
        WHERE i.findings @> jsonb_build_array(jsonb_build_object('entry_id', met.entry_id))
          AND i.case_id <> :case_id LIMIT 200
    ) AS likewise
)
SELECT cases.id, cases.subject, cases.state, cases.opened_at, array_agg(DISTINCT bonds.bond) AS bonds
FROM bonds JOIN cases ON cases.id = bonds.case_id
GROUP BY cases.id ORDER BY cases.id DESC LIMIT :most
""")


def of_case(session: Session, case_id: int, most: int = MOST) -> tuple[RelatedCase, ...]:
    """Other cases with something in common, the newest first; `most` at most."""
    return tuple(_related(row) for row in session.execute(_FOUND, {"case_id": case_id, "most": most}))


def _related(row: Row[Any]) -> RelatedCase:
    bonds = tuple(bond for bond in Bond if bond.value in row.bonds)
    return RelatedCase(row.id, row.subject, CaseState(row.state), row.opened_at, bonds)
