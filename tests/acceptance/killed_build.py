"""A process that follows the lists and builds an index file, and is killed by signal 9 at one named point of it.

Run as: killed_build.py DATABASE_URL HOME POINT SEALED. `full` is no kill: files cannot grow beyond what the builds
before took, as on a full disk, and the process leaves in the file HOME/known how many of the entries it still knows.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = ("allocate", "allocated", "seal", "name", "named", "note", "manifest", "in use", "sweep")
FEW = 100
FULL_BYTES = 20_000
PATIENCE_S = 120


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str) -> None:
    """Makes the named point the last thing that the process does."""
    from seawall.matching import sealed_files
    from seawall.matching.segment_files import SegmentWriter
    from seawall.matching.shelf import Shelf

    rename = Path.rename
    renames: dict[str, tuple[str, bool]] = {
        "name": (".segment", False),
        "named": (".segment", True),
        "manifest": ("manifest.json", False),
        "in use": ("manifest.json", True),
    }

    def dying_rename(path: Path, target: Path) -> Path:
        ending, after = renames[point]
        if not str(target).endswith(ending):
            return rename(path, target)
        if after:
            rename(path, target)
        return die()  # type: ignore[no-any-return]

    allocate = SegmentWriter.allocate

    def dying_allocate(writer: SegmentWriter, name: str, *arguments: Any) -> Any:
        return die() if name == "pdq" else allocate(writer, name, *arguments)

    def dying_seal(plain: Any, name: str, key: Any, out: Any) -> None:
        out.write(sealed_files.MAGIC + b"half of it")
        out.flush()
        die()

    if point in renames:
        Path.rename = dying_rename  # type: ignore[method-assign,assignment]
    elif point == "allocate":
        SegmentWriter.allocate = dying_allocate  # type: ignore[method-assign,assignment]
    elif point == "allocated":
        SegmentWriter.finish = die  # type: ignore[method-assign]
    elif point == "seal":
        sealed_files.write_sealed = dying_seal
    elif point == "note":
        from seawall.database.tables import IndexBuild

        IndexBuild.__init__ = die  # type: ignore[assignment,method-assign]
    elif point == "sweep":
        Shelf._sweep = die  # type: ignore[method-assign]


def known(keeper: Any) -> int:
    """How many entries there are, as the process answers."""
    return len(keeper.index)


def follow(url: str, home: Path, sealed: bool, wait: Callable[[Any], None]) -> None:
    """Follows the lists of a database until `wait` returns."""
    from seawall.database.sessions import Database
    from seawall.matching.keeper import IndexKeeper
    from seawall.settings import Settings

    with IndexKeeper(Database(url, 3), Settings(home=home, index_sealed=sealed), fewest_rows=FEW) as keeper:
        wait(keeper)


def until_refused(keeper: Any, answer: Path) -> None:
    """Waits for a build that cannot be."""
    if not refused.wait(PATIENCE_S):
        raise SystemExit("Nothing was built, and nothing failed.")
    answer.write_text(str(known(keeper)))


refused = threading.Event()

if __name__ == "__main__":
    url, home, point, sealed = sys.argv[1:]
    if point == "full":
        from seawall.matching.shelf import Shelf

        put = Shelf.put

        def noted(shelf: Shelf, *arguments: Any) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, resource.RLIM_INFINITY))
            try:
                put(shelf, *arguments)
            finally:
                refused.set()

        Shelf.put = noted  # type: ignore[method-assign]
        follow(url, Path(home), sealed == "yes", lambda keeper: until_refused(keeper, Path(home) / "known"))
    else:
        arm(point)
        follow(url, Path(home), sealed == "yes", lambda _: threading.Event().wait(PATIENCE_S))  # type: ignore[arg-type,return-value]
