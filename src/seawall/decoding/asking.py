"""What the parent may ask of a decoder child beside hashes."""

from __future__ import annotations

import enum

# Signatures of one upload at most: of an archive, those of its first pictures.
MOST_SIGNATURES = 16


class Keypoints(enum.StrEnum):
    """Whose keypoints are told with a fingerprint: nobody's, those of what arrives and of the likeliest part of it,
    or those to be kept, of whole pictures and their mirror images."""

    NONE = "none"
    ARRIVING = "arriving"
    TO_KEEP = "to_keep"
