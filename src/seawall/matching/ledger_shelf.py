"""Where the segment files of the ledger lie, and how new ones take the place of old ones.

`manifest.json` names them, with a horizon: together they hold every row of the ledger that was written in a
transaction below it. It also names the cluster that counts these transactions, and a token that the database has to
know: files of another database, of a state that a restored backup does not know, or of the cluster that a dump came
from are not used. Nothing here is needed to be right: what cannot be used is made anew from the database.
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
from seawall.matching.ledger_marks import Clock, clock_of
from seawall.matching.shared_folder import MANIFEST

FORMAT = 1
# Builds of the ledger stand beside those of the index, which forgets its own by number: far above any of these.
NUMBERED_FROM = 1 << 62

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """One segment file. `rows` says how many contents it holds."""

    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class LedgerFiles:
    """The files in use, older ones first: every row that was written in a transaction below `horizon` is in one."""

    token: bytes
    horizon: int
    files: tuple[LedgerFile, ...]

    @property
    def rows(self) -> int:
        """How many rows there are; one that was written again may lie in several files."""
        return sum(file.rows for file in self.files)


class LedgerShelf:
    """The folder with the ledger's files of one home.

    Args:
        key: what they are sealed with; None when they lie plain.
    """

    def __init__(self, folder: Path, database: Database, key: MasterKey | None = None) -> None:
        self._folder = folder
        self._database = database
        self.key = key

    def open(self) -> LedgerFiles | None:
        """The files in use, if there are any that can be used. None of them is read.

        Raises:
            DatabaseUnavailable: it cannot be asked whether they are its own.
        """
        try:
            document = json.loads((self._folder / MANIFEST).read_text())
            files = self._files(document)
            cluster = str(document["cluster"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, IndexFileInvalid) as error:
            log.warning("ledger.files_refused", reason=f"{type(error).__name__}: {error}")
            return None
        with self._database.transaction() as session:
            known = session.scalar(select(IndexBuild.generation).where(IndexBuild.token == files.token))
            clock = clock_of(session)
        if known != NUMBERED_FROM + files.horizon or cluster != clock.cluster or files.horizon > clock.following:
            log.warning("ledger.files_refused", reason="They are of another database, or of a later state of it.")
            return None
        if not all(file.path.is_file() for file in files.files):
            # Others may have taken their place just now.
            if not self._names(files):
                return self.open()
            log.warning("ledger.files_refused", reason="A file is gone.")
            return None
        return files

    def _files(self, document: dict[str, object]) -> LedgerFiles:
        if document["format"] != FORMAT:
            raise IndexFileInvalid("The manifest is of another format.")
        listed = document["files"]
        if not isinstance(listed, list) or any(Path(each["name"]).name != each["name"] for each in listed):
            raise IndexFileInvalid("The manifest names what is no file here.")
        files = tuple(LedgerFile(self._folder / each["name"], int(each["rows"])) for each in listed)
        return LedgerFiles(bytes.fromhex(str(document["token"])), int(str(document["horizon"])), files)

    def clear(self) -> None:
        """Takes away what lies plain and should be sealed, or the other way round: the setting has changed."""
        shared_folder.clear(self._folder, self.key)

    def refuse(self, files: LedgerFiles, reason: str) -> None:
        """Takes files out of use that are not what was written, unless others have taken their place already."""
        log.error("ledger.files_damaged", reason=reason, advice="They are made anew; look after the disk.")
        if self._names(files):
            (self._folder / MANIFEST).unlink(missing_ok=True)

    def _names(self, files: LedgerFiles) -> bool:
        """Whether these are in use still."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return bool(json.loads((self._folder / MANIFEST).read_text())["token"] == files.token.hex())
        return False

    def writing(self) -> contextlib.AbstractContextManager[bool]:
        """Whether this process may build now, see `shared_folder.writing`."""
        return shared_folder.writing(self._folder)

    def new_path(self) -> Path:
        """Where another file can be written."""
        return self._folder / f"ledger-{secrets.token_hex(8)}.segment"

    def put(self, files: Sequence[LedgerFile], horizon: int, clock: Clock, before: LedgerFiles | None) -> LedgerFiles:
        """Puts files in use, and takes away all others. The caller holds `writing`.

        Raises:
            OSError: the manifest cannot be written; the files before it stay in use.
            DatabaseUnavailable: the build cannot be noted; likewise.
        """
        fresh = LedgerFiles(secrets.token_bytes(16), horizon, tuple(files))
        with self._database.transaction() as session:
            session.add(IndexBuild(token=fresh.token, generation=NUMBERED_FROM + horizon))
        document = {
            "format": FORMAT,
            "token": fresh.token.hex(),
            "cluster": clock.cluster,
            "horizon": horizon,
            "files": [{"name": file.path.name, "rows": file.rows} for file in files],
        }
        shared_folder.put_manifest(self._folder, document)
        if before is not None:
            with self._database.transaction() as session:
                session.execute(delete(IndexBuild).where(IndexBuild.token == before.token))
        shared_folder.sweep(self._folder, "ledger", {file.path.name for file in files})
        return fresh
