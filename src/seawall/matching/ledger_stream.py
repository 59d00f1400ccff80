"""The fingerprints of the ledger as columns, in blocks, at the speed of COPY: what new entries are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seawall.database.tables import DAY_SHIFT, Content
from seawall.database.tables.content import SHOWN_STATES
from seawall.matching.copying import copied
from seawall.matching.entries import HAS
from seawall.records import HashKind

# One row of the ledger is here once, and once more for each further frame.
LEDGER_ROW = np.dtype(
    [
        ("count", ">i2"),
        ("length", ">i4"),
        ("row_id", ">i8"),
        ("flags", ">i2"),
        ("pdq", "u1", (32,)),
        ("md5", "u1", (8,)),
        ("sha1", "u1", (8,)),
        ("sha256", "u1", (8,)),
    ]
)
# So many that the tables of a comparison are worth making: some 190 MiB at once, where a ledger has as many rows.
BLOCK_ROWS = 1 << 21
STRETCH_DAYS = 30
DIGESTS = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)
_PREFIXES = " || ".join(
    f"coalesce(substring(c.{kind.value} FROM 1 FOR 8), '\\x{'00' * 8}'::bytea)" for kind in DIGESTS
)
_NO_PDQ = "'\\x" + "00" * 32 + "'::bytea"
_FLAGS = " + ".join(
    [
        f"{HAS[HashKind.PDQ]} * (c.pdq IS NOT NULL AND octet_length(c.pdq) = 32)::int",
        *(f"{HAS[kind]} * (c.{kind.value} IS NOT NULL)::int" for kind in DIGESTS),
    ]
)
# The first frame, then the others of what has several.
_FIRST_FRAMES = f"""
    SELECT int8send(c.id) || int2send(({_FLAGS})::smallint)
        || (CASE WHEN octet_length(c.pdq) = 32 THEN c.pdq ELSE {_NO_PDQ} END) || {_PREFIXES} AS line
    FROM content AS c WHERE {{which}}
"""  # noqa: S608 - made of constants
_OTHER_FRAMES = f"""
    SELECT int8send(c.id) || int2send({HAS[HashKind.PDQ]}::smallint) || decode(f.frame ->> 'pdq', 'hex')
        || decode('{"00" * 24}', 'hex')
    FROM content AS c CROSS JOIN LATERAL jsonb_array_elements(c.frames) WITH ORDINALITY AS f (frame, place)
    WHERE {{which}} AND jsonb_array_length(c.frames) > 1 AND f.place > 1
"""  # noqa: S608 - made of constants
_ROWS = f"{_FIRST_FRAMES} UNION ALL {_OTHER_FRAMES}"
_SHOWN = sql.SQL("c.state = ANY({})").format(sql.Literal(list(SHOWN_STATES)))
# A row that came from another cluster with a dump may name a transaction that is still to come here. It was there
# before any file was made, and so is in the files.
_NOW = sql.SQL("pg_snapshot_xmax(pg_current_snapshot())")


@dataclass(frozen=True, slots=True)
class LedgerBlock:
    """Some of the ledger.

    Args:
        rows: (n,) of `LEDGER_ROW`; several of one `row_id` are its frames.
    """

    rows: NDArray[np.void]

    def words(self) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """(n,) which rows have a PDQ hash, and those, (k, 4)."""
        having = (self.rows["flags"] & HAS[HashKind.PDQ]) != 0
        return having, np.ascontiguousarray(self.rows["pdq"][having]).view(np.uint64).reshape(-1, 4)

    def prefixes(self, kind: HashKind) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
        """(n,) which rows have such a digest, and the first eight bytes of each, (k,)."""
        having = (self.rows["flags"] & HAS[kind]) != 0
        return having, np.ascontiguousarray(self.rows[kind.value][having]).view(np.uint64).reshape(-1)


def stretches(session: Session) -> list[tuple[int, int]]:
    """The ledger's ids in stretches of a month at most, as (after, until), so that a walk that is broken off goes on
    where it was."""
    first, last = session.execute(select(func.min(Content.id), func.max(Content.id))).one()
    if first is None:
        return []
    bounds = range(first - 1, last, STRETCH_DAYS << DAY_SHIFT)
    return [(after, min(last, after + (STRETCH_DAYS << DAY_SHIFT))) for after in bounds]


def between(after: int, until: int) -> sql.Composed:
    """The rows with `after` < id <= `until`."""
    return sql.SQL("c.id > {} AND c.id <= {}").format(sql.Literal(after), sql.Literal(until))


def written_since(horizon: int, before: int | None = None) -> sql.Composed:
    """The rows whose fingerprint was written in that transaction or a later one, and `before` another."""
    return sql.SQL("c.written_in >= {} AND c.written_in < {}").format(
        _transaction(horizon), _NOW if before is None else _transaction(before)
    )


def _transaction(number: int) -> sql.Composed:
    return sql.SQL("CAST({}::text AS xid8)").format(sql.Literal(str(number)))


def shown(which: sql.Composed) -> sql.Composed:
    """Of some rows those that the platform shows."""
    return sql.SQL("{} AND {}").format(_SHOWN, which)


def blocks(
    connection: Connection[tuple[object, ...]], which: sql.Composed, block_rows: int = BLOCK_ROWS
) -> Iterator[LedgerBlock]:
    """Some rows of the ledger, in no order."""
    statement = sql.SQL("COPY (SELECT line FROM ({rows}) AS r) TO STDOUT (FORMAT BINARY)").format(
        rows=sql.SQL(_ROWS).format(which=which)
    )
    for rows in copied(connection, statement, LEDGER_ROW, block_rows):
        yield LedgerBlock(rows)
