"""A door that is open while a test asks at it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

from seawall.gateways.doors import Door
from seawall.gateways.listening import listen


@contextlib.contextmanager
def opened(door: Door, where: str = "127.0.0.1:0") -> Iterator[int]:
    """The door, in a loop and a thread of its own; gives its port, 0 for a socket in a folder."""
    listener = listen(where, "SEAWALL_TEST_LISTEN")
    port = listener.getsockname()[1] if listener.family != socket.AF_UNIX else 0
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def run() -> None:
        async with door.open(listener):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(120)
    yield port
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def asked(port: int, said: bytes) -> bytes:
    """All that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(said)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(4096):
                answer += part
        return answer
