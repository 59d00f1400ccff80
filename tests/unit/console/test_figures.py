"""The plots and words of the page of numbers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from seawall.cases.numbers import DayAtDesk, Reviewed
from seawall.console import figures
from seawall.console.plots import DAYS, HEIGHT

TODAY = date(2026, 6, 30)


def ninety(**of_today: object) -> list[DayAtDesk]:
    """Ninety days of nothing but what is said of the last."""
    days = [DayAtDesk(TODAY - timedelta(days=back), 0, 0, 0, None, None, 0) for back in range(DAYS - 1, 0, -1)]
    nothing = {"opened": 0, "closed": 0, "items": 0, "median_s": None, "most_s": None, "looks": 0}
    return [*days, DayAtDesk(TODAY, **{**nothing, **of_today})]  # type: ignore[arg-type]


def test_nothing_happened() -> None:
    flow, waiting, time, looks = figures.figures(ninety(), 0)
    assert (flow.bars, looks.bars, time.line.path) == ((), (), "")
    assert flow.said == "0 cases opened, 0 cases closed"
    assert waiting.line.path.startswith(f"M0 {HEIGHT}H")
    assert time.said == "No item was decided in these days"


def test_what_waited_is_reckoned_back_from_now() -> None:
    waiting = figures.figures(ninety(opened=5, closed=2), 10)[1]
    assert waiting.said == "10 cases now"
    assert waiting.most == "10 at most"
    # Seven waited on every day before, ten at the end of the last: the line rises at its end alone.
    assert waiting.line.path.count("V") == DAYS - 1
    heights = {float(part.split("H")[0]) for part in waiting.line.path.split("V")[1:-1]}
    assert heights == {round(HEIGHT - 7 / 10 * (HEIGHT - 4), 4)}


def test_time_is_said_of_the_last_day_with_a_decision() -> None:
    time = figures.figures(ninety(items=4, median_s=600.0, most_s=7200.0), 0)[2]
    assert time.said == "4 items decided; on the last such day half within 10 min, nine tenths within 2.0 h"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h"), (129_600, "1.5 days")]
)
def test_a_span_is_said_in_its_largest_fitting_unit(seconds: float, said: str) -> None:
    assert figures.span(seconds) == said


def test_a_list_that_nobody_decided_about_has_no_share() -> None:
    known, unknown = figures.list_rows([Reviewed("A list", 9, 1, 2, 1), Reviewed("Another", 0, 0)])
    assert (known.share, known.between) == ("90.0%", "59.6% to 98.2%")
    assert (known.overturned_share, known.overturned_between) == ("50.0%", "9.5% to 90.5%")
    assert (unknown.share, unknown.between, unknown.overturned_share, unknown.overturned_between) == ("", "", "", "")
