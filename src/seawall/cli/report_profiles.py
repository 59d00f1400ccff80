"""`seawall reports profiles`: what each jurisdiction wants of whoever finds abuse material."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seawall.reporting.jurisdictions import Profile

TO_FILL_IN = "to be filled in by you, in the file that SEAWALL_JURISDICTIONS_FILE names"


def profiles(
    code: Annotated[str, typer.Argument(help="One jurisdiction, as GB. Without it: all of them, in short.")] = "",
) -> None:
    """Show to whom each jurisdiction wants reports to go, by when, what is kept for how long, and whom to call.

    They are data with their sources and dates, and no legal advice. A file of your own replaces what it names.

    Example: seawall reports profiles GB
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.cli.context import open_settings
    from seawall.reporting import jurisdictions

    own_file = open_settings().jurisdictions_file
    if code:
        for line in _lines(jurisdictions.profile(code, own_file)):
            typer.echo(line)
        return
    table = Table("Code", "Jurisdiction", "As of", "Hours", "Kept", "Call", "Yours")
    for each in jurisdictions.profiles(own_file).values():
        hours = ", ".join(f"{clock.code} {clock.hours} h" for clock in each.clocks if clock.hours is not None)
        kept = ", ".join(f"{one.code} {one.lasts}" for one in each.retention)
        calls = ", ".join(call.number for call in each.calls if call.number)
        yours = ", ".join(sorted(each.own - {"as_of"}))
        table.add_row(each.code, each.name, f"{each.as_of:%Y-%m-%d}", hours or "none named", kept, calls, yours)
    Console().print(table)


def _lines(found: Profile) -> Iterator[str]:
    yield f"{found.code}, {found.name}, as of {found.as_of:%Y-%m-%d}"
    if found.own:
        yield f"From your own file: {', '.join(sorted(found.own))}"
    yield "To whom"
    for authority in found.authorities:
        yield f"  {authority.name}. {authority.how} [{authority.source}]"
        yield f"    Address: {authority.address or TO_FILL_IN}"
    yield "By when"
    for clock in found.clocks:
        hours = "" if clock.hours is None else f"{clock.hours} hours. "
        yield f"  {clock.code}: {hours}{clock.says} [{clock.source}]"
    yield "Kept"
    for one in found.retention:
        yield f"  {one.code}: {one.lasts} from {one.counts_from}. {one.says} [{one.source}]"
    if not found.retention:
        yield "  Nothing is said here of how long."
    yield "Whom to call"
    for call in found.calls:
        yield f"  {call.number or TO_FILL_IN}: {call.who} [{call.source}]"
