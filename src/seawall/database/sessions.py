"""One way to the database: transactions that commit as a whole or leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString, cast

import psycopg
from sqlalchemy import Engine, create_engine, exc
from sqlalchemy.orm import Session, sessionmaker

from seawall.database.statements import CONNECT_TIMEOUT_S, Row, Statements
from seawall.errors import ConfigurationError, DatabaseUnavailable

POOL_WAIT_S = 15.0


class Database:
    """A pool of connections to one PostgreSQL database.

    Args:
        url: ``postgresql://...`` as libpq understands it.
        pool_size: connections that this process keeps open at most.
    """

    def __init__(self, url: str, pool_size: int = 12) -> None:
        scheme, separator, rest = url.partition("://")
        if scheme not in ("postgresql", "postgres") or not separator:
            raise ConfigurationError(
                "SEAWALL_DATABASE_URL is no PostgreSQL address.",
                hint="Write it as postgresql://user:password@host/name.",
            )
        self.url = f"postgresql://{rest}"
        self.engine: Engine = create_engine(
            f"postgresql+psycopg://{rest}",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
            # A failed statement is logged without its values: they are hashes, ids and people's addresses.
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "seawall"},
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._statements = Statements(self.url)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end of the block, or undone by any error in it.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached, went away, or gave up on a lock.
        """
        try:
            with self._sessions() as session, session.begin():
                yield session
        except (
            exc.OperationalError,
            exc.InterfaceError,
            exc.TimeoutError,
            psycopg.OperationalError,
        ) as error:
            raise DatabaseUnavailable(f"PostgreSQL did not do its part ({type(error).__name__}).") from error

    def statement(self, statement: LiteralString, values: Sequence[str]) -> list[Row]:
        """Runs one statement that is a transaction of its own, and returns its rows when it is committed: one way to
        PostgreSQL and back. It must do no harm when it runs twice, since a connection may be lost on the way back.

        Args:
            statement: with $1, $2, ... for the values.
            values: as PostgreSQL writes them in text, and so are the values of the rows.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached, or went away again.
        """
        said = [value.encode() for value in values]
        return self._statements.run(statement.encode(), said)

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()
        self._statements.close()


def psycopg_connection(session: Session) -> psycopg.Connection[tuple[object, ...]]:
    """The psycopg connection that the session works on, inside the session's own transaction."""
    return cast("psycopg.Connection[tuple[object, ...]]", session.connection().connection.driver_connection)
