"""What the commands of reports open: the database and the vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seawall.database.sessions import Database
    from seawall.evidence.vault import Vault
    from seawall.settings import Settings


@contextmanager
def opened() -> Iterator[tuple[Database, Vault, Settings]]:
    """Both, with the settings."""
    from seawall.cli.context import open_database, open_settings
    from seawall.engines.objects import open_objects
    from seawall.evidence.vault import Vault
    from seawall.opening import open_master_key

    settings = open_settings()
    with open_database(settings) as database:
        yield database, Vault(open_objects(settings), open_master_key(settings, database)), settings
