"""`seawall serve --workers` seen from outside, and several servers on one database."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psutil

from tests.acceptance.conftest import stop_postgres
from tests.acceptance.server import ServerProcess


class Service(ServerProcess):
    """`seawall serve --workers N`, and a look at its processes."""

    def __init__(self, home: Path, *arguments: str, workers: int = 2, **more: str) -> None:
        super().__init__(home, "--workers", str(workers), *arguments, **more)

    @property
    def port(self) -> int:
        """The port that all of them serve."""
        return int(self.url.rsplit(":", 1)[1])

    def parts(self) -> dict[str, psutil.Process]:
        """The living processes by the names that the supervisor gave them."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, ValueError, IndexError):
                command = child.cmdline()
                found[command[command.index("--name") + 1]] = child
        return found

    def connections(self, name: str) -> set[int]:
        """The ports at the other end of the connections that this process holds."""
        held = self.parts()[name].net_connections("tcp")
        return {
            each.raddr.port
            for each in held
            if each.laddr.port == self.port and each.status == psutil.CONN_ESTABLISHED
        }

    def everything(self) -> list[psutil.Process]:
        """The supervisor and all that it started, decoders and their like included; not PostgreSQL."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *(each for each in supervisor.children(recursive=True) if each.name() != "postgres")]

    def client_of_each(self) -> list[httpx.Client]:
        """For each API process a client whose one connection is to it."""
        wanted = [name for name in self.parts() if name.startswith("api-")]
        found: dict[str, httpx.Client] = {}
        for _ in range(1000):
            client = httpx.Client(base_url=self.url, timeout=240, limits=httpx.Limits(max_connections=1))
            port = port_of(client.get("/healthz"))
            name = next(name for name in wanted if port in self.connections(name))
            if found.setdefault(name, client) is not client:
                client.close()
            if len(found) == len(wanted):
                return [found[name] for name in wanted]
        raise AssertionError("one process takes all connections")


def port_of(answer: httpx.Response) -> int:
    """Our own end of the connection that the answer came over."""
    port: int = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
    return port


@contextlib.contextmanager
def replicas(count: int, database_url: str, **more: str) -> Iterator[Sequence[ServerProcess]]:
    """Several `seawall serve` on one database, each with a home of its own, as on several machines."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-acc-"))
    common = {
        "SEAWALL_DATABASE_URL": database_url,
        "SEAWALL_MASTER_KEY_FILE": str(folder / "keys" / "master.key"),
        "SEAWALL_OBJECTS_URL": f"file://{folder / 'objects'}",
        "SEAWALL_DATABASE_POOL_SIZE": "8",
        "SEAWALL_DECODER_PROCESSES": "1",
        **more,
    }
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        started = []
        for number in range(count):
            home = folder / f"h{number}"
            home.mkdir()
            stack.callback(stop_postgres, home)
            started.append(stack.enter_context(ServerProcess(home, **common)))
        yield started
