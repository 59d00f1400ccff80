"""The shapes of ninety days of a list."""

from __future__ import annotations

from datetime import date, timedelta

from seawall.console.plots import DAYS, HEIGHT, STEP, first_day
from seawall.console.trends import trend
from seawall.hashlists.counts import Day

TODAY = date(2026, 6, 30)


def ago(days: int, entries: int | None = None, matches: int = 0, late: int = 0) -> Day:
    return Day(TODAY - timedelta(days=days), entries, matches, late)


def test_nothing_known_draws_nothing() -> None:
    empty = trend((), TODAY)
    assert (empty.line, empty.area, empty.bars, empty.days) == ("", "", (), ())
    assert empty.growth == "Nothing is known of its size in these days"
    assert empty.met == "No match in 90 days"


def test_one_day_is_one_step_at_the_right() -> None:
    single = trend([ago(0, 5, matches=2)], TODAY)
    assert single.line == f"M{(DAYS - 1) * STEP} 4H{DAYS * STEP}"
    (bar,) = single.bars
    assert (bar.x, bar.top, bar.height, bar.late_height) == ((DAYS - 1) * STEP, 4, HEIGHT - 4, 0)
    assert single.growth == "5 entries; the list is younger than 90 days"


def test_the_size_before_the_days_is_where_the_line_begins() -> None:
    grown = trend([ago(DAYS + 3, 10), ago(0, 40)], TODAY)
    assert grown.line.startswith("M0 55H4V55H8")
    assert grown.line.endswith(f"V4H{DAYS * STEP}")
    assert grown.growth == "40 entries, 30 more than 90 days ago"
    assert [day.day for day in grown.days] == [TODAY]


def test_a_list_that_was_emptied_lies_on_the_ground() -> None:
    emptied = trend([ago(DAYS + 3, 0), ago(3, 0)], TODAY)
    assert emptied.line.startswith(f"M0 {HEIGHT}H4")
    assert emptied.growth == "0 entries, as many as 90 days ago"


def test_a_list_that_shrank_says_so() -> None:
    assert trend([ago(100, 1500), ago(5, 100)], TODAY).growth == "100 entries, 1,400 fewer than 90 days ago"


def test_late_matches_stand_on_those_of_the_day() -> None:
    days = [ago(1, matches=3, late=1), ago(0, late=2)]
    first, second = trend(days, TODAY).bars
    assert (first.late_top, first.top) == (4, 4 + 17)
    assert first.top + first.height == HEIGHT
    assert (second.height, second.late_top + second.late_height) == (0, HEIGHT)
    assert trend(days, TODAY).met == "6 matches, 3 of what was there already"


def test_the_first_day_is_the_ninetieth_with_today() -> None:
    assert (TODAY - first_day(TODAY)).days == DAYS - 1
