"""What a decoder child can be asked to do."""

from __future__ import annotations

from typing import Any

from seawall.decoding.pictures import PictureLimits, views
from seawall.decoding.thumbnails import make_thumbnail
from seawall.fingerprints.pdq import PdqResult, hash_picture
from seawall.records import RevealStage


def fingerprint(data: bytes, limits: PictureLimits) -> dict[str, Any]:
    """Sniffs, decodes and hashes every distinct view of every frame; a :class:`seawall.records.DecodedMedia` as JSON.

    Raises:
        NotMedia, MediaUnsupported, MediaCorrupt, MediaTooLarge: as :func:`seawall.decoding.pictures.views`.
    """
    kind, seen = views(data, limits)
    results: dict[tuple[bytes, ...], tuple[int, PdqResult]] = {}
    width = height = 0
    for view in seen:
        if not results:
            height, width = view.pixels.shape[:2]
        result = hash_picture(view.pixels)
        results.setdefault(result.orientations, (view.number, result))
    return {
        "media_type": kind.media_type,
        "width": width,
        "height": height,
        "frames": [
            {"number": number, "quality": result.quality, "hashes": b"".join(result.orientations).hex()}
            for number, result in results.values()
        ],
    }


def thumbnail(data: bytes, request: dict[str, Any], limits: PictureLimits) -> bytes:
    """A JPEG of one frame at one stage."""
    return make_thumbnail(data, RevealStage(request["stage"]), request["longest_side"], request["frame"], limits)
