"""`seawall lists`: hash lists in and out of service. Hashes are never shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from seawall.cli.list_entries import Reason, ask, dispute, remove_entries
from seawall.records import FARTHEST_DISTANCE, HarmClass, Trust

if TYPE_CHECKING:
    from seawall.hashlists.formats.lines import ByteSource
    from seawall.hashlists.store import ImportReport, ListSummary

app = typer.Typer(help="Import, show, enable, disable and remove hash lists.", no_args_is_help=True)
app.command("dispute")(dispute)
app.command("remove-entry")(remove_entries)
BAD_LINES_SHOWN = 20
STDIN = Path("-")

Name = Annotated[str, typer.Argument(help="The list's name.")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="The file; - for standard input.")],
    name: Annotated[str, typer.Option(help="The list to import into; it is made if there is none.")],
    source: Annotated[
        str | None, typer.Option(help="Who stands behind it. Lists of one source do not confirm each other.")
    ] = None,
    trust: Annotated[Trust | None, typer.Option(help="How far an exact hit may act by itself.")] = None,
    harm_class: Annotated[HarmClass | None, typer.Option(help="What the list is about.")] = None,
    max_distance: Annotated[
        int | None, typer.Option(min=0, max=FARTHEST_DISTANCE, help="Bits within which its PDQ hashes match.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="csv, jsonl, vics, icse or lines. Left out: told by the content.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Whose VICS categories they are, as in US.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="One bad line, and nothing goes in.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole list: what it lacks is removed.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Import even if more than half of the list goes or loses hashes.")
    ] = False,
    test: Annotated[bool | None, typer.Option("--test/--no-test", help="Mark the list as test data.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Import a hash list file. It binds on every server at once; importing it again changes nothing.

    Options that describe the list are kept from the last import when left out. A new list is of standard trust,
    about CSAM, at distance 31, and its own source.

    Example: seawall lists import hashes.csv --name ncmec --source NCMEC --trust trusted
    """
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.hashlists.formats import Reading, read_entries
    from seawall.hashlists.store import ImportMode, ListDefinition, import_entries

    settings = open_settings()
    reading = Reading(country.upper() if country else None, settings.minimum_pdq_quality)
    definition = ListDefinition(source, trust, harm_class, max_distance, test)
    with (
        _opened(file) as stream,
        open_database(settings) as database,
        _progress(stream, file) as counted,
        database.transaction() as session,
    ):
        items = read_entries(counted, format, file.name, reading)
        mode = ImportMode(strict=strict, replace=replace, force=force)
        report = import_entries(session, name, items, actor=operator(), definition=definition, mode=mode)
    _print_report(report, as_json)


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="One list only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False,
) -> None:
    """Show the lists with their counts and how fresh they are. Never a hash.

    Example: seawall lists show
    """
    from seawall.cli.context import open_database, open_settings
    from seawall.hashlists.store import get_list, summaries

    with open_database(open_settings()) as database, database.transaction() as session:
        if name is not None:
            get_list(session, name)
        shown = [summary for summary in summaries(session) if name in (None, summary.info.name)]
    if as_json:
        typer.echo(json.dumps([_document(summary) for summary in shown], indent=2))
    else:
        _print_table(shown)


@app.command()
def stats(
    name: Annotated[str | None, typer.Argument(help="One list only.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days to look back.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of tables.")] = False,
) -> None:
    """Show how lists grew and how often they were met, day by day (UTC). Never a hash.

    Example: seawall lists stats ncmec --days 7
    """
    from datetime import timedelta

    from seawall.cli.context import open_database, open_settings
    from seawall.cli.list_stats import document, print_stats
    from seawall.database.tables import now
    from seawall.hashlists import counts
    from seawall.hashlists.store import get_list, summaries

    since = now().date() - timedelta(days=days - 1)
    with open_database(open_settings()) as database, database.transaction() as session:
        if name is not None:
            get_list(session, name)
        by_list = counts.days(session, since)
        shown = [
            (summary, by_list.get(summary.info.list_id, ()))
            for summary in summaries(session)
            if name in (None, summary.info.name)
        ]
    if as_json:
        typer.echo(
            json.dumps([{**_document(summary), **document(found, since)} for summary, found in shown], indent=2)
        )
    else:
        print_stats(shown, since)


