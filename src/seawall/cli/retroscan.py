"""`seawall retroscan`: compare what is on the platform already with the hash lists, by hand."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seawall.settings import Settings


class ScanEngineName(enum.StrEnum):
    """What compares a manifest."""

    EMBEDDED = "embedded"
    DAFT = "daft"


def retroscan(
    lists: Annotated[list[str] | None, typer.Option("--list", help="A list to walk with; may be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Walk with every list.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the last walks and stop.")] = False,
    manifest: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Compare a manifest instead of the ledger: a Parquet file, a folder of such, or the manifest.json "
            "of an S3 inventory; a path, or s3://, gs://, az://.",
        ),
    ] = None,
    results: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Where the findings of --manifest go: a folder, or a prefix.")
    ] = None,
    engine: Annotated[
        ScanEngineName | None,
        typer.Option(help="What compares a manifest: processes of this machine (embedded, the default), or Daft."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Processes that compare a manifest. Left out: one a processor."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Of --manifest: one JSON object instead of text.")] = False,
) -> None:
    """Walk through the ledger with all entries of some lists, and act on what is found: case, webhook, audit.

    A running service walks by itself with whatever is new. This is for who wants to be sure, after restoring a backup
    of the lists for instance. What was acted on before is not acted on again.

    With --manifest, what the platform knows of its own store is compared with all enabled lists, or with those named,
    and findings are written to --results; nothing is acted on. It goes on where it was broken off. Exits with 1 when
    shards are left, else with 3 when something matched, else with 1 when rows are bad or owed a scan: 0 says that
    every row was compared and nothing matched. docs/scale.md goes through it step by step.

    Example: seawall retroscan --list "Industry list"
    """
    from seawall.cli.context import open_runtime, open_settings
    from seawall.errors import BadInput

    if manifest is not None:
        from seawall.cli.retroscan_manifest import compare

        if results is None or status or everything:
            raise BadInput(
                "A manifest is compared by itself.", hint="Give --results, and neither --all nor --status."
            )
        compare(manifest, results, tuple(lists or ()), engine or ScanEngineName.EMBEDDED, workers, as_json=as_json)
        return
    if results is not None or engine is not None or workers is not None or as_json:
        raise BadInput(
            "--results, --engine, --workers and --json are for --manifest.",
            hint="Findings in the ledger become cases.",
        )
    if not status and not lists and not everything:
        raise BadInput("Nothing was chosen.", hint="Name a list with --list, or take --all.")
    settings = open_settings()
    if status:
        _show(settings)
        return
    from seawall.late import Progress, walk

    def say(progress: Progress) -> None:
        part = f"part {progress.parts_done} of {progress.parts}"
        typer.echo(f"{part}: {progress.rows} rows compared, {progress.matches} late matches", err=True)

    with open_runtime(settings) as runtime:
        done = walk(runtime.rooms, lists=tuple(lists) if lists else None, anew=True, say=say)
    typer.echo(
        f"{done.entries} entries walked through {done.rows} fingerprints: {done.candidates} candidates, "
        f"{done.matches} late matches."
    )


def _show(settings: Settings) -> None:
    from rich.console import Console
    from rich.table import Table

    from seawall.cli.context import open_database
    from seawall.cli.tables import moment, plain
    from seawall.late import recent

    table = Table("Started", "Lists", "State", "Entries", "Compared", "Late matches", "Finished")
    with open_database(settings) as database, database.transaction() as session:
        for walk in recent(session):
            table.add_row(
                moment(walk.started_at),
                plain(", ".join(walk.lists)),
                walk.state,
                str(walk.entries),
                f"{walk.rows_done} of {walk.rows_total}",
                str(walk.matches),
                moment(walk.finished_at),
            )
    Console().print(table)
