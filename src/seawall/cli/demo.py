"""`seawall demo`: Seawall beside a sample platform, with test data only; or the same, checked without a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seawall.errors import ExitStatus


def demo(
    home: Annotated[
        Path | None, typer.Option(help="Folder of the demo's data; unset, the usual place for a user's data.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of Seawall; a free one is taken when it is in use.")] = 8420,
    board_port: Annotated[int, typer.Option(help="Port of the sample platform; likewise.")] = 8421,
    check: Annotated[
        bool, typer.Option("--check", help="Upload everything without a person; exit 1 when something differs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: one JSON object a line.")] = False,
    without_lists: Annotated[
        bool, typer.Option("--without-lists", help="With --check: leave the demo lists out, to see the check fail.")
    ] = False,
) -> None:
    """Start Seawall beside a sample platform, with test data only.

    Example: seawall demo --check
    """
    if not check and (as_json or without_lists):
        raise typer.BadParameter("--json and --without-lists go with --check.")
    if check and home is not None:
        raise typer.BadParameter("--check uses a temporary folder of its own, and not --home.")
    _forget_settings()
    _log_errors_only()
    if check:
        _check(as_json=as_json, with_lists=not without_lists)
    else:
        _run(home, port, board_port)


def _forget_settings() -> None:
    """The settings of a real Seawall, above all its database, are none of the demo's business."""
    import os

    for name in list(os.environ):
        if name.startswith("SEAWALL_"):
            del os.environ[name]


def _log_errors_only() -> None:
    """What the demo does is told step by step; advice for a real installation would only be in the way."""
    from seawall.cli.logs import configure
    from seawall.settings import Settings

    configure(Settings(log_level="error"))


def _run(home: Path | None, port: int, board_port: int) -> None:
    from rich.console import Console

    from seawall.demo.home import DemoHome, usual_place
    from seawall.demo.orchestrate import Stopped, run_until_stopped

    try:
        run_until_stopped(
            DemoHome((home or usual_place()).resolve()), port, board_port, Console(stderr=True, soft_wrap=True)
        )
    except (KeyboardInterrupt, Stopped):
        typer.echo("The demo has ended.", err=True)


def _check(*, as_json: bool, with_lists: bool) -> None:
    from rich.console import Console

    from seawall.demo.check import print_json, print_table, summary
    from seawall.demo.orchestrate import Stopped, run_check

    try:
        rows = run_check(Console(stderr=True, soft_wrap=True), with_lists=with_lists)
    except (KeyboardInterrupt, Stopped):
        typer.echo("The check was interrupted; nothing is left behind.", err=True)
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    if as_json:
        for line in print_json(rows):
            typer.echo(line)
        typer.echo(summary(rows), err=True)
    else:
        output = Console()
        # A log has no width; there the table is as wide as it wants to be.
        print_table(output if output.is_terminal else Console(width=200), rows)
    if not all(row.ok for row in rows):
        raise typer.Exit(ExitStatus.DIFFERS)
