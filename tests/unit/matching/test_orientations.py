"""The other orientations from the hash alone: near those of the picture, and a group as turning a square is one."""

from __future__ import annotations

import numpy as np
import pytest

from seawall.demo.pictures import SCENES
from seawall.fingerprints.pdq import hash_picture
from seawall.matching.orientations import orientations_of, with_orientations
from seawall.records import Digests, Fingerprint, Frame, Orientation


@pytest.mark.parametrize("scene", SCENES)
def test_near_those_of_the_picture_truly_turned(scene: str) -> None:
    pixels = SCENES[scene](np.random.default_rng(77))[::3, ::3].copy()
    true = np.frombuffer(b"".join(hash_picture(pixels).orientations), dtype=np.uint64).reshape(8, 4)
    derived = orientations_of(true[:1])[0]
    assert (derived[0] == true[0]).all()
    assert np.bitwise_count(derived ^ true).sum(axis=1).max() <= 28


def test_turning_a_turned_one_gives_the_same_eight() -> None:
    random = np.random.default_rng(5)
    one = np.frombuffer(random.bytes(32), dtype=np.uint64).reshape(1, 4)
    eight = {row.tobytes() for row in orientations_of(one)[0]}
    assert len(eight) == 8
    for row in orientations_of(one)[0]:
        assert {turned.tobytes() for turned in orientations_of(row.reshape(1, 4))[0]} == eight


def test_none_at_all() -> None:
    assert orientations_of(np.zeros((0, 4), dtype=np.uint64)).shape == (0, 8, 4)


def test_only_what_is_missing_is_derived() -> None:
    whole = Frame(1, tuple(bytes([number]) * 32 for number in range(8)), 90)
    upright = Frame(0, (bytes(range(32)),), None)
    filled = with_orientations(Fingerprint(Digests(), frames=(upright, whole)))
    assert filled.frames[1] == whole
    assert filled.frames[0].pdq == upright.pdq
    assert len(filled.frames[0].orientations) == len(Orientation)
    assert with_orientations(filled) == filled
