"""The opened rooms, as the flow goes through them. `runtime.py` opens and closes them."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.database.sessions import Database
from seawall.decoding.pool import DecoderPool
from seawall.engines.meters import Meters
from seawall.evidence.vault import Vault
from seawall.grooming.ears import Listening
from seawall.matching.keeper import IndexKeeper
from seawall.matching.keypoint_keeper import KeypointKeeper
from seawall.matching.ledger_keeper import LedgerKeeper
from seawall.policy.rules import Policy
from seawall.settings import Settings


@dataclass(frozen=True)
class Rooms:
    """All rooms that keep something open."""

    settings: Settings
    database: Database
    decoders: DecoderPool
    index: IndexKeeper
    keypoints: KeypointKeeper
    ledger: LedgerKeeper
    policy: Policy
    vault: Vault
    meters: Meters
    listening: Listening
