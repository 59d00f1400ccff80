"""Passkeys on a real database: what opens a session, and all that must not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from seawall.access import passkeys, people, sessions
from seawall.access.logins import Logins, prune
from seawall.access.passkeys import Passkeys, Purpose, Site, site_of
from seawall.access.people import PersonSession
from seawall.access.sessions import Login, Way
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, PasskeyChallenge, now
from seawall.errors import BadInput, Conflict, NotFound, Unauthenticated
from seawall.records import Actor
from seawall.settings import Settings
from tests.integration.access.authenticator import PRESENT, VERIFIED, Authenticator
from tests.integration.access.test_people import CHEAP, PASSWORD, add

BOSS = Actor("user", "boss")
BROWSER, OTHER_BROWSER = b"b" * 32, b"o" * 32
ORIGIN = "https://sea.test"


@pytest.fixture
def door(database: Database, settings: Settings) -> Passkeys:
    add(database)
    add(database, "reviewer-2")
    return Passkeys(database, settings.model_copy(update={"public_url": ORIGIN}))


def person(database: Database, settings: Settings, name: str = "reviewer-1") -> PersonSession:
    token = Logins(database, settings, CHEAP).login(name, PASSWORD).token
    with database.transaction() as session:
        found = sessions.session_from_token(session, token)
    assert found is not None
    return found


@pytest.fixture
def somebody(database: Database, settings: Settings, door: Passkeys) -> PersonSession:
    return person(database, settings)


def with_passkey(door: Passkeys, somebody: PersonSession, name: str = "Test key") -> Authenticator:
    key = Authenticator(ORIGIN, "sea.test")
    door.register(somebody, BROWSER, key.make(door.options_to_register(somebody, BROWSER)), name)
    return key


def log_in(door: Passkeys, key: Authenticator) -> Login:
    return door.login(BROWSER, key.use(door.options_to_use(Purpose.LOGIN, BROWSER)))


def acts(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.number)))


def test_a_passkey_opens_a_session_and_proves_its_person(
    database: Database, door: Passkeys, somebody: PersonSession
) -> None:
    key = with_passkey(door, somebody)
    token = log_in(door, key).token
    with database.transaction() as session:
        inside = sessions.session_from_token(session, token)
        assert inside is not None
        assert inside.name == "reviewer-1"
        assert inside.proven_at is not None
        ways = {each.way for each in sessions.open_sessions(session, "reviewer-1")}
    assert Way.PASSKEY in ways
    door.prove(inside, BROWSER, key.use(door.options_to_use(Purpose.PROVE, BROWSER, inside)))
    assert acts(database)[-3:] == ["user.passkey_add", "user.login", "user.prove"]


def test_an_answer_works_once_also_when_two_give_it_at_once(
    database: Database, door: Passkeys, somebody: PersonSession
) -> None:
    key = with_passkey(door, somebody)
    answer = key.use(door.options_to_use(Purpose.LOGIN, BROWSER))
    gate = threading.Barrier(4)
    found: list[bool] = []

    def come_in() -> None:
        gate.wait()
        try:
            door.login(BROWSER, answer)
        except Unauthenticated:
            found.append(False)
        else:
            found.append(True)

    threads = [threading.Thread(target=come_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True]


def test_a_challenge_is_used_up_by_an_answer_that_does_not_do(door: Passkeys, somebody: PersonSession) -> None:
    key = with_passkey(door, somebody)
    options = door.options_to_use(Purpose.LOGIN, BROWSER)
    key.flags = PRESENT
    with pytest.raises(Unauthenticated):
        door.login(BROWSER, key.use(options))
    key.flags = PRESENT | VERIFIED
    with pytest.raises(Unauthenticated):
        door.login(BROWSER, key.use(options))
    log_in(door, key)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: setattr(key, "origin", "https://sea.test.evil.test"),
        lambda key: setattr(key, "origin", "http://sea.test"),
        lambda key: setattr(key, "site", "evil.test"),
        lambda key: setattr(key, "flags", PRESENT),
        lambda key: setattr(key, "flags", VERIFIED),
        lambda key: setattr(key, "handle", b"somebody else's"),
        lambda key: setattr(key, "key", Authenticator("", "").key),
        lambda key: setattr(key, "credential_id", b"unknown here"),
    ],
    ids=["origin", "no TLS", "site", "not verified", "not present", "handle", "signature", "unknown"],
)
def test_what_is_not_quite_right_opens_nothing(
    database: Database, door: Passkeys, somebody: PersonSession, spoil: Callable[[Authenticator], None]
) -> None:
    key = with_passkey(door, somebody)
    before = acts(database)
    spoil(key)
    with pytest.raises(Unauthenticated):
        log_in(door, key)
    assert acts(database) == before


def test_a_challenge_is_for_one_browser_one_purpose_and_a_short_time(
    database: Database, door: Passkeys, somebody: PersonSession
) -> None:
    key = with_passkey(door, somebody)
    with pytest.raises(Unauthenticated):
        door.login(OTHER_BROWSER, key.use(door.options_to_use(Purpose.LOGIN, BROWSER)))
    with pytest.raises(Unauthenticated):
        door.login(BROWSER, key.use(door.options_to_use(Purpose.PROVE, BROWSER, somebody)))
    late = key.use(door.options_to_use(Purpose.LOGIN, BROWSER))
    with database.transaction() as session:
        session.execute(update(PasskeyChallenge).values(expires_at=now() - timedelta(seconds=1)))
    with pytest.raises(Unauthenticated):
        door.login(BROWSER, late)
    with database.transaction() as session:
        prune(session)
        assert session.scalar(select(func.count()).select_from(PasskeyChallenge)) == 0


def test_another_persons_passkey_proves_nothing(
    database: Database, settings: Settings, door: Passkeys, somebody: PersonSession
) -> None:
    other = person(database, settings, "reviewer-2")
    theirs = with_passkey(door, other)
    with pytest.raises(Unauthenticated):
        door.prove(somebody, BROWSER, theirs.use(door.options_to_use(Purpose.PROVE, BROWSER, somebody)))
    assert "user.prove" not in acts(database)
    with pytest.raises(NotFound), database.transaction() as session:
        (listed,) = passkeys.list_passkeys(session, "reviewer-2")
        passkeys.remove(session, "reviewer-1", listed.id, somebody.actor)


def test_a_copied_passkey_shows_by_its_counter_and_is_on_record(
    database: Database, door: Passkeys, somebody: PersonSession
) -> None:
    key = with_passkey(door, somebody)
    log_in(door, key)
    log_in(door, key)
    key.count = 0
    with pytest.raises(Unauthenticated):
        log_in(door, key)
    assert acts(database)[-1] == "user.passkey_counter"
    key.count = 10
    log_in(door, key)


def test_passkeys_that_do_not_count_stay_good(door: Passkeys, somebody: PersonSession) -> None:
    key = with_passkey(door, somebody)
    for _ in range(2):
        key.count = -1
        log_in(door, key)


def test_a_removed_passkey_and_a_disabled_person_stay_outside(
    database: Database, settings: Settings, door: Passkeys, somebody: PersonSession
) -> None:
    removed, kept = with_passkey(door, somebody, "One"), with_passkey(door, somebody, "Two")
    with database.transaction() as session:
        listed = passkeys.list_passkeys(session, "reviewer-1")
        assert [each.name for each in listed] == ["One", "Two"]
        passkeys.remove(session, "reviewer-1", listed[0].id, BOSS)
    with pytest.raises(Unauthenticated):
        log_in(door, removed)
    log_in(door, kept)
    add(database, "boss-1")
    with database.transaction() as session:
        people.set_roles(session, "boss-1", list(people.Role), BOSS)
    with database.transaction() as session:
        people.disable(session, "reviewer-1", BOSS)
    with pytest.raises(Unauthenticated):
        log_in(door, kept)


def test_a_passkey_is_registered_once_under_a_name_that_can_be_read(door: Passkeys, somebody: PersonSession) -> None:
    key = with_passkey(door, somebody)
    with pytest.raises(Conflict):
        door.register(somebody, BROWSER, key.make(door.options_to_register(somebody, BROWSER)), "Again")
    assert len(json.loads(door.options_to_register(somebody, BROWSER))["excludeCredentials"]) == 1
    for name in ("", "  ", "x" * 61, "\x07bell"):
        with pytest.raises(BadInput):
            door.register(somebody, BROWSER, "{}", name)
    unverified = Authenticator(ORIGIN, "sea.test", flags=PRESENT)
    with pytest.raises(BadInput):
        door.register(
            somebody, BROWSER, unverified.make(door.options_to_register(somebody, BROWSER)), "Without a finger"
        )


@settings_of(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damaged_answer_opens_or_breaks_anything(
    door: Passkeys, somebody: PersonSession, data: st.DataObject
) -> None:
    key = Authenticator(ORIGIN, "sea.test")
    door.register(somebody, BROWSER, key.make(door.options_to_register(somebody, BROWSER)), "Test key")
    answer = json.loads(key.use(door.options_to_use(Purpose.LOGIN, BROWSER)))
    part = data.draw(st.sampled_from(["id", "rawId", "type", *answer["response"]]))
    junk = data.draw(st.none() | st.integers() | st.text(max_size=40) | st.lists(st.integers(), max_size=3))
    place = answer if part in answer else answer["response"]
    # No handle at all is good: not every authenticator gives one.
    if junk == place[part] or (part == "userHandle" and junk is None):
        return
    place[part] = junk
    with pytest.raises(Unauthenticated):
        door.login(BROWSER, json.dumps(answer))
    with door._database.transaction() as session:
        newest = passkeys.list_passkeys(session, "reviewer-1")[-1]
        passkeys.remove(session, "reviewer-1", newest.id, BOSS)


@pytest.mark.parametrize("answer", ["", "null", "[]", "{}", "[" * 15_000, "x" * 20_000, '{"response": 1}'])
def test_what_is_no_answer_at_all_is_refused(door: Passkeys, answer: str) -> None:
    with pytest.raises(Unauthenticated):
        door.login(BROWSER, answer)


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://sea.test/", Site("sea.test", "https://sea.test")),
        ("https://sea.test:8443", Site("sea.test", "https://sea.test:8443")),
        (None, Site("localhost", "http://localhost:8420")),
        ("http://localhost:9000", Site("localhost", "http://localhost:9000")),
        ("http://sea.test", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_passkeys_are_for_named_hosts_that_browsers_trust(address: str | None, site: Site | None) -> None:
    assert site_of(Settings(public_url=address)) == site
