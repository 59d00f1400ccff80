"""Object stores for sealed evidence: a local folder, S3, Google Cloud or Azure, through obstore.

Only sealed bytes come here. An object is created once and never overwritten.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, from_url

from seawall.errors import ConfigurationError, Conflict, NotFound, ObjectStoreUnavailable
from seawall.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# What a store over the network is called in an address, and how the names of its own environment variables begin.
REMOTE_STORES = {
    "s3": "AWS_",
    "s3a": "AWS_",
    "gs": "GOOGLE_",
    "az": "AZURE_",
    "azure": "AZURE_",
    "adl": "AZURE_",
    "abfs": "AZURE_",
    "abfss": "AZURE_",
}
# An upload waits for the store, and a platform waits for the upload: 503 must come while somebody still listens. The
# time for a whole request is what the largest upload needs on a slow line; AWS_TIMEOUT and its like change it.
CLIENT_DEFAULTS = {"connect_timeout": "2s", "timeout": "20s"}
RETRIES: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
# Options of the connection that obstore reads from the environment, but forgets as soon as it is told any other.
CLIENT_OPTIONS = (
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "http1_only",
    "http2_only",
    "pool_idle_timeout",
    "pool_max_idle_per_host",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "read_timeout",
    "timeout",
    "user_agent",
)
LONGEST_REASON = 400
# An address: its user and password, what it names, and what stands behind a question mark, a signature for instance.
ADDRESS = re.compile(r"(https?://)(?:[^/\s?#]*@)?([^\s?)]*)(?:\?[^\s)]*)?")

log = structlog.get_logger(__name__)


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
            raise unavailable(error) from error

    def get(self, name: str) -> bytes:
        """The whole object."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            raise NotFound(f"There is no object named {name}.") from error
        except (BaseError, OSError) as error:
            raise unavailable(error) from error

    def delete(self, name: str) -> None:
        """Deletes an object."""
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise unavailable(error) from error

    def names(self, prefix: str = "") -> Iterator[tuple[str, datetime]]:
        """Streams the names below a prefix."""
        try:
            for page in obstore.list(self._store, prefix or None):
                for found in page:
                    yield found["path"], found["last_modified"]
        except (BaseError, OSError) as error:
            raise unavailable(error) from error


def open_objects(settings: Settings) -> Objects:
    """The store that the settings name; by default a private folder in the home.

    A store over the network is opened without asking it anything; what is wrong with it shows at the first use.

    Raises:
        ConfigurationError: SEAWALL_OBJECTS_URL is no address of a store that keeps what it is given.
    """
    if settings.objects_url is None:
        return _private(settings.objects_folder)
    try:
        address = urlsplit(settings.objects_url)
        if address.scheme == "file" and not address.netloc and address.path.startswith("/"):
            return _private(Path(unquote(address.path)))
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"SEAWALL_OBJECTS_URL is not usable: {_reason(error)}.") from error
    if address.scheme not in REMOTE_STORES:
        raise ConfigurationError(
            "SEAWALL_OBJECTS_URL is not usable: it begins with none of file:///, s3://, gs:// and az://."
        )
    return Objects(remote_store(settings.objects_url, "SEAWALL_OBJECTS_URL"))


def open_folder(folder: Path) -> Objects:
    """A folder of this machine as a store; it is made, for its owner alone, if there is none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _in_folder(folder)


def _private(folder: Path) -> Objects:
    """The folder of what is sealed: for its owner alone, also where it was there before."""
    objects = open_folder(folder)
    folder.chmod(0o700)
    return objects


def remote_store(url: str, called: str) -> obstore.store.ObjectStore:
    """A store over the network, with its environment variables and our limits in time. It is not asked anything yet.

    Args:
        called: what the address is called in messages.

    Raises:
        ConfigurationError: it is no address of a store.
    """
    try:
        options = _client_options(REMOTE_STORES[urlsplit(url).scheme], os.environ)
        return from_url(url, client_options=options, retry_config=RETRIES)
    except (BaseError, ValueError, OSError) as error:
        raise ConfigurationError(f"{called} is not usable: {_reason(error)}.") from error


def _client_options(prefix: str, environment: Mapping[str, str]) -> ClientConfig:
    """Our own limits in time, and whatever the store's environment variables say instead or beside."""
    named = {name: environment.get(f"{prefix}{name.upper()}") for name in CLIENT_OPTIONS}
    given = {name: value for name, value in named.items() if value}
    return cast("ClientConfig", CLIENT_DEFAULTS | given)


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


def unavailable(error: Exception) -> ObjectStoreUnavailable:
    """What a store's failure becomes: bucket and address are for the log of whoever runs this, not for uploaders."""
    log.warning("the object store failed", reason=_reason(error))
    return ObjectStoreUnavailable(f"The object store did not do its part ({type(error).__name__}).")


def _reason(error: Exception) -> str:
    """What an error of obstore says, without the dump of its inner state, and without the secrets that an address
    may hold."""
    said = " ".join(str(error).split("\n\nDebug source", 1)[0].split())
    return ADDRESS.sub(r"\1\2", said)[:LONGEST_REASON]
