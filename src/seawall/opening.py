"""Opens what lies beneath the rooms: the home, the database, the master key. Commands that need no more use this."""

from __future__ import annotations

from seawall.database.migrate import upgrade
from seawall.database.sessions import Database
from seawall.evidence.master_key import MasterKey, load_master_key
from seawall.evidence.vault import Vault
from seawall.settings import Settings


def make_home(settings: Settings) -> None:
    """Makes the home. What is private in it lies in folders of its own with mode 0700; the home itself must be
    passable where the embedded PostgreSQL runs as a user of its own (when Seawall runs as root)."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o755)


def open_database(settings: Settings) -> Database:
    """The configured PostgreSQL, or the embedded one (started if need be), at the newest schema."""
    database = connect(settings)
    upgrade(database)
    return database


def connect(settings: Settings) -> Database:
    """The same, whatever is in it and if nothing is."""
    make_home(settings)
    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
    else:
        from seawall.engines.postgres import embedded

        address = embedded(settings)
    return Database(address, settings.database_pool_size)


def open_master_key(settings: Settings, database: Database) -> MasterKey:
    """The master key; made on first start only, when nothing was ever sealed with another.

    Raises:
        MasterKeyMissing: something was sealed, and the key file is gone.
    """
    with database.transaction() as session:
        used = Vault.anything_sealed(session)
    return load_master_key(settings, may_create=not used)
