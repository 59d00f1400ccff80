"""Generated pictures that the upload page offers to those who have none at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TITLES = {
    "listed": ("On the demo list", "These must never appear in the feed."),
    "altered": (
        "Altered copies of listed pictures",
        "Recompressed, resized, turned, recoloured: never in the feed.",
    ),
    "unrelated": ("On no list", "These appear at once."),
}
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".tiff": "image/tiff",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A row of samples."""

    name: str
    title: str
    promise: str
    files: tuple[str, ...]


class Samples:
    """The folder of samples; without one there are none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def groups(self) -> list[Group]:
        """What there is, in the order of the titles."""
        found = []
        for name, (title, promise) in TITLES.items():
            files = self._files(name)
            if files:
                found.append(Group(name, title, promise, tuple(files)))
        return found

    def path(self, group: str, name: str) -> Path | None:
        """The file of that name; None for any name that is not in the folder's own listing."""
        if self._folder is None or group not in TITLES or name not in self._files(group):
            return None
        return self._folder / group / name

    def media_type(self, path: Path) -> str:
        """What the browser is told that the file is."""
        return MEDIA_TYPES[path.suffix]

    def _files(self, group: str) -> list[str]:
        folder = None if self._folder is None else self._folder / group
        if folder is None or not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.suffix in MEDIA_TYPES)
