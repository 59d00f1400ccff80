"""The files that pages bring with them: style sheets, scripts and the mark, the same for everybody.

Pages name them by an address that holds a digest of all of them. What lies there never changes, so that a browser
asks once for each, and not again with every page.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"


@functools.cache
def edition() -> str:
    """A digest of the names and contents of all the files, as they were at the start: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(STATIC).as_posix()}\n{path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def mount(app: FastAPI) -> None:
    """Serves them below /static, of this edition and of whichever there is now."""
    app.mount(f"/static/{edition()}", StaticFiles(directory=STATIC), name="files")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
