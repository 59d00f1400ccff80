"""The index as it is at one moment, for work that goes through very many rows: it does not follow the lists."""

from __future__ import annotations

import structlog

from seawall.database.sessions import Database
from seawall.engines.compiled import use_cache
from seawall.errors import IndexFileInvalid
from seawall.matching.index import HashIndex
from seawall.matching.keeper import FEWEST_ROWS, IndexKeeper
from seawall.matching.sealed_files import sealing_key
from seawall.matching.shelf import Shelf
from seawall.settings import Settings, load_settings

CONNECTIONS = 2

log = structlog.get_logger(__name__)


class StandingIndex:
    """Every list as the database has it when this is made. A segment file is mapped where there is one, so that
    several of these on one machine share its memory."""

    def __init__(self, database: Database, settings: Settings) -> None:
        """Loads it.

        Raises:
            DatabaseUnavailable: the database does not answer.
            IndexFileInvalid: the segment file is not what was written; it is out of use from now on.
        """
        self._shelf = Shelf(settings.index_folder, database, sealing_key(settings))
        self._keeper = IndexKeeper(database, settings)
        self._keeper.catch_up()
        build = self._keeper.file
        if build is not None:
            # Nobody corrects afterwards what is missed here, so that the whole file is looked at before.
            try:
                build.file.check()
            except IndexFileInvalid:
                self._shelf.refuse(build)
                raise

    @property
    def index(self) -> HashIndex:
        """All entries.

        Raises:
            IndexUnavailable: they cannot be relied on.
        """
        return self._keeper.index

    def put_in_file(self) -> None:
        """Has a segment file made of it, if most of it is in none: then many processes of this machine can hold it in
        the memory of one. What cannot be done is logged, and costs no more than memory."""
        if self._keeper.sizes.delta_rows < FEWEST_ROWS or not self._keeper.may_be_built():
            return
        with self._shelf.writing() as mine:
            if not mine:
                return
            generation, sources = self._keeper.index.sources()
            try:
                self._shelf.put(sources, generation)
            except OSError as error:
                log.warning("index.not_built", reason=f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Lets go of it."""
        self._keeper.close()


def open_from_environment() -> StandingIndex:
    """The index of the home, or the database, that the environment of this process names: what is sent to worker
    processes needs to hold no address and no secret.

    Raises:
        ConfigurationError: the settings are not usable. DatabaseUnavailable: the database does not answer.
    """
    settings = load_settings()
    use_cache(settings.cache_folder)
    database = Database(_address(settings), CONNECTIONS)
    try:
        return StandingIndex(database, settings)
    finally:
        database.close()


def _address(settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    from seawall.engines.postgres import embedded

    return embedded(settings)
