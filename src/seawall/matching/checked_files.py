"""Which index files this machine has compared with their checksums since it was started.

Comparing reads all of a file. What was compared, or written, since then and looks untouched (the same inode, size and
times) need not be read again before it is used; anything else must. Where that cannot be told, or noted, every file
is compared whenever it is opened.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Final

NOTES: Final = "checked.json"
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def is_checked(path: Path, status: os.stat_result) -> bool:
    """Whether the file is noted.

    Args:
        status: of the opened file, not of the name.
    """
    return _noted(path.parent).get(path.name) == _identity(status)


def note_checked(path: Path, status: os.stat_result) -> None:
    """Notes the file. When two processes note at once, one note can be lost: then its file is compared once more.

    Args:
        status: of the opened file, from before it was compared.
    """
    boot = _boot()
    if boot is None:
        return
    folder = path.parent
    files = {name: seen for name, seen in _noted(folder).items() if (folder / name).exists()}
    files[path.name] = _identity(status)
    draft = folder / f"{NOTES}.{secrets.token_hex(4)}.part"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"boot": boot, "files": files}, file)
        draft.rename(folder / NOTES)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _noted(folder: Path) -> dict[str, list[int]]:
    try:
        document = json.loads((folder / NOTES).read_text())
        files: dict[str, list[int]] = document["files"] if document["boot"] == _boot() is not None else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _identity(status: os.stat_result) -> list[int]:
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _boot() -> str | None:
    """What names this run of the machine; None where nothing does."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return None
