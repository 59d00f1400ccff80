"""Sets of rows as bitmaps, against Python's own sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.matching import kernels
from seawall.matching.bitmaps import as_bools, count_of, no_rows, with_rows

ROWS = st.integers(1, 300).flatmap(
    lambda rows: st.tuples(st.just(rows), st.lists(st.integers(0, rows - 1)), st.lists(st.integers(0, rows - 1)))
)


@settings(deadline=None)
@given(ROWS)
def test_what_is_put_in_is_in(case: tuple[int, list[int], list[int]]) -> None:
    rows, first, second = case
    one = with_rows(no_rows(rows), np.array(first, dtype=np.int64))
    both = with_rows(one, np.array(second, dtype=np.int32))
    for bitmap, expected in ((one, set(first)), (both, {*first, *second})):
        assert count_of(bitmap) == len(expected)
        assert np.flatnonzero(as_bools(bitmap, rows)).tolist() == sorted(expected)
        assert [kernels.has_row(bitmap, row) for row in range(rows)] == [row in expected for row in range(rows)]


def test_there_may_be_no_rows() -> None:
    assert no_rows(0).shape == (0,)
    assert count_of(no_rows(0)) == 0
    assert as_bools(no_rows(0), 0).shape == (0,)
    assert with_rows(no_rows(0), np.zeros(0, dtype=np.int64)).shape == (0,)