@app.command()
def enable(name: Name) -> None:
    """Let a list match again.

    Example: seawall lists enable ncmec
    """
    from seawall.hashlists.store import enable_list

    _do(enable_list, name)
    typer.echo(f"{name} is enabled.")


@app.command()
def disable(name: Name) -> None:
    """Stop a list from matching; its entries stay.

    Example: seawall lists disable ncmec
    """
    from seawall.hashlists.store import disable_list

    _do(disable_list, name)
    typer.echo(f"{name} is disabled.")


@app.command()
def remove(
    name: Name,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a list and all its entries for good, once a second person agrees at the console. To stop it for a while,
    disable it.

    Example: seawall lists remove old-list --reason "The source has closed."
    """
    from seawall.cli.context import open_database, open_settings
    from seawall.request_records import RequestKind
    from seawall.second.lists import list_parameters

    if not yes:
        typer.confirm(f"Remove {name} and all its entries for good?", abort=True)
    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        wanted = list_parameters(session, name)
        done = ask(session, settings, RequestKind.REMOVE_LIST, name, wanted, reason)
    typer.echo(f"{name} is removed." if done is None else done)


def _do(act: Callable[..., object], name: str) -> None:
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        act(session, name, operator())


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    from seawall.errors import BadInput

    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise BadInput(f"{file} cannot be opened ({error.strerror}).", hint="Check who may read it.") from error
    with stream:
        yield stream


@contextmanager
def _progress(stream: BinaryIO, file: Path) -> Iterator[ByteSource]:
    """The stream, with a bar on the terminal that follows it. Standard input has no length, and no bar."""
    if file == STDIN or not sys.stderr.isatty():
        yield stream
        return
    from rich.console import Console
    from rich.progress import wrap_file

    with wrap_file(stream, file.stat().st_size, description="Importing", console=Console(stderr=True)) as watched:
        yield watched


def _print_report(report: ImportReport, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    typer.echo(
        f"{report.list_name}: {report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.removed} removed, {report.repeated} repeated, {report.bad_count} bad lines."
    )
    for bad in report.bad[:BAD_LINES_SHOWN]:
        typer.echo(f"  line {bad.line}: {bad.reason} ({bad.code})", err=True)
    if report.bad_count > BAD_LINES_SHOWN:
        typer.echo(f"  ... and {report.bad_count - BAD_LINES_SHOWN} more bad lines.", err=True)


def _document(summary: ListSummary) -> dict[str, object]:
    info = summary.info
    return {
        "name": info.name,
        "source": info.source,
        "trust": info.trust.value,
        "harm_class": info.harm_class.value,
        "max_distance": info.max_distance,
        "enabled": info.enabled,
        "test": info.is_test,
        "entries": summary.entries,
        "hashes": {kind.value: count for kind, count in summary.hashes.items()},
        "disputed": summary.disputed,
        "created_at": summary.created_at.isoformat(),
        "updated_at": summary.updated_at.isoformat(),
    }


def _print_table(shown: list[ListSummary]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seawall.cli.tables import moment

    if not shown:
        typer.echo("There are no lists. `seawall lists import FILE --name NAME` makes one.")
        return
    table = Table("Name", "Source", "Trust", "About", "State", "Entries", "With", "Updated (UTC)")
    for summary in shown:
        info = summary.info
        state = ["enabled" if info.enabled else "disabled", "test" if info.is_test else ""]
        if info.max_distance < FARTHEST_DISTANCE:
            state.append(f"distance {info.max_distance}")
        if info.quarantined:
            state.append("in quarantine")
        if summary.disputed:
            state.append(f"{summary.disputed} disputed")
        cells = (
            info.name,
            info.source,
            info.trust.value,
            info.harm_class.value,
            "\n".join(filter(None, state)),
            str(summary.entries),
            "\n".join(f"{count} {kind.value}" for kind, count in summary.hashes.items() if count),
            moment(summary.updated_at),
        )
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
