"""`seawall doctor`: what is configured, reachable, out of date, unsafe."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from seawall.errors import ExitStatus

MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]look[/]", "fail": "[red]fails[/]"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")] = False,
) -> None:
    """Check every part, and say what to do about what is not as it should be. Exits with 1 when a part fails.

    Example: seawall doctor
    """
    from seawall.cli.context import open_settings
    from seawall.health import examine_all

    parts = list(examine_all(open_settings()))
    if as_json:
        for part in parts:
            typer.echo(json.dumps({"part": part.part, "state": part.state, "says": part.says}))
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table("Part", "State", "What it says", title="Seawall doctor")
        for part in parts:
            table.add_row(part.part, MARKS[part.state], escape(part.says))
        Console().print(table)
    if any(part.state == "fail" for part in parts):
        raise typer.Exit(ExitStatus.DIFFERS)
