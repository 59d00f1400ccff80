"""The real `seawall` command, in a process of its own, against a test's database."""

from __future__ import annotations

import os
import subprocess
import sys

from seawall.database.sessions import Database
from seawall.settings import Settings


def seawall(
    database: Database, settings: Settings, *args: str, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs `seawall ARGS`, with standard input `given`."""
    environment = {
        **os.environ,
        "SEAWALL_HOME": str(settings.home),
        "SEAWALL_DATABASE_URL": database.url,
        "COLUMNS": "200",
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "seawall.cli.main", *args],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
