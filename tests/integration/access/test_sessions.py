"""Sessions that are listed, ended and proven anew, on a real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import select, update

from seawall.access import people, sessions
from seawall.access.browsers import browser_name
from seawall.access.logins import Logins
from seawall.access.people import PersonSession
from seawall.access.proof import is_proven, require_proof
from seawall.access.sessions import Browser, Way
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, ConsoleSession, now
from seawall.errors import NotFound, ProofNeeded, RateLimited, Unauthenticated
from seawall.records import Actor, Role
from seawall.settings import Settings
from tests.integration.access.test_people import CHEAP, PASSWORD, add

BOSS = Actor("user", "boss")
LAPTOP = Browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.7")
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def door(database: Database, settings: Settings) -> Logins:
    add(database)
    return Logins(database, settings, CHEAP)


def who(
    database: Database, token: str, browser: Browser | None = None, idle: timedelta | None = None
) -> PersonSession | None:
    with database.transaction() as session:
        return sessions.session_from_token(session, token, browser=browser, idle=idle)


def unused_for(database: Database, unused: timedelta) -> None:
    with database.transaction() as session:
        session.execute(update(ConsoleSession).values(seen_at=now() - unused))


def listed(database: Database, name: str = "reviewer-1") -> list[sessions.OpenSession]:
    with database.transaction() as session:
        return sessions.open_sessions(session, name)


def acts(database: Database) -> list[tuple[str, dict[str, object]]]:
    with database.transaction() as session:
        return [(row.act, row.details) for row in session.scalars(select(AuditEvent).order_by(AuditEvent.number))]


def test_a_session_says_where_it_was_opened_and_where_it_was_seen_last(database: Database, door: Logins) -> None:
    token = door.login("reviewer-1", PASSWORD, LAPTOP).token
    (opened,) = listed(database)
    assert (opened.browser, opened.way) == (LAPTOP, Way.PASSWORD)
    unused_for(database, timedelta(minutes=2))
    who(database, token, Browser("Elsewhere/1.0", "198.51.100.1"))
    (seen,) = listed(database)
    assert seen.browser == Browser("Elsewhere/1.0", "198.51.100.1")
    assert seen.seen_at > opened.created_at


def test_what_a_page_asks_by_itself_is_no_sign_of_a_person(database: Database, door: Logins) -> None:
    token = door.login("reviewer-1", PASSWORD, LAPTOP).token
    unused_for(database, timedelta(hours=1))
    (before,) = listed(database)
    assert who(database, token, None, HALF_AN_HOUR) is not None
    assert listed(database) == [before]


def test_a_browser_may_call_itself_anything(database: Database, door: Logins) -> None:
    door.login("reviewer-1", PASSWORD, Browser("\x00\ud800" + "x" * 5000, "\x00"))
    (opened,) = listed(database)
    assert len(opened.browser.agent) <= 300


def test_ended_sessions_open_nothing_and_are_on_record(database: Database, door: Logins) -> None:
    tokens = [door.login("reviewer-1", PASSWORD).token for _ in range(3)]
    mine = who(database, tokens[0])
    assert mine is not None
    with database.transaction() as session:
        assert sessions.end_all(session, "reviewer-1", mine.actor, but=mine.session_id) == 2
    assert [who(database, token) is not None for token in tokens] == [True, False, False]
    with database.transaction() as session:
        sessions.end(session, "reviewer-1", mine.session_id, BOSS)
    assert who(database, tokens[0]) is None
    assert listed(database) == []
    ended = [details["sessions"] for act, details in acts(database) if act == "user.session_end"]
    assert [len(each) for each in ended if isinstance(each, list)] == [2, 1]


def test_nobody_ends_a_session_by_anothers_name_or_twice(database: Database, door: Logins) -> None:
    add(database, "reviewer-2")
    token = door.login("reviewer-1", PASSWORD).token
    (opened,) = listed(database)
    for name, number in (("reviewer-2", opened.id), ("reviewer-1", opened.id + 1), ("reviewer-1", 2**70), ("", 1)):
        with pytest.raises(NotFound), database.transaction() as session:
            sessions.end(session, name, number, BOSS)
    assert who(database, token) is not None
    with database.transaction() as session:
        sessions.end(session, "reviewer-1", opened.id, BOSS)
    with pytest.raises(NotFound), database.transaction() as session:
        sessions.end(session, "reviewer-1", opened.id, BOSS)


def test_a_proof_lapses_where_a_session_lies_unused_and_comes_back_by_the_password(
    database: Database, door: Logins, settings: Settings
) -> None:
    token = door.login("reviewer-1", PASSWORD).token
    fresh = who(database, token, LAPTOP, HALF_AN_HOUR)
    assert fresh is not None
    require_proof(fresh, settings)
    unused_for(database, timedelta(minutes=31))
    # Neither asking again nor going on undoes it.
    for browser in (None, LAPTOP, LAPTOP):
        lapsed = who(database, token, browser, HALF_AN_HOUR)
        assert lapsed is not None
        with pytest.raises(ProofNeeded):
            require_proof(lapsed, settings)
    with pytest.raises(Unauthenticated):
        door.prove(lapsed, "not the password at all")
    door.prove(lapsed, PASSWORD)
    again = who(database, token, LAPTOP, HALF_AN_HOUR)
    assert again is not None
    require_proof(again, settings)
    assert acts(database)[-1] == ("user.prove", {"way": "password"})


def test_two_requests_at_once_after_a_pause_both_find_the_proof_lapsed(database: Database, door: Logins) -> None:
    token = door.login("reviewer-1", PASSWORD).token
    unused_for(database, timedelta(hours=1))
    gate = threading.Barrier(4)
    found: list[PersonSession | None] = []

    def ask() -> None:
        gate.wait()
        found.append(who(database, token, LAPTOP, HALF_AN_HOUR))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.proven_at for each in found if each is not None] == [None] * 4


def test_guesses_at_a_proof_count_as_guesses_at_the_login(
    database: Database, settings: Settings, door: Logins
) -> None:
    person = who(database, door.login("reviewer-1", PASSWORD).token)
    assert person is not None
    # The minute may turn while this guesses; twice as many go beyond it in one of them.
    with pytest.raises(RateLimited):
        for _ in range(settings.login_attempts_per_minute * 2 + 2):
            with pytest.raises(Unauthenticated):
                door.prove(person, "not the password at all")


@settings_of(deadline=None)
@given(limit=st.integers(0, 600), age=st.none() | st.integers(0, 1200))
def test_a_proof_is_good_until_its_minutes_are_over(limit: int, age: int | None) -> None:
    at = now()
    proven_at = None if age is None else at - timedelta(minutes=age)
    person = PersonSession(1, "reviewer-1", frozenset({Role.REVIEWER}), at, "csrf", proven_at=proven_at)
    wanted = limit == 0 or (age is not None and age < limit)
    assert is_proven(person, Settings(proof_minutes=limit), at) is wanted


def test_a_link_ends_sessions_that_were_open(database: Database, door: Logins) -> None:
    token = door.login("reviewer-1", PASSWORD).token
    with database.transaction() as session:
        link = people.one_time_link(session, "reviewer-1", HALF_AN_HOUR, BOSS)
    with database.transaction() as session:
        people.redeem_link(session, CHEAP, link, "four brave puffins nest")
    assert (who(database, token), listed(database)) == (None, [])


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (LAPTOP.agent, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8", "Another program"),
        ("", "Another program"),
    ],
)
def test_browsers_have_names(agent: str, name: str) -> None:
    assert browser_name(agent) == name
