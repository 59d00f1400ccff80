"""`seawall serve --workers N`: the same service in several processes that share one socket.

The process that a person starts binds the socket, holds the embedded PostgreSQL and supervises. Each API process is a
program of its own with all rooms open; one more runs the jobs, so that they take nothing from who waits for a
verdict. All of them judge by the policy as it was when the service started, also one that takes another's place
later.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import structlog
from sqlalchemy import text

from seawall import server
from seawall.database.sessions import Database
from seawall.engines.meters import Place, forget
from seawall.errors import ConfigurationError, ExitStatus
from seawall.opening import make_home, open_database, open_master_key
from seawall.policy.load import load_policy
from seawall.policy.rules import Policy
from seawall.settings import Settings
from seawall.supervisor import Part, Supervisor

log = structlog.get_logger(__name__)

JOBS = "jobs"
FOLDERS = "serve-"
HOLD = "held"
# Beside its pool each process listens for changes of the lists; an API process listens for changes of standings too,
# and has two connections for single statements: one for its threads, one for its event loop. That of the jobs has the
# queue's, and one that holds leases.
BESIDE_THE_POOL = 1
OF_SERVING = 3
OF_THE_QUEUE = 10
# For commands, and for the supervisor itself.
FOR_OTHERS = 4


def serve_many(
    settings: Settings,
    command: Sequence[str],
    *,
    with_worker: bool = True,
    say: Callable[[str], None] = print,
) -> ExitStatus | int:
    """Serves with `settings.workers` processes until it is told to stop (SIGINT or SIGTERM).

    Args:
        command: what starts one process; `--name`, `--folder`, `--listen`, `--door` and `--lifeline` are added.

    Returns:
        What to exit with.

    Raises:
        ConfigurationError: the address cannot be had, the policy is wrong, PostgreSQL takes too few connections.
        DatabaseUnavailable: PostgreSQL cannot be reached.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(server.listen(settings))
        address = server.address_of(settings, listener)
        make_home(settings)
        folder = stack.enter_context(_private_folder(settings.home / "run"))
        stack.callback(let_go_of_postgres, settings)
        database = stack.enter_context(contextlib.closing(open_database(settings)))
        _refuse_too_few_connections(database, settings, with_worker=with_worker)
        doors = server.listen_at_doors(settings, database)
        for door in doors.values():
            stack.enter_context(door)
        master_key, policy = open_master_key(settings, database), load_policy(settings)
        with database.transaction() as session:
            server.note_start(session, settings, policy, master_key)

        def when_ready() -> None:
            with database.transaction() as session:
                link = server.first_link(session, address)
            database.close()  # nothing asks for it before the next start
            server.announce(address, link, say)

        def close_all() -> None:
            for each in (listener, *doors.values()):
                each.close()

        parts = _parts(settings, command, folder, listener, doors, policy, with_worker=with_worker)
        supervisor = Supervisor(
            parts,
            on_ready=when_ready,
            on_death=lambda name: forget(Place(folder, name)),
            # Whoever comes while the others finish is refused, instead of waiting for nobody.
            on_end=close_all,
        )
        return supervisor.run()


def _parts(
    settings: Settings,
    command: Sequence[str],
    folder: Path,
    listener: socket.socket,
    doors: Mapping[str, socket.socket],
    policy: Policy,
    *,
    with_worker: bool,
) -> list[Part]:
    common = {
        **os.environ,
        "SEAWALL_HOST": settings.host,
        "SEAWALL_PORT": str(listener.getsockname()[1]),
        "SEAWALL_WORKERS": str(settings.workers),
        "SEAWALL_POLICY_FILE": str(_kept_policy(folder, policy)),
    }
    listens = ["--listen", str(listener.fileno())]
    for door, at in doors.items():
        listens += ["--door", f"{door}={at.fileno()}"]
    passes = tuple(each.fileno() for each in (listener, *doors.values()))
    parts = []
    for number, decoders in enumerate(shares(settings.decoder_processes, settings.workers), start=1):
        name = f"api-{number}"
        arguments = ("--name", name, "--folder", str(folder), *listens)
        environment = {**common, "SEAWALL_DECODER_PROCESSES": str(decoders)}
        parts.append(Part(name, (*command, *arguments), environment, serves=True, passes=passes))
    if with_worker:
        environment = {**common, "SEAWALL_DECODER_PROCESSES": "1"}
        parts.append(Part(JOBS, (*command, "--name", JOBS, "--folder", str(folder)), environment, serves=False))
    return parts


def shares(total: int, among: int) -> list[int]:
    """A number in parts that differ by one at most, and are at least one."""
    return [max(1, total // among + (number < total % among)) for number in range(among)]


def _kept_policy(folder: Path, policy: Policy) -> Path:
    """The policy's text as it is now. A process that takes another's place later must not judge by a file that has
    changed since, and of which no start is on record."""
    kept = folder / "policy.toml"
    kept.write_bytes(policy.text.encode())
    return kept


def _refuse_too_few_connections(database: Database, settings: Settings, *, with_worker: bool) -> None:
    """Refuses at start what would otherwise fail under load.

    Raises:
        ConfigurationError: PostgreSQL takes fewer connections than the processes may open.
    """
    with database.transaction() as session:
        allowed = int(session.execute(text("SHOW max_connections")).scalar_one())
        allowed -= int(session.execute(text("SHOW superuser_reserved_connections")).scalar_one())
    processes = settings.workers + with_worker
    beside = processes * BESIDE_THE_POOL + settings.workers * OF_SERVING + with_worker * OF_THE_QUEUE + FOR_OTHERS
    needed = processes * settings.database_pool_size + beside
    if needed <= allowed:
        return
    fitting = (allowed - beside) // processes
    raise ConfigurationError(
        f"{settings.workers} API processes may open {needed} connections to PostgreSQL, which takes {allowed}.",
        hint=f"Set SEAWALL_DATABASE_POOL_SIZE to {fitting} at most, or raise PostgreSQL's max_connections."
        if fitting >= 2
        else "Start fewer API processes, or raise PostgreSQL's max_connections.",
    )


@contextlib.contextmanager
def _private_folder(parent: Path) -> Iterator[Path]:
    """A new folder of this service's own, mode 0700, that goes with it. Those of services that were killed go now."""
    parent.mkdir(mode=0o700, exist_ok=True)
    parent.chmod(0o700)
    with contextlib.ExitStack() as stack:
        with _held(parent, wait=True):
            for left in parent.glob(f"{FOLDERS}*"):
                with contextlib.suppress(BlockingIOError), _held(left):
                    shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=FOLDERS, dir=parent))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.enter_context(_held(folder))
        Place(folder, JOBS).metrics.mkdir(mode=0o700)
        yield folder


@contextlib.contextmanager
def _held(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Marks the folder as in use, for as long as this process lives.

    Raises:
        BlockingIOError: it is in use, and this is not to wait.
    """
    mark = os.open(folder / HOLD, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(mark)


def let_go_of_postgres(settings: Settings) -> None:
    """Stops the embedded PostgreSQL where nobody else uses it, whatever became of the processes that did."""
    if settings.database_url is None and settings.database_folder.exists():
        from seawall.engines import postgres

        postgres.stop(settings)
