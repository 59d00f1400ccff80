"""What doors have in common whose protocol knows no keys: connections, patience, and the key that they count for."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from socket import socket
from typing import ClassVar

import structlog

from seawall.access import keys
from seawall.access.keys import KeyInfo
from seawall.access.permissions import require_scope
from seawall.database.sessions import Database
from seawall.gateways.http.hall import Hall
from seawall.records import Scope

log = structlog.get_logger(__name__)

# What a line, or a head, may have at most. asyncio keeps twice as much.
LONGEST_READ = 64 * 1024


def key_of_door(database: Database, name: str) -> KeyInfo:
    """The key of that name, as long as it holds.

    Raises:
        NotFound: there is no such key that holds.
        Forbidden: it may not judge.
        DatabaseUnavailable: it cannot be looked up.
    """
    with database.transaction() as session:
        key = keys.named(session, name)
    require_scope(key, Scope.JUDGE)
    return key


class Door(ABC):
    """Answers on a listening socket. Whoever can reach it may ask: what is asked counts for one named key, with its
    rate and its trail.

    Args:
        key_name: a key with the scope judge. It is looked up anew for what is judged, so that revoking it shuts the
            door.
    """

    # Whoever says nothing for so long is gone; clamd waits as long by default.
    silent_s: ClassVar[float] = 120.0
    most_connections: ClassVar[int] = 64

    def __init__(self, hall: Hall, key_name: str) -> None:
        self.hall = hall
        self._key_name = key_name
        self._connections = 0

    @abstractmethod
    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end.

        Raises:
            OSError, EOFError, TimeoutError: the other side is gone, or silent for too long.
        """

    @abstractmethod
    def overloaded(self) -> bytes:
        """What is said when there are too many connections."""

    def key(self) -> KeyInfo:
        """The key that this door counts for; raises what `key_of_door` does."""
        return key_of_door(self.hall.database, self._key_name)

    def patience(self) -> asyncio.Timeout:
        """How long one read may take."""
        return asyncio.timeout(self.silent_s)

    @contextlib.asynccontextmanager
    async def open(self, listener: socket) -> AsyncIterator[None]:
        """Takes connections while this is open. What has begun is cut off at the end, and so was not published."""
        server = await asyncio.start_server(self._connected, sock=listener, limit=LONGEST_READ)
        try:
            yield
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections > self.most_connections:
                writer.write(self.overloaded())
            else:
                await self.converse(reader, writer)
            await writer.drain()
        except (OSError, EOFError, TimeoutError) as error:
            log.info("door.disconnected", door=type(self).__name__, reason=type(error).__name__)
        finally:
            self._connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
