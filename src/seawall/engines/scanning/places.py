"""Where manifests and results lie: folders of this machine, or buckets through obstore.

Credentials and connection come from the environment variables of each store, as for SEAWALL_OBJECTS_URL.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote

import obstore
from obstore.exceptions import BaseError

from seawall.engines.objects import REMOTE_STORES, Objects, open_folder, remote_store, unavailable
from seawall.errors import BadInput, ConfigurationError, NotFound


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as it is now. `version` differs whenever the file does."""

    url: str
    size: int
    version: str


class Places:
    """Opens files by address, each store once."""

    def __init__(self) -> None:
        self._stores: dict[str, obstore.store.ObjectStore] = {}

    def file(self, url: str) -> FoundFile:
        """What is there.

        Raises:
            NotFound: nothing is.
            ObjectStoreUnavailable: the store does not say.
        """
        root, key = split(url)
        if root is None:
            return _local(Path(key))
        try:
            meta = obstore.head(self._store(root), key)
        except FileNotFoundError as error:
            raise NotFound(f"There is no {url}.") from error
        except (BaseError, OSError) as error:
            raise unavailable(error) from error
        return FoundFile(url, meta["size"], _version(meta))

    def below(self, url: str) -> Iterator[FoundFile]:
        """All files below a folder, in the order of their names."""
        root, key = split(url)
        if root is None:
            folder = Path(key)
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                yield _local(path)
            return
        try:
            found = [meta for page in obstore.list(self._store(root), key or None) for meta in page]
        except (BaseError, OSError) as error:
            raise unavailable(error) from error
        for meta in sorted(found, key=lambda meta: meta["path"]):
            yield FoundFile(f"{root}/{meta['path']}", meta["size"], _version(meta))

    def read(self, url: str) -> bytes:
        """The whole of a small file."""
        with self.opened(url) as source:
            return source.read()

    @contextmanager
    def opened(self, url: str) -> Iterator[BinaryIO]:
        """The file, to be read from any place in it; of a bucket only what is asked for is fetched."""
        root, key = split(url)
        if root is None:
            try:
                file = Path(key).open("rb")  # noqa: SIM115 - closed below
            except FileNotFoundError as error:
                raise NotFound(f"There is no {url}.") from error
        else:
            found = self.file(url)
            file = io.BufferedReader(_Remote(self._store(root), key, found.size), 1 << 20)
        with file:
            yield cast("BinaryIO", file)

    def _store(self, root: str) -> obstore.store.ObjectStore:
        if root not in self._stores:
            self._stores[root] = remote_store(root, root)
        return self._stores[root]


class _Remote(io.RawIOBase):
    """An object as a file that is fetched piece by piece."""

    def __init__(self, store: obstore.store.ObjectStore, key: str, size: int) -> None:
        self._store, self._key, self._size = store, key, size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        length = min(len(view), self._size - self._place)
        if length <= 0:
            return 0
        try:
            data = obstore.get_range(self._store, self._key, start=self._place, length=length)
        except FileNotFoundError as error:
            raise NotFound("An object of the manifest is gone.") from error
        except BaseError as error:
            raise unavailable(error) from error
        got = memoryview(data)
        view[: len(got)] = got
        self._place += len(got)
        return len(got)


def open_results(url: str) -> Objects:
    """The place where a scan's results go. A folder of this machine is made, for its owner alone.

    Raises:
        ConfigurationError: it is no address of a store that keeps what it is given.
    """
    root, key = split(url)
    if root is None:
        return open_folder(Path(key))
    return Objects(remote_store(f"{root}/{key}", url))


def split(url: str) -> tuple[str | None, str]:
    """The store (None for a path of this machine) and the name in it. Names are taken as they are: in an address of
    an object nothing is escaped.

    Raises:
        ConfigurationError: an address of no store that is known.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return None, str(Path(url).absolute())
    if scheme == "file":
        if not rest.startswith("/"):
            raise ConfigurationError(f"{url} names another machine.", hint="Write file:///folder, or a path.")
        return None, unquote(rest)
    bucket, _, key = rest.partition("/")
    if ":" in bucket or ("@" in bucket and not scheme.startswith("abfs")):
        # Not repeated here, nor in the results, where it would stand beside every finding.
        raise ConfigurationError(
            "The address of a store holds no user, password or port.",
            hint="Give them by the environment variables of the store.",
        )
    if scheme not in REMOTE_STORES or not bucket:
        raise ConfigurationError(
            f"{url} is no address of a store.",
            hint="Give a path, or an address that begins with s3://, gs:// or az://.",
        )
    return f"{scheme}://{bucket}", key.strip("/")


def join(url: str, name: str) -> str:
    """The address of something below a folder."""
    return f"{url.rstrip('/')}/{name}"


def inside(url: str, folder: str) -> bool:
    """Whether one address lies below another, or is it."""
    root, key = split(url)
    other_root, other_key = split(folder)
    return root == other_root and (not other_key or key == other_key or key.startswith(f"{other_key.rstrip('/')}/"))


def _local(path: Path) -> FoundFile:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise NotFound(f"There is no {path}.") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).", hint="Check who may read it.") from error
    return FoundFile(str(path), status.st_size, str(status.st_mtime_ns))


def _version(meta: obstore.ObjectMeta) -> str:
    return meta["e_tag"] or meta["last_modified"].isoformat()
