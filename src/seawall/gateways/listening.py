"""Where programs connect to that do not speak HTTP: an address of the network, or a socket in a folder."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from seawall.errors import ConfigurationError

UNIX = "unix:"
BACKLOG = 128
HIGHEST_PORT = 65535
# Members of the group may ask, as at the socket of ClamAV; the folder says who reaches it.
MODE = 0o660


def listen(where: str, setting: str) -> socket.socket:
    """A socket that listens there.

    Args:
        where: ``host:port`` (an IPv6 address in brackets), or ``unix:/path``.
        setting: what said so, for messages.

    Raises:
        ConfigurationError: it is neither, or cannot be had.
    """
    try:
        if where.startswith(UNIX):
            return _unix(Path(where.removeprefix(UNIX)))
        host, _, port = where.rpartition(":")
        if host and port.isdecimal() and int(port) <= HIGHEST_PORT:
            return _network(host, int(port))
    except OSError as error:
        raise ConfigurationError(
            f"{setting}: nobody can listen at {where} ({error.strerror}).",
            hint="Another program has the address, or it is not yours to take.",
        ) from None
    raise ConfigurationError(
        f"{setting} is no address: {where}.", hint="Write it as 127.0.0.1:3310, or as unix:/path."
    )


def _network(host: str, port: int) -> socket.socket:
    plain = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in plain else socket.AF_INET
    return socket.create_server((plain, port), family=family, backlog=BACKLOG)


def _unix(path: Path) -> socket.socket:
    if not path.is_absolute():
        raise ConfigurationError(f"{path} is no whole path.", hint="Write it as unix:/run/seawall/door.sock.")
    with contextlib.suppress(FileNotFoundError):
        # Left behind by a process that was killed, unless somebody still answers there.
        if stat.S_ISSOCK(path.lstat().st_mode) and not _answers(path):
            path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        # Where the system heeds it (Linux does), the socket is never wider open than this, not for a moment.
        with contextlib.suppress(OSError):
            os.fchmod(listener.fileno(), MODE)
        listener.bind(str(path))
        path.chmod(MODE)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
        return True
