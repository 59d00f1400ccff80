"""What `seawall lists stats` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.cli.tables import moment
from seawall.hashlists.counts import Day
from seawall.hashlists.store import ListSummary


def document(days: Sequence[Day], since: date) -> dict[str, object]:
    """The days of one list for JSON; `entries_before` is its size before the first of them, where that is known."""
    before = [day.entries for day in days if day.day < since]
    return {
        "since": since.isoformat(),
        "entries_before": before[-1] if before else None,
        "days": [
            {
                "day": day.day.isoformat(),
                "entries": day.entries,
                "matches": day.matches,
                "late_matches": day.late_matches,
            }
            for day in days
            if day.day >= since
        ],
    }


def print_stats(shown: Sequence[tuple[ListSummary, Sequence[Day]]], since: date) -> None:
    """A table of all lists, and one of the days of each list that has any."""
    if not shown:
        typer.echo("There are no lists. `seawall lists import FILE --name NAME` makes one.")
        return
    console = Console()
    table = Table("Name", "Entries", "Hashes", "Disputed", "Growth", "Matches", "Late", "Changed (UTC)")
    for summary, days in shown:
        recent = [day for day in days if day.day >= since]
        sizes = [day.entries for day in days if day.entries is not None]
        table.add_row(
            Text(summary.info.name),
            f"{summary.entries:,}",
            "\n".join(f"{number:,} {kind.value}" for kind, number in summary.hashes.items() if number),
            f"{summary.disputed:,}",
            f"{summary.entries - sizes[0]:+,}" if sizes else "",
            f"{sum(day.matches for day in recent):,}",
            f"{sum(day.late_matches for day in recent):,}",
            moment(summary.updated_at),
        )
    console.print(table)
    for summary, days in shown:
        by_day = Table("Day (UTC)", "Entries", "Matches", "Late matches", title=Text(summary.info.name))
        for day in days:
            if day.day >= since:
                entries = "" if day.entries is None else f"{day.entries:,}"
                by_day.add_row(day.day.isoformat(), entries, f"{day.matches:,}", f"{day.late_matches:,}")
        if by_day.row_count:
            console.print(by_day)
