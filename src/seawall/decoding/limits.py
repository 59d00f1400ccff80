"""What a decoder child may spend on one item, as its parent tells it."""

from __future__ import annotations

from dataclasses import dataclass

# How many small stills one look at a film shows at once.
STRIP_STILLS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """Most pixels of one frame and most frames of an animation. Of a video: the seconds of it that are read, most
    frames decoded, most frames kept (those that differ, of everything in the file), and the seconds that reading it
    may take. Of what lies in files: how deep it may lie, most files of archives and
    documents, most bytes that those may unfold to, and most pages. Of one picture: how many parts of it are looked at
    as pictures of their own."""

    max_pixels: int
    max_frames: int
    max_video_s: float
    max_video_decoded: int
    max_video_frames: int
    video_timeout_s: float
    max_nesting: int
    max_members: int
    max_expansion_bytes: int
    max_pages: int
    max_regions: int
