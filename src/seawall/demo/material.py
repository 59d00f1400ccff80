"""Pictures and list files on disk: what the demo lists hold, and what a person can try."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from seawall import __version__
from seawall.demo.edits import EDITS, altered
from seawall.demo.pictures import LISTED, UNRELATED, Picture
from seawall.fingerprints import exact, pdq

FIRST_LIST = "Demo list (TEST DATA)"
SECOND_LIST = "Second demo list (TEST DATA)"
FIRST_FILE = "demo-list.csv"
SECOND_FILE = "second-demo-list.csv"
COLUMNS = ("upstream_id", "md5", "sha1", "sha256", "pdq", "quality")
STAMP = "made-by.txt"

Originals = Mapping[Picture, bytes]


def draw_all() -> Originals:
    """Every picture of the demo as a JPEG file."""
    return {picture: picture.original() for picture in (*LISTED, *UNRELATED)}


def is_made(samples: Path) -> bool:
    """Whether the samples of this version of Seawall lie there complete."""
    stamp = samples / STAMP
    return stamp.exists() and stamp.read_text() == __version__


def write_samples(samples: Path, originals: Originals) -> None:
    """Writes the pictures that the board offers: listed, one altered copy an edit, unrelated."""
    files: dict[str, bytes] = {}
    for picture, original in originals.items():
        files[f"{'listed' if picture.listed else 'unrelated'}/{picture.scene}.jpg"] = original
    for number, edit in enumerate(EDITS):
        picture = LISTED[number % len(LISTED)]
        files[f"altered/{picture.scene}-{edit.name}.{edit.extension}"] = altered(edit, originals[picture])
    for name, data in files.items():
        path = samples / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (samples / STAMP).write_text(__version__)


def write_lists(folder: Path, originals: Originals) -> None:
    """Writes both demo lists as CSV files. The first has digests and PDQ of all listed pictures; the second, from
    another source, has the PDQ of half of them, so that both ways to a verdict can be seen."""
    rows = {picture: _row(picture, original) for picture, original in originals.items() if picture.listed}
    _write(folder / FIRST_FILE, list(rows.values()), COLUMNS)
    second = [row for picture, row in rows.items() if picture.on_second_list]
    _write(folder / SECOND_FILE, second, ("upstream_id", "pdq", "quality"))


def _row(picture: Picture, original: bytes) -> dict[str, str]:
    digests = exact.digest(original)
    # The demo's own file, so that it is decoded here and not in a sandboxed process.
    with Image.open(io.BytesIO(original)) as image:
        seen = pdq.hash_picture(np.asarray(image.convert("RGB")))
    known = {"md5": digests.md5, "sha1": digests.sha1, "sha256": digests.sha256, "pdq": seen.orientations[0]}
    return {
        "upstream_id": f"TEST-{picture.name}",
        **{name: value.hex() for name, value in known.items() if value is not None},
        "quality": str(seen.quality),
    }


def _write(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
