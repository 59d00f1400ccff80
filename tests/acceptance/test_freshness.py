"""Three servers on one database: a new entry binds on all of them, a removed one on none, notified of it or not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest
from sqlalchemy import select, text

from seawall.access import keys
from seawall.database.sessions import Database
from seawall.database.tables import Entry
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.records import SYSTEM, EntryDraft, HarmClass, Scope, Trust
from tests.acceptance.service import replicas

LIMIT_S = 240
DEFINITION = ListDefinition(trust=Trust.TRUSTED, harm_class=HarmClass.CSAM, is_test=True)


@pytest.fixture
def key(database: Database) -> str:
    with database.transaction() as session:
        return keys.create(session, "test-platform", [Scope.JUDGE], 1_000_000, SYSTEM)


@pytest.fixture
def clients(database: Database, key: str, compiled_cache: object) -> Iterator[Sequence[httpx.Client]]:
    """One client for each of three servers that look by themselves only every two seconds."""
    with replicas(3, database.url, SEAWALL_INDEX_POLL_S="2") as servers:
        headers = {"Authorization": f"Bearer {key}"}
        yield [httpx.Client(base_url=server.url, headers=headers, timeout=120) for server in servers]


def md5(number: int) -> bytes:
    return hashlib.md5(f"freshness {number}".encode(), usedforsecurity=False).digest()


def add(database: Database, number: int) -> None:
    with database.transaction() as session:
        draft = EntryDraft(1, md5=md5(number))
        store.import_entries(session, "Test list", [draft], actor=SYSTEM, definition=DEFINITION)


def remove(database: Database, number: int) -> None:
    with database.transaction() as session:
        entry = session.scalars(select(Entry.id).where(Entry.md5 == md5(number))).one()
        store.remove_entry(session, entry, SYSTEM)


def verdict(client: httpx.Client, number: int) -> str:
    """What the server says of a new content with that hash."""
    item = {"content_id": f"content-{time.monotonic_ns()}", "md5": md5(number).hex()}
    answer = client.post("/v1/hashes", json=item)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["verdict"])


def everywhere(clients: Sequence[httpx.Client], number: int, wanted: str) -> None:
    limit = time.monotonic() + LIMIT_S
    for client in clients:
        while verdict(client, number) != wanted:
            assert time.monotonic() < limit, f"entry {number} is not everywhere: {wanted}"
            time.sleep(0.02)


LISTENERS = "FROM pg_stat_activity WHERE application_name = 'seawall-index' AND datname = current_database()"


def notifications_lost(database: Database) -> None:
    """Ends the connections on which servers listen; what is announced right afterwards, they do not hear."""
    limit = time.monotonic() + LIMIT_S
    while True:
        with database.transaction() as session:
            if session.execute(text(f"SELECT count(*) {LISTENERS}")).scalar_one() == 3:
                assert all(session.scalars(text(f"SELECT pg_terminate_backend(pid) {LISTENERS}")))
                return
        assert time.monotonic() < limit, "not all servers listen"
        time.sleep(0.02)


@pytest.mark.parametrize("before", [lambda _: None, notifications_lost], ids=["notified", "notifications lost"])
def test_an_entry_binds_on_all_servers_and_a_removed_one_on_none(
    database: Database, clients: Sequence[httpx.Client], before: Callable[[Database], None]
) -> None:
    for number in range(4):
        everywhere(clients, number, "allow")
        before(database)
        add(database, number)
        everywhere(clients, number, "block")
        before(database)
        remove(database, number)
        everywhere(clients, number, "allow")


def shown_everywhere(clients: Sequence[httpx.Client], wanted: str) -> None:
    """Asks each server until it answers so, and once more, from what it remembers."""
    limit = time.monotonic() + LIMIT_S
    for client in clients:
        while (answer := client.get("/v1/content/viewed")).json()["verdict"] != wanted:
            assert time.monotonic() < limit, f"it is not {wanted} everywhere"
            time.sleep(0.02)
        again = client.get("/v1/content/viewed", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


def views_unheard(database: Database) -> None:
    """Ends the connections on which servers hear of contents that may not be shown any more."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seawall-standings'"
    with database.transaction() as session:
        assert all(session.scalars(text(f"{ended} AND datname = current_database()")))


@pytest.mark.parametrize("before", [lambda _: None, views_unheard], ids=["notified", "notifications lost"])
def test_what_a_list_learns_of_is_shown_by_no_server_and_passed_on_by_none(
    database: Database, clients: Sequence[httpx.Client], before: Callable[[Database], None]
) -> None:
    clients[0].post("/v1/hashes", json={"content_id": "viewed", "md5": md5(9).hex()}).raise_for_status()
    shown_everywhere(clients, "allow")
    before(database)
    add(database, 9)
    shown_everywhere(clients, "block")
    shares = [client.post("/v1/shares", json={"content_id": "viewed"}).json() for client in clients]
    assert [answer["verdict"] for answer in shares] == ["block"] * 3
    before(database)
    remove(database, 9)
    shown_everywhere(clients, "allow")
