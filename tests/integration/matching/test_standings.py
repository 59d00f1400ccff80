"""What processes remember of standings, on a real PostgreSQL: a refusal binds in all of them at once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.database.tables import STANDINGS_CHANNEL
from seawall.matching import backfill, partitions
from seawall.matching.standings import Standings
from seawall.matching.standings_keeper import StandingsKeeper
from seawall.records import ContentState, HashArrival

PATIENCE_S = 120.0


def publish(database: Database, *content_ids: str) -> None:
    arrivals = [HashArrival(each, sha256=hashlib.sha256(each.encode()).digest()) for each in content_ids]
    with database.transaction() as session:
        backfill.enter(session, [backfill.Published(arrival, "test", 0) for arrival in arrivals])


def becomes(database: Database, content_id: str, state: str) -> None:
    statement = text("UPDATE content SET state = :state, updated_at = now() WHERE content_id = :content_id")
    with database.transaction() as session:
        session.execute(statement, {"state": state, "content_id": content_id})


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return condition()


@contextmanager
def processes(database: Database, count: int, **memory: float) -> Iterator[list[StandingsKeeper]]:
    """Keepers that listen, each with connections of its own, as in so many processes."""
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            own = Database(database.url, 2)
            stack.callback(own.close)
            # What is remembered is only ever given up because of what is heard.
            made.append(
                stack.enter_context(StandingsKeeper(own, Standings(**({"ttl_s": 1e9, "longest_s": 1e9} | memory))))
            )  # type: ignore[arg-type]
        assert eventually(lambda: listeners(database) == count)
        yield made


def listeners(database: Database, ended: bool = False) -> int:
    count = "count(*) FILTER (WHERE pg_terminate_backend(pid))" if ended else "count(*)"
    query = f"SELECT {count} FROM pg_stat_activity WHERE application_name = 'seawall-standings'"
    query += " AND datname = current_database() AND query LIKE '%pg_notify%'"
    with database.transaction() as session:
        return int(session.execute(text(query)).scalar_one())


def state(keeper: StandingsKeeper, content_id: str) -> ContentState | None:
    found = keeper.of(content_id)
    return None if found is None else found.state


def test_what_a_list_takes_back_is_shown_again_in_every_process(database: Database) -> None:
    publish(database, "c1")
    becomes(database, "c1", "held")
    with processes(database, 2) as keepers:
        assert [state(keeper, "c1") for keeper in keepers] == ["held", "held"]
        becomes(database, "c1", "published")
        assert all(eventually(lambda keeper=keeper: state(keeper, "c1") == "published") for keeper in keepers)  # type: ignore[misc]


@pytest.mark.parametrize("change", ["held", "blocked", "removed", "released"])
def test_a_change_binds_in_every_process(database: Database, change: str) -> None:
    publish(database, "c1", "c2")
    with processes(database, 2) as keepers:
        for keeper in keepers:
            assert state(keeper, "c1") == state(keeper, "c2") == "published"
            assert keeper.remembered("c1") is not None
        for then in (change, "published"):  # a refusal can be taken back as well
            becomes(database, "c1", then)
            for keeper in keepers:
                assert eventually(lambda keeper=keeper, then=then: state(keeper, "c1") == then)  # type: ignore[misc]
                assert keeper.remembered("c2") is not None


def test_a_version_that_arrives_refused_binds_in_every_process(database: Database) -> None:
    publish(database, "c1")
    partitions.make_months(database)
    with processes(database, 2) as keepers:
        for keeper in keepers:
            assert state(keeper, "c1") == "published"
        with database.transaction() as session:
            columns = "content_id, identity, surface, frames, verdict, reasons, policy_version, state"
            session.execute(
                text(f"INSERT INTO content ({columns}) VALUES ('c1', 'x', 'u', '[]', 'block', '[]', 'p', 'blocked')")
            )
        for keeper in keepers:
            assert eventually(lambda keeper=keeper: state(keeper, "c1") == "blocked")  # type: ignore[misc]


def test_what_was_announced_while_nobody_listened_is_not_missed(database: Database) -> None:
    publish(database, "c1")
    with processes(database, 1) as (keeper,):
        assert state(keeper, "c1") == "published"
        assert listeners(database, ended=True) == 1
        becomes(database, "c1", "removed")
        assert eventually(lambda: state(keeper, "c1") == "removed")


def test_without_anybody_who_listens_it_is_remembered_for_a_moment(database: Database) -> None:
    publish(database, "c1")
    keeper = StandingsKeeper(database, Standings(ttl_s=0.05))
    assert state(keeper, "c1") == "published"
    becomes(database, "c1", "removed")
    assert eventually(lambda: state(keeper, "c1") == "removed")


def test_pulses_let_it_be_remembered_for_longer(database: Database) -> None:
    publish(database, "c1")
    with processes(database, 1, ttl_s=5.0) as (keeper,):
        assert state(keeper, "c1") == "published"
        until = time.monotonic() + 6.0
        while time.monotonic() < until:
            assert keeper.remembered("c1") is not None
            time.sleep(0.1)


def test_the_unknown_is_read_each_time(database: Database) -> None:
    with processes(database, 1) as (keeper,):
        assert keeper.of_many(["c1", "c2"]) == {}
        publish(database, "c1")
        assert keeper.of_many(["c1", "c2"]).keys() == {"c1"}


def test_ordinary_uploads_announce_nothing_and_odd_ids_are_announced_whole(database: Database) -> None:
    partitions.make_months(database)
    odd = ["\U0001f30a" * 512, "quote'\"\\", "a/b c", "\u202e"]
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"LISTEN {STANDINGS_CHANNEL}")
        publish(database, "plain", *odd, "x" * 9000)
        becomes(database, "plain", "published")
        assert list(connection.notifies(timeout=0.2)) == []
        for content_id in [*odd, "x" * 9000]:
            becomes(database, content_id, "removed")
            becomes(database, content_id, "removed")
        heard = [notice.payload for notice in connection.notifies(timeout=5, stop_after=5)]
        assert heard == [*odd, ""]
        assert list(connection.notifies(timeout=0.2)) == []
