"""How long a person waits for the demo: `seawall demo` from nothing, and once more on what the first start made.

    make bench-demo

Starts the real command in a temporary home on free ports, twice, and measures the seconds from its start to the line
that says it is ready. Prints a table and writes benchmarks/results/demo.json. Installing Seawall is not in it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.acceptance.conftest import stop_postgres  # noqa: E402 - found only from here on

READY = "The demo is ready."
START_LIMIT_S = 300
END_LIMIT_S = 60


def start_and_stop(home: Path) -> float:
    """Seconds until one start says that it is ready; the demo has ended when this returns.

    Raises:
        SystemExit: it ended before, with what it said.
    """
    command = [
        sys.executable,
        "-m",
        "seawall.cli.main",
        "demo",
        "--home",
        str(home),
        "--port",
        "0",
        "--board-port",
        "0",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    started = time.perf_counter()
    # The demo speaks on standard error.
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        signal.alarm(START_LIMIT_S)  # ends this script, and the demo with it, should the line never come
        try:
            return _seconds_until_ready(process, started)
        finally:
            signal.alarm(0)
            _end(process)


def _seconds_until_ready(process: subprocess.Popen[str], started: float) -> float:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        if READY in line:
            return round(time.perf_counter() - started, 2)
        said.append(line)
    raise SystemExit("The demo ended before it was ready:\n" + "".join(said))


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _too_long(_number: int, _frame: object) -> None:
    raise SystemExit(f"The demo was not ready within {START_LIMIT_S} s.")


def main() -> None:
    """Measures both starts and prints the table."""
    signal.signal(signal.SIGALRM, _too_long)
    folder = Path(tempfile.mkdtemp(prefix="seawall-bench-"))
    try:
        folder.chmod(0o755)  # the embedded PostgreSQL may run as a user of its own
        first, second = (start_and_stop(folder / "d") for _ in range(2))
    finally:
        stop_postgres(folder / "d" / "seawall")  # only a demo that had to be killed leaves it running
        shutil.rmtree(folder, ignore_errors=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    table = Table("Start of the demo", "Seconds until it is ready", title=machine)
    table.add_row("first, from nothing", f"{first:.2f}")
    table.add_row("second, on what the first made", f"{second:.2f}")
    Console().print(table)
    results = ROOT / "benchmarks" / "results" / "demo.json"
    results.parent.mkdir(exist_ok=True)
    measured = {"machine": machine, "first_start_s": first, "second_start_s": second}
    results.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
