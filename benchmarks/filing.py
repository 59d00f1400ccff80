"""How sure filing is: random schedules with faults of the authority, workers that die, days that pass.

Each schedule files the reports of one or two cases with the double over loopback HTTP; the clock is moved, so that
days of pauses pass at once. The authority's schema, where it is beside this checkout (../shared), validates what is
built. That nothing is lost when a process is killed for real is what tests/integration/reporting shows.

    python -m benchmarks.filing --schedules 1000
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import structlog  # noqa: E402
from lxml import etree  # noqa: E402
from sqlalchemy import text  # noqa: E402

from seawall.database.migrate import upgrade  # noqa: E402
from seawall.database.sessions import Database  # noqa: E402
from seawall.engines import postgres  # noqa: E402
from seawall.settings import Settings  # noqa: E402
from tests.integration.reporting.desk import SCHEMA, open_desk  # noqa: E402
from tests.integration.reporting.schedules import Schedule, Tally  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "filing.json"
EVERY = 25


def main() -> None:
    """Plays the schedules, and writes what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("CRITICAL"))
    tally, started = Tally(), time.perf_counter()
    home = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    settings = Settings(home=home)
    try:
        database = Database(postgres.embedded(settings))
        upgrade(database)
        # Workers die here without their database, so that it need not wait for the disk.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ALTER DATABASE seawall SET synchronous_commit = off"))
        database.close()
        schema = etree.XMLSchema(etree.parse(SCHEMA)) if SCHEMA.exists() else None
        with open_desk(database, settings) as desk:
            for seed in range(arguments.first_seed, arguments.first_seed + arguments.schedules):
                Schedule(desk, tally, seed, schema).run()
                if tally.schedules % EVERY == 0:
                    write(arguments.out, tally, schema is not None, started)
        database.close()
    finally:
        postgres.stop(settings)
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(write(arguments.out, tally, schema is not None, started), indent=2))
    print(*tally.wrong, sep="\n")
    if tally.wrong:
        sys.exit(1)


def write(out: Path, tally: Tally, validated: bool, started: float) -> dict[str, int | None]:
    """Writes what has come of the schedules so far, and returns it."""
    found = {
        "schedules": tally.schedules,
        "decided": tally.decided,
        "filed_once": tally.filed_once,
        "filed_twice": tally.filed_twice,
        "lost": tally.lost,
        "reports_built": tally.reports_built,
        "schema_valid": tally.schema_valid if validated else None,
        "faults": tally.faults,
        "deaths": tally.deaths,
        "settled_by_hand": tally.by_hand,
        "seconds": round(time.perf_counter() - started),
    }
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return found


if __name__ == "__main__":
    main()
