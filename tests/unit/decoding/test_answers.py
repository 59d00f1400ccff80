"""A child may have been taken over: what it answers is checked before anybody believes it."""

from __future__ import annotations

from typing import Any

import pytest

from seawall.decoding.answers import decoded_media, printable, signatures
from seawall.decoding.asking import MOST_SIGNATURES
from seawall.errors import DecoderCrashed
from seawall.fingerprints.keypoints import LONGEST_SIDE, MOST_KEYPOINTS

FRAME = {"number": 0, "quality": 80, "hashes": "5a" * 256, "is_part": False, "low_information": False}
SIGNATURE = {"number": 0, "mirrored": False, "is_part": False, "width": 640, "height": 480}
SIGNATURE |= {"points": "00" * 8, "descriptors": "5a" * 64}


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
    decoded = decoded_media(media())
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
        decoded_media(answer)


def test_what_it_owes_is_short_and_printable() -> None:
    (owed,) = decoded_media(media(owed={"media_corrupt": "The sea\0" * 1000})).owed
    assert owed.code == "media_corrupt"
    assert len(owed.explanation) == 300
    assert owed.explanation.startswith("The sea?The sea?")


def test_what_it_says_of_a_failure_is_short_and_printable() -> None:
    assert printable("The sea\0\x1b[2J\n is high.") == "The sea??[2J? is high."
    assert len(printable("a" * 10_000)) == 300
    assert printable({"not": "text"}) == "The bytes cannot be read."


def test_signatures_of_the_agreed_form_are_taken() -> None:
    (taken,) = signatures(media(signatures=[SIGNATURE]))
    assert (taken.width, taken.height, len(taken.points), len(taken.descriptors)) == (640, 480, 8, 64)
    assert signatures(media(signatures=[])) == ()


@pytest.mark.parametrize(
    "told",
    [
        None,
        "five",
        [None],
        [SIGNATURE] * (MOST_SIGNATURES + 1),
        [{**SIGNATURE, "points": "00" * 7}],
        [{**SIGNATURE, "points": "", "descriptors": ""}],
        [{**SIGNATURE, "descriptors": "5a" * 63}],
        [{**SIGNATURE, "descriptors": "5a" * 96}],
        [{**SIGNATURE, "points": "0000" * 2 * (MOST_KEYPOINTS + 1), "descriptors": "5a" * 32 * (MOST_KEYPOINTS + 1)}],
        [{**SIGNATURE, "width": 0}],
        [{**SIGNATURE, "height": LONGEST_SIDE + 1}],
        [{**SIGNATURE, "number": True}],
    ],
)
def test_any_other_signature_is_a_crash(told: object) -> None:
    with pytest.raises(DecoderCrashed):
        signatures(media(signatures=told))
