"""`seawall serve` with doors for other protocols: one process, and several that share the sockets."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import clamd
import pytest

from seawall.errors import ExitStatus
from tests.acceptance.server import ServerProcess, make_key, seawall
from tests.acceptance.service import Service


def free_port() -> int:
    """One that nobody has at present."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


def test_one_process(home: Path) -> None:
    make_key(home, "mail")
    path = home / "clamd.sock"
    with ServerProcess(home, SEAWALL_CLAMD_LISTEN=f"unix:{path}", SEAWALL_CLAMD_KEY="mail"):
        assert clamd.ClamdUnixSocket(str(path), timeout=120).ping() == "PONG"


def test_several_processes_share_it(home: Path) -> None:
    make_key(home, "mail")
    port, icap = free_port(), free_port()
    doors = {"SEAWALL_CLAMD_LISTEN": f"127.0.0.1:{port}", "SEAWALL_ICAP_LISTEN": f"127.0.0.1:{icap}"}
    keys = {"SEAWALL_CLAMD_KEY": "mail", "SEAWALL_ICAP_KEY": "mail"}
    with Service(home, workers=2, **doors, **keys) as service:
        client = clamd.ClamdNetworkSocket("127.0.0.1", port, timeout=120)
        assert [client.ping() for _ in range(8)] == ["PONG"] * 8
        with socket.create_connection(("127.0.0.1", icap), timeout=120) as connection:
            connection.sendall(b"OPTIONS icap://h/reqmod ICAP/1.0\r\n\r\n")
            assert connection.recv(4096).startswith(b"ICAP/1.0 200 OK")
        service.parts()["api-1"].kill()
        assert [client.ping() for _ in range(8)] == ["PONG"] * 8


@pytest.mark.parametrize("more", [{}, {"SEAWALL_CLAMD_KEY": "nobody"}])
def test_no_start_without_its_key(home: Path, more: dict[str, str]) -> None:
    done = seawall(home, "serve", "--port", "0", check=False, SEAWALL_CLAMD_LISTEN="127.0.0.1:0", **more)
    assert done.returncode == ExitStatus.CONFIGURATION
    assert "SEAWALL_CLAMD_KEY" in done.stderr
    assert "seawall keys create" in done.stderr
