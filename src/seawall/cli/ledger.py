"""`seawall ledger`: what the platform published, as Seawall remembers it. Hashes are never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Look at the content ledger, fill it from before, and let it forget.", no_args_is_help=True)
BAD_SHOWN = 20


@app.command()
def stats(as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False) -> None:
    """Show the months of the ledger with PostgreSQL's estimate of their rows. Instant: nothing is counted.

    Example: seawall ledger stats
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.cli.context import open_database, open_settings
    from seawall.matching.partitions import partitions

    with open_database(open_settings()) as database, database.transaction() as session:
        parts = partitions(session)
    if as_json:
        documents = [
            {
                "partition": part.name,
                "month": part.month.first.isoformat()[:7] if part.month else None,
                "rows_estimate": part.rows,
                "bytes": part.size,
            }
            for part in parts
        ]
        typer.echo(json.dumps(documents, indent=2))
        return
    table = Table("Part", "Month (UTC)", "Rows, about", "MB")
    for part in parts:
        month = part.month.first.isoformat()[:7] if part.month else ""
        rows = "not yet estimated" if part.rows is None else f"{part.rows:,}"
        table.add_row(part.name, month, rows, f"{part.size / 1e6:,.1f}")
    Console().print(table)


@app.command("import")
def import_published(
    path: Annotated[Path, typer.Argument(help="A CSV or JSON lines file, or a folder to scan.", exists=True)],
    surface: Annotated[str, typer.Option(help="The surface of what does not name its own.")] = "upload",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Enter what was published before Seawall came. Running it again changes nothing.

    A file has the columns content_id, md5, sha1, sha256, pdq, pdq_quality, account_id, surface, url,
    published_at. Of a folder every file is scanned, and its path below the folder is its content id. What is on a
    list goes the way of an upload: a case is opened and the platform is told.

    Example: seawall ledger import published.csv
    """
    from dataclasses import asdict

    from seawall.cli.context import open_runtime, open_settings
    from seawall.cli.ledger_import import import_file, import_folder

    with open_runtime(open_settings()) as runtime:
        enter = import_folder if path.is_dir() else import_file
        tally = enter(runtime.rooms, path, surface)
    if as_json:
        typer.echo(json.dumps(asdict(tally)))
        return
    typer.echo(
        f"{tally.read} read: {tally.entered} entered, of which {tally.matched} are held or blocked; "
        f"{tally.known} known already, {tally.bad_count} bad."
    )
    for where, why in tally.bad[:BAD_SHOWN]:
        typer.echo(f"  {where}: {why}", err=True)
    if tally.bad_count > BAD_SHOWN:
        typer.echo(f"  ... and {tally.bad_count - BAD_SHOWN} more.", err=True)


@app.command()
def prune(
    days: Annotated[int | None, typer.Option(min=1, help="Days to keep. Left out: SEAWALL_LEDGER_KEEP_DAYS.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget the whole months that are older. What is in a case stays. The worker does it every night.

    Example: seawall ledger prune --days 365
    """
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.errors import BadInput
    from seawall.matching.expiry import expire

    settings = open_settings()
    keep = days or settings.ledger_keep_days
    if keep is None:
        raise BadInput("Nothing says how long to keep.", hint="Give --days, or set SEAWALL_LEDGER_KEEP_DAYS.")
    if not yes:
        typer.confirm(f"Forget for good what is older than {keep} days, in whole months?", abort=True)
    with open_database(settings) as database:
        done = expire(database, keep, operator())
    for part in done:
        rows = "the whole month" if part.rows is None else f"{part.rows:,} rows"
        typer.echo(f"{part.partition}: {rows} forgotten.")
    if not done:
        typer.echo("Nothing was old enough.")
