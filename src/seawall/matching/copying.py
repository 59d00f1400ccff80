"""Rows out of PostgreSQL as arrays: a binary COPY of values of one fixed length, which nobody looks at one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql

HEADER_BYTES, TRAILER_BYTES = 19, 2


def copied(
    connection: Connection[tuple[object, ...]], statement: sql.Composed, row: np.dtype[np.void], block_rows: int
) -> Iterator[NDArray[np.void]]:
    """The rows of a COPY ... TO STDOUT (FORMAT BINARY), many at a time.

    Args:
        row: a row as binary COPY writes it: the count of fields, the length of the one field, and the field.
        block_rows: rows in one array; the last has fewer.
    """
    skip, waiting = HEADER_BYTES, bytearray()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for data in copy:
            waiting += data
            if len(waiting) >= block_rows * row.itemsize + skip:
                ready = (len(waiting) - skip) // row.itemsize * row.itemsize
                yield np.frombuffer(bytes(waiting[skip : skip + ready]), dtype=row)
                del waiting[: skip + ready]
                skip = 0
    yield np.frombuffer(bytes(waiting[skip : len(waiting) - TRAILER_BYTES]), dtype=row)
