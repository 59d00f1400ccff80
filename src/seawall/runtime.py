"""Opens the rooms from the settings, and closes them in order. Gateways, console, worker and commands share it."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from sqlalchemy import select

from seawall.database.migrate import upgrade
from seawall.database.sessions import Database
from seawall.database.tables import WebhookEndpoint
from seawall.decoding.pool import DecoderPool
from seawall.engines.compiled import use_cache
from seawall.engines.objects import open_objects
from seawall.evidence.master_key import MasterKey, load_master_key
from seawall.evidence.vault import Vault
from seawall.flow import Rooms
from seawall.matching import ledger
from seawall.matching.keeper import IndexKeeper
from seawall.policy.load import load_policy
from seawall.settings import Settings


def open_database(settings: Settings) -> Database:
    """The configured PostgreSQL, or the embedded one (started if need be), at the newest schema."""
    make_home(settings)
    if settings.database_url is not None:
        address = settings.database_url.get_secret_value()
    else:
        from seawall.engines.postgres import embedded

        address = embedded(settings)
    database = Database(address, settings.database_pool_size)
    upgrade(database)
    return database


def make_home(settings: Settings) -> None:
    """Makes the home. What is private in it lies in folders of its own with mode 0700; the home itself must be
    passable where the embedded PostgreSQL runs as a user of its own (when Seawall runs as root)."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o755)


def open_master_key(settings: Settings, database: Database) -> MasterKey:
    """The master key; made on first start only, when nothing was ever sealed with another."""
    with database.transaction() as session:
        used = Vault.anything_sealed(session) or session.scalar(select(WebhookEndpoint.id).limit(1)) is not None
    return load_master_key(settings, may_create=not used)


class Runtime:
    """All rooms, opened. Use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open = ExitStack()
        use_cache(settings.cache_folder)
        try:
            self.database = open_database(settings)
            self._open.callback(self.database.close)
            self.master_key = open_master_key(settings, self.database)
            self.rooms = Rooms(
                settings=settings,
                database=self.database,
                decoders=self._open.enter_context(DecoderPool(settings)),
                index=IndexKeeper(self.database, settings),
                policy=load_policy(settings),
                vault=Vault(open_objects(settings), self.master_key),
            )
            self._open.callback(self.rooms.index.close)
            with self.database.transaction() as session:
                ledger.remember_policy(session, self.rooms.policy.version, self.rooms.policy.text)
            self.rooms.index.start()
        except BaseException:
            self._open.close()
            raise

    def close(self) -> None:
        """Stops threads and child processes and gives the connections back."""
        self._open.close()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
