"""What gateway tests send and expect. Pictures are generated."""

from __future__ import annotations

from io import BytesIO

import httpx
import numpy as np
from PIL import Image


def picture(seed: int, kind: str = "PNG", **options: object) -> bytes:
    """A benign picture: soft coloured blocks."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(blocks).resize((320, 240), Image.Resampling.BICUBIC).save(out, kind, **options)
    return out.getvalue()


def refused(response: httpx.Response, status: int, code: str) -> str:
    """Holds an answer to the one error shape, and returns its message."""
    document = response.json()
    assert (response.status_code, document.get("error", {}).get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/json"
    assert set(document) == {"error"}
    assert set(document["error"]) == {"code", "message", "hint"}
    assert all(isinstance(value, str) and value for value in document["error"].values())
    return str(document["error"]["message"])
