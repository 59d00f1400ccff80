"""Messages between a process and the child that searches and builds ledger files for it: a header and arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LONGEST_HEADER = 1 << 20

Header = dict[str, Any]
Arrays = Mapping[str, NDArray[Any]]


class WireBroken(Exception):
    """The other side ended, or what it sends is no message."""


def send(file: BinaryIO, header: Header, arrays: Arrays | None = None) -> None:
    """Writes one message.

    Raises:
        OSError: the other side is gone.
    """
    plain = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    columns = [[name, array.dtype.str, list(array.shape)] for name, array in plain.items()]
    text = json.dumps({**header, "arrays": columns}).encode()
    file.write(len(text).to_bytes(8, "little") + text)
    for array in plain.values():
        file.write(array.reshape(-1).view(np.uint8).data)
    file.flush()


def receive(file: BinaryIO) -> tuple[Header, dict[str, NDArray[Any]]] | None:
    """The next message; None when there is none any more.

    Raises:
        WireBroken: it is cut off, or none.
    """
    length = file.read(8)
    if not length:
        return None
    size = int.from_bytes(length, "little")
    if len(length) < 8 or size > LONGEST_HEADER:
        raise WireBroken("A message is cut off.")
    try:
        header: Header = json.loads(_whole(file, size))
        columns = [(str(name), np.dtype(dtype), tuple(shape)) for name, dtype, shape in header.pop("arrays")]
    except (ValueError, TypeError, KeyError) as error:
        raise WireBroken("A message is of another form.") from error
    arrays = {}
    for name, dtype, shape in columns:
        array = np.empty(shape, dtype=dtype)
        if array.nbytes and file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:  # type: ignore[attr-defined]
            raise WireBroken("A message is cut off.")
        arrays[name] = array
    return header, arrays


def _whole(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise WireBroken("A message is cut off.")
    return data
