"""What the check uploads, and what must come of it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from seawall.demo.edits import EDITS, Edit, altered
from seawall.demo.material import Originals
from seawall.demo.pictures import LISTED, UNRELATED, Picture

# Edits that turn or shrink move a few bits; for the copies that must stay within 10 bits on both lists a picture is
# taken that hardly moves.
STEADY = "flowers"
ALSO_UNRELATED = ("recompressed", "rotated-90", "palette", "cmyk", "exif-90", "lab")


class Expected(enum.StrEnum):
    """What must come of an upload. `refused` is no verdict: the API says that it cannot take the bytes."""

    ALLOW = "allow"
    HOLD = "hold"
    BLOCK = "block"
    REFUSED = "refused"

    @property
    def board_state(self) -> str:
        """Where it must then stand on the board."""
        return {"allow": "published", "hold": "held", "block": "blocked", "refused": "refused"}[self.value]


@dataclass(frozen=True, slots=True)
class Trial:
    """One upload. `reason` is the code that must be among the reasons, or the error's code for `refused`."""

    file: str
    done: str
    account: str
    expected: Expected
    reason: str | None
    data: bytes = field(repr=False)


def all_trials(originals: Originals) -> Iterator[Trial]:
    """Every trial; edits are made while they are asked for."""
    for picture in LISTED:
        file = f"{picture.scene}.jpg"
        yield Trial(
            file, "the listed file itself", "test-originals", Expected.BLOCK, "exact_match", originals[picture]
        )
    for number, edit in enumerate(EDITS):
        yield _copy(_one_list(number), edit, Expected.HOLD, originals)
        yield _copy(_both_lists(number, edit), edit, Expected.BLOCK, originals)
    for picture in UNRELATED:
        file = f"{picture.name}.jpg"
        yield Trial(file, "nothing: on no list", "test-unrelated", Expected.ALLOW, None, originals[picture])
    for number, edit in enumerate(edit for edit in EDITS if edit.name in ALSO_UNRELATED):
        picture = UNRELATED[number]
        file = f"{picture.name}.{edit.extension}"
        data = altered(edit, originals[picture])
        yield Trial(file, f"{edit.done}; on no list", "test-unrelated", Expected.ALLOW, None, data)
    yield from _bad_input(originals)


def _one_list(number: int) -> Picture:
    pictures = [picture for picture in LISTED if not picture.on_second_list]
    return pictures[number % len(pictures)]


def _both_lists(number: int, edit: Edit) -> Picture:
    pictures = [picture for picture in LISTED if picture.on_second_list]
    if edit.moves:
        return next(picture for picture in pictures if picture.scene == STEADY)
    return pictures[number % len(pictures)]


def _copy(picture: Picture, edit: Edit, expected: Expected, originals: Originals) -> Trial:
    data = altered(edit, originals[picture])
    return Trial(f"{picture.scene}.{edit.extension}", edit.done, "test-altered", expected, "perceptual_match", data)


def _bad_input(originals: Originals) -> Iterator[Trial]:
    account = "test-bad-input"
    listed, unrelated = originals[LISTED[1]], originals[UNRELATED[1]]
    for name, whole in (("listed", listed), ("unrelated", unrelated)):
        half = whole[: len(whole) // 2]
        yield Trial(f"{name}.jpg", "cut off in the middle", account, Expected.HOLD, "media_corrupt", half)
    head = listed[:300]
    yield Trial("head.jpg", "cut off after its first 300 bytes", account, Expected.HOLD, "media_corrupt", head)
    text = b"Only words, whatever the name of the file says.\n" * 40
    yield Trial("words.jpg", "text with a picture's name", account, Expected.REFUSED, "not_media", text)
    yield Trial("empty.jpg", "not a single byte", account, Expected.REFUSED, "body_empty", b"")
