"""The migrated schema is the tables' schema, however many start at once."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from seawall.database.migrate import HEAD, MIGRATIONS, current_revision, upgrade
from seawall.database.sessions import Database
from seawall.database.tables import Base, User
from seawall.errors import ConfigurationError, DatabaseUnavailable


def test_head_is_the_newest_file() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_migrations_make_exactly_the_tables(database: Database) -> None:
    def ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        # Partitions are made and dropped as time goes by; the table that they are of stands for them. PostgreSQL adds
        # a constraint to case_items for each.
        others = (
            r"(idx_)?procrastinate|content_(default|\d{4})|fk_case_items_content_row_|case_items_content_row_fkey"
        )
        return not re.match(others, name or "")

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_ten_at_once_on_an_empty_database(postgres_address: str) -> None:
    with psycopg.connect(postgres_address.replace("/seawall?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty_one TEMPLATE template0")
    address = postgres_address.replace("/seawall?", "/empty_one?")
    failures: list[BaseException] = []

    def start() -> None:
        database = Database(address, pool_size=2)
        try:
            upgrade(database)
        except BaseException as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    database = Database(address)
    assert current_revision(database) == HEAD
    database.close()


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable), database.transaction() as session:
        session.connection()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_DATABASE_URL"):
        Database("sqlite:///x")


def test_a_failed_statement_does_not_tell_its_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.transaction() as session:
        session.execute(text("SELECT CAST(:value AS integer)"), {"value": "a-hash-of-an-entry"})
    assert "parameters hidden" in str(caught.value)


def test_who_managed_lists_as_an_administrator_still_does(database: Database) -> None:
    sql = (MIGRATIONS / "versions" / "0010_roles.sql").read_text()
    before = {
        "boss": ["admin"],
        "both": ["admin", "reviewer"],
        "reader": ["auditor"],
        "new": ["admin", "list_manager"],
    }
    with database.transaction() as session:
        for name, roles in before.items():
            session.add(User(name=name, roles=roles))
        session.flush()
        session.connection().exec_driver_sql(sql)
        after = {row.name: row.roles for row in session.execute(select(User.name, User.roles))}
    assert after == {
        "boss": ["admin", "list_manager"],
        "both": ["admin", "reviewer", "list_manager"],
        "reader": ["auditor"],
        "new": ["admin", "list_manager"],
    }
