"""Where the segment file lies that all processes of a machine share, and how a new one takes its place.

`manifest.json` names it, with the generation up to which it holds every change, and a token. The token also stands in
the database: files made from another database, or from a state that a restored backup does not know, are not used.
Nothing here is needed to be right: whatever cannot be read is made anew from the database.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import delete, select

from seawall.database.sessions import Database
from seawall.database.tables import IndexBuild
from seawall.errors import IndexFileInvalid
from seawall.evidence.master_key import MasterKey
from seawall.matching import shared_folder
from seawall.matching.columns import Source, merged_columns
from seawall.matching.segment_files import OpenedFile, SegmentWriter, open_file
from seawall.matching.shared_folder import MANIFEST

FORMAT = 1
# Generations for which builds are remembered. Files that are older are made anew.
BUILDS_REMEMBERED = 1_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifest says: which file is in use, and every change up to which `generation` is in it."""

    generation: int
    token: bytes
    file: str


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        OSError: there is none, or it cannot be read.
        IndexFileInvalid: it says nothing that can be used.
    """
    try:
        document = json.loads((folder / MANIFEST).read_text())
        manifest = Manifest(int(document["generation"]), bytes.fromhex(document["token"]), str(document["file"]))
        known = document["format"] == FORMAT and Path(manifest.file).name == manifest.file
    except (ValueError, KeyError, TypeError) as error:
        raise IndexFileInvalid("The manifest of the index is damaged.") from error
    if not known:
        raise IndexFileInvalid("The manifest of the index is of another format.")
    return manifest


@dataclass(frozen=True, slots=True)
class Build:
    """A segment file that is in use: every change up to `generation` is in it."""

    generation: int
    token: bytes
    file: OpenedFile


class Shelf:
    """The folder with the segment file of one home.

    Args:
        key: what its files are sealed with, see `sealed_files.sealing_key`; None when they lie plain.
    """

    def __init__(self, folder: Path, database: Database, key: MasterKey | None = None) -> None:
        self._folder = folder
        self._database = database
        self._key = key

    def seen(self) -> tuple[int, int] | None:
        """What changes whenever another build takes the place of the last: cheap enough for every look."""
        try:
            status = (self._folder / MANIFEST).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def clear(self) -> None:
        """Takes away what lies plain and should be sealed, or the other way round: the setting has changed."""
        shared_folder.clear(self._folder, self._key)

    def open(self) -> Build | None:
        """The build in use, if there is one that can be used.

        Raises:
            DatabaseUnavailable: it cannot be asked whether the build is its own.
        """
        try:
            manifest = read_manifest(self._folder)
            build = Build(manifest.generation, manifest.token, open_file(self._folder / manifest.file, self._key))
        except FileNotFoundError:
            return None
        except (OSError, IndexFileInvalid) as error:
            log.warning("index.files_refused", reason=f"{type(error).__name__}: {error}")
            return None
        with self._database.transaction() as session:
            known = session.scalar(select(IndexBuild.generation).where(IndexBuild.token == build.token))
        if known != build.generation:
            log.warning("index.files_refused", reason="They were made from another database, or a later state of it.")
            return None
        return build

    def refuse(self, build: Build) -> None:
        """Takes a build out of use that is not what was written, unless another has taken its place already."""
        with self.writing() as mine, contextlib.suppress(OSError, IndexFileInvalid):
            manifest = self._folder / MANIFEST
            if mine and read_manifest(self._folder).token == build.token:
                manifest.unlink()

    def writing(self) -> contextlib.AbstractContextManager[bool]:
        """Whether this process may build now, see `shared_folder.writing`."""
        return shared_folder.writing(self._folder)

    def put(self, sources: Sequence[Source], generation: int) -> None:
        """Builds a segment file of the sources and puts it in use. The caller holds `writing`.

        Raises:
            OSError: the disk is full, or the folder cannot be written; the build before it stays in use.
            DatabaseUnavailable: the build cannot be noted; likewise.
        """
        token = secrets.token_bytes(16)
        path = self._folder / f"entries-{generation}-{token.hex()[:12]}.segment"
        writer = SegmentWriter(path, self._key)
        try:
            _, meta = merged_columns(sources, writer.allocate)
            writer.finish(meta)
        except BaseException:
            writer.abandon()
            raise
        with self._database.transaction() as session:
            session.add(IndexBuild(token=token, generation=generation))
        document = {"format": FORMAT, "generation": generation, "token": token.hex(), "file": path.name}
        shared_folder.put_manifest(self._folder, document)
        self._sweep(path.name, token)

    def _sweep(self, name: str, token: bytes) -> None:
        """Takes away what no manifest names any more."""
        shared_folder.sweep(self._folder, "entries", {name})
        with self._database.transaction() as session:
            older = select(IndexBuild.generation).where(IndexBuild.token == token).scalar_subquery()
            # Those of other machines stay for a while: each has files of its own.
            session.execute(delete(IndexBuild).where(IndexBuild.generation < older - BUILDS_REMEMBERED))
