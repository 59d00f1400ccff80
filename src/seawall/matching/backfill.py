"""What the platform published before it asked: many rows into the ledger at once, each exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from seawall.database.locks import Lock
from seawall.database.tables import Content
from seawall.matching.ledger import STATE_OF, identity_of_hashes
from seawall.records import HashArrival, Verdict

# Rows of one transaction. Each holds an advisory lock until it ends; PostgreSQL has some thousands of them.
BATCH = 500
LOCK = text("""
    SELECT pg_advisory_xact_lock(:lock, number)
    FROM (SELECT DISTINCT hashtext(key) AS number FROM unnest(CAST(:keys AS text[])) AS key ORDER BY 1) AS numbers
""")


@dataclass(frozen=True, slots=True)
class Published:
    """A content that was found on no list: what was told of it, and with what it was judged.

    Args:
        generation: that of the index that knew it not.
    """

    arrival: HashArrival
    policy_version: str
    generation: int


Version = tuple[str, bytes]


def version_of(arrival: HashArrival) -> Version:
    """The content version that the ledger has one row of."""
    return arrival.content_id, identity_of_hashes(arrival)


def known(session: Session, versions: Iterable[Version]) -> set[Version]:
    """Which of these the ledger has."""
    wanted = set(versions)
    ids = {content_id for content_id, _identity in wanted}
    rows = session.execute(select(Content.content_id, Content.identity).where(Content.content_id.in_(ids)))
    return wanted & {(row.content_id, row.identity) for row in rows}


def enter(session: Session, rows: Sequence[Published]) -> int:
    """Enters those that are not there yet, at most `BATCH` of them; returns how many. The locks of their contents are
    held until the transaction ends, so that an upload of the same meanwhile is not entered twice."""
    by_version = {version_of(row.arrival): row for row in rows}
    keys = [f"{content_id}:{identity.hex()}" for content_id, identity in by_version]
    session.execute(LOCK, {"lock": int(Lock.CONTENT), "keys": keys})
    there = known(session, by_version)
    missing = [version for version in by_version if version not in there]
    if missing:
        session.execute(insert(Content), [_values(by_version[version], version[1]) for version in missing])
    return len(missing)


def _values(row: Published, identity: bytes) -> dict[str, object]:
    told = row.arrival
    frames = [] if told.pdq is None else [{"number": 0, "pdq": told.pdq.hex(), "quality": told.pdq_quality}]
    return {
        "content_id": told.content_id,
        "identity": identity,
        "account_id": told.account_id,
        "surface": told.surface,
        "filename": told.filename,
        "uploader_ip": told.uploader_ip,
        "uploaded_at": told.uploaded_at,
        "md5": told.md5,
        "sha1": told.sha1,
        "sha256": told.sha256,
        "url_hash": told.url_hash,
        "pdq": told.pdq,
        "pdq_quality": told.pdq_quality,
        "frames": frames,
        "generation": row.generation,
        "verdict": Verdict.ALLOW.value,
        "reasons": [],
        "policy_version": row.policy_version,
        "state": STATE_OF[Verdict.ALLOW].value,
    }
