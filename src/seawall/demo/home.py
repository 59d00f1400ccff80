"""The demo's own folder: a whole Seawall, the board, samples and secrets, all of it test data."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from seawall.errors import ConfigurationError, Conflict

MARKER = "THIS-IS-A-DEMO.txt"
MARKER_TEXT = "Everything in this folder is test data of `seawall demo`. It can be deleted when no demo runs.\n"


def usual_place() -> Path:
    """Where the demo lies unless told otherwise: beside the usual place of a real Seawall, never in it."""
    return Path(platformdirs.user_data_dir("seawall-demo", appauthor=False))


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The folder and what lies where in it."""

    path: Path

    @property
    def seawall(self) -> Path:
        """SEAWALL_HOME of the demo's Seawall."""
        return self.path / "seawall"

    @property
    def board(self) -> Path:
        """The sample platform's data."""
        return self.path / "board"

    @property
    def samples(self) -> Path:
        """Pictures to try: listed, altered, unrelated."""
        return self.path / "samples"

    @property
    def lists(self) -> Path:
        """The demo lists as files."""
        return self.path / "lists"

    @property
    def logs(self) -> Path:
        """What the two servers wrote."""
        return self.path / "logs"

    @property
    def key_file(self) -> Path:
        """The board's API key."""
        return self.path / "secrets" / "board.key"

    @property
    def webhook_secret_file(self) -> Path:
        """The secret by which the board knows Seawall's webhooks."""
        return self.path / "secrets" / "webhook.secret"

    @property
    def password_file(self) -> Path:
        """The demo login's password."""
        return self.path / "secrets" / "login.password"

    @property
    def running_file(self) -> Path:
        """Which processes this demo has started."""
        return self.path / "running.json"

    def make(self) -> None:
        """Makes the folder, or takes up the one of an earlier start.

        Raises:
            ConfigurationError: there is something else in it; a demo never touches what is not its own.
        """
        marker = self.path / MARKER
        if self.path.exists() and any(self.path.iterdir()) and not marker.exists():
            raise ConfigurationError(
                f"{self.path} is not empty and not a demo's folder.", hint="Choose another one with --home."
            )
        # Passable, since the embedded PostgreSQL may run as a user of its own; what is private is private below.
        self.path.mkdir(parents=True, exist_ok=True, mode=0o755)
        marker.write_text(MARKER_TEXT)
        for folder in (self.seawall, self.samples):
            folder.mkdir(exist_ok=True, mode=0o755)
        for folder in (self.board, self.lists, self.logs, self.key_file.parent):
            folder.mkdir(exist_ok=True, mode=0o700)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps a second demo out of the same folder.

        Raises:
            Conflict: one runs already.
        """
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    f"A demo runs from {self.path} already.", hint="Stop it with Ctrl-C, or choose another --home."
                ) from None
            yield
        finally:
            os.close(handle)


def write_secret(path: Path, secret: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"{secret}\n")
    beside.replace(path)


def read_secret(path: Path) -> str | None:
    """What was written, or None."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def environment_without_seawall(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without any setting of a real Seawall or board, whose database the demo must never meet."""
    return {name: value for name, value in environment.items() if not name.startswith(("SEAWALL_", "BOARD_"))}


def note_running(path: Path, processes: Mapping[int, float]) -> None:
    """Writes down which processes (pid: time of creation) were started, should nobody be left to end them."""
    path.write_text(json.dumps({str(pid): created for pid, created in processes.items()}))


def noted_running(path: Path) -> dict[int, float]:
    """What an earlier demo wrote down."""
    try:
        return {int(pid): float(created) for pid, created in json.loads(path.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}
