"""People, links, logins and sessions on a real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text, update

from seawall.access import logins, people, sessions
from seawall.access.logins import Logins
from seawall.access.passwords import Passwords
from seawall.access.people import PersonSession
from seawall.access.sessions import Login
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, ConsoleSession, FailedLogin, OneTimeLink, User, now
from seawall.errors import BadInput, Conflict, NotFound, RateLimited, Unauthenticated
from seawall.records import Actor, Role
from seawall.settings import Settings

OPERATOR = Actor("cli", "test")
PASSWORD = "seven quiet lanterns"
HOUR = timedelta(hours=1)
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))


@pytest.fixture
def door(database: Database, settings: Settings) -> Logins:
    return Logins(database, settings, CHEAP)


def add(database: Database, name: str = "reviewer-1", *roles: Role, password: str | None = PASSWORD) -> None:
    with database.transaction() as session:
        people.create_user(session, name, roles or (Role.REVIEWER,), OPERATOR)
        token = people.one_time_link(session, name, HOUR, OPERATOR)
    if password is not None:
        with database.transaction() as session:
            assert people.redeem_link(session, CHEAP, token, password) == name


def who(database: Database, token: str) -> PersonSession | None:
    with database.transaction() as session:
        return sessions.session_from_token(session, token)


# ------------------------------------------------------------------------------------------------------- first start


def test_the_first_administrator_can_do_everything(database: Database, door: Logins) -> None:
    with database.transaction() as session:
        token = people.first_admin_link(session, HOUR)
        assert token is not None
        assert people.name_of_link(session, token) == "admin"
    with database.transaction() as session:
        people.redeem_link(session, CHEAP, token, PASSWORD)
    person = who(database, door.login("admin", PASSWORD).token)
    assert person is not None
    assert person.roles == set(Role)
    with database.transaction() as session:
        assert people.first_admin_link(session, HOUR) is None


def test_a_lost_first_link_is_replaced_at_the_next_start(database: Database) -> None:
    with database.transaction() as session:
        lost = people.first_admin_link(session, HOUR)
    with database.transaction() as session:
        fresh = people.first_admin_link(session, HOUR)
    assert lost is not None
    assert fresh is not None
    with database.transaction() as session:
        assert people.name_of_link(session, lost) is None
        assert people.name_of_link(session, fresh) == "admin"
        assert len(people.list_people(session)) == 1


def test_processes_that_start_at_once_make_one_administrator(database: Database) -> None:
    tokens: list[str | None] = []

    def start() -> None:
        with database.transaction() as session:
            tokens.append(people.first_admin_link(session, HOUR))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as session:
        assert [person.name for person in people.list_people(session)] == ["admin"]
        assert sum(people.name_of_link(session, token or "") == "admin" for token in tokens) == 1


# ------------------------------------------------------------------------------------------------------------- links


def test_a_link_works_once(database: Database) -> None:
    add(database, password=None)
    with database.transaction() as session:
        token = people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
    with database.transaction() as session:
        people.redeem_link(session, CHEAP, token, PASSWORD)
    with database.transaction() as session, pytest.raises(NotFound):
        people.redeem_link(session, CHEAP, token, PASSWORD + " again")


def test_two_who_use_a_link_at_once_do_not_both_win(database: Database) -> None:
    add(database, password=None)
    with database.transaction() as session:
        token = people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
    won: list[str] = []

    def use(password: str) -> None:
        try:
            with database.transaction() as session:
                people.redeem_link(session, CHEAP, token, password)
        except NotFound:
            return
        won.append(password)

    threads = [threading.Thread(target=use, args=(f"{PASSWORD} {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_weak_password_leaves_the_link_good(database: Database) -> None:
    add(database, password=None)
    with database.transaction() as session:
        token = people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
    with pytest.raises(BadInput), database.transaction() as session:
        people.redeem_link(session, CHEAP, token, "short")
    with database.transaction() as session:
        people.redeem_link(session, CHEAP, token, PASSWORD)


@pytest.mark.parametrize("token", ["", "nothing", "\x00", "\ud800"])
def test_other_tokens_are_no_links(database: Database, token: str) -> None:
    add(database, password=None)
    with database.transaction() as session:
        assert people.name_of_link(session, token) is None
        with pytest.raises(NotFound):
            people.redeem_link(session, CHEAP, token, PASSWORD)


def test_an_expired_link_is_none(database: Database) -> None:
    add(database, password=None)
    with database.transaction() as session:
        token = people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
        session.execute(update(OneTimeLink).values(expires_at=now()))
    with database.transaction() as session:
        assert people.name_of_link(session, token) is None
    with database.transaction() as session, pytest.raises(BadInput):
        people.one_time_link(session, "reviewer-1", timedelta(days=8), OPERATOR)


def test_a_new_password_ends_open_sessions(database: Database, door: Logins) -> None:
    add(database)
    login = door.login("reviewer-1", PASSWORD)
    with database.transaction() as session:
        token = people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
    assert who(database, login.token) is not None
    with database.transaction() as session:
        people.redeem_link(session, CHEAP, token, "nine other lanterns")
    assert who(database, login.token) is None
    with pytest.raises(Unauthenticated):
        door.login("reviewer-1", PASSWORD)
    door.login("reviewer-1", "nine other lanterns")


# ---------------------------------------------------------------------------------------------- logins and sessions


def test_a_login_opens_a_session(database: Database, door: Logins) -> None:
    add(database, "reviewer-1", Role.REVIEWER, Role.AUDITOR)
    login = door.login(" Reviewer-1 ", PASSWORD)
    person = who(database, login.token)
    assert person is not None
    assert (person.name, person.roles) == ("reviewer-1", {Role.REVIEWER, Role.AUDITOR})
    assert person.expires_at == login.expires_at
    assert person.csrf_token == login.csrf_token
    assert str(person.actor) == "user:reviewer-1"


def test_a_form_of_another_session_does_not_match(database: Database, door: Logins) -> None:
    add(database)
    one, other = door.login("reviewer-1", PASSWORD), door.login("reviewer-1", PASSWORD)
    person = who(database, one.token)
    assert person is not None
    assert one.csrf_token != one.token
    assert person.csrf_token not in (other.csrf_token, one.token)


def test_no_token_lies_in_the_database(database: Database, door: Logins) -> None:
    add(database)
    login = door.login("reviewer-1", PASSWORD)
    with database.transaction() as session:
        dump = str(session.execute(text("SELECT row_to_json(s) FROM console_sessions s")).all())
        dump += str(session.execute(text("SELECT row_to_json(s) FROM one_time_links s")).all())
        dump += str(session.execute(text("SELECT row_to_json(s) FROM audit_events s")).all())
        dump += str(session.execute(text("SELECT row_to_json(s) FROM users s")).all())
    for secret in (login.token, login.token.encode().hex(), login.csrf_token, PASSWORD):
        assert secret not in dump
    assert login.token not in repr(login)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("reviewer-1", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("reviewer-1\x00", PASSWORD),
        ("j" * 100_000, "x"),
        ("ja\ud800", "x"),
    ],
)
def test_wrong_logins_are_all_alike(database: Database, door: Logins, name: str, password: str) -> None:
    add(database)
    with pytest.raises(Unauthenticated) as refused:
        door.login(name, password)
    assert refused.value.message == "This name and this password do not go together."


def test_who_has_not_chosen_a_password_cannot_log_in(database: Database, door: Logins) -> None:
    add(database, password=None)
    for password in ("", "nobody has this password"):
        with pytest.raises(Unauthenticated):
            door.login("reviewer-1", password)


def test_unknown_names_cost_a_check_as_known_ones_do(database: Database, settings: Settings) -> None:
    checked: list[str | None] = []

    class Watched(Passwords):
        def check(self, kept: str | None, password: str) -> bool:
            checked.append(kept)
            return super().check(kept, password)

    door = Logins(database, settings, Watched(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)))
    with pytest.raises(Unauthenticated):
        door.login("nobody", PASSWORD)
    assert checked == [None]


def guess(door: Logins, times: int, name: str = "reviewer-1") -> int:
    """How many guesses got as far as the password."""
    looked_at = 0
    for number in range(times):
        try:
            door.login(name, f"wrong {number}")
        except Unauthenticated:
            looked_at += 1
        except RateLimited:
            continue
    return looked_at


@pytest.fixture
def still_minute(database: Database) -> None:
    """Waits for a minute with room in it, since guesses are counted by the minute."""
    with database.transaction() as session:
        second = float(session.scalar(text("SELECT extract(second FROM now())")) or 0)
        if second > 50:
            session.execute(text("SELECT pg_sleep(:rest)"), {"rest": 60.5 - second})


@pytest.mark.usefixtures("still_minute")
def test_guessing_is_slow(database: Database, settings: Settings, door: Logins) -> None:
    add(database)
    assert guess(door, settings.login_attempts_per_minute + 5) == settings.login_attempts_per_minute
    with pytest.raises(RateLimited) as refused:
        door.login("reviewer-1", PASSWORD)
    assert 0 < refused.value.retry_after_s <= 60
    assert guess(door, 1, "somebody.else") == 1
    with database.transaction() as session:
        session.execute(text("UPDATE failed_logins SET minute = minute - interval '1 minute'"))
    assert door.login("reviewer-1", PASSWORD)


@pytest.mark.usefixtures("still_minute")
def test_guessing_at_the_same_moment_is_no_faster(database: Database, settings: Settings, door: Logins) -> None:
    add(database)
    looked_at: list[int] = []
    threads = [threading.Thread(target=lambda: looked_at.append(guess(door, 4))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(looked_at) == settings.login_attempts_per_minute


@pytest.mark.usefixtures("still_minute")
def test_good_logins_do_not_count_as_guesses(database: Database, settings: Settings, door: Logins) -> None:
    add(database)
    for _ in range(settings.login_attempts_per_minute * 2):
        door.login("reviewer-1", PASSWORD)


def test_a_login_makes_an_outdated_hash_anew(database: Database, settings: Settings, door: Logins) -> None:
    add(database)

    def kept() -> str | None:
        with database.transaction() as session:
            return session.scalars(select(User.password_hash)).one()

    before = kept()
    door.login("reviewer-1", PASSWORD)
    assert kept() == before
    Logins(database, settings, Passwords(PasswordHasher(2, 2048, 1))).login("reviewer-1", PASSWORD)
    assert kept() != before
    assert "m=2048,t=2" in (kept() or "")


def test_sessions_end_by_logout_and_by_time(database: Database, door: Logins) -> None:
    add(database)
    one, other = door.login("reviewer-1", PASSWORD), door.login("reviewer-1", PASSWORD)
    with database.transaction() as session:
        sessions.logout(session, one.token)
        sessions.logout(session, "nothing")
    assert who(database, one.token) is None
    assert who(database, other.token) is not None
    with database.transaction() as session:
        session.execute(update(ConsoleSession).values(expires_at=now()))
    assert who(database, other.token) is None


def test_a_session_lasts_as_long_as_the_settings_say(database: Database, settings: Settings) -> None:
    add(database)
    door = Logins(database, settings.model_copy(update={"session_hours": 2.0}), CHEAP)
    lasts = door.login("reviewer-1", PASSWORD).expires_at - now()
    assert timedelta(hours=1.9) < lasts <= timedelta(hours=2)


# ---------------------------------------------------------------------------------------------------------- managing


def logged_in(database: Database, door: Logins, name: str) -> Login:
    login = door.login(name, PASSWORD)
    assert who(database, login.token) is not None
    return login


def test_disabling_ends_everything_at_once(database: Database, door: Logins) -> None:
    add(database, "boss", Role.ADMIN)
    add(database)
    login = logged_in(database, door, "reviewer-1")
    with database.transaction() as session:
        token = people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
        people.disable(session, "reviewer-1", OPERATOR)
    assert who(database, login.token) is None
    with database.transaction() as session:
        assert people.name_of_link(session, token) is None
    with pytest.raises(Unauthenticated):
        door.login("reviewer-1", PASSWORD)
    with database.transaction() as session, pytest.raises(Conflict):
        people.one_time_link(session, "reviewer-1", HOUR, OPERATOR)
    with database.transaction() as session:
        people.enable(session, "reviewer-1", OPERATOR)
    assert who(database, login.token) is None
    logged_in(database, door, "reviewer-1")


def test_the_last_administrator_stays(database: Database) -> None:
    add(database, "boss", Role.ADMIN)
    add(database, "reviewer-1")
    with pytest.raises(Conflict), database.transaction() as session:
        people.disable(session, "boss", OPERATOR)
    with pytest.raises(Conflict), database.transaction() as session:
        people.set_roles(session, "boss", [Role.REVIEWER], OPERATOR)
    with database.transaction() as session:
        people.set_roles(session, "reviewer-1", [Role.REVIEWER, Role.ADMIN], OPERATOR)
        people.disable(session, "boss", OPERATOR)


def test_roles_follow_in_open_sessions(database: Database, door: Logins) -> None:
    add(database, "boss", Role.ADMIN)
    login = logged_in(database, door, "boss")
    with database.transaction() as session:
        people.set_roles(session, "boss", [Role.ADMIN, Role.REVIEWER], OPERATOR)
    person = who(database, login.token)
    assert person is not None
    assert person.roles == {Role.ADMIN, Role.REVIEWER}


@pytest.mark.parametrize(
    "name", ["", "Reviewer-1", "reviewer 1", "../reviewer-1", "reviewer-1\n", "x" * 65, "\u0430dmin"]
)
def test_unusable_names_are_refused(database: Database, name: str) -> None:
    with pytest.raises(BadInput):
        add(database, name)


def test_unknown_and_double_names(database: Database) -> None:
    add(database)
    with pytest.raises(Conflict):
        add(database)
    for name in ("nobody", "\x00"):
        with database.transaction() as session, pytest.raises(NotFound):
            people.disable(session, name, OPERATOR)


def test_everything_is_on_record(database: Database, door: Logins) -> None:
    add(database, "boss", Role.ADMIN)
    login = door.login("boss", PASSWORD)
    with database.transaction() as session:
        sessions.logout(session, login.token)
    with database.transaction() as session:
        events = session.execute(select(AuditEvent.act, AuditEvent.actor).order_by(AuditEvent.number)).all()
    assert [tuple(event) for event in events] == [
        ("user.create", "cli:test"),
        ("user.link", "cli:test"),
        ("user.password", "user:boss"),
        ("user.login", "user:boss"),
        ("user.logout", "user:boss"),
    ]


def test_pruning_removes_what_ended_long_ago_and_nothing_else(database: Database, door: Logins) -> None:
    add(database)
    old, young = door.login("reviewer-1", PASSWORD), door.login("reviewer-1", PASSWORD)
    with pytest.raises(Unauthenticated):
        door.login("reviewer-1", "wrong")
    with database.transaction() as session:
        assert logins.prune(session) == 0
        session.execute(text("UPDATE failed_logins SET minute = minute - interval '2 days'"))
        session.execute(text("UPDATE one_time_links SET used_at = used_at - interval '2 days'"))
        session.execute(
            update(ConsoleSession)
            .where(ConsoleSession.token_hash == logins.digest_of(old.token))
            .values(expires_at=now() - timedelta(days=2))
        )
    with database.transaction() as session:
        assert logins.prune(session) >= 3
    assert who(database, young.token) is not None
    assert who(database, old.token) is None


def test_wrong_logins_are_on_record_within_hours(database: Database, door: Logins) -> None:
    add(database)
    assert guess(door, 3) == 3
    assert guess(door, 2, "somebody.else") == 2
    assert guess(door, 1, PASSWORD) == 1
    with database.transaction() as session:
        session.execute(text("UPDATE failed_logins SET minute = minute - interval '2 hours'"))
    door.login("reviewer-1", PASSWORD)
    for _ in range(2):  # and once only
        with database.transaction() as session:
            logins.prune(session)
    with database.transaction() as session:
        query = select(AuditEvent.subject, AuditEvent.details["attempts"].as_integer())
        events = session.execute(
            query.where(AuditEvent.act == "user.login_refused").order_by(AuditEvent.number)
        ).all()
        everything = [row.details for row in session.scalars(select(AuditEvent))]
    # Names that nobody has are counted and not told: a password may have been typed into the wrong field.
    assert [tuple(event) for event in events] == [("user:(unknown)", 3), ("user:reviewer-1", 3)]
    assert "somebody.else" not in str(everything)


def test_who_knocks_without_end_does_not_take_every_thread(database: Database, settings: Settings) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Passwords):
        def check(self, kept: str | None, password: str) -> bool:
            begun.set()
            go_on.wait(120)
            return super().check(kept, password)

    cheap = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    door = Logins(database, settings, Slow(cheap, at_once=1, waiting=0))
    add(database)
    first = threading.Thread(target=guess, args=(door, 1))
    first.start()
    try:
        assert begun.wait(120)
        with pytest.raises(RateLimited) as refused:
            door.login("somebody.else", PASSWORD)
        assert refused.value.retry_after_s > 0
    finally:
        go_on.set()
        first.join()
    with database.transaction() as session:
        # Whoever was sent away left no row either.
        assert session.scalar(select(func.count()).select_from(FailedLogin)) == 1
    assert door.login("reviewer-1", PASSWORD)
