"""The demo's pictures are the same everywhere and far from each other; its edits do what they say."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from seawall.demo import material
from seawall.demo.edits import EDITS, Edit, altered
from seawall.demo.material import Originals
from seawall.demo.pictures import LISTED, UNRELATED
from seawall.demo.trials import Expected, all_trials
from seawall.fingerprints import pdq
from seawall.fingerprints.pdq import PdqResult
from seawall.hashlists.formats import read_entries
from seawall.records import BadLine

pytestmark = pytest.mark.usefixtures("compiled_cache")


@pytest.fixture(scope="module")
def originals() -> Originals:
    return material.draw_all()


def hashed(data: bytes) -> PdqResult:
    with Image.open(io.BytesIO(data)) as image:
        return pdq.hash_picture(np.asarray(image.convert("RGB")))


def distance(first: bytes, second: bytes) -> int:
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()


def test_pictures_are_large_distinct_and_of_full_quality(originals: Originals) -> None:
    results = {picture: hashed(data) for picture, data in originals.items()}
    assert {result.quality for result in results.values()} == {100}
    for first, second in itertools.combinations(results, 2):
        nearest = min(distance(results[first].orientations[0], other) for other in results[second].orientations)
        assert nearest > 60, (first.name, second.name)
    assert {Image.open(io.BytesIO(data)).size for data in originals.values()} == {(1200, 900)}


def test_drawing_twice_gives_the_same() -> None:
    for picture in (*LISTED[::3], *UNRELATED[::3]):
        assert np.array_equal(picture.draw(), picture.draw())


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_changes_the_bytes_and_says_its_format(originals: Originals, edit: Edit) -> None:
    original = originals[LISTED[0]]
    data = altered(edit, original)
    assert data != original
    expected = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP", "tiff": "TIFF"}[edit.extension]
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == expected


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("palette", "P"),
        ("gif", "P"),
        ("cmyk", "CMYK"),
        ("grey", "L"),
        ("sixteen-bit", "I;16"),
        ("alpha", "RGBA"),
        ("lab", "LAB"),
    ],
)
def test_the_colours_are_kept_as_the_edit_says(originals: Originals, name: str, mode: str) -> None:
    with Image.open(io.BytesIO(altered(_edit(name), originals[LISTED[0]]))) as image:
        assert image.mode == mode


@pytest.mark.parametrize(("name", "tag"), [("exif-90", 6), ("exif-180", 3), ("exif-mirrored", 2)])
def test_exif_turns_back_what_was_stored_turned(originals: Originals, name: str, tag: int) -> None:
    from PIL import ImageOps

    original = originals[LISTED[0]]
    with Image.open(io.BytesIO(altered(_edit(name), original))) as stored, Image.open(io.BytesIO(original)) as wanted:
        assert stored.getexif()[ExifTags.Base.Orientation] == tag
        shown, wanted_pixels = np.asarray(ImageOps.exif_transpose(stored), int), np.asarray(wanted, int)
        assert np.abs(shown - wanted_pixels).mean() < 3
        assert stored.size != wanted.size or np.abs(np.asarray(stored, int) - wanted_pixels).mean() > 10


def test_list_files_hold_what_the_policy_needs_to_tell_both_ways(originals: Originals, tmp_path: Path) -> None:
    material.write_lists(tmp_path, originals)
    entries = {}
    for name in (material.FIRST_FILE, material.SECOND_FILE):
        with (tmp_path / name).open("rb") as file:
            entries[name] = list(read_entries(file, filename=name))
        assert not any(isinstance(entry, BadLine) for entry in entries[name])
    first, second = entries[material.FIRST_FILE], entries[material.SECOND_FILE]
    assert len(first) == 10
    assert all(entry.sha256 and entry.pdq for entry in first)
    assert len(second) == 5
    assert all(entry.pdq and not entry.sha256 for entry in second)


def test_samples_are_one_file_a_picture_and_an_edit(originals: Originals, tmp_path: Path) -> None:
    assert not material.is_made(tmp_path)
    material.write_samples(tmp_path, originals)
    assert material.is_made(tmp_path)
    counts = {folder.name: len(list(folder.iterdir())) for folder in tmp_path.iterdir() if folder.is_dir()}
    assert counts == {"listed": 10, "altered": len(EDITS), "unrelated": 10}


def test_trials_try_every_edit_both_ways(originals: Originals) -> None:
    trials = list(all_trials(originals))
    copies = [trial for trial in trials if trial.account == "test-altered"]
    for edit in EDITS:
        verdicts = [trial.expected for trial in copies if trial.done == edit.done]
        assert verdicts == [Expected.HOLD, Expected.BLOCK]
    assert len({trial.data for trial in trials}) == len(trials)
    assert {trial.expected for trial in trials} == set(Expected)


def _edit(name: str) -> Edit:
    return next(edit for edit in EDITS if edit.name == name)
