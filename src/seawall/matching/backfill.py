"""What the platform published before it asked: many rows into the ledger at once, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, text
from sqlalchemy.orm import Session

from seawall.database.locks import Lock
from seawall.database.tables import Content
from seawall.matching.ledger import STATE_OF, identity_of_hashes
from seawall.records import HashArrival, Verdict

# Rows of one transaction. Each holds an advisory lock until it ends; PostgreSQL has some thousands of them.
BATCH = 500
TOLD = ("md5", "sha1", "sha256", "url_hash")
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


def known(session: Session, arrivals: Sequence[HashArrival]) -> dict[Version, bool]:
    """Those that the ledger has, each with whether nothing is told of it here that the ledger has not: it was told
    before, or the ledger knows the bytes themselves."""
    told = {version_of(arrival): arrival for arrival in arrivals}
    ids = {content_id for content_id, _identity in told}
    columns = (
        Content.content_id,
        Content.identity,
        Content.size,
        Content.frames,
        *(getattr(Content, name) for name in TOLD),
    )
    found: dict[Version, bool] = {}
    for row in session.execute(select(*columns).where(Content.content_id.in_(ids))):
        version = (row.content_id, row.identity)
        if version in told:
            found[version] = row.size is not None or _has_all(row, told[version])
    return found


def _has_all(row: Row[Any], told: HashArrival) -> bool:
    pdqs = {frame["pdq"] for frame in row.frames}
    kept = all(getattr(told, name) in {None, getattr(row, name)} for name in TOLD)
    return kept and (told.pdq is None or told.pdq.hex() in pdqs)


def enter(session: Session, rows: Sequence[Published]) -> set[Version]:
    """Enters those that are not there yet, at most `BATCH` of them; returns which. Each version is there once only.
    The locks of their contents are held until the transaction ends, so that an upload of the same meanwhile is not
    entered twice."""
    by_version = {version_of(row.arrival): row for row in rows}
    keys = [f"{content_id}:{identity.hex()}" for content_id, identity in by_version]
    session.execute(LOCK, {"lock": int(Lock.CONTENT), "keys": keys})
    there = known(session, [row.arrival for row in rows])
    missing = by_version.keys() - there.keys()
    if missing:
        session.execute(insert(Content), [_values(by_version[version], version[1]) for version in missing])
    return missing


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
