"""What all tests share: a real PostgreSQL, a private home, and no network but loopback."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from pytest_socket import socket_allow_hosts

from seawall.database.migrate import upgrade
from seawall.database.sessions import Database
from seawall.engines import postgres
from seawall.settings import Settings

NUMBERS = itertools.count(1)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Files that tests make as they are collected may hold the time, and processes that share the tests out have to
    name them alike: so a long value is named by its place."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


@pytest.fixture(autouse=True)
def only_loopback() -> None:
    """Blocks every address but this machine's own."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the settings that it makes itself, whatever the shell has set."""
    for name in list(os.environ):
        if name.startswith("SEAWALL_") and not name.startswith("SEAWALL_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that a test calls inside this process configures logging; the next test finds it as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def compiled_cache() -> Path:
    """Where compiled code lies between test runs; compiling it anew for each test would take minutes."""
    folder = Path(tempfile.gettempdir()) / f"seawall-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def settings(compiled_cache: Path) -> Iterator[Settings]:
    """Settings with a private home. The path is short, since a Unix socket's may not be long."""
    home = Path(tempfile.mkdtemp(prefix="seawall-"))
    yield Settings(home=home, decoder_processes=1)
    shutil.rmtree(home, ignore_errors=True)


def _quick_folder() -> str | None:
    """Memory, where there is plenty: each database is a copy of a thousand files, which takes a disk seconds."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 2**30:
        return str(memory)
    return None


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """One real PostgreSQL for the whole run, with a migrated database to copy."""
    home = Path(tempfile.mkdtemp(prefix="seawall-pg-", dir=_quick_folder()))
    server_settings = Settings(home=home)
    address = postgres.embedded(server_settings)
    template = Database(address)
    upgrade(template)
    template.close()
    yield address
    postgres.stop(server_settings)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(postgres_address: str) -> Iterator[Database]:
    """A fresh, migrated database of its own."""
    name = f"test_{NUMBERS.__next__()}"
    with psycopg.connect(postgres_address.replace("/seawall?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE seawall STRATEGY FILE_COPY")
        database = Database(postgres_address.replace("/seawall?", f"/{name}?"))
        yield database
        database.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def for_commands(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The same database, which commands of this process find by their environment."""
    monkeypatch.setenv("SEAWALL_HOME", str(settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", database.url)
    monkeypatch.setenv("SEAWALL_DECODER_PROCESSES", "1")
    return database
