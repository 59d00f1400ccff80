"""Keypoints: what shows the same is found among what is kept, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from seawall.decoding.keypoints import describe
from seawall.fingerprints.keypoints import LONGEST_SIDE, MOST_KEYPOINTS, STEPS, KeypointSignature
from seawall.matching.keypoint_geometry import FEWEST_INLIERS, agreement
from seawall.matching.keypoint_index import MOST_CANDIDATES, KeypointIndex, words_in
from tests.vectors.files import scene


def detailed(seed: int, size: tuple[int, int] = (720, 540)) -> Image.Image:
    """A benign picture with corners all over: boxes and ellipses by chance."""
    chance = np.random.default_rng(seed)
    picture = Image.new("RGB", size, tuple(int(each) for each in chance.integers(0, 255, 3)))
    draw = ImageDraw.Draw(picture)
    for number in range(260):
        x, y = int(chance.integers(0, size[0])), int(chance.integers(0, size[1]))
        wide, high = (int(each) for each in chance.integers(8, 70, 2))
        colour = tuple(int(each) for each in chance.integers(0, 255, 3))
        (draw.rectangle if number % 3 else draw.ellipse)((x, y, x + wide, y + high), fill=colour)
    return picture


def signature(picture: Image.Image, *, mirrored: bool = False) -> KeypointSignature:
    found = describe(np.asarray(picture), mirrored=mirrored)
    assert found is not None
    return KeypointSignature(0, mirrored, False, found.width, found.height, found.points, found.descriptors)


PICTURES = [detailed(seed) for seed in range(6)]
KEPT = [signature(picture) for picture in PICTURES]


def covered(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    ImageDraw.Draw(copy).ellipse((150, 90, 430, 370), fill="yellow")
    return copy


def beside(picture: Image.Image) -> Image.Image:
    page = Image.new("RGB", (2 * picture.width, picture.height))
    page.paste(picture, (0, 0))
    page.paste(detailed(999).resize(picture.size), (picture.width, 0))
    return page


EDITS = {
    "cropped": lambda picture: picture.crop((170, 20, 700, 420)),
    "covered": covered,
    "beside": beside,
    "turned": lambda picture: picture.rotate(20, expand=True),
    "smaller": lambda picture: picture.resize((430, 320)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_left_of_a_picture_is_found(edit: str) -> None:
    index = KeypointIndex().after({number: words_in(kept) for number, kept in enumerate(KEPT)}, ())
    arrived = signature(EDITS[edit](PICTURES[2]))
    assert index.candidates(arrived)[0] == 2
    met = {number: agreement(arrived, kept) for number, kept in enumerate(KEPT)}
    assert [number for number, found in met.items() if found] == [2]
    found = met[2]
    assert found is not None
    assert found.inliers >= FEWEST_INLIERS
    assert 0 < found.share <= 100
    assert agreement(arrived, KEPT[2]) == found, "the same answer each time"


def test_a_mirror_image_is_met_by_the_mirrored_signature_alone() -> None:
    arrived = signature(ImageOps.mirror(PICTURES[0]).crop((60, 40, 640, 500)))
    assert agreement(arrived, KEPT[0]) is None
    assert agreement(arrived, signature(PICTURES[0], mirrored=True)) is not None


def lettering(words: str, ground: str = "white") -> Image.Image:
    page = Image.new("RGB", (720, 540), ground)
    draw = ImageDraw.Draw(page)
    for line in range(12):
        draw.text((20 + 7 * (line % 3), 20 + 42 * line), f"{words} {line}", fill="black", font_size=28)
    return page


@pytest.mark.parametrize("pair", ["lattices", "pages", "caption"])
def test_what_repeats_and_words_in_common_are_no_agreement(pair: str) -> None:
    if pair == "lattices":
        one, other = (Image.new("RGB", (720, 540), "white") for _ in range(2))
        for picture, step in ((one, 24), (other, 36)):
            draw = ImageDraw.Draw(picture)
            for at in range(0, 720, step):
                draw.line((at, 0, at, 540), "black", 3)
                draw.line((0, at, 720, at), "black", 3)
    elif pair == "pages":
        one, other = lettering("the sea is calm tonight"), lettering("upon the straits the tide")
    else:
        one, other = PICTURES[3].copy(), PICTURES[4].copy()
        for picture in (one, other):
            ImageDraw.Draw(picture).text((30, 470), "THE TIDE IS FULL TONIGHT", "white", font_size=44, stroke_width=2)
    assert agreement(signature(one), signature(other)) is None


def test_flat_and_tiny_pictures_have_none() -> None:
    assert describe(np.full((300, 300, 3), 128, dtype=np.uint8)) is None
    assert describe(np.asarray(PICTURES[0].resize((40, 30)))) is None
    assert describe(np.asarray(PICTURES[0].resize((3000, 50)))) is None


def test_signatures_are_bounded() -> None:
    kept = signature(detailed(7, (2200, 1500)))
    points = np.frombuffer(kept.points, dtype="<u2").reshape(-1, 2) / STEPS
    assert len(points) <= MOST_KEYPOINTS
    assert max(kept.width, kept.height) == LONGEST_SIDE
    assert (points <= [kept.width, kept.height]).all()
    grey = describe(np.asarray(scene().convert("L")))
    assert grey is not None


def test_a_signature_is_packed_and_read_again() -> None:
    for kept in (KEPT[0], signature(PICTURES[1], mirrored=True)):
        assert KeypointSignature.unpacked(kept.packed()) == kept


@given(st.binary(max_size=200))
def test_other_bytes_are_no_signature(data: bytes) -> None:
    with pytest.raises(ValueError):
        KeypointSignature.unpacked(b"\x01" + data[:90])
    with pytest.raises(ValueError):
        KeypointSignature.unpacked(data[:3])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_the_descriptors_say_the_work_is_bounded(data: st.DataObject) -> None:
    """They come from a process that has read what a stranger sent."""
    count = data.draw(st.integers(1, 60))
    one_byte = data.draw(st.booleans())
    made = []
    for _ in range(3):
        bytes_of = (
            (lambda size: b"\x05" * size)
            if one_byte
            else (lambda size: data.draw(st.binary(min_size=size, max_size=size)))
        )
        made.append(KeypointSignature(0, False, False, 300, 200, bytes_of(4 * count), bytes_of(32 * count)))
    index = KeypointIndex().after({number: words_in(each) for number, each in enumerate(made)}, ())
    assert len(index.candidates(made[0])) <= MOST_CANDIDATES
    found = agreement(made[0], made[1])
    assert found is None or found.inliers >= FEWEST_INLIERS


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5))), max_size=8))
def test_what_is_kept_is_what_was_added_and_not_removed(changes: list[tuple[set[int], set[int]]]) -> None:
    index, kept = KeypointIndex(), set[int]()
    for wanted, gone in changes:
        new = wanted - kept
        index = index.after({number: words_in(KEPT[number]) for number in new}, (gone & kept) - new)
        kept = (kept - gone) | new
        assert index.ids == kept
        assert len(index) == len(kept)
        for number in range(6):
            assert (number in index.candidates(KEPT[number])) is (number in kept)
