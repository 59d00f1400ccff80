"""The connection on which a process hears what PostgreSQL announces. It may break, or be impossible; whoever listens
must not depend on it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
import structlog
from psycopg import sql

CONNECT_TIMEOUT_S = 10
# How long a thread that listens waits at most before it looks whether it shall stop.
LONGEST_WAIT_S = 0.25
FIRST_RETRY_S, LONGEST_RETRY_S = 0.1, 5.0

log = structlog.get_logger(__name__)

# Channel and payload.
Notice = tuple[str, str]


class Ears:
    """Listens on some channels, and tries again after pauses that grow when it cannot.

    Args:
        name: the connection's name among those of the database.
        channels: what to listen to.
    """

    def __init__(self, url: str, name: str, *channels: str) -> None:
        self._url = url
        self._name = name
        self._channels = channels
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._next_try = 0.0
        self._retry_s = FIRST_RETRY_S

    @property
    def due(self) -> bool:
        """Whether it is time to try to listen."""
        return self._connection is None and time.monotonic() >= self._next_try

    @property
    def listening(self) -> bool:
        """Whether notifications can be heard."""
        return self._connection is not None

    def open(self) -> bool:
        """Starts to listen if it does not; after a failure only when it is due again. Whether it has begun by this:
        what was announced before was not heard."""
        if not self.due:
            return False
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name=self._name
            )
            for channel in self._channels:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except psycopg.OperationalError as error:
            self._lost(error)
            return False
        self._connection = connection
        self._retry_s = FIRST_RETRY_S
        return True

    def hear(self, timeout_s: float) -> Sequence[Notice] | None:
        """What was announced, as soon as something is or when the time is over, in the order of the commits; None
        when listening has ended."""
        if self._connection is None:
            return None
        try:
            heard = list(self._connection.notifies(timeout=timeout_s, stop_after=1))
        except psycopg.OperationalError as error:
            self._lost(error)
            return None
        return [(notice.channel, notice.payload) for notice in heard]

    def tell(self, channel: str, payload: str) -> None:
        """Announces something itself, over the same connection; nothing where there is none."""
        if self._connection is None:
            return
        try:
            self._connection.execute("SELECT pg_notify(%s, %s)", (channel, payload))
        except psycopg.OperationalError as error:
            self._lost(error)

    def close(self) -> None:
        """Stops listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lost(self, error: psycopg.OperationalError) -> None:
        log.info("ears.not_listening", name=self._name, error=type(error).__name__)
        self._next_try = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        self.close()
