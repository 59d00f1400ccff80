"""A child may have been taken over: what it answers is checked before anybody believes it."""

from __future__ import annotations

from typing import Any

import pytest

from seawall.decoding.pool import _decoded_media, _message
from seawall.errors import DecoderCrashed

FRAME = {"number": 0, "quality": 80, "hashes": "5a" * 256, "is_part": False, "low_information": False}


def media(**changed: Any) -> dict[str, Any]:
    return {
        "media": {
            "media_type": "image/png",
            "width": 4,
            "height": 3,
            "frames": [FRAME],
            "owed": {},
            "parts": [],
            "noted": {},
            **changed,
        }
    }


def test_an_answer_of_the_agreed_form_is_taken() -> None:
    decoded = _decoded_media(media())
    assert (decoded.media_type, decoded.width, decoded.height) == ("image/png", 4, 3)
    assert decoded.frames[0].orientations == (b"\x5a" * 32,) * 8


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"media": None},
        {"media": []},
        media(frames=[]),
        media(frames={"a": 1}),
        media(frames=["a"]),
        media(frames=[{**FRAME, "hashes": "5a" * 255}]),
        media(frames=[{**FRAME, "hashes": 7}]),
        media(frames=[{**FRAME, "quality": 101}]),
        media(frames=[{**FRAME, "quality": float("inf")}]),
        media(frames=[{**FRAME, "quality": True}]),
        media(frames=[{**FRAME, "number": -1}]),
        media(frames=[{**FRAME, "number": 2**63}]),
        media(width=float("inf")),
        media(width=2**31),
        media(height=0),
        media(media_type="image/png\0"),
        media(media_type="<script>"),
        media(media_type=None),
        media(owed=None),
        media(parts=None),
        media(noted=None),
        media(noted={"never_heard_of": "The sea."}),
        media(parts=["5a"]),
        media(parts=[["5a" * 16, "5a" * 20]]),
        media(parts=[["5a" * 16, "5a" * 20, "5a" * 31]]),
        media(parts=[["5a" * 16, "5a" * 20, 7]]),
        media(owed={"not_media": "The sea."}),
        media(owed={"never_heard_of": "The sea."}),
    ],
)
def test_any_other_is_a_crash(answer: dict[str, Any]) -> None:
    with pytest.raises(DecoderCrashed):
        _decoded_media(answer)


def test_what_it_owes_is_short_and_printable() -> None:
    (owed,) = _decoded_media(media(owed={"media_corrupt": "The sea\0" * 1000})).owed
    assert owed.code == "media_corrupt"
    assert len(owed.explanation) == 300
    assert owed.explanation.startswith("The sea?The sea?")


def test_what_it_says_of_a_failure_is_short_and_printable() -> None:
    assert _message("The sea\0\x1b[2J\n is high.") == "The sea??[2J? is high."
    assert len(_message("a" * 10_000)) == 300
    assert _message({"not": "text"}) == "The bytes cannot be read."
