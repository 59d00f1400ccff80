"""No scheme lets anything within reach escape."""

from __future__ import annotations

import pytest

from seawall.matching.schemes import FAR, QUICKEST, Scheme, masks_of, scheme_for
from seawall.records import FARTHEST_DISTANCE


def test_it_looks_as_far_as_lists_may_ask() -> None:
    assert FAR == FARTHEST_DISTANCE


@pytest.mark.parametrize("fewest", [fewest for fewest, _ in QUICKEST])
@pytest.mark.parametrize("farthest", range(FAR + 1))
def test_the_radii_plus_one_sum_to_more_than_the_distance(fewest: int, farthest: int) -> None:
    scheme = scheme_for(fewest)
    assert scheme is not None
    assert sum(scheme.widths) == 256
    assert sum(radius + 1 for radius in scheme.radii_within(farthest)) > farthest


def test_few_are_all_compared() -> None:
    assert scheme_for(0) is None
    assert scheme_for(QUICKEST[-1][0] - 1) is None


@pytest.mark.parametrize("radii", [(1,) * 15 + (0,), (0,) * 16])
def test_a_scheme_that_something_could_escape_is_none(radii: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="escape"):
        Scheme((16,) * 16, radii)


@pytest.mark.parametrize("radius", range(-1, 4))
def test_masks_are_all_ways_to_flip_so_many_bits(radius: int) -> None:
    expected = [mask for mask in range(1 << 9) if mask.bit_count() <= radius]
    assert masks_of(9, radius).tolist() == expected


@pytest.mark.parametrize("hashes", [5_000, 1_000_000, 2_000_000, 17_000_000])
def test_a_chunk_takes_bits_of_frequencies_that_lie_apart(hashes: int) -> None:
    scheme = scheme_for(hashes)
    assert scheme is not None
    order, chunk_of = scheme.order.tolist(), scheme.chunk_of.tolist()
    assert sorted(order) == list(range(256))
    for chunk, (start, width) in enumerate(zip(scheme.starts, scheme.widths, strict=True)):
        bits = order[start : start + width]
        assert {chunk_of[bit] for bit in bits} == {chunk}
        places = [divmod(bit ^ 248, 16) for bit in bits]
        apart = [abs(one[0] - other[0]) + abs(one[1] - other[1]) for one in places for other in places]
        close = sum(0 < distance <= 2 for distance in apart)
        # The widths do not divide the square evenly, so that a few bits spill over into the next chunk.
        assert close <= 12


@pytest.mark.parametrize("chunks", range(1, 33))
def test_every_number_of_chunks_has_an_order(chunks: int) -> None:
    widths = tuple(256 // chunks + (chunk < 256 % chunks) for chunk in range(chunks))
    if max(widths) <= 26:
        scheme = Scheme(widths, (31,) * chunks)
        assert sorted(scheme.order.tolist()) == list(range(256))
        assert scheme.chunk_of.tolist().count(0) == widths[0]
