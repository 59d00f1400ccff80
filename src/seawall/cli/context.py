"""What commands open: settings, logging, database, all rooms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seawall.database.sessions import Database
    from seawall.records import Actor
    from seawall.runtime import Runtime
    from seawall.settings import Settings


def operator() -> Actor:
    """Who runs this command, as the audit chain names them: the user that the operating system says it is. What the
    environment says (LOGNAME, USER) is left aside, since anyone can set it."""
    import os
    import pwd

    from seawall.records import Actor

    number = os.getuid()
    try:
        return Actor("cli", pwd.getpwuid(number).pw_name)
    except KeyError:
        return Actor("cli", f"uid {number}")


def open_settings(**overrides: object) -> Settings:
    """Settings from the environment and the command line; logging follows them."""
    from seawall.cli.logs import configure
    from seawall.settings import load_settings

    settings = load_settings(**{name: value for name, value in overrides.items() if value is not None})
    configure(settings)
    return settings


def end_on_sigterm() -> None:
    """Lets SIGTERM end the process as Ctrl-C does: what was opened is closed on the way out."""
    import signal
    import sys

    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database at the newest schema, and nothing else."""
    from seawall.opening import open_database as open_it

    database = open_it(settings)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """All rooms."""
    from seawall.runtime import Runtime

    with Runtime(settings) as runtime:
        yield runtime
