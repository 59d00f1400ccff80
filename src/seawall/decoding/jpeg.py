"""The fast and strict way to read a JPEG.

The pixels are the same to the bit as Pillow's (both use libjpeg-turbo with exact transform and smooth upsampling),
but the decoder here reports what Pillow passes over: a picture whose data end early, and are closed with an end
marker, is half grey and no error to Pillow.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported

_COLOUR_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
# What is read for hashes alone is never smaller on its shorter side, where the picture itself is not.
_ENOUGH = 512


def reduction(header: Image.Image, *, turned: bool) -> int:
    """By how much the sides of a JPEG can be divided while it is decoded and enough is left to hash: 1, 2, 4 or 8.

    Args:
        turned: whether it will be turned or mirrored. Then no square may be cut off, since that one would come first.
    """
    if header.mode == "CMYK":
        return 1
    return next(
        (
            by
            for by in (8, 4, 2)
            if min(header.size) >= _ENOUGH * by and not (turned and any(side % by for side in header.size))
        ),
        1,
    )


def read_jpeg(data: bytes, header: Image.Image, reduced_by: int = 1) -> NDArray[np.uint8]:
    """The pixels: (height, width) grey, (height, width, 3) RGB or (height, width, 4) CMYK as Pillow means it.

    Reduced, each is what the transform's lowest frequencies make of a square of pixels, which is near to their mean;
    sides that are no multiple are rounded up. Colours are read all the same: a JPEG can hide in them, beyond what can
    be shown, what its brightness alone does not tell.

    Args:
        data: the whole file.
        header: the same file as Pillow opened it, not loaded. Its size has been checked against the limits.
        reduced_by: 1, 2, 4 or 8.

    Raises:
        MediaCorrupt: the data are damaged or end early, or the two readers do not see the same picture.
        MediaTooLarge: the decoder ran out of memory.
        MediaUnsupported: a JPEG of another number of colours.
    """
    if header.mode not in _COLOUR_SPACES:
        raise MediaUnsupported(f"JPEG pictures of mode {header.mode} cannot be read here.")
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        if (width, height) != header.size:
            raise MediaCorrupt("The JPEG gives its size in two ways that differ.")
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data,
            _COLOUR_SPACES[header.mode],
            # The most that it may be reduced by is what gives these.
            min_height=-(-height // reduced_by),
            min_width=-(-width // reduced_by),
        )
    except ValueError as problem:
        if "memory" in str(problem).lower():
            raise MediaTooLarge("The JPEG needs more memory than a decoder may use.") from problem
        raise MediaCorrupt(f"The JPEG cannot be read: {problem}.") from problem
    if header.mode == "CMYK":
        return np.subtract(255, pixels, dtype=np.uint8)  # stored inverted, as Adobe's programs began to do
    return pixels[:, :, 0] if header.mode == "L" else pixels
