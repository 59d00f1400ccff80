"""Programs that speak to ClamAV, pointed at Seawall: by hand, by a client library, and by ClamAV's own clamdscan."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import clamd
import pytest

from seawall.access import keys
from seawall.database.tables import Content, LookupCount
from seawall.errors import ConfigurationError
from seawall.gateways.clamd.door import ClamdDoor
from seawall.gateways.listening import listen
from seawall.records import SYSTEM, EntryDraft, Scope
from seawall.server import listen_at_doors
from tests.integration.gateways.conftest import LIMIT, Api
from tests.integration.gateways.doors import asked, opened
from tests.integration.gateways.material import picture
from tests.programs import require_program

KNOWN, CLEAN = picture(9001), picture(9002)
FOUND = "Seawall.Known.csam"
SETTING = "SEAWALL_CLAMD_LISTEN"


@pytest.fixture(scope="module")
def port(api: Api) -> Iterator[int]:
    """A door on loopback, with one known picture behind it."""
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(KNOWN).digest()))
    api.key("clamd-programs", Scope.JUDGE, rate=10_000_000)
    with opened(ClamdDoor(api.hall, "clamd-programs")) as port:
        yield port


def chunks(body: bytes, size: int = 4096) -> bytes:
    """A body as INSTREAM wants it."""
    parts = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts) + bytes(4)


# ----------------------------------------------------------------------------------------------- by hand


def test_ping_and_version(port: int) -> None:
    assert asked(port, b"zPING\0") == b"PONG\0"
    assert asked(port, b"nPING\n") == b"PONG\n"
    assert asked(port, b"PING\n") == b"PONG\n"
    assert asked(port, b"zVERSION\0").startswith(b"Seawall ")
    assert b"| COMMANDS: PING VERSION" in asked(port, b"nVERSIONCOMMANDS\n")


def test_bytes_are_judged(api: Api, port: int) -> None:
    assert asked(port, b"zINSTREAM\0" + chunks(KNOWN)) == b"stream: Seawall.Known.csam FOUND\0"
    assert asked(port, b"nINSTREAM\n" + chunks(CLEAN, 7)) == b"stream: OK\n"
    assert asked(port, b"zINSTREAM\0" + chunks(b"no media at all")) == b"stream: OK\0"
    assert asked(port, b"zINSTREAM\0" + bytes(4)) == b"stream: OK\0"
    assert asked(port, b"zINSTREAM\0" + chunks(picture(9003)[:400])).startswith(
        b"stream: Seawall.ScanOwed.media_corrupt FOUND"
    )
    with api.runtime.database.transaction() as session:
        names = set(session.scalars(Content.__table__.select().with_only_columns(Content.content_id)))
    assert f"clamd:{hashlib.sha256(CLEAN).hexdigest()}" in names


def test_a_session_answers_by_numbers(port: int) -> None:
    said = b"zIDSESSION\0zPING\0" + b"zINSTREAM\0" + chunks(KNOWN) + b"zINSTREAM\0" + chunks(CLEAN) + b"zEND\0zPING\0"
    assert asked(port, said) == b"1: PONG\0" + b"2: stream: Seawall.Known.csam FOUND\0" + b"3: stream: OK\0"


def test_a_session_wants_its_letters(port: int) -> None:
    assert asked(port, b"nIDSESSION\nPING\n").endswith(b"UNKNOWN COMMAND\n")


@pytest.mark.parametrize("command", [b"SCAN", b"CONTSCAN", b"MULTISCAN", b"ALLMATCHSCAN"])
def test_paths_are_not_read(port: int, command: bytes) -> None:
    answer = asked(port, b"z" + command + b" /etc/passwd\0")
    assert answer.startswith(command + b": Files are not read")
    assert answer.endswith(b" ERROR\0")


@pytest.mark.parametrize(
    "command", [b"SHUTDOWN", b"RELOAD", b"STATS", b"GET / HTTP/1.1", b"", b"\xff" * 40, b"P" * 5000]
)
def test_nothing_else_is_known(port: int, command: bytes) -> None:
    assert asked(port, b"n" + command + b"\n") == b"UNKNOWN COMMAND\n"
    assert asked(port, b"zPING\0") == b"PONG\0"


def test_more_than_an_upload_may_have_is_refused(port: int) -> None:
    assert asked(port, b"zINSTREAM\0" + (LIMIT + 1).to_bytes(4, "big")) == b"INSTREAM size limit exceeded. ERROR\0"
    assert asked(port, b"zINSTREAM\0" + b"\xff" * 4) == b"INSTREAM size limit exceeded. ERROR\0"


def test_who_goes_away_leaves_nothing(api: Api, port: int) -> None:
    before = api.count(Content)
    for begun in (
        b"",
        b"zINS",
        b"zINSTREAM\0",
        b"zINSTREAM\0\0\0",
        b"zINSTREAM\0" + (9).to_bytes(4, "big") + b"1234",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
            connection.sendall(begun)
    assert asked(port, b"zPING\0") == b"PONG\0"
    assert api.count(Content) == before
    assert api.hall.ballast.held == 0


# ------------------------------------------------------------------------------------- keys and addresses


def test_what_is_asked_counts_for_the_key(api: Api, port: int) -> None:
    asked(port, b"zINSTREAM\0" + chunks(KNOWN))
    api.hall.trail.flush()
    with api.runtime.database.transaction() as session:
        named = keys.named(session, "clamd-programs")
        counts = session.query(LookupCount).filter(LookupCount.key_id == named.id).all()
    assert sum(count.lookups for count in counts) >= 1
    assert sum(count.matches for count in counts) >= 1


def test_a_revoked_key_shuts_the_door(api: Api) -> None:
    api.key("soon-revoked", Scope.JUDGE)
    with opened(ClamdDoor(api.hall, "soon-revoked")) as port:
        assert asked(port, b"zINSTREAM\0" + chunks(CLEAN)) == b"stream: OK\0"
        with api.runtime.database.transaction() as session:
            keys.revoke(session, "soon-revoked", SYSTEM)
        assert asked(port, b"zINSTREAM\0" + chunks(CLEAN)) == b"stream: Seawall.not_found ERROR\0"


def test_a_busy_key_is_an_error_and_not_clean(api: Api) -> None:
    api.key("slow", Scope.JUDGE, rate=1)
    with opened(ClamdDoor(api.hall, "slow")) as port:
        asked(port, b"zINSTREAM\0" + chunks(CLEAN))
        assert asked(port, b"zINSTREAM\0" + chunks(CLEAN)) == b"stream: Seawall.rate_limited ERROR\0"


@pytest.mark.parametrize("key", [None, "nobody", "may-not-judge"])
def test_a_door_without_a_key_is_not_opened(api: Api, key: str | None) -> None:
    with contextlib.suppress(Exception):
        api.key("may-not-judge", Scope.LISTS)
    settings = api.runtime.settings.model_copy(update={"clamd_listen": "127.0.0.1:0", "clamd_key": key})
    with pytest.raises(ConfigurationError):
        listen_at_doors(settings, api.runtime.database)


@pytest.mark.parametrize(
    "where", ["3310", "127.0.0.1", "127.0.0.1:70000", "unix:relative", "unix:/no/such/folder/s", ""]
)
def test_an_address_that_is_none(where: str) -> None:
    with pytest.raises(ConfigurationError):
        listen(where, SETTING)


def test_a_socket_in_a_folder(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "clamd.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))  # by a process that was killed
    with opened(ClamdDoor(api.hall, "clamd-programs"), f"unix:{path}"):
        assert path.stat().st_mode & 0o777 == 0o660
        client = clamd.ClamdUnixSocket(str(path), timeout=120)
        assert client.ping() == "PONG"
        assert client.instream(BytesIO(KNOWN)) == {"stream": ("FOUND", FOUND)}
        with pytest.raises(ConfigurationError):
            listen(f"unix:{path}", SETTING)


# ------------------------------------------------------------------------------------- real programs


def test_a_client_library(port: int) -> None:
    client = clamd.ClamdNetworkSocket("127.0.0.1", port, timeout=120)
    assert client.ping() == "PONG"
    assert client.version().startswith("Seawall ")
    assert client.instream(BytesIO(KNOWN)) == {"stream": ("FOUND", FOUND)}
    assert client.instream(BytesIO(CLEAN)) == {"stream": ("OK", None)}
    assert client.scan("/etc/passwd")["SCAN"][0] == "ERROR"


def test_clamdscan(port: int, tmp_path: Path) -> None:
    program = require_program("clamdscan", hint="sudo apt-get install clamdscan")
    known, clean = tmp_path / "known.png", tmp_path / "clean.png"
    known.write_bytes(KNOWN)
    clean.write_bytes(CLEAN)
    config = tmp_path / "clamd.conf"
    config.write_text(f"TCPSocket {port}\nTCPAddr 127.0.0.1\nStreamMaxLength 25M\n")
    done = subprocess.run(
        [program, f"--config-file={config}", "--stream", str(known), str(clean)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr  # something was found
    assert f"{known}: {FOUND} FOUND" in done.stdout
    assert f"{clean}: OK" in done.stdout
    assert "Infected files: 1" in done.stdout
