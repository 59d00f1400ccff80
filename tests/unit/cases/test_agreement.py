"""Cohen's kappa, against worked values."""

from __future__ import annotations

import pytest

from seawall.cases.agreement import kappa


# J. L. Fleiss, B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions" (2003), table 18.1: 0.676. The
# others are the worked examples of textbooks: the same agreement of 0.6 and other margins give 0.1304 and 0.2593.
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.6765),
        ([[20, 5], [10, 15]], 0.4),
        ([[45, 15], [25, 15]], 0.1304),
        ([[25, 35], [5, 35]], 0.2593),
        ([[50, 0], [0, 50]], 1.0),
        ([[25, 25], [25, 25]], 0.0),
        ([[0, 50], [50, 0]], -1.0),
    ],
)
def test_kappa_is_what_was_published(rows: list[list[int]], expected: float) -> None:
    table = {(str(one), str(other)): number for one, row in enumerate(rows) for other, number in enumerate(row)}
    assert kappa(table) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("table", [{}, {("confirm", "confirm"): 9}])
def test_without_a_choice_there_is_none(table: dict[tuple[str, str], int]) -> None:
    assert kappa(table) is None
