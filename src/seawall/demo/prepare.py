"""Readies the demo's Seawall before it serves: login, key, webhook endpoint and lists, by the rooms' own functions.

Each step looks first whether it was done at an earlier start, so that starting again is quick and changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from seawall.access import keys, people
from seawall.access.passwords import Passwords
from seawall.actions import endpoints
from seawall.database.sessions import Database
from seawall.demo import material
from seawall.demo.home import DemoHome, read_secret, write_secret
from seawall.evidence.master_key import MasterKey
from seawall.hashlists import store
from seawall.hashlists.formats import read_entries
from seawall.records import Actor, HarmClass, Role, Scope, Trust

DEMO = Actor("cli", "demo")
LOGIN = "demo"
KEY_NAME = "demo-board"

FIRST = store.ListDefinition(
    source="demo source (TEST DATA)", trust=Trust.TRUSTED, harm_class=HarmClass.OTHER, is_test=True
)
SECOND = store.ListDefinition(
    source="another demo source (TEST DATA)", trust=Trust.STANDARD, harm_class=HarmClass.OTHER, is_test=True
)


def prepare_access(database: Database, master_key: MasterKey, home: DemoHome, board_events_url: str) -> str:
    """Makes what is missing of login, API key and webhook endpoint. Returns the login's password."""
    password = _login(database, home)
    _key(database, home)
    _endpoint(database, master_key, home, board_events_url)
    return password


def import_lists(database: Database, home: DemoHome) -> None:
    """Imports both demo lists from their files; unchanged ones change nothing."""
    files = ((material.FIRST_LIST, FIRST, material.FIRST_FILE), (material.SECOND_LIST, SECOND, material.SECOND_FILE))
    for name, definition, filename in files:
        _import(database, name, definition, home.lists / filename)


def _import(database: Database, name: str, definition: store.ListDefinition, path: Path) -> None:
    with path.open("rb") as file, database.transaction() as session:
        store.import_entries(
            session,
            name,
            read_entries(file, filename=path.name),
            actor=DEMO,
            definition=definition,
            mode=store.ImportMode(strict=True),
        )


def _login(database: Database, home: DemoHome) -> str:
    with database.transaction() as session:
        person = _named(people.list_people(session), LOGIN)
        known = read_secret(home.password_file)
        if person is not None and person.has_password and known is not None:
            return known
        password = secrets.token_urlsafe(12)
        write_secret(home.password_file, password)
        if person is None:
            people.create_user(session, LOGIN, list(Role), DEMO)
        token = people.one_time_link(session, LOGIN, timedelta(minutes=5), DEMO)
        people.redeem_link(session, Passwords(), token, password)
    return password


def _named(everyone: Iterable[people.Person], name: str) -> people.Person | None:
    return next((person for person in everyone if person.name == name), None)


def _key(database: Database, home: DemoHome) -> None:
    with database.transaction() as session:
        living = [listing.info.name for listing in keys.list_keys(session) if listing.revoked_at is None]
        kept = read_secret(home.key_file)
        if kept is not None and living:
            return
        for name in living:
            keys.revoke(session, name, DEMO)
        # Names are never used twice.
        name = f"{KEY_NAME}-{secrets.token_hex(3)}"
        write_secret(home.key_file, keys.create(session, name, [Scope.JUDGE], None, DEMO))


def _endpoint(database: Database, master_key: MasterKey, home: DemoHome, url: str) -> None:
    with database.transaction() as session:
        listed = endpoints.list_endpoints(session)
        if [each.url for each in listed] == [url] and read_secret(home.webhook_secret_file) is not None:
            return
        _replace_endpoints(session, master_key, home, url, [each.endpoint_id for each in listed])


def _replace_endpoints(session: Session, master_key: MasterKey, home: DemoHome, url: str, old: list[int]) -> None:
    for endpoint_id in old:
        endpoints.remove(session, endpoint_id, DEMO)
    write_secret(home.webhook_secret_file, endpoints.add(session, master_key, url, actor=DEMO))
