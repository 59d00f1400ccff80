"""The page of numbers: how the desk does, drawn over ninety days and said in words. Totals of the team alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from seawall.cases.agreement import Agreement
from seawall.cases.numbers import DayAtDesk, Reviewed
from seawall.console import plots
from seawall.console.plots import HEIGHT, NO_LINE, WIDTH, Bar, Line
from seawall.console.wording import HARM_CLASSES, counted
from seawall.intervals import wilson
from seawall.records import HarmClass


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot with its title, what it comes to, and the largest value in words."""

    name: str
    title: str
    said: str
    most: str
    bars: tuple[Bar, ...] = ()
    line: Line = NO_LINE
    first: date | None = None
    last: date | None = None
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class ListRow:
    """How often what a list met was confirmed by whoever decided: the share, and the interval that 95 of 100 such
    samples have the true share in; and so of the decided appeals against it the share that was overturned. Shares
    and intervals are empty where nothing was decided."""

    name: str
    decided: int
    confirmed: int
    share: str
    between: str
    appealed: int
    overturned: int
    overturned_share: str
    overturned_between: str


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """How often a blind review said the same of what one policy had judged; `kappa` is empty where there is none."""

    policy: str
    about: str
    reviews: int
    agreed: int
    share: str
    between: str
    kappa: str


def figures(days: Sequence[DayAtDesk], waiting: int) -> tuple[Figure, ...]:
    """The plots of these days, one after another without a gap, of which the last is today; and how many cases wait
    now."""
    first, last = days[0].day, days[-1].day
    backlog = _backlog(days, waiting)
    medians = [None if day.median_s is None else day.median_s / 3600 for day in days]
    decided = sum(day.items for day in days)
    return (
        Figure(
            "flow",
            "Cases opened and closed",
            f"{counted(sum(day.opened for day in days), 'case')} opened, "
            f"{counted(sum(day.closed for day in days), 'case')} closed",
            f"{max(day.opened + day.closed for day in days):,} a day at most",
            bars=plots.bars([(day.opened, day.closed) for day in days]),
            first=first,
            last=last,
        ),
        Figure(
            "waiting",
            "Cases that wait",
            f"{counted(waiting, 'case')} now",
            f"{max(backlog):,} at most",
            line=plots.steps(backlog),
            first=first,
            last=last,
        ),
        Figure(
            "time",
            "Time to a decision",
            _time_said(days, decided),
            "half of a day's items were decided within this time",
            line=plots.steps(medians),
            first=first,
            last=last,
        ),
        Figure(
            "looks",
            "Looks at evidence",
            f"{counted(sum(day.looks for day in days), 'look')} by the whole team",
            f"{max(day.looks for day in days):,} a day at most",
            bars=plots.bars([(day.looks, 0) for day in days]),
            first=first,
            last=last,
        ),
    )


def list_rows(lists: Sequence[Reviewed]) -> tuple[ListRow, ...]:
    """The lists by name, each with its share and how sure that is."""
    return tuple(_list_row(each) for each in lists)


def agreement_rows(found: Sequence[Agreement]) -> tuple[AgreementRow, ...]:
    """Each policy and harm class, with how sure the share is."""
    return tuple(
        AgreementRow(
            each.policy,
            HARM_CLASSES[HarmClass(each.harm_class)],
            each.reviews,
            each.agreed,
            *_share(each.agreed, each.reviews),
            "" if each.kappa is None else f"{each.kappa:.2f}",
        )
        for each in found
    )


def span(seconds: float) -> str:
    """A duration in its largest fitting unit: ``40 s``, ``12 min``, ``3.5 h``, ``2.1 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / timedelta(days=1).total_seconds():.1f} days"


def _backlog(days: Sequence[DayAtDesk], waiting: int) -> list[int]:
    """How many waited at the end of each day, reckoned back from now: a case that was opened again counts from its
    last opening alone, so that it is never below nought."""
    ends = [waiting]
    for day in reversed(days[1:]):
        ends.append(max(0, ends[-1] - day.opened + day.closed))
    return ends[::-1]


def _time_said(days: Sequence[DayAtDesk], decided: int) -> str:
    with_time = [(day.median_s, day.most_s) for day in days if day.median_s is not None and day.most_s is not None]
    if not with_time:
        return "No item was decided in these days"
    median, most = with_time[-1]
    return (
        f"{counted(decided, 'item')} decided; on the last such day half within {span(median)}, "
        f"nine tenths within {span(most)}"
    )


def _list_row(each: Reviewed) -> ListRow:
    return ListRow(
        each.list,
        each.decided,
        each.confirmed,
        *_share(each.confirmed, each.decided),
        each.appealed,
        each.overturned,
        *_share(each.overturned, each.appealed),
    )


def _share(part: int, whole: int) -> tuple[str, str]:
    """A share and its interval, in words."""
    if not whole:
        return "", ""
    low, high = wilson(part, whole)
    return f"{part / whole:.1%}", f"{low:.1%} to {high:.1%}"
