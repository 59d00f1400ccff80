"""HEIC, as phones write it: alone and in tiles, turned and cropped by its own properties, confined as all else is."""

from __future__ import annotations

import contextlib
import random
import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seawall.decoding.heic import read_heic
from seawall.decoding.heif_items import read_items
from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported
from seawall.fingerprints.pdq import hash_picture
from seawall.settings import Settings
from tests.fuzz.mutations import CRASHES, mutated, outcome
from tests.vectors.files import scene, written, zipped
from tests.vectors.heic import Made, box, coded, full, grid, heic, size

SCENE = scene().convert("RGB")
LIMITS = limits_of(Settings(max_frames=20))
STILL = heic([coded(SCENE)])
TILED = heic(grid(SCENE, 128))
MUTATIONS = 300


def shown(data: bytes) -> list[np.ndarray]:
    return [np.asarray(each.picture) for each in read_heic(data, LIMITS)]


def near(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether both are one picture, but for what coding took: its colours have half the pixels."""
    return found.shape == wanted.shape and bool(np.abs(found.astype(int) - wanted.astype(int)).mean() < 4)


def bits(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize("data", [STILL, TILED, zipped({"a.heic": TILED})], ids=["still", "tiles", "zipped"])
def test_it_is_the_picture(pool: DecoderPool, data: bytes) -> None:
    media = pool.fingerprint(data)
    (frame,) = media.frames
    assert bits(frame.pdq, hash_picture(np.array(SCENE)).orientations[0]) <= 8
    assert (media.width, media.height) == SCENE.size


@pytest.mark.parametrize("turn", range(4))
def test_it_is_turned_as_its_properties_say(turn: int) -> None:
    """Anticlockwise, whatever the metadata says."""
    (found,) = shown(heic([coded(SCENE, (b"irot", bytes([turn])))]))
    assert near(found, np.rot90(np.asarray(SCENE), turn))


def test_properties_are_heeded_in_their_order() -> None:
    turned, upside = (b"irot", b"\1"), (b"imir", b"\0")
    (first,) = shown(heic([coded(SCENE, turned, upside)]))
    (second,) = shown(heic([coded(SCENE, upside, turned)]))
    assert near(first, np.rot90(np.asarray(SCENE))[::-1])
    assert near(second, np.rot90(np.asarray(SCENE)[::-1]))
    (aside,) = shown(heic(grid(SCENE, 128, (b"imir", b"\1"))))
    assert near(aside, np.asarray(SCENE)[:, ::-1])


def test_what_is_cropped_is_seen_whole_too() -> None:
    crop = struct.pack(">IIIIiIiI", 100, 1, 80, 1, 10, 1, -20, 1)
    cropped, whole = shown(heic([coded(SCENE, (b"clap", crop))]))
    assert near(whole, np.asarray(SCENE))
    assert near(cropped, np.asarray(SCENE)[60:140, 120:220])


def test_every_picture_is_read_the_shown_one_first(pool: DecoderPool) -> None:
    other, thumbnail, third = scene(6).convert("RGB"), scene(9, 80, 64).convert("RGB"), scene(8).convert("RGB")
    items = [coded(other), coded(thumbnail), coded(SCENE), coded(third)]
    items[1].refers.append((b"thmb", [3]))
    items[3].refers.append((b"auxl", [3]))  # a map of depth: it is shown by nobody
    items[3].properties.append((b"auxC", bytes(4) + b"urn:mpeg:hevc:2015:auxid:2\0"))
    data = heic(items, primary=3)
    assert [each.shape for each in shown(data)] == [
        np.asarray(SCENE).shape,
        np.asarray(other).shape,
        np.asarray(thumbnail).shape,
    ]
    assert near(shown(data)[0], np.asarray(SCENE))
    assert {frame.number for frame in pool.fingerprint(data).frames} == {0, 1, 2}


def test_transparency_is_seen_over_white_and_over_black(pool: DecoderPool) -> None:
    alpha = coded(Image.merge("RGB", [scene(77).convert("L")] * 3))
    alpha.properties.append((b"auxC", bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"))
    alpha.refers.append((b"auxl", [1]))
    (pixels,) = shown(heic([coded(SCENE), alpha]))
    assert pixels.shape[2] == 4
    assert [frame.number for frame in pool.fingerprint(heic([coded(SCENE), alpha])).frames] == [0, 0]


def test_a_picture_may_be_another_one_turned() -> None:
    same = Made(b"iden", b"", [size(*SCENE.size), (b"irot", b"\2")], [(b"dimg", [2])], inline=True)
    turned, plain = shown(heic([same, coded(SCENE)]))
    assert near(turned, np.asarray(SCENE)[::-1, ::-1])
    assert near(plain, np.asarray(SCENE))


@pytest.mark.parametrize("kind", [b"av01", b"jpeg", b"iovl", b"grid"])
def test_other_kinds_of_pictures_are_unsupported(kind: bytes) -> None:
    """And a grid of grids."""
    items = grid(SCENE, 320) if kind == b"grid" else [coded(SCENE)]
    items[-1].kind = kind
    with pytest.raises(MediaUnsupported):
        shown(heic(items))


def test_a_sequence_is_owed_beside_the_picture(pool: DecoderPool) -> None:
    media = pool.fingerprint(heic([coded(SCENE)], tail=box(b"moov", bytes(64))))
    assert len(media.frames) == 1
    assert "media_unsupported" in {each.code for each in media.owed}


def test_sizes_are_checked_before_anything_unfolds() -> None:
    small = limits_of(Settings(max_pixels=320 * 240 - 1))
    for items in ([coded(SCENE)], grid(SCENE, 128)):
        with pytest.raises(MediaTooLarge):
            list(read_heic(heic(items), small))
        # It says that it is small.
        items[0].properties = [each for each in items[0].properties if each[0] != b"ispe"] + [size(8, 8)]
        with pytest.raises(MediaTooLarge if items[0].kind == b"grid" else MediaCorrupt):
            list(read_heic(heic(items), small))


@pytest.mark.parametrize(
    "said",
    [b"", bytes([0, 0, 0, 0]) + struct.pack(">HH", 320, 240), bytes([0, 0, 1, 2]) + struct.pack(">HH", 32, 24)],
    ids=["nothing", "fewer tiles", "tiles that nobody sees"],
)
def test_a_grid_that_does_not_fit_is_corrupt(said: bytes) -> None:
    items = grid(SCENE, 128)
    items[0].content = said
    with pytest.raises(MediaCorrupt):
        shown(heic(items))


def test_too_many_pictures() -> None:
    one = coded(scene(3, 64, 64).convert("RGB"))
    with pytest.raises(MediaTooLarge):
        shown(heic([one] * 21))


def test_what_ends_early_is_corrupt(pool: DecoderPool) -> None:
    for share in (0.05, 0.3, 0.9):
        with pytest.raises(MediaCorrupt):
            pool.fingerprint(STILL[: int(len(STILL) * share)])


def test_what_is_said_twice_is_refused() -> None:
    """One viewer believes the first, another one the last: each of these would show two pictures to two viewers."""
    other = coded(scene(6).convert("RGB"))
    moved = full(b"iloc", 1, 0, b"\x44\x00", struct.pack(">H", 1), struct.pack(">HHHHII", 1, 0, 0, 1, 0, 9))
    named = full(b"iinf", 0, 0, struct.pack(">H", 1), full(b"infe", 2, 0, struct.pack(">HH", 2, 0), b"Exif", b"\0"))
    for more in (moved, named, full(b"pitm", 0, 0, b"\0\2"), box(b"idat", b"x")):
        with pytest.raises(MediaCorrupt):
            shown(heic([coded(SCENE), other], more=more))
    with pytest.raises(MediaCorrupt):
        shown(heic([coded(SCENE)], tail=box(b"meta", bytes(4))))
    for twice in ((b"irot", b"\2"), coded(SCENE).properties[0], (b"ispe", bytes(12))):
        with pytest.raises(MediaCorrupt):
            shown(heic([coded(SCENE, (b"irot", b"\1"), twice)]))
    linked = coded(SCENE)
    linked.refers = [(b"thmb", [2]), (b"thmb", [1])]
    with pytest.raises(MediaCorrupt):
        shown(heic([linked, other]))


def test_no_reference_hides_a_picture() -> None:
    for hiding in (
        [Made(b"mime", b"x", [], [(b"dimg", [2])])],
        [Made(b"tmap", b"x", [], [(b"dimg", [1, 2])])],
        [],
    ):
        hidden = coded(scene(6).convert("RGB"))
        hidden.refers += [(b"dimg", [2]), (b"auxl", [1])]
        found = shown(heic([coded(SCENE), hidden, *hiding]))
        assert len(found) == 2
        assert near(found[1], np.asarray(scene(6).convert("RGB")))


def test_a_grid_that_shows_a_corner_of_its_tile_is_seen_uncut_too() -> None:
    items = grid(SCENE.crop((0, 0, 64, 64)), 64)
    items[0].content = bytes(4) + struct.pack(">HH", 8, 8)
    corner, whole = shown(heic(items))
    assert corner.shape == (8, 8, 3)
    assert near(whole, np.asarray(SCENE)[:64, :64])


def test_tiles_that_are_turned_by_themselves_are_not_guessed_at() -> None:
    items = grid(SCENE, 128)
    items[2].properties.append((b"irot", b"\2"))
    with pytest.raises(MediaUnsupported):
        shown(heic(items))


@pytest.mark.parametrize("wrong", ["tiles", "size", "turned"])
def test_transparency_that_cannot_be_read_is_not_passed_over(wrong: str) -> None:
    """It may be all that is seen."""
    picture = scene(77).convert("RGB")
    alpha = coded(picture if wrong != "size" else picture.resize((160, 120)))
    alpha.properties.append((b"auxC", bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"))
    alpha.refers.append((b"auxl", [1]))
    if wrong == "tiles":
        alpha.kind = b"grid"
    if wrong == "turned":
        alpha.properties.append((b"irot", b"\2"))
    with pytest.raises(MediaUnsupported):
        shown(heic([coded(SCENE), alpha]))


def test_work_is_bounded_by_the_file() -> None:
    with pytest.raises(MediaCorrupt):
        shown(heic([coded(SCENE, *[(b"pasp", bytes([number])) for number in range(100)])]))
    items = grid(SCENE, 32)
    for tile in items[1:]:
        tile.content = tile.content + bytes(10)
    data = read_items(heic(items))
    for item in data.by_number.values():
        item.extents = [(0, 0, len(data.data))]
    with pytest.raises(MediaTooLarge):
        [data.bytes_of(item) for item in data.by_number.values()]


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_list_of_items_is_read_or_corrupt(content: bytes) -> None:
    for name in (b"iloc", b"iinf", b"iref", b"pitm", b"iprp"):
        data = box(b"meta", bytes(4), box(name, content))
        with contextlib.suppress(MediaCorrupt):
            assert all(0 <= number < 2**32 for number in read_items(data).by_number)


@pytest.mark.timeout(300)
def test_mutations(pool: DecoderPool) -> None:
    chance, data = random.Random("seawall heic"), heic(grid(scene(7, 60, 80).convert("RGB"), 64))
    outcomes = Counter(outcome(pool, mutated(data, written(SCENE, "PNG"), chance)) for _ in range(MUTATIONS))
    assert not CRASHES & set(outcomes), outcomes
