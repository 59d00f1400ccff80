"""Benign pictures to measure with: those of Debian packages, fetched when a benchmark runs and never kept here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Wallpapers, photographs and drawings, under free licences.
PACKAGES = ("mate-backgrounds", "gnome-backgrounds", "gcompris-qt-data")
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def fetched(packages: tuple[str, ...] = PACKAGES) -> list[Path]:
    """The pictures of those packages that can be had, in order; none where this is no Debian or has no network."""
    folder = Path(tempfile.gettempdir()) / f"seawall-corpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), f"{folder} belongs to somebody else"
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return []
    for package in packages:
        if not (folder / package).exists():
            _fetch(package, folder)
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def _fetch(package: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        got = subprocess.run(["apt-get", "download", "-qq", package], cwd=work, capture_output=True, check=False)
        archives = list(Path(work).glob("*.deb"))
        if got.returncode != 0 or not archives:
            return
        unpacked = Path(work) / "unpacked"
        subprocess.run(["dpkg-deb", "-x", str(archives[0]), str(unpacked)], check=True)
        unpacked.rename(folder / package)
