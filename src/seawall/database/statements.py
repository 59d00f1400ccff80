"""Statements that are transactions of their own, run so often that the driver's way would cost more than they do.

What is called here is libpq itself, as psycopg's documented `pq` hands it on: a cursor of psycopg would take several
times the processor time of all the rest that a new hash costs this process.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence

import psycopg
from psycopg import errors, pq

from seawall.errors import DatabaseUnavailable

CONNECT_TIMEOUT_S = 10
Row = tuple[bytes | None, ...]


class Line:
    """One connection, and what is prepared on it. Not for several threads at once.

    Raises:
        psycopg.OperationalError: it cannot be opened, or was lost; then it has to be opened anew.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="seawall-statements",
            client_encoding="utf-8",
        )
        self._prepared: dict[bytes, bytes] = {}
        self.pgconn = self._connection.pgconn

    @property
    def lost(self) -> bool:
        """Whether nothing more can be done with it."""
        return self.pgconn.status != pq.ConnStatus.OK

    def close(self) -> None:
        """Closes it, lost or not."""
        self._connection.close()

    def run(self, statement: bytes, values: Sequence[bytes]) -> list[Row]:
        """Runs a statement and waits for its rows."""
        name = self.name_of(statement)
        self.pgconn.nonblocking = 0
        return self.rows_of(self.pgconn.exec_prepared(name, values))

    def name_of(self, statement: bytes) -> bytes:
        """The name under which the statement is prepared here; waits where it is not yet."""
        name = self._prepared.get(statement)
        if name is None:
            self.pgconn.nonblocking = 0
            name = b"seawall_%d" % len(self._prepared)
            self.rows_of(self.pgconn.prepare(name, statement))
            self._prepared[statement] = name
        return name

    def rows_of(self, result: pq.abc.PGresult) -> list[Row]:
        """The rows, or what psycopg would raise."""
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            if self.lost:
                raise psycopg.OperationalError("the connection was lost")
            raise errors.error_from_result(result)
        columns = range(result.nfields)
        return [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]


class Statements:
    """One connection beside the pool. Threads that use it take turns."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._guard = threading.Lock()
        self._line: Line | None = None

    def run(self, statement: bytes, values: Sequence[bytes]) -> list[Row]:
        """See `Database.statement`."""
        with self._guard:
            try:
                kept = self._line is not None
                try:
                    return self._run(statement, values)
                except psycopg.OperationalError:
                    # One that was kept may have been lost while nobody used it, as when PostgreSQL was restarted.
                    if not kept or self._line is not None:
                        raise
                    return self._run(statement, values)
            except psycopg.OperationalError as error:
                raise unavailable(error) from error

    def _run(self, statement: bytes, values: Sequence[bytes]) -> list[Row]:
        if self._line is None:
            self._line = Line(self._url)
        line = self._line
        try:
            return line.run(statement, values)
        finally:
            if line.lost:
                self._line = None
                line.close()

    def close(self) -> None:
        """Closes the connection; the next statement opens another."""
        with self._guard:
            if self._line is not None:
                self._line.close()
                self._line = None


class AwaitedStatements:
    """One connection that an event loop waits for, with no thread in between: waking one, and being woken by it,
    costs more than a small statement. For one statement at a time, and for one loop after the other.

    Args:
        statement: the one that it runs, prepared as soon as it is connected.
    """

    def __init__(self, url: str, statement: bytes) -> None:
        self._url = url
        self._statement = statement
        self._line: Line | None = None
        # A number of our own for the line's socket: libpq closes its own when the connection is lost.
        self._socket = -1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answer: asyncio.Future[list[Row]] | None = None

    async def run(self, values: Sequence[bytes]) -> list[Row]:
        """See `Database.statement`."""
        try:
            kept = self._line is not None
            try:
                return await self._run(values)
            except psycopg.OperationalError:
                if not kept or self._line is not None:
                    raise
                return await self._run(values)
        except psycopg.OperationalError as error:
            raise unavailable(error) from error

    async def _run(self, values: Sequence[bytes]) -> list[Row]:
        loop = asyncio.get_running_loop()
        if self._line is not None and self._loop is not loop:
            self._hang_up(self._line)
        if self._line is None:
            self._line, self._loop = await loop.run_in_executor(None, self._connect), loop
            self._socket = os.dup(self._line.pgconn.socket)
            loop.add_reader(self._socket, self._readable)
        line = self._line
        answer: asyncio.Future[list[Row]] = loop.create_future()
        self._answer = answer
        try:
            line.pgconn.send_query_prepared(line.name_of(self._statement), values)
            while line.pgconn.flush():
                await asyncio.sleep(0)  # more than the socket takes at once, which is rare
            return await answer
        finally:
            self._answer = None
            if line.lost or not answer.done() or answer.cancelled():  # what is still to come is for nobody else
                self._hang_up(line)

    def _connect(self) -> Line:
        line = Line(self._url)
        line.name_of(self._statement)
        line.pgconn.nonblocking = 1
        return line

    def _readable(self) -> None:
        """Something has come; when it is all that was asked for, whoever waits is told."""
        line = self._line
        if line is None:
            return
        try:
            line.pgconn.consume_input()
            if self._answer is None or self._answer.done() or line.pgconn.is_busy():
                return
            self._answer.set_result(self._received(line))
        except psycopg.Error as error:
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)
        finally:
            if line.lost and self._answer is None:
                self._hang_up(line)

    def _received(self, line: Line) -> list[Row]:
        results = list[pq.abc.PGresult]()
        while (result := line.pgconn.get_result()) is not None:
            results.append(result)
        return [row for result in results for row in line.rows_of(result)]

    def _hang_up(self, line: Line) -> None:
        if self._line is line:
            self._line = None
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(self._socket)
            os.close(self._socket)
            line.close()

    def close(self) -> None:
        """Closes the connection. In the thread of the loop."""
        if self._line is not None:
            self._hang_up(self._line)


def unavailable(error: psycopg.OperationalError) -> DatabaseUnavailable:
    """What the rooms know of such an error; its text may quote values."""
    return DatabaseUnavailable(f"PostgreSQL did not do its part ({type(error).__name__}).")
