"""A worker in a process of its own, for tests that kill it: `python -m ... DATABASE_URL HOME KEY_HEX`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from seawall.database.sessions import Database
from seawall.engines.objects import open_objects
from seawall.evidence.master_key import MasterKey
from seawall.evidence.vault import Vault
from seawall.settings import Settings
from seawall.worker.run import work
from seawall.worker.tasks import Parts


def parts(url: str, settings: Settings, key: bytes) -> Parts:
    """What a worker needs."""
    master_key = MasterKey(key)
    return Parts(settings, Database(url), master_key, Vault(open_objects(settings), master_key))


if __name__ == "__main__":
    address, home, key_hex = sys.argv[1:]
    print("working", flush=True)
    asyncio.run(
        work(parts(address, Settings(home=Path(home)), bytes.fromhex(key_hex)), 4, install_signal_handlers=True)
    )
    print("stopped", flush=True)
