"""Statements that are transactions of their own, run so often that the driver's way would cost more than they do.

What is called here is libpq itself, as psycopg's documented `pq` hands it on: a cursor of psycopg would take several
times the processor time of all the rest that a new hash costs this process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import psycopg
from psycopg import errors, pq

from seawall.errors import DatabaseUnavailable

CONNECT_TIMEOUT_S = 10
Row = tuple[bytes | None, ...]


class Statements:
    """One connection beside the pool. Those who use it take turns."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._guard = threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._prepared: dict[bytes, bytes] = {}

    def run(self, statement: bytes, values: Sequence[bytes]) -> list[Row]:
        """See `Database.statement`."""
        with self._guard:
            try:
                kept = self._connection is not None
                try:
                    return self._run(statement, values)
                except psycopg.OperationalError:
                    # One that was kept may have been lost while nobody used it, as when PostgreSQL was restarted.
                    if not kept or self._connection is not None:
                        raise
                    return self._run(statement, values)
            except psycopg.OperationalError as error:
                raise DatabaseUnavailable(f"PostgreSQL did not do its part ({type(error).__name__}).") from error

    def _run(self, statement: bytes, values: Sequence[bytes]) -> list[Row]:
        connection = self._opened()
        try:
            name = self._name_of(connection.pgconn, statement)
            result = connection.pgconn.exec_prepared(name, values)
            _refuse_failed(connection.pgconn, result)
            columns = range(result.nfields)
            return [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]
        finally:
            if connection.pgconn.status != pq.ConnStatus.OK:
                self._connection = None
                connection.close()

    def _opened(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._connection is None:
            self._prepared.clear()
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="seawall-statements",
                client_encoding="utf-8",
            )
            self._connection.pgconn.nonblocking = 0
        return self._connection

    def _name_of(self, connection: pq.abc.PGconn, statement: bytes) -> bytes:
        """The name under which the statement is prepared on this connection."""
        name = self._prepared.get(statement)
        if name is None:
            name = b"seawall_%d" % len(self._prepared)
            _refuse_failed(connection, connection.prepare(name, statement))
            self._prepared[statement] = name
        return name

    def close(self) -> None:
        """Closes the connection; the next statement opens another."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _refuse_failed(connection: pq.abc.PGconn, result: pq.abc.PGresult) -> None:
    """Raises what psycopg would raise."""
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        return
    if connection.status != pq.ConnStatus.OK:
        raise psycopg.OperationalError("the connection was lost")
    raise errors.error_from_result(result)
