"""Starts the demo: Seawall and the sample platform as two real servers, with all that they need between them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console

from seawall.demo import material, prepare
from seawall.demo.check import Check, Row
from seawall.demo.decisions import Decisions
from seawall.demo.home import DemoHome, environment_without_seawall
from seawall.demo.material import Originals
from seawall.demo.processes import Child, Children, choose_port, end_left_over
from seawall.demo.progress import Teller
from seawall.demo.reviewer import Reviewer
from seawall.demo.trials import all_trials
from seawall.engines import postgres
from seawall.engines.compiled import use_cache
from seawall.opening import open_database, open_master_key
from seawall.settings import Settings

FIRST_POSTS = ("hills", "waves", "balloons", "flowers", "quilt")
FIRST_ACCOUNTS = ("test-heron", "test-otter", "test-maple")


class Stopped(BaseException):
    """Somebody asked the demo to end, by a signal other than Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Addresses and login of a running demo."""

    seawall_url: str
    board_url: str
    login: str
    password: str


def run_until_stopped(home: DemoHome, seawall_port: int, board_port: int, console: Console) -> None:
    """Runs the demo for a person until Ctrl-C.

    Raises:
        Unavailable: one of the two servers does not start, or ended by itself.
    """
    teller = Teller(console)
    home.make()
    with _ends_by_signal(), home.held():
        end_left_over(home.running_file)
        ports = _ports(teller, seawall_port, board_port)
        with _database_let_go(home), Children(home.running_file) as children:
            demo = _start(home, *ports, children, teller, with_lists=True, with_samples=True)
            _fill_empty_feed(demo, home)
            _introduce(teller, demo, home)
            children.wait()


def run_check(console: Console, *, with_lists: bool = True) -> list[Row]:
    """Runs the whole demo from nothing in a temporary folder, tries everything, and leaves nothing behind.

    Args:
        with_lists: without the demo lists nothing is stopped, and the check must say so.
    """
    teller = Teller(console)
    folder = Path(tempfile.mkdtemp(prefix="seawall-demo-"))
    try:
        # A folder of ours that the embedded PostgreSQL, as a user of its own, can pass through.
        folder.chmod(0o755)
        home = DemoHome(folder / "d")
        home.make()
        with _ends_by_signal(), _database_let_go(home), Children(home.running_file) as children:
            ports = choose_port(0), choose_port(0)
            demo = _start(home, *ports, children, teller, with_lists=with_lists, with_samples=False)
            return _checked(demo, teller)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _checked(demo: Demo, teller: Teller) -> list[Row]:
    with (
        teller.step("Uploading pictures, altered copies and bad input, and deciding at the console"),
        httpx.Client(base_url=demo.board_url, timeout=60.0, trust_env=False) as board,
        Reviewer(demo.seawall_url, demo.login, demo.password) as reviewer,
    ):
        originals = material.draw_all()
        rows = list(Check(board, reviewer).run(all_trials(originals)))
        return [*rows, *Decisions(board, reviewer).run(originals)]


def _start(
    home: DemoHome,
    seawall_port: int,
    board_port: int,
    children: Children,
    teller: Teller,
    *,
    with_lists: bool,
    with_samples: bool,
) -> Demo:
    seawall_url, board_url = f"http://127.0.0.1:{seawall_port}", f"http://127.0.0.1:{board_port}"
    settings = Settings(home=home.seawall, port=seawall_port, demo=True)
    use_cache(settings.cache_folder)
    # Drawing takes about as long as making a database, so both are done at once.
    with ThreadPoolExecutor(1) as threads:
        drawn = threads.submit(_draw, home, with_samples=with_samples)
        password = _prepare(settings, home, board_url, teller, drawn, with_lists=with_lists)
    with teller.step("Starting Seawall and the sample platform"):
        board = _start_board(home, children, seawall_url, board_port)
        seawall = _start_seawall(home, children, settings)
        board.wait_until_it_answers(f"{board_url}/healthz")
        seawall.wait_until_it_answers(f"{seawall_url}/readyz")
    return Demo(seawall_url, board_url, prepare.LOGIN, password)


def _draw(home: DemoHome, *, with_samples: bool) -> None:
    if material.is_made(home.samples):
        return
    originals: Originals = material.draw_all()
    material.write_lists(home.lists, originals)
    if with_samples:
        material.write_samples(home.samples, originals)


def _prepare(
    settings: Settings, home: DemoHome, board_url: str, teller: Teller, drawn: Future[None], *, with_lists: bool
) -> str:
    with teller.step("Starting PostgreSQL"):
        database = open_database(settings)
    try:
        with teller.step("Making the login, the API key and the webhook"):
            master_key = open_master_key(settings, database)
            password = prepare.prepare_access(database, master_key, home, f"{board_url}/seawall/events")
        with teller.step("Drawing pictures and putting half of them on the demo lists"):
            drawn.result()
            if with_lists:
                prepare.import_lists(database, home)
    finally:
        database.close()
    return password


def _start_seawall(home: DemoHome, children: Children, settings: Settings) -> Child:
    environment = environment_without_seawall(os.environ) | {
        "SEAWALL_HOME": str(settings.home),
        "SEAWALL_PORT": str(settings.port),
        "SEAWALL_DEMO": "1",
        "SEAWALL_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "seawall.cli.main", "serve"]
    return children.start("Seawall", command, environment, home.logs / "seawall.log")


def _start_board(home: DemoHome, children: Children, seawall_url: str, board_port: int) -> Child:
    environment = environment_without_seawall(os.environ) | {
        "BOARD_FOLDER": str(home.board),
        "BOARD_PORT": str(board_port),
        "BOARD_SEAWALL_URL": seawall_url,
        "BOARD_SEAWALL_KEY_FILE": str(home.key_file),
        "BOARD_WEBHOOK_SECRET_FILE": str(home.webhook_secret_file),
        "BOARD_CONSOLE_URL": f"{seawall_url}/console",
        "BOARD_SAMPLES": str(home.samples),
    }
    command = [sys.executable, "-m", "seawall.demo.board"]
    return children.start("sample platform", command, environment, home.logs / "board.log")


def _fill_empty_feed(demo: Demo, home: DemoHome) -> None:
    """Uploads some unrelated pictures by the ordinary way, so that a first look is not at an empty page."""
    with httpx.Client(base_url=demo.board_url, timeout=60.0, trust_env=False) as board:
        if board.get("/", headers={"accept": "application/json"}).json()["posts"]:
            return
        for number, scene in enumerate(FIRST_POSTS):
            path = home.samples / "unrelated" / f"{scene}.jpg"
            account = FIRST_ACCOUNTS[number % len(FIRST_ACCOUNTS)]
            board.post("/upload", files={"picture": (path.name, path.read_bytes())}, data={"account": account})


def _introduce(teller: Teller, demo: Demo, home: DemoHome) -> None:
    teller.say(
        f"\n[bold]The demo is ready. All of it is test data.[/]\n\n"
        f"  Sample platform  {demo.board_url}/\n"
        f"  Console          {demo.seawall_url}/console    login [bold]{demo.login}[/]  "
        f"password [bold]{demo.password}[/]\n"
        f"  API docs         {demo.seawall_url}/docs\n\n"
        f"Upload some of the pictures in {home.samples}: what is in listed and altered never appears.\n"
        f"Ctrl-C ends the demo; what it holds stays in {home.path} for the next start."
    )


def _ports(teller: Teller, seawall_port: int, board_port: int) -> tuple[int, int]:
    chosen = choose_port(seawall_port), choose_port(board_port)
    for wanted, port in zip((seawall_port, board_port), chosen, strict=True):
        if wanted not in (0, port):
            teller.say(f"Port {wanted} is taken; using {port}.")
    return chosen


@contextmanager
def _database_let_go(home: DemoHome) -> Iterator[None]:
    """Stops the embedded PostgreSQL when the last server that used it has ended."""
    try:
        yield
    finally:
        settings = Settings(home=home.seawall)
        if settings.database_folder.exists():
            postgres.stop(settings)


@contextmanager
def _ends_by_signal() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the demo as orderly as Ctrl-C does."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
