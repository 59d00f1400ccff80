"""Writes pdq_reference.json anew with the reference implementation.

It needs the package `pdqhash` (built from source; it has no wheel for every Python) and numpy, nothing of Seawall:

    pip install pdqhash==0.2.8 && python tests/vectors/make_pdq_vectors.py
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pdqhash

sys.path.insert(0, str(Path(__file__).parent))
import pictures

TARGET = Path(__file__).with_name("pdq_reference.json")


def reference(picture: pictures.Picture) -> tuple[str, int]:
    """Hexadecimal hash and quality, as `pdqhash` says them."""
    bits, quality = pdqhash.compute(np.ascontiguousarray(picture))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


def vector(recipe: tuple[str, int, int, int]) -> dict[str, object]:
    """The recipe, the digest of its pixels, and the reference's hash of each turned picture."""
    picture = pictures.make(*recipe)
    return {
        "recipe": list(recipe),
        "pixels_sha256": hashlib.sha256(picture.tobytes()).hexdigest(),
        "quality": reference(picture)[1],
        "hashes": {name: reference(turned)[0] for name, turned in pictures.turned(picture)},
    }


if __name__ == "__main__":
    vectors = [vector(recipe) for recipe in pictures.RECIPES]
    content = {"made_with": f"pdqhash {version('pdqhash')}", "vectors": vectors}
    TARGET.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{len(vectors)} vectors written to {TARGET.name}")
