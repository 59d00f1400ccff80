"""JPEG XL, where Seawall's extra `jxl` (pylibjxl, around libjxl; BSD) is installed. Runs only in a decoder child.

The header is read before any pixel is unfolded, so that the limits bind. Animations are not read: they are held.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seawall.decoding.limits import Limits
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported

try:
    import pylibjxl
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True

# The library gives its thread up when it has been idle for so long, and a confined child can start no other.
_NEVER_S = 1e9


@functools.cache
def _codec() -> pylibjxl.JXL:
    """One codec with one thread, for as long as the process lives."""
    return pylibjxl.JXL(threads=1, pool_size=1, idle_timeout=_NEVER_S)


def samples(pixels: NDArray[np.uint8]) -> Iterator[bytes]:
    """The picture as a JPEG XL."""
    if AVAILABLE:
        yield bytes(_codec().encode(pixels.copy()))


def read_jxl(data: bytes, limits: Limits) -> tuple[Image.Image, bytes | None]:
    """The picture, turned as it is shown, and its colour profile.

    Raises:
        MediaUnsupported: an animation, or the extra is not installed.
        MediaTooLarge: over the limit of pixels.
        MediaCorrupt: the header cannot be read. What the pixels raise is a RuntimeError.
    """
    if not AVAILABLE:
        raise MediaUnsupported("JPEG XL is recognised, but the extra `jxl` that reads it is not installed.")
    try:
        said = pylibjxl.probe(data)
    except (RuntimeError, ValueError) as problem:
        raise MediaCorrupt("The header of the JPEG XL cannot be read.") from problem
    if said["have_animation"]:
        raise MediaUnsupported("JPEG XL animations cannot be read here.")
    if said["width"] * said["height"] > limits.max_pixels:
        raise MediaTooLarge(f"{said['width']} x {said['height']} pixels are more than {limits.max_pixels}.")
    pixels, metadata = _codec().decode(data, metadata=True)
    if pixels.shape[2] not in {1, 2, 3, 4}:
        raise MediaUnsupported(f"JPEG XL pictures of {pixels.shape[2]} channels cannot be read here.")
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels), metadata.get("icc")
