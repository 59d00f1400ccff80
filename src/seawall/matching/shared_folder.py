"""A folder of segment files that several processes use: who may write there, and how a manifest takes its place."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from seawall.evidence.master_key import MasterKey
from seawall.matching.segment_files import drop_others, sync_folder

MANIFEST = "manifest.json"

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[bool]:
    """Whether this process may build now. One at a time does, of all that share the folder."""
    handle = -1
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if not isinstance(error, BlockingIOError):
            _warn(folder, error)
        if handle >= 0:
            os.close(handle)
        yield False
        return
    try:
        yield True
    finally:
        os.close(handle)


def put_manifest(folder: Path, document: Mapping[str, object]) -> None:
    """Writes the manifest in one step, so that it outlasts a loss of power. The caller holds `writing`.

    Raises:
        OSError: it cannot be written; the one before it stays.
    """
    temporary = folder / f"{MANIFEST}.part"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(document))
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(folder / MANIFEST)
    sync_folder(folder)


def sweep(folder: Path, prefix: str, names: set[str]) -> None:
    """Takes away files of this prefix that no manifest names. Whoever has one mapped keeps it as long as it is
    mapped."""
    for path in [*folder.glob(f"{prefix}-*.segment"), *folder.glob(f"{prefix}-*.part")]:
        if path.name not in names:
            path.unlink(missing_ok=True)


def clear(folder: Path, key: MasterKey | None) -> None:
    """Takes away what lies plain and should be sealed, or the other way round: the setting has changed."""
    try:
        drop_others(folder, key)
    except OSError as error:
        _warn(folder, error)


def _warn(folder: Path, error: OSError) -> None:
    log.warning("index.folder_unusable", folder=str(folder), reason=str(error))
