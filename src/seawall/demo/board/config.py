"""What the board is told when it starts: environment variables, and files for the two secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class ConfigInvalid(Exception):
    """A variable or a secret's file is missing or unsafe; the message says which."""


@dataclass(frozen=True, slots=True)
class BoardConfig:
    """All that the board needs.

    Args:
        folder: where its database and pictures lie.
        seawall_url: address of Seawall's API.
        seawall_key: API key with the scope ``judge``.
        webhook_secret: the ``whsec_`` secret with which Seawall signs.
        console_url: link shown on the pages, since this is a demo.
        samples: folder of generated pictures that the upload page offers, one sub-folder a group.
        timeout_s: seconds that Seawall may take; after them the picture waits.
        retry_s: seconds until a waiting picture is asked about again; the pause doubles up to a minute.
    """

    folder: Path
    seawall_url: str
    seawall_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8421
    console_url: str | None = None
    samples: Path | None = None
    timeout_s: float = 20.0
    retry_s: float = 2.0
    max_upload_bytes: int = 32 * 1024 * 1024


def from_environment(environment: Mapping[str, str]) -> BoardConfig:
    """Reads the ``BOARD_*`` variables. Secrets come from files, so that no process list shows them.

    Raises:
        ConfigInvalid: something is missing, or a secret's file can be read by others.
    """

    def needed(name: str) -> str:
        if not environment.get(name):
            raise ConfigInvalid(f"{name} is not set.")
        return environment[name]

    samples = environment.get("BOARD_SAMPLES")
    return BoardConfig(
        folder=Path(needed("BOARD_FOLDER")),
        seawall_url=needed("BOARD_SEAWALL_URL").rstrip("/"),
        seawall_key=read_secret(Path(needed("BOARD_SEAWALL_KEY_FILE"))),
        webhook_secret=read_secret(Path(needed("BOARD_WEBHOOK_SECRET_FILE"))),
        host=environment.get("BOARD_HOST", "127.0.0.1"),
        port=int(environment.get("BOARD_PORT", "8421")),
        console_url=environment.get("BOARD_CONSOLE_URL"),
        samples=Path(samples) if samples else None,
        retry_s=float(environment.get("BOARD_RETRY_SECONDS", "2")),
    )


def read_secret(path: Path) -> str:
    """The one line of a file that only its owner may read."""
    try:
        with path.open() as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigInvalid(f"{path} can be read by others; use `chmod 600`.")
            secret = file.read().strip()
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be read ({error.strerror}).") from error
    if not secret:
        raise ConfigInvalid(f"{path} is empty.")
    return secret
