"""What a PNG says beside its pixels and Pillow passes over: how bright they are meant, and how many frames there are.

Browsers bend the colours of a PNG as its gAMA chunk tells them to. A picture whose values were bent the other way
before is the same to a person, and another one to who reads the values alone. Sources: PNG specification, third
edition, 11.3.2 (colour) and 11.3.3.2 (animation); thresholds are ours.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from seawall.errors import MediaCorrupt, MediaUnsupported

_SIGNATURE_BYTES = 8
_UNITS = 100_000
_USUAL_GAMMA = 0.45455
# As libpng has it: what is nearer is the same to the eye.
_SAME_GAMMA = 0.05
# Linear light has 1.0, an old Macintosh 0.55. No honest tool writes what lies beyond, and eight bits would not do.
_DARKEST_GAMMA, _BRIGHTEST_GAMMA = 0.2, 1.1
# x and y of red, green and blue as sRGB has them, and how far the widest space in use (ProPhoto) lies from them.
_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_FARTHEST_PRIMARY = 0.25
# Transfer functions of cICP (ITU-T H.273) that look as sRGB does; others are for brighter screens, or linear.
_ORDINARY_TRANSFERS = frozenset({1, 6, 13, 14, 15})
_ONCE = ("gAMA", "cHRM", "cICP", "acTL")


def bend(data: bytes) -> float | None:
    """The exponent by which the values of a PNG (0 to 1) are bent before they are shown; None where they are not.

    Raises:
        MediaUnsupported: it is meant in a way that cannot be shown truly in eight bits.
        MediaCorrupt: it says the same thing twice, or is not clear about its frames.
    """
    ahead, controls = _read(data)
    _check_frames(ahead.get("acTL"), controls)
    transfer = ahead.get("cICP", b"")[1:2]
    if transfer and transfer[0] not in _ORDINARY_TRANSFERS:
        raise MediaUnsupported("PNG pictures for screens of high dynamic range cannot be read here.")
    gamma = _unsigned(ahead.get("gAMA", b""), 1)
    if not gamma or gamma[0] == 0:
        return None
    _check_primaries(_unsigned(ahead.get("cHRM", b""), 8))
    if not _DARKEST_GAMMA <= gamma[0] <= _BRIGHTEST_GAMMA:
        raise MediaUnsupported("The PNG is meant far brighter or darker than can be shown here.")
    exponent = _USUAL_GAMMA / gamma[0]
    return exponent if abs(exponent - 1) > _SAME_GAMMA else None


def _read(data: bytes) -> tuple[dict[str, bytes], int]:
    """The chunks of which there may be one, ahead of the pixels, and the number of frame controls anywhere.

    Raises:
        MediaCorrupt: there are two of a kind, or one stands behind the pixels: readers differ on which counts.
    """
    ahead: dict[str, bytes] = {}
    controls, pixels_begun = 0, False
    for name, at, length in _chunks(data):
        if name == "IDAT":
            pixels_begun = True
        elif name == "fcTL":
            controls += 1
        elif name in _ONCE:
            if name in ahead or (pixels_begun and name == "acTL"):
                raise MediaCorrupt(f"The PNG has a chunk {name} where it may have none.")
            if not pixels_begun:
                ahead[name] = data[at : at + min(length, 32)]
    return ahead, controls


def _chunks(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, place of the content and its length, for every chunk up to the end of the picture."""
    at = _SIGNATURE_BYTES
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        name = data[at + 4 : at + 8].decode("latin-1")
        if name == "IEND":
            return
        yield name, at + 8, length
        at += length + 12


def _check_frames(animation: bytes | None, controls: int) -> None:
    """Some viewers believe the number of frames, others count: a frame that only some show would be missed."""
    declared = 0 if animation is None else int.from_bytes(animation[:4])
    if declared != controls:
        raise MediaCorrupt(f"The PNG speaks of {declared} frames and has {controls}.")


def _check_primaries(values: tuple[float, ...]) -> None:
    """White comes first and is left out."""
    if any(abs(value - usual) > _FARTHEST_PRIMARY for value, usual in zip(values[2:], _PRIMARIES, strict=False)):
        raise MediaUnsupported("The PNG is meant for a screen of colours that no screen has.")


def _unsigned(content: bytes, number: int) -> tuple[float, ...]:
    if len(content) < 4 * number:
        return ()
    return tuple(value / _UNITS for value in struct.unpack_from(f">{number}I", content))
