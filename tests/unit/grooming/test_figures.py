from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.grooming.figures import f_score, resampled, share, threshold_for


def test_shares_come_with_the_interval_of_wilson() -> None:
    figure = share(8, 10)
    assert figure.value == 0.8
    assert figure.low == pytest.approx(0.4902, abs=1e-4)
    assert figure.high == pytest.approx(0.9433, abs=1e-4)
    assert share(0, 0).value is None
    assert str(share(0, 0)) == "-"


def test_f_weighs_being_right_more() -> None:
    assert f_score(10, 10, 10) == 1
    assert f_score(0, 10, 10) == 0
    assert f_score(5, 5, 10) == pytest.approx(0.8333, abs=1e-4)
    assert f_score(5, 10, 5) == pytest.approx(0.5556, abs=1e-4)


def test_resampling_holds_the_value_and_is_the_same_each_time() -> None:
    rows = [(float(number),) for number in range(100)]
    figure = resampled(rows, lambda table: float(table.mean()))
    assert figure == resampled(rows, lambda table: float(table.mean()))
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < 49.5 < figure.high
    assert resampled([], lambda table: float(table.mean())).value is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.5]))
def test_no_more_than_the_rate_reach_the_threshold_and_a_lower_one_would_let_more(
    scores: list[float], rate: float
) -> None:
    threshold = threshold_for(scores, rate)
    assert sum(score >= threshold for score in scores) <= rate * len(scores) + 1e-9
    below = max((score for score in scores if score < threshold), default=None)
    assert below is None or sum(score >= below for score in scores) > rate * len(scores) - 1e-9
