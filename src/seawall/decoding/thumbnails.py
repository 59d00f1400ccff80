"""What a reviewer is shown: a new JPEG, mostly small, that carries nothing of the file but its pixels."""

from __future__ import annotations

import io
import itertools

from PIL import Image, ImageFilter

from seawall.decoding.colours import Pixels
from seawall.decoding.reading import Reading
from seawall.errors import MediaCorrupt
from seawall.fingerprints.pdq import hash_picture
from seawall.records import RevealStage

# A blurred look keeps so few points that nobody can be recognised and no detail comes back by sharpening.
_BLURRED_POINTS = 24
_BLURRED_RADIUS = 1.2
_SMALL_SIDE = 400
_STILLS_LOOKED_AT = 40
_GOOD_QUALITY = 50
# What a JPEG can hold.
_LONGEST_JPEG_SIDE = 65_500


def make_thumbnail(reading: Reading, stage: RevealStage, longest_side: int, frame: int) -> bytes:
    """One frame as a person would see it, no larger than asked for, and less of it the milder the stage.

    Args:
        reading: the file, of which nothing was read yet.
        stage: blurred (grey, a few points, blurred), grey (small), colour, or original (as large as it is).
        longest_side: pixels; a picture is never enlarged, but for the blurred one. The original is not made smaller.
        frame: number of the frame to show; 0 is, of a video, the first of which something can be seen.

    Returns:
        A JPEG without metadata.

    Raises:
        MediaUnsupported, MediaCorrupt, MediaTooLarge: as :meth:`seawall.decoding.reading.Reading.views`;
            MediaCorrupt also where there is no such frame.
    """
    if frame == 0:
        pixels = _first(reading)
    else:
        pixels = next((seen.pixels for seen in reading.views() if seen.number == frame), None)
    if pixels is None:
        raise MediaCorrupt(f"There is no frame {frame}.")
    return jpeg(staged(Image.fromarray(pixels), stage, longest_side))


def jpeg(picture: Image.Image) -> bytes:
    """The picture's pixels and nothing else."""
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=85)
    return written.getvalue()


def _first(reading: Reading) -> Pixels | None:
    """The first frame. Many videos begin black: instead of such a frame the first good one of the first few."""
    first: Pixels | None = None
    for seen in itertools.islice(reading.views(), _STILLS_LOOKED_AT):
        if not seen.moving or hash_picture(seen.pixels).quality >= _GOOD_QUALITY:
            return seen.pixels if seen.moving or first is None else first
        first = seen.pixels if first is None else first
    return first


def staged(picture: Image.Image, stage: RevealStage, longest_side: int) -> Image.Image:
    """The picture as a stage shows it, no side longer than asked for (but for the original)."""
    if stage in {RevealStage.COLOUR, RevealStage.ORIGINAL}:
        longest_side = _LONGEST_JPEG_SIDE if stage is RevealStage.ORIGINAL else longest_side
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
