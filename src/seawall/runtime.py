"""Opens the rooms from the settings, and closes them in order. Gateways, console, worker and commands share it."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from seawall import late, retraction
from seawall.decoding.pool import DecoderPool
from seawall.engines.compiled import use_cache
from seawall.engines.extras import require_keypoints
from seawall.engines.meters import Meters, Place
from seawall.engines.objects import open_objects
from seawall.evidence.vault import Vault
from seawall.grooming.ears import Listening
from seawall.matching import ledger, partitions
from seawall.matching.keeper import IndexKeeper
from seawall.matching.keypoint_keeper import KeypointKeeper
from seawall.matching.ledger_keeper import LedgerKeeper
from seawall.opening import open_database, open_master_key
from seawall.policy.load import load_policy
from seawall.rooms import Rooms
from seawall.settings import Settings


class Runtime:
    """All rooms, opened. Use it as a context manager.

    Args:
        place: where this process counts together with the others of its service; None when it is the only one.
    """

    def __init__(self, settings: Settings, place: Place | None = None) -> None:
        self.settings = settings
        self.place = place
        self._open = ExitStack()
        if settings.keypoints_on(None):
            require_keypoints()
        use_cache(settings.cache_folder)
        try:
            self.database = open_database(settings)
            self._open.callback(self.database.close)
            self.master_key = open_master_key(settings, self.database)
            meters = Meters(place)
            self.rooms = Rooms(
                settings=settings,
                database=self.database,
                decoders=self._open.enter_context(DecoderPool(settings, meters.decoder_failed)),
                index=IndexKeeper(self.database, settings, meters.looked_up),
                keypoints=KeypointKeeper(self.database, settings, self.master_key),
                ledger=LedgerKeeper(self.database, settings),
                policy=load_policy(settings),
                vault=Vault(open_objects(settings), self.master_key),
                meters=meters,
                listening=Listening(settings.grooming_thresholds),
            )
            self._open.callback(self.rooms.index.close)
            self._open.callback(self.rooms.ledger.close)
            with self.database.transaction() as session:
                self.rooms.vault.check_master_key(session)
                ledger.remember_policy(session, self.rooms.policy.version, self.rooms.policy.text)
            late.settle(self.database)
            retraction.settle(self.database)
            partitions.make_months(self.database)
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
