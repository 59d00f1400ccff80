"""A real server on loopback over a real runtime: database, decoder processes, index, sealed evidence."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn
from pydantic import SecretStr
from sqlalchemy import func, select

from seawall.access import keys
from seawall.gateways.http.app import create_app
from seawall.gateways.http.hall import Hall
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.records import SYSTEM, EntryDraft, HarmClass, Scope, Trust
from seawall.runtime import Runtime
from seawall.settings import load_settings

LIMIT = 300_000


@dataclass
class Api:
    """A listening API with a client that may judge."""

    runtime: Runtime
    url: str
    client: httpx.Client
    hall: Hall

    def key(self, name: str, *scopes: Scope, rate: int | None = None) -> str:
        """Makes a key and returns its secret."""
        with self.runtime.database.transaction() as session:
            return keys.create(session, name, scopes, rate, SYSTEM)

    def put_on_list(self, draft: EntryDraft, name: str = "Test list", trust: Trust = Trust.TRUSTED) -> None:
        """Puts one entry on a test list, and waits until it binds."""
        definition = ListDefinition(trust=trust, harm_class=HarmClass.CSAM, is_test=True)
        with self.runtime.database.transaction() as session:
            store.import_entries(session, name, [draft], actor=SYSTEM, definition=definition)
        self.runtime.rooms.index.catch_up()

    def count(self, table: type) -> int:
        """Rows of a table."""
        with self.runtime.database.transaction() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    """What else is set; a file of tests may have its own."""
    return {}


@pytest.fixture(scope="module")
def runtime(
    postgres_address: str, compiled_cache: Path, more_settings: dict[str, object], request: pytest.FixtureRequest
) -> Iterator[Runtime]:
    """All rooms, opened once for a file of tests, on a fresh database."""
    name = f"test_{request.module.__name__.rsplit('.', 1)[-1]}"
    home = Path(tempfile.mkdtemp(prefix="seawall-"))
    with psycopg.connect(postgres_address.replace("/seawall?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE seawall STRATEGY FILE_COPY")
        settings = load_settings(
            home=home,
            decoder_processes=2,
            max_upload_bytes=LIMIT,
            database_url=SecretStr(postgres_address.replace("/seawall?", f"/{name}?")),
            **more_settings,
        )
        with Runtime(settings) as runtime:
            yield runtime
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def api(runtime: Runtime) -> Iterator[Api]:
    """The API of that runtime, listening."""
    app = create_app(runtime)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on")
    server, listener = uvicorn.Server(config), config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    limit = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the server ended"
        assert time.monotonic() < limit, "the server did not start"
        time.sleep(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(base_url=url, timeout=120) as client:
        api = Api(runtime, url, client, app.state.hall)
        client.headers["Authorization"] = f"Bearer {api.key('test-platform', Scope.JUDGE, rate=10_000_000)}"
        yield api
    server.should_exit = True
    thread.join(30)
    listener.close()
