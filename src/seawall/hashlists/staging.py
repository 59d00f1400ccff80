"""A file's entries in a temporary table: copied in as a stream, then made one row per identity.

Nothing here touches the lists, so that a file of gigabytes keeps no other writer waiting while it is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.sessions import psycopg_connection
from seawall.records import BadLine, EntryDraft

BAD_LINES_KEPT = 1000

DROP = "DROP TABLE IF EXISTS incoming, incoming_repeated"
CREATE = """
    CREATE TEMPORARY TABLE incoming (
        line bigint, identity text COLLATE "C", md5 bytea, sha1 bytea, sha256 bytea, pdq bytea, pdq_quality integer,
        scheme text, code text, upstream_id text, video text
    ) ON COMMIT DROP
"""
COPY = (
    "COPY incoming (line, identity, md5, sha1, sha256, pdq, pdq_quality, scheme, code, upstream_id, video) "
    "FROM STDIN (FORMAT BINARY)"
)
TYPES = ("int8", "text", "bytea", "bytea", "bytea", "bytea", "int4", "text", "text", "text", "text")

TAKE_REPEATED = """
    CREATE TEMPORARY TABLE incoming_repeated ON COMMIT DROP AS
    SELECT * FROM incoming WHERE identity IN (SELECT identity FROM incoming GROUP BY identity HAVING count(*) > 1)
"""
DROP_REPEATED = "DELETE FROM incoming WHERE identity IN (SELECT identity FROM incoming_repeated)"
AGREE = " AND ".join(f"count(DISTINCT {kind}) <= 1" for kind in ("md5", "sha1", "sha256", "pdq"))
# Lines that agree, or of which one knows what the other does not, are one entry. Of the rest the last line counts.
PUT_BACK_AGREEING = f"""
    INSERT INTO incoming
    SELECT min(line), identity,
        (array_agg(md5) FILTER (WHERE md5 IS NOT NULL))[1],
        (array_agg(sha1) FILTER (WHERE sha1 IS NOT NULL))[1],
        (array_agg(sha256) FILTER (WHERE sha256 IS NOT NULL))[1],
        (array_agg(pdq) FILTER (WHERE pdq IS NOT NULL))[1],
        max(pdq_quality),
        (array_agg(scheme ORDER BY line DESC) FILTER (WHERE code IS NOT NULL))[1],
        (array_agg(code ORDER BY line DESC) FILTER (WHERE code IS NOT NULL))[1],
        (array_agg(upstream_id ORDER BY line DESC) FILTER (WHERE upstream_id IS NOT NULL))[1],
        min(video)
    FROM incoming_repeated GROUP BY identity HAVING {AGREE}
"""  # noqa: S608 - made of constants
# Lines of one identity that contradict each other are entries of their own: dropping one would be a missed match.
# What tells them apart stands behind U+001F, which no upstream id can hold: ids are printable.
PUT_BACK_DIFFERING = f"""
    INSERT INTO incoming
    SELECT line,
        CASE WHEN row_number() OVER (PARTITION BY identity ORDER BY line) = 1 THEN identity
        ELSE identity || E'\\x1f' || left(encode(sha256(hashes), 'hex'), 24) END,
        md5, sha1, sha256, pdq, pdq_quality, scheme, code, upstream_id, video
    FROM (
        SELECT DISTINCT ON (identity, hashes) *
        FROM (
            SELECT *, coalesce('m' || md5, '') || coalesce('s' || sha1, '') || coalesce('t' || sha256, '')
                || coalesce('p' || pdq, '') AS hashes
            FROM incoming_repeated
            WHERE identity IN (SELECT identity FROM incoming_repeated GROUP BY identity HAVING NOT ({AGREE}))
        ) AS hashed
        ORDER BY identity, hashes, line DESC
    ) AS distinct_items
"""  # noqa: S608 - made of constants


@dataclass(slots=True)
class Staged:
    """What was read. `bad` holds the first bad lines, `bad_count` counts all."""

    read: int = 0
    bad: list[BadLine] = field(default_factory=list)
    bad_count: int = 0


def identity_of(draft: EntryDraft) -> str:
    """What makes an entry the same item in the list's next file: the upstream id, or else its strongest hash. Of the
    frame of a video it is the video and the frame's hash."""
    if draft.video is not None and draft.pdq is not None and draft.md5 is draft.sha1 is draft.sha256 is None:
        return f"frame:{draft.video}:{draft.pdq.hex()}"
    if draft.upstream_id is not None:
        return f"id:{draft.upstream_id}"
    for kind in ("sha256", "sha1", "md5", "pdq"):
        value: bytes | None = getattr(draft, kind)
        if value is not None:
            return f"{kind}:{value.hex()}"
    raise ValueError("an entry without a hash is no entry")


def stage(session: Session, items: Iterable[EntryDraft | BadLine]) -> Staged:
    """Streams everything into the temporary table ``incoming``, which lasts until the transaction ends."""
    session.execute(text(DROP))
    session.execute(text(CREATE))
    staged = Staged()
    with psycopg_connection(session).cursor() as cursor, cursor.copy(COPY) as copy:
        copy.set_types(TYPES)
        for item in items:
            if isinstance(item, BadLine):
                staged.bad_count += 1
                if len(staged.bad) < BAD_LINES_KEPT:
                    staged.bad.append(item)
                continue
            staged.read += 1
            copy.write_row(_row(item))
    return staged


def settle(session: Session) -> int:
    """Leaves one row per identity; returns how many there are."""
    session.execute(text("ANALYZE incoming"))
    session.execute(text(TAKE_REPEATED))
    if session.scalar(text("SELECT EXISTS (SELECT FROM incoming_repeated)")):
        for statement in (DROP_REPEATED, PUT_BACK_AGREEING, PUT_BACK_DIFFERING):
            session.execute(text(statement))
    count: int = session.execute(text("SELECT count(*) FROM incoming")).scalar_one()
    return count


def _row(draft: EntryDraft) -> tuple[object, ...]:
    classification = draft.classification
    return (
        draft.line,
        identity_of(draft),
        draft.md5,
        draft.sha1,
        draft.sha256,
        draft.pdq,
        draft.pdq_quality,
        classification.scheme if classification else None,
        classification.code if classification else None,
        draft.upstream_id,
        draft.video,
    )
