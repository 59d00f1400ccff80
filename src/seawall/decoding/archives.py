"""The files in an archive: ZIP (also as CBZ, DOCX, EPUB and their like), TAR and gzip. Only in a decoder child.

Archives are made to unfold, so every byte that comes out is counted before it is kept: over the allowance the rest is
owed. Of a file that does not begin as media only the beginning is unfolded.
Sources: APPNOTE 6.3.10 (ZIP), RFC 1952 (gzip), POSIX pax (TAR, read by Python's own module).
"""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from seawall.decoding.allowance import Allowance
from seawall.decoding.sniff import LOOKED_AT, Kind, sniff
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported, NotMedia

# What Python's modules raise on archives that they do not like.
_REFUSALS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    RuntimeError,
    NotImplementedError,
)
_PIECE = 256 * 1024
_ENCRYPTED = 0x1
_INDEX_ENTRY, _LOCAL_ENTRY = b"PK\x01\x02", b"PK\x03\x04"
# An index is read whole, some 500 bytes of memory an entry; more than this is refused before.
_MOST_INDEX_ENTRIES = 65_536

Member = tuple[Kind, bytes]


def members(data: bytes, kind: Kind, allowance: Allowance) -> Iterator[Member]:
    """Every file in an archive that begins as media, whole, one at a time. What cannot be read is owed."""
    readers: dict[str, Callable[[bytes, Allowance], Iterator[Member]]] = {
        "zip": _of_zip,
        "tar": _of_tar,
        "gzip": _of_gzip,
    }
    try:
        yield from readers[kind.container or ""](data, allowance)
    except MemoryError:
        raise
    except _REFUSALS as problem:
        allowance.owe(MediaCorrupt(f"The archive cannot be read: {type(problem).__name__}."))


def _of_zip(data: bytes, allowance: Allowance) -> Iterator[Member]:
    if data.count(_INDEX_ENTRY) > _MOST_INDEX_ENTRIES:
        allowance.owe(MediaTooLarge(f"The archive has more than {_MOST_INDEX_ENTRIES} entries."))
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        _check_index(data, entries, allowance)
        for entry in entries:
            if entry.is_dir() and not entry.file_size:
                continue
            if not allowance.takes_member():
                return
            if entry.flag_bits & _ENCRYPTED:
                allowance.owe(MediaUnsupported("A file in the archive is encrypted."))
                continue
            yield from _attempt(lambda entry=entry: archive.open(entry), allowance)  # type: ignore[misc]


def _check_index(data: bytes, entries: list[zipfile.ZipInfo], allowance: Allowance) -> None:
    """A file that the index does not name is seen by programs that go from file to file: then it is not clear what is
    in the archive. Its beginnings between the files that are named tell of it."""
    covered = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    at = data.find(_LOCAL_ENTRY)
    for start, size in [*covered, (len(data), 0)]:
        if 0 <= at < start:
            allowance.owe(MediaCorrupt("The archive has a file that its index does not name."))
            return
        at = data.find(_LOCAL_ENTRY, start + 30 + size)


def _of_tar(data: bytes, allowance: Allowance) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errorlevel=2) as archive:
        for entry in archive:
            if not entry.isreg():
                continue
            if not allowance.takes_member():
                return
            yield from _attempt(lambda entry=entry: _opened(archive, entry), allowance)  # type: ignore[misc]
        if data[archive.offset :].strip(b"\x00"):
            allowance.owe(MediaCorrupt("The archive goes on where it should end."))


def _opened(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    opened = archive.extractfile(entry)
    if opened is None:
        raise tarfile.ReadError("not a file")
    return opened


def _of_gzip(data: bytes, allowance: Allowance) -> Iterator[Member]:
    if not allowance.takes_member():
        return
    yield from _attempt(lambda: gzip.GzipFile(fileobj=io.BytesIO(data)), allowance)


def _attempt(open_member: Callable[[], IO[bytes] | gzip.GzipFile], allowance: Allowance) -> Iterator[Member]:
    """One file of an archive, where it begins as media and fits the allowance."""
    try:
        with open_member() as member:
            found = _unfolded(member, allowance)
    except MemoryError:
        raise
    except NotImplementedError:
        allowance.owe(MediaUnsupported("A file in the archive is packed in a way that cannot be read here."))
    except _REFUSALS as problem:
        allowance.owe(MediaCorrupt(f"A file in the archive cannot be read: {type(problem).__name__}."))
    else:
        if found is not None:
            yield found


def _unfolded(member: IO[bytes] | gzip.GzipFile, allowance: Allowance) -> Member | None:
    """The bytes of a file, and what they begin as; None where that is no media, or where they are too many."""
    pieces = bytearray()
    while len(pieces) < LOOKED_AT and (piece := member.read(LOOKED_AT - len(pieces))):
        pieces += piece
    if not allowance.takes_bytes(len(pieces)):
        return None
    try:
        kind = sniff(bytes(pieces))
    except NotMedia:
        return None
    while piece := member.read(_PIECE):
        if not allowance.takes_bytes(len(piece)):
            return None
        pieces += piece
    return kind, bytes(pieces)
