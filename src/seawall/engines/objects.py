"""Object stores for sealed evidence: a local folder, S3, Google Cloud or Azure, through obstore.

Only sealed bytes come here. An object is created once and never overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, from_url

from seawall.errors import ConfigurationError, Conflict, NotFound, ObjectStoreUnavailable
from seawall.settings import Settings


class ObjectStore(Protocol):
    """What the vault needs of a store."""

    def put_new(self, name: str, data: bytes) -> None:
        """Creates an object; Conflict when the name is taken."""

    def get(self, name: str) -> bytes:
        """The whole object; NotFound when there is none."""

    def delete(self, name: str) -> None:
        """Deletes an object; an absent one is fine."""

    def names(self, prefix: str = "") -> Iterator[tuple[str, datetime]]:
        """Names below a prefix, each with the time it was last modified."""


class Objects:
    """An :class:`ObjectStore` on any store that obstore knows."""

    def __init__(self, store: obstore.store.ObjectStore, folder: Path | None = None) -> None:
        """`folder` is where a local store keeps its files; other stores have none."""
        self._store = store
        self._folder = folder

    def put_new(self, name: str, data: bytes) -> None:
        """Creates an object and waits until the store has it."""
        try:
            obstore.put(self._store, name, data, mode="create")
            if self._folder is not None:
                _to_disk(self._folder, self._folder / name)
        except AlreadyExistsError as error:
            raise Conflict(f"An object named {name} exists already; nothing is overwritten.") from error
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    def get(self, name: str) -> bytes:
        """The whole object."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            raise NotFound(f"There is no object named {name}.") from error
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    def delete(self, name: str) -> None:
        """Deletes an object."""
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    def names(self, prefix: str = "") -> Iterator[tuple[str, datetime]]:
        """Streams the names below a prefix."""
        try:
            for page in obstore.list(self._store, prefix or None):
                for found in page:
                    yield found["path"], found["last_modified"]
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error


def open_objects(settings: Settings) -> Objects:
    """The store that the settings name; by default a private folder in the home.

    Raises:
        ConfigurationError: SEAWALL_OBJECTS_URL is no address of a store.
    """
    if settings.objects_url is None:
        settings.objects_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.objects_folder.chmod(0o700)
        return _in_folder(settings.objects_folder)
    try:
        address = urlsplit(settings.objects_url)
        if address.scheme == "file" and not address.netloc and address.path.startswith("/"):
            folder = Path(unquote(address.path))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return _in_folder(folder)
        return Objects(from_url(settings.objects_url))
    except (BaseError, ValueError, OSError) as error:
        raise ConfigurationError(f"SEAWALL_OBJECTS_URL is not usable: {error}.") from error


def _in_folder(folder: Path) -> Objects:
    """A folder of this machine, whoever named it: what is put there must reach the disk."""
    return Objects(LocalStore(folder, automatic_cleanup=False), folder)


def _to_disk(root: Path, file: Path) -> None:
    """Waits until a file, and the folders that lead to it, would outlast a power cut: the database row that names the
    object is committed next, and must not outlive it."""
    for path in (file, *file.parents):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if path == root:
            return


def _unavailable(error: Exception) -> ObjectStoreUnavailable:
    return ObjectStoreUnavailable(f"The object store did not do its part ({type(error).__name__}).")
