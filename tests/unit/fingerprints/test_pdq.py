"""PDQ against the reference's stored results, against its own definition, and against the published hashes."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from seawall.fingerprints.pdq import hash_picture
from seawall.records import Orientation
from tests.vectors import pictures

pytestmark = pytest.mark.usefixtures("compiled_cache")

VECTORS: list[dict[str, Any]] = json.loads((Path(pictures.__file__).parent / "pdq_reference.json").read_text())[
    "vectors"
]
PUBLISHED = Path(__file__).parents[4] / "shared" / "conformance" / "pdq"
# Beyond this distance from the median, rounding in float32 cannot decide a bit; coefficients reach into the hundreds.
ROUNDING = 0.01
UNDOES = {"rotated-90": "rotated-270", "rotated-270": "rotated-90"}


def bits_apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def box_filtered(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The blur along the first axis as PDQ defines it: one mean at a time, in float64."""
    length = values.shape[0]
    window = -(-length // 128)
    half = (window + 2) // 2
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    first = np.maximum(np.arange(length) - (window - half), 0)
    end = np.minimum(np.arange(length) + half, length)
    return (sums[end] - sums[first]) / (end - first)[:, None]


def defined_coefficients(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The (16, 16) coefficients by the definition, over the whole picture and without a trick."""
    luma = picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    for _ in range(2):
        luma = box_filtered(box_filtered(luma.T).T)
    places = [(2 * np.arange(64) + 1) * length // 128 for length in luma.shape]
    grid = luma[np.ix_(*places)]
    basis = np.cos(np.pi / 128 * np.outer(np.arange(1, 17), 2 * np.arange(64) + 1)) * np.sqrt(2 / 64)
    return basis @ grid @ basis.T


def undecided(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of the 256 bits, highest frequency first, lie so near to the median that rounding decides them."""
    flat = defined_coefficients(picture).reshape(256)
    distance = np.abs(flat - np.sort(flat)[127])
    near: NDArray[np.bool_] = (distance < ROUNDING)[::-1]
    return near


def as_bits(value: bytes) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(value, dtype=np.uint8)).astype(np.bool_)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: "-".join(map(str, vector["recipe"])))
def test_equals_the_reference(vector: dict[str, Any]) -> None:
    """Upright and for each turned picture; only a bit that rounding decides in the reference may differ."""
    picture = pictures.make(*vector["recipe"])
    assert hashlib.sha256(picture.tobytes()).hexdigest() == vector["pixels_sha256"]
    assert hash_picture(picture).quality == vector["quality"]
    for name, turned in pictures.turned(picture):
        ours = hash_picture(np.ascontiguousarray(turned)).orientations[0]
        expected = bytes.fromhex(vector["hashes"][name])
        if ours != expected:
            differ = as_bits(ours) != as_bits(expected)
            assert not (differ & ~undecided(turned)).any(), f"{name}: {differ.sum()} bits"


def test_nearly_every_vector_is_bit_identical() -> None:
    """The allowance above is for a few degenerate pictures, not a way out."""
    plain = [vector for vector in VECTORS if vector["recipe"][0] not in pictures.DEGENERATE]
    equal = sum(
        hash_picture(pictures.make(*vector["recipe"])).orientations[0].hex() == vector["hashes"]["upright"]
        for vector in plain
    )
    assert len(plain) > 50
    assert equal >= len(plain) - 2


@pytest.mark.parametrize(
    "recipe", [("landscape", 3, 512, 512), ("shapes", 4, 333, 640), ("landscape", 5, 1003, 700)], ids=str
)
def test_each_orientation_names_what_was_done_to_the_picture(recipe: tuple[str, int, int, int]) -> None:
    """A listed picture is turned; the hash under that turn's name is the listed picture's own, to the bit."""
    listed = pictures.make(*recipe)
    listed_hash = hash_picture(listed).orientations[0]
    for number, (name, query) in enumerate(pictures.turned(listed)):
        assert list(Orientation)[number] == name
        hashes = hash_picture(np.ascontiguousarray(query)).orientations
        assert bits_apart(hashes[number], listed_hash) <= 2
        assert [bits_apart(value, listed_hash) <= 31 for value in hashes].count(True) == 1


@pytest.mark.parametrize("vector", VECTORS[:40:3], ids=lambda vector: "-".join(map(str, vector["recipe"])))
def test_orientations_are_the_reference_hashes_of_the_turned_picture(vector: dict[str, Any]) -> None:
    hashes = hash_picture(pictures.make(*vector["recipe"])).orientations
    for orientation, ours in zip(Orientation, hashes, strict=True):
        turned_back = UNDOES.get(orientation.value, orientation.value)
        assert bits_apart(ours, bytes.fromhex(vector["hashes"][turned_back])) <= 2


