"""Leases: one worker at a time delivers a message or files a report, and a dead worker's leases end with it.

A lease is an advisory lock held by a connection that the worker keeps for this alone. No transaction stays open while
the other side takes its time, and PostgreSQL frees the lease the moment the worker is gone, however it went; a lease
with an end time would keep the message waiting until then.
"""

from __future__ import annotations

import threading

import psycopg

from seawall.database.locks import Lock
from seawall.errors import DatabaseUnavailable

TAKE = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
GIVE_BACK = "SELECT pg_advisory_unlock(%s, hashtext(%s))"
CONNECT_TIMEOUT_S = 10


class Leases:
    """The leases of one worker process. Safe to call from many threads.

    Should the connection break, its leases are gone, and another worker may begin the same work at the same time:
    whoever works under one must bear that.

    Args:
        url: ``postgresql://...`` as libpq understands it.
        lock: what kind of work is leased.
    """

    def __init__(self, url: str, lock: Lock) -> None:
        self._url = url
        self._lock = lock
        self._guard = threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        # One connection may take the same advisory lock twice, so within the process this set decides.
        self._held: set[str] = set()

    def take(self, name: str) -> bool:
        """Takes the lease of one piece of work; False when somebody has it.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached.
        """
        with self._guard:
            if name in self._held:
                return False
            try:
                taken = self._ask(TAKE, name)
            except psycopg.OperationalError as error:
                self._drop()
                raise DatabaseUnavailable("A piece of work could not be leased.") from error
            if taken:
                self._held.add(name)
            return taken

    def give_back(self, name: str) -> None:
        """Gives the lease back. On a broken connection it is gone already."""
        with self._guard:
            self._held.discard(name)
            try:
                self._ask(GIVE_BACK, name)
            except psycopg.OperationalError:
                self._drop()

    def close(self) -> None:
        """Gives everything back."""
        with self._guard:
            self._held.clear()
            self._drop()

    def _ask(self, question: str, name: str) -> bool:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="seawall-leases",
            )
        row = self._connection.execute(question, (int(self._lock), name)).fetchone()
        return row is not None and row[0] is True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
