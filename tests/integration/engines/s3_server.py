"""A real S3 server (SeaweedFS) on loopback, as a process of its own with a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sysconfig
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import httpx

from tests.programs import require_program

BUCKET = "test-evidence"
KEY_ID, SECRET = "test-key-id", "test-key-secret"
START_LIMIT_S = 90
# The parts that listen, each at a port for itself and one for the others.
PARTS = ("master", "volume", "filer", "s3")


class S3Server:
    """Runs until the end of the `with`. `url` is its address, `environment` what a client of it needs."""

    def __init__(self, folder: Path) -> None:
        program = require_program(
            str(Path(sysconfig.get_path("scripts")) / "weed"), "weed", hint="make setup-dev  (not on Macs with Intel)"
        )
        ports = free_ports(2 * len(PARTS))
        # Beside the ports: nothing is told to anybody. A bucket appears when somebody writes to it.
        options = [
            *(f"-{part}.port={ports[2 * number]}" for number, part in enumerate(PARTS)),
            *(f"-{part}.port.grpc={ports[2 * number + 1]}" for number, part in enumerate(PARTS)),
            *(f"-{part}.localSocket={folder / part}.sock" for part in ("filer", "s3")),
            *("-s3.port.iceberg=0", "-s3.port.lance=0"),
            *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=8"),
        ]
        self.url = f"http://127.0.0.1:{ports[2 * PARTS.index('s3')]}"
        self.environment = client_environment(self.url)
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-filer", "-s3", *options],
                env={**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )

    def wait_ready(self) -> None:
        """Waits until it takes requests; fails with its log if it ends before."""
        limit = time.monotonic() + START_LIMIT_S
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < limit, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)

    def __enter__(self) -> S3Server:
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it; what it held is of no use to anybody."""
        self.process.kill()
        self.process.wait(120)


def client_environment(url: str) -> dict[str, str]:
    """The variables by which an S3 client, and so Seawall, finds the server at this address."""
    return {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
    }


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has at the moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in sockets]
