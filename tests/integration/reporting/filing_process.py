"""A process that files one report, to be killed: `python -m ... DATABASE_URL HOME DOUBLE REPORT`."""

from __future__ import annotations

import sys
from pathlib import Path

from seawall.database.sessions import Database
from seawall.engines.objects import open_objects
from seawall.evidence.master_key import MasterKey
from seawall.evidence.vault import Vault
from seawall.reporting.filing import Filer
from seawall.settings import Settings
from tests.integration.reporting.desk import KEY


def main(database_url: str, home: str, double: str, report: str) -> None:
    """Makes one attempt."""
    settings = Settings(
        home=Path(home),
        cybertip_reporter_file=Path(home) / "reporter.toml",
        cybertip_username="test",
        cybertip_password="test",
        cybertip_url=double,
    )
    database = Database(database_url, 3)
    filer = Filer(database, Vault(open_objects(settings), MasterKey(KEY)), settings)
    print(filer.file(int(report)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
