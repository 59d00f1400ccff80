"""Brings a database to the newest schema, also when many processes start at once."""

from __future__ import annotations

from pathlib import Path

import psycopg
from sqlalchemy import exc, text

from seawall.database.locks import Lock
from seawall.database.sessions import Database
from seawall.errors import DatabaseUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest revision, so that a start on a current database need not load alembic; a test holds it to the files.
HEAD = "0031"


def current_revision(database: Database) -> str | None:
    """The revision the database is at; None for an empty one."""
    try:
        with database.engine.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
                return None
            revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision
    except (exc.OperationalError, psycopg.OperationalError) as error:
        raise DatabaseUnavailable("PostgreSQL cannot be reached.") from error


def upgrade(database: Database) -> None:
    """Applies every migration that the database lacks, under a lock that lets one process at a time do it.

    Raises:
        DatabaseUnavailable: PostgreSQL cannot be reached.
    """
    if current_revision(database) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with database.engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock, 0)"), {"lock": int(Lock.MIGRATION)})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except exc.OperationalError as error:
        raise DatabaseUnavailable("PostgreSQL cannot be reached.") from error
