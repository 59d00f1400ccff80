"""Entries from PostgreSQL into columns, at the speed of COPY.

Every entry is sent as one value of fixed length, so that a whole block of rows becomes an array without Python
looking at any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.database.sessions import psycopg_connection
from seawall.database.tables import HashList
from seawall.matching.copying import copied
from seawall.matching.entries import (
    DISPUTED,
    ENTRY,
    HAS,
    OF_VIDEO,
    REMOVED,
    Changes,
    EntryBatch,
    empty_batch,
    joined,
)
from seawall.records import Classification

# A row of binary COPY: the count of fields, the length of the one field, and the field as the query below makes it.
WIRE = np.dtype(
    [
        ("count", ">i2"),
        ("length", ">i4"),
        ("entry_id", ">i8"),
        ("list_id", ">i8"),
        ("classification", ">i4"),
        ("flags", ">i2"),
        *((kind.value, "u1", (kind.length,)) for kind in HAS),
    ]
)
BLOCK_ROWS = 1 << 16
NEWEST = """
    SELECT greatest(
        (SELECT max(change) FROM hash_lists),
        (SELECT max(change) FROM list_removals),
        (SELECT max(change) FROM entries),
        0
    )
"""
FLAGS = " + ".join(
    [
        *(f"{bit} * (e.{kind.value} IS NOT NULL)::int" for kind, bit in HAS.items()),
        f"{DISPUTED} * e.disputed::int",
        f"{REMOVED} * (e.removed_at IS NOT NULL)::int",
        f"{OF_VIDEO} * (e.video IS NOT NULL AND num_nonnulls(e.md5, e.sha1, e.sha256) = 0)::int",
    ]
)
HASHES = " || ".join(f"coalesce(e.{kind.value}, '\\x{'00' * kind.length}'::bytea)" for kind in HAS)


def newest_change(session: Session) -> int:
    """The number of the last change that is committed."""
    number: int = session.execute(text(NEWEST)).scalar_one()
    return number


def changes_since(session: Session, generation: int | None) -> Changes:
    """All that changed after that generation, or all there is when it is None.

    The session's transaction must not have begun: what is read is one consistent state of the database.
    """
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    newest = newest_change(session)
    lists = tuple(row.info() for row in session.scalars(select(HashList).order_by(HashList.id)))
    if generation is not None and newest < generation:
        generation = None  # another database, or an older backup of this one
    everything = generation is None
    if newest == generation:
        return Changes(newest, lists, empty_batch())
    where = (
        sql.SQL("e.removed_at IS NULL")
        if generation is None
        else sql.SQL("e.change > {}").format(sql.Literal(generation))
    )
    batch = _entries(psycopg_connection(session), where)
    return Changes(newest, lists, batch, everything)


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of one list that are there and have changed after a generation: those with ids `first` to `last`.

    Args:
        entries: how many there were when they were counted.
    """

    list_id: int
    since: int
    first: int
    last: int
    entries: int


def parts_to_walk(session: Session, list_id: int, since: int, most: int) -> list[Part]:
    """The entries of one list that are there and have changed after that generation, `most` in each part."""
    counted = text(
        "SELECT min(id), max(id), count(*) FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / :most AS part"
        " FROM entries WHERE removed_at IS NULL AND list_id = :list AND change > :since) AS numbered"
        " GROUP BY part ORDER BY part"
    )
    rows = session.execute(counted, {"most": most, "list": list_id, "since": since})
    return [Part(list_id, since, first, last, entries) for first, last, entries in rows]


def entries_of(session: Session, part: Part) -> EntryBatch:
    """The entries of a part, as far as they are there still."""
    where = sql.SQL("e.removed_at IS NULL AND e.list_id = {} AND e.change > {} AND e.id BETWEEN {} AND {}").format(
        *map(sql.Literal, (part.list_id, part.since, part.first, part.last))
    )
    return _entries(psycopg_connection(session), where)


def _entries(connection: Connection[tuple[object, ...]], where: sql.Composable) -> EntryBatch:
    classifications = _classifications(connection, where)
    statement = sql.SQL(
        "COPY (SELECT int8send(e.id) || int8send(e.list_id) || int4send(coalesce(c.number - 1, -1)::int)"
        " || int2send(({flags})::smallint) || {hashes}"
        " FROM entries AS e LEFT JOIN unnest({schemes}::text[], {codes}::text[]) WITH ORDINALITY"
        " AS c (scheme, code, number) ON c.scheme = e.classification_scheme AND c.code = e.classification_code"
        " WHERE {where}) TO STDOUT (FORMAT BINARY)"
    ).format(
        flags=sql.SQL(FLAGS),
        hashes=sql.SQL(HASHES),
        schemes=sql.Literal([known.scheme for known in classifications]),
        codes=sql.Literal([known.code for known in classifications]),
        where=where,
    )
    blocks = copied(connection, statement, WIRE, BLOCK_ROWS)
    return joined(EntryBatch(_rows(block), classifications) for block in blocks)


def _classifications(connection: Connection[tuple[object, ...]], where: sql.Composable) -> tuple[Classification, ...]:
    query = sql.SQL(
        "SELECT DISTINCT e.classification_scheme, e.classification_code FROM entries AS e"
        " WHERE e.classification_scheme IS NOT NULL AND e.classification_code IS NOT NULL AND {}"
    ).format(where)
    return tuple(Classification(str(scheme), str(code)) for scheme, code in connection.execute(query))


def _rows(wire: NDArray[np.void]) -> NDArray[np.void]:
    rows = np.empty(len(wire), dtype=ENTRY)
    for name in ENTRY.names or ():
        rows[name] = wire[name]
    return rows
