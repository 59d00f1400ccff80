"""`seawall keys` and `seawall users`, as they are typed."""

from __future__ import annotations

import pytest

from seawall.access import keys, people, sessions, trail
from seawall.access.logins import Logins
from seawall.access.sessions import Browser
from seawall.access.trail import LookupTrail
from seawall.database.sessions import Database
from seawall.records import Role, Scope
from seawall.settings import Settings
from tests.integration.access.command import seawall
from tests.integration.access.test_people import CHEAP, PASSWORD, add


def test_keys_from_making_to_revoking(database: Database, settings: Settings) -> None:
    made = seawall(
        database,
        settings,
        "keys",
        "create",
        "test-forum",
        "--scope",
        "judge",
        "--scope",
        "lists",
        "--rate",
        "60",
    )
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert keys.SHAPE.fullmatch(secret), "standard output holds the key alone, so that it can be piped"
    with database.transaction() as session:
        info = keys.authenticate(session, secret)
    assert (info.scopes, info.rate_per_minute) == ({Scope.JUDGE, Scope.LISTS}, 60)
    with LookupTrail(database) as counting:
        counting.record(info.id, lookups=12, matches=3)
    with database.transaction() as session:
        assert trail.recent(session)
    listed = seawall(database, settings, "keys", "list").stdout
    assert "test-forum" in listed
    assert "judge, lists" in listed
    assert secret not in listed
    assert "12" in seawall(database, settings, "keys", "lookups").stdout
    assert seawall(database, settings, "keys", "revoke", "test-forum").returncode == 0
    again = seawall(database, settings, "keys", "revoke", "test-forum")
    assert again.returncode == 6
    assert again.stderr.startswith("seawall: The key test-forum is revoked already.")


def test_a_person_comes_in_and_goes(database: Database, settings: Settings) -> None:
    added = seawall(database, settings, "users", "add", "reviewer-1", "--role", "reviewer")
    assert added.returncode == 0, added.stderr
    address, _, token = added.stdout.strip().rpartition("/")
    assert address == "http://127.0.0.1:8420/console/welcome"
    with database.transaction() as session:
        assert people.name_of_link(session, token) == "reviewer-1"
    other = seawall(
        database,
        settings,
        "users",
        "link",
        "reviewer-1",
        "--hours",
        "2",
        SEAWALL_PUBLIC_URL="https://sea.example/",
    )
    assert other.stdout.startswith("https://sea.example/console/welcome/")
    assert seawall(database, settings, "users", "add", "boss", "--role", "admin").returncode == 0
    roles = ("--role", "admin", "--role", "reviewer")
    assert seawall(database, settings, "users", "roles", "reviewer-1", *roles).returncode == 0
    listed = seawall(database, settings, "users", "list").stdout
    assert "admin, reviewer" in listed
    assert "not yet" in listed
    assert seawall(database, settings, "users", "disable", "reviewer-1").returncode == 0
    last = seawall(database, settings, "users", "disable", "boss")
    assert last.returncode == 6
    assert "Nobody would be left" in last.stderr
    assert seawall(database, settings, "users", "enable", "reviewer-1").returncode == 0
    with database.transaction() as session:
        changed = next(person for person in people.list_people(session) if person.name == "reviewer-1")
    assert changed.roles == {Role.ADMIN, Role.REVIEWER}
    assert changed.disabled_at is None


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (("keys", "create", "test"), 2),
        (("keys", "create", "test", "--scope", "everything"), 2),
        (("keys", "create", "two words", "--scope", "judge"), 6),
        (("users", "add", "Reviewer-1", "--role", "reviewer"), 6),
        (("users", "link", "nobody"), 6),
        (("users", "add", "reviewer-1", "--role", "reviewer", "--hours", "1000"), 2),
    ],
)
def test_mistakes_are_told_and_change_nothing(
    database: Database, settings: Settings, args: tuple[str, ...], status: int
) -> None:
    result = seawall(database, settings, *args)
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    with database.transaction() as session:
        assert keys.list_keys(session) == []
        assert people.list_people(session) == []


def test_sessions_and_permissions_are_shown_and_sessions_ended(database: Database, settings: Settings) -> None:
    add(database)
    door = Logins(database, settings, CHEAP)
    for address in ("192.0.2.7", "192.0.2.8"):
        door.login("reviewer-1", PASSWORD, Browser("Firefox/140.0", address))
    listed = seawall(database, settings, "users", "sessions", "reviewer-1").stdout
    assert "Firefox" in listed
    assert "192.0.2.8" in listed
    with database.transaction() as session:
        newest = sessions.open_sessions(session, "reviewer-1")[0].id
    one = seawall(database, settings, "users", "end-sessions", "reviewer-1", "--session", str(newest))
    assert one.stdout.strip() == "1 session of reviewer-1 ended."
    rest = seawall(database, settings, "users", "end-sessions", "reviewer-1")
    assert rest.stdout.strip() == "1 session of reviewer-1 ended."
    permissions = seawall(database, settings, "users", "permissions").stdout
    assert "reveal evidence" in permissions
    assert "reviewer-1" in permissions
