"""What a reviewer is shown: a new, small JPEG that carries nothing of the file but its pixels."""

from __future__ import annotations

import io
import itertools

from PIL import Image, ImageFilter

from seawall.decoding.colours import Pixels
from seawall.decoding.limits import Limits
from seawall.decoding.pictures import views
from seawall.decoding.sniff import Kind, sniff
from seawall.decoding.videos import AVAILABLE, Video
from seawall.errors import MediaCorrupt
from seawall.fingerprints.pdq import hash_picture
from seawall.records import RevealStage

# A blurred look keeps so few points that nobody can be recognised and no detail comes back by sharpening.
_BLURRED_POINTS = 24
_BLURRED_RADIUS = 1.2
_SMALL_SIDE = 400
_STILLS_LOOKED_AT = 40
_GOOD_QUALITY = 50


def make_thumbnail(data: bytes, stage: RevealStage, longest_side: int, frame: int, limits: Limits) -> bytes:
    """One frame as a person would see it, no larger than asked for, and less of it the milder the stage.

    Args:
        data: the whole file.
        stage: blurred (grey, a few points, blurred), grey (small), or colour.
        longest_side: pixels; a picture is never enlarged, but for the blurred one.
        frame: number of the frame to show; 0 is, of a video, the first of which something can be seen.
        limits: as for fingerprinting.

    Returns:
        A JPEG without metadata.

    Raises:
        NotMedia, MediaUnsupported, MediaCorrupt, MediaTooLarge: as :func:`seawall.decoding.pictures.views`;
            MediaCorrupt also where there is no such frame.
    """
    kind = sniff(data)
    if kind.demuxer is not None and AVAILABLE:
        pixels = _still(data, kind, frame, limits)
    else:
        _, seen = views(data, limits)
        pixels = next((view.pixels for view in seen if view.number == frame), None)
    if pixels is None:
        raise MediaCorrupt(f"There is no frame {frame}.")
    picture = _staged(Image.fromarray(pixels), stage, longest_side)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=85)
    return written.getvalue()


def _still(data: bytes, kind: Kind, frame: int, limits: Limits) -> Pixels | None:
    """One frame of a video. Many begin black: instead of such a first frame the first good one of the first few."""
    seen = Video(data, kind, limits).views()
    if frame > 0:
        return next((view.pixels for view in seen if view.number == frame), None)
    first: Pixels | None = None
    for view in itertools.islice(seen, _STILLS_LOOKED_AT):
        if hash_picture(view.pixels).quality >= _GOOD_QUALITY:
            return view.pixels
        first = view.pixels if first is None else first
    return first


def _staged(picture: Image.Image, stage: RevealStage, longest_side: int) -> Image.Image:
    if stage is RevealStage.COLOUR:
        picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
        return picture
    side = min(longest_side, _SMALL_SIDE)
    grey = picture.convert("L")
    grey.thumbnail((side, side), Image.Resampling.LANCZOS)
    if stage is RevealStage.GREY:
        return grey
    points = grey.copy()
    points.thumbnail((_BLURRED_POINTS, _BLURRED_POINTS), Image.Resampling.BOX)
    points = points.filter(ImageFilter.GaussianBlur(_BLURRED_RADIUS))
    return points.resize(grey.size, Image.Resampling.BICUBIC)
