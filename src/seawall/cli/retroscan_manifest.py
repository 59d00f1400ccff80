"""How `seawall retroscan --manifest` goes: plan, compare, sum up."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import typer

from seawall.cli.tables import plain
from seawall.errors import BadInput, ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seawall.engines.scanning.planning import Plan
    from seawall.engines.scanning.results import Results
    from seawall.engines.scanning.scans import ScanEngine
    from seawall.matching.manifest_results import Tally
    from seawall.matching.manifest_scan import ManifestTask
    from seawall.records import ListInfo
    from seawall.settings import Settings

FAILED_SHOWN = 10


def compare(
    manifest: str, url: str, lists: tuple[str, ...], engine: str, workers: int | None, *, as_json: bool
) -> None:
    """Compares a manifest with the lists and says what it came to.

    Raises:
        ConfigurationError: a library is missing, or the settings are not usable.
        BadInput, NotFound, Conflict: the manifest, the place for results or a list is not what it should be.
    """
    from seawall.engines.extras import require_scale

    require_scale("pyarrow", *(["daft"] if engine == "daft" else []))
    from seawall.cli.context import end_on_sigterm, open_settings
    from seawall.engines.scanning.places import inside
    from seawall.engines.scanning.planning import plan
    from seawall.matching.manifest_results import begin, finish
    from seawall.matching.manifest_scan import BAD, OWED
    from seawall.matching.manifests import INVENTORY, MANIFEST

    if inside(url, manifest):
        raise BadInput("Results inside the manifest would be read as a part of it.", hint="Give another folder.")
    settings = open_settings()
    end_on_sigterm()
    planned = plan(manifest, MANIFEST, INVENTORY)
    task, known = _task(settings, lists, is_inventory=planned.is_inventory)
    results = begin(planned, task, url)
    _announce(planned, results)
    tally = _run(_engine(engine, workers or os.cpu_count() or 1), task, planned, results)
    written = [] if tally.failed else finish(results, planned.shards, tally, known)
    if as_json:
        typer.echo(json.dumps({**tally.document(known), "matched_files": written}))
    else:
        _print(tally, known, task, written)
    if tally.failed:
        raise typer.Exit(ExitStatus.DIFFERS)
    if tally.counts["matched"]:
        raise typer.Exit(ExitStatus.MATCHED)
    if tally.counts[OWED] or tally.counts[BAD]:
        raise typer.Exit(ExitStatus.DIFFERS)


def _task(
    settings: Settings, lists: tuple[str, ...], *, is_inventory: bool
) -> tuple[ManifestTask, tuple[ListInfo, ...]]:
    """What the workers are to do, and the lists that they compare with."""
    from seawall.cli.context import open_database
    from seawall.engines.compiled import use_cache
    from seawall.matching.manifest_scan import ManifestTask, narrow
    from seawall.matching.standing_index import StandingIndex, open_from_environment

    use_cache(settings.cache_folder)
    with open_database(settings) as database:
        opened = StandingIndex(database, settings)
        try:
            generation = opened.index.generation
            opened.put_in_file()
            known = narrow(opened.index, lists)
        finally:
            opened.close()
    quality = settings.minimum_pdq_quality
    return ManifestTask(open_from_environment, lists, quality, generation, is_inventory), known


def _engine(name: str, workers: int) -> ScanEngine:
    if name == "daft":
        from seawall.engines.scanning.on_daft import DaftEngine

        return DaftEngine(workers)
    from seawall.engines.scanning.embedded import EmbeddedEngine

    return EmbeddedEngine(workers)


def _announce(planned: Plan, results: Results) -> None:
    rows = f"{planned.rows:,} rows" if planned.rows else "an unknown number of rows"
    typer.echo(f"{len(planned.shards)} shards with {rows}; findings go to {plain(results.url)}.", err=True)
    if planned.unused:
        typer.echo(f"Columns that mean nothing here: {plain(', '.join(planned.unused))}.", err=True)


def _run(engine: ScanEngine, task: ManifestTask, planned: Plan, results: Results) -> Tally:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from seawall.matching.manifest_results import Tally

    tally = Tally()
    columns = (
        TextColumn("Comparing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("shards"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("compare", total=len(planned.shards))
        for outcome in engine.run(task, planned.shards, results):
            tally.add(outcome)
            progress.update(bar, advance=1)
    return tally


def _print(tally: Tally, known: Sequence[ListInfo], task: ManifestTask, written: Sequence[str]) -> None:
    counts = tally.counts
    typer.echo(
        f"{counts['rows']:,} rows: {counts['compared']:,} compared, of which {counts['by_pdq']:,} by what they show; "
        f"{counts['matched']:,} matched, {counts['owed']:,} scan owed, {counts['bad']:,} bad, "
        f"{counts['no_content']:,} without content."
    )
    for name, count in sorted(counts.items()):
        if name.startswith(("owed.", "bad.")):
            typer.echo(f"  {name.replace('.', ': ', 1).replace('owed', 'scan owed', 1)}: {count:,}")
    for info in known:
        if matched := counts[f"list.{info.list_id}"]:
            typer.echo(f"  matched {info.name}: {matched:,}")
    if tally.generation is not None and tally.generation < task.generation:
        typer.echo("The lists have changed since some shards were compared; new results would have a new folder.")
    for outcome in tally.failed[:FAILED_SHOWN]:
        why = f"{outcome.shard.url}: {outcome.reason} ({outcome.failure})"
        typer.echo(f"  not compared: {plain(why)}", err=True)
    if tally.failed:
        typer.echo(f"{len(tally.failed)} shards could not be compared; the same command goes on with them.", err=True)
    for url in written:
        copied = ", once it is copied to this machine" if "://" in url else ""
        typer.echo(f"Enter what matched with: seawall ledger import {plain(url)}{copied}")
