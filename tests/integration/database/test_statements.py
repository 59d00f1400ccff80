"""Statements outside the pool: what they return, and what becomes of a connection that is lost or of a failure."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from seawall.database.sessions import Database
from seawall.database.statements import AwaitedStatements
from seawall.errors import DatabaseUnavailable

DOUBLED = "SELECT 2 * n, NULL FROM generate_series(1, $1::int) n WHERE $2::text <> ''"
ROWS = [(b"2", None), (b"4", None)]


def lose(database: Database) -> None:
    """Ends every connection for statements, and waits until it has ended."""
    ended = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'seawall-statements'"
    )
    with psycopg.connect(database.url) as connection:
        assert connection.execute(ended).fetchall()


def test_rows_come_as_text(database: Database) -> None:
    assert database.statement(DOUBLED, ("2", "ä")) == ROWS
    assert database.statement(DOUBLED, ("0", "ä")) == []


def test_a_lost_connection_is_opened_anew(database: Database) -> None:
    database.statement(DOUBLED, ("1", "a"))
    lose(database)
    assert database.statement(DOUBLED, ("2", "a")) == ROWS


def test_after_a_failure_the_next_one_runs(database: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        database.statement(DOUBLED, ("no number", "a"))
    assert database.statement(DOUBLED, ("2", "a")) == ROWS


def test_without_a_database_it_says_so() -> None:
    nowhere = Database("postgresql://127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        nowhere.statement(DOUBLED, ("2", "a"))


def test_all_of_it_awaited(database: Database) -> None:
    async def used() -> None:
        statements = AwaitedStatements(database.url, DOUBLED.encode())
        assert await statements.run((b"2", b"a")) == ROWS
        await asyncio.to_thread(lose, database)
        assert await statements.run((b"2", b"a")) == ROWS
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            await statements.run((b"no number", b"a"))
        # More than a socket takes at once, there and back.
        assert await statements.run((b"2", b"a" * 20_000_000)) == ROWS
        assert len(await statements.run((b"200000", b"a"))) == 200_000
        statements.close()
        assert await statements.run((b"2", b"a")) == ROWS
        statements.close()

    asyncio.run(used())


def test_awaited_in_one_loop_after_another(database: Database) -> None:
    statements = AwaitedStatements(database.url, DOUBLED.encode())
    for _ in range(2):
        assert asyncio.run(statements.run((b"2", b"a"))) == ROWS
    statements.close()


def test_what_nobody_waits_for_any_more_is_no_answer_to_the_next(database: Database) -> None:
    async def used() -> None:
        statements = AwaitedStatements(database.url, b"SELECT $1::text, pg_sleep($2::float8)")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await statements.run((b"first", b"60"))
        assert (await statements.run((b"second", b"0")))[0][0] == b"second"
        statements.close()

    asyncio.run(used())


def test_awaited_while_the_connection_ends(database: Database) -> None:
    """It is asked once more, on a new one; this statement always ends its own."""

    async def used() -> None:
        suicide = "SELECT pg_terminate_backend(pg_backend_pid()) WHERE $1::text <> ''"
        statements = AwaitedStatements(database.url, suicide.encode())
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await statements.run((b"a",))
        statements.close()

    asyncio.run(used())


def test_awaited_without_a_database_it_says_so() -> None:
    async def used() -> None:
        statements = AwaitedStatements("postgresql://127.0.0.1:1/none", DOUBLED.encode())
        with pytest.raises(DatabaseUnavailable):
            await statements.run((b"2", b"a"))
        statements.close()

    asyncio.run(used())