def test_grey_array_equals_grey_in_three_colours() -> None:
    picture = pictures.make("grey", 7, 300, 500)
    assert hash_picture(np.ascontiguousarray(picture[:, :, 0])) == hash_picture(picture)


def test_a_very_wide_picture_takes_the_turned_path_and_agrees() -> None:
    wide = pictures.make("landscape", 8, 24, 20_000)
    tall = np.ascontiguousarray(wide.swapaxes(0, 1))
    transposed = list(Orientation).index(Orientation.TRANSPOSED)
    assert hash_picture(wide).orientations[0] == hash_picture(tall).orientations[transposed]


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (4, 4), (4, 100)])
def test_too_small_for_a_hash(shape: tuple[int, int]) -> None:
    result = hash_picture(np.full((*shape, 3), 77, dtype=np.uint8))
    assert result.orientations == (bytes(32),) * 8
    assert result.quality == 0


@pytest.mark.parametrize("shape", [(5, 3_000_000), (3_000_000, 5)])
def test_extreme_shapes_stay_small_in_memory(shape: tuple[int, int]) -> None:
    pixels = np.zeros((*shape, 3), dtype=np.uint8)
    pixels[::2, ::3] = 255
    assert len(hash_picture(pixels).orientations) == 8


@given(height=st.integers(5, 300), width=st.integers(5, 300), seed=st.integers(0, 1000))
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_size_agrees_with_the_definition(height: int, width: int, seed: int) -> None:
    picture = pictures.make("noise", seed, height, width)
    flat = defined_coefficients(picture).reshape(256)
    expected = (flat > np.sort(flat)[127])[::-1]
    differ = as_bits(hash_picture(picture).orientations[0]) != expected
    assert not (differ & ~undecided(picture)).any()


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.uint16), np.zeros(9, np.uint8)],
    ids=["four-channels", "sixteen-bit", "one-axis"],
)
def test_other_arrays_are_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="Pixels must be uint8"):
        hash_picture(pixels)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published pictures are not beside this checkout (../shared)")
def test_stays_near_the_published_hashes() -> None:
    """Meta's own tool read the JPEGs with another decoder: its published hashes differ by up to 12 bits."""
    rows = list(csv.DictReader((PUBLISHED / "expected.csv").read_text().splitlines()))
    assert rows
    for row in rows:
        with Image.open(PUBLISHED / row["path"]) as picture:
            result = hash_picture(np.array(picture.convert("RGB")))
        assert bits_apart(result.orientations[0], bytes.fromhex(row["pdq"])) <= 12, row["path"]
        assert result.quality == int(row["quality"])


def test_importing_the_room_does_not_load_numba() -> None:
    program = "import sys, seawall.fingerprints.pdq, seawall.fingerprints.exact; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def information_of(picture: NDArray[np.uint8]) -> float:
    """By its definition: the whole transform of the 64 x 64 samples, in float64."""
    luma = picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    for _ in range(2):
        luma = box_filtered(box_filtered(luma.T).T)
    grid = luma[np.ix_(*[(2 * np.arange(64) + 1) * length // 128 for length in luma.shape])]
    basis = np.cos(np.pi / 128 * np.outer(np.arange(64), 2 * np.arange(64) + 1)) * np.sqrt(2 / 64)
    basis[0] /= np.sqrt(2)
    energy = (basis @ grid @ basis.T) ** 2
    hashed, lowest = energy[1:17, 1:17].sum(), energy[:17, :17].sum()
    return float(hashed / (hashed + energy.sum() - lowest))


@pytest.mark.parametrize("maker", ["landscape", "noise", "shapes", "stripes"])
def test_the_information_is_that_of_its_definition_however_a_picture_is_turned(maker: str) -> None:
    for _name, picture in pictures.turned(pictures.make(maker, 3, 300, 420)):
        assert hash_picture(picture).information == pytest.approx(information_of(picture), abs=0.001)


@pytest.mark.parametrize(
    ("picture", "low"),
    [
        *((pictures.page_of_print(seed, size), True) for seed, size in enumerate((16, 24, 40))),
        (np.kron(np.indices((50, 50)).sum(axis=0) % 2, np.ones((12, 12))).astype(np.uint8) * 255, True),
        *((pictures.landscape(seed, 480, 640), False) for seed in range(5)),
        *((pictures.shapes(seed, 480, 640), False) for seed in range(5)),
        (pictures.flat(1, 480, 640), False),
    ],
)
def test_text_and_lattices_are_of_low_information(picture: NDArray[np.uint8], low: bool) -> None:
    assert hash_picture(picture).low_information == low
