"""`seawall second-person`: which acts take two people, and switching that off, in writing."""

from __future__ import annotations

from typing import Annotated

import typer

from seawall.request_records import RequestKind

app = typer.Typer(help="Which acts take two people, and which do not here.", no_args_is_help=True)

Act = Annotated[RequestKind, typer.Argument(help="The act.")]


@app.command()
def show() -> None:
    """Show the acts that take two people, and how many requests wait.

    Example: seawall second-person show
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import requests
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment
    from seawall.second.kinds import KINDS

    with open_database(open_settings()) as database, database.transaction() as session:
        off = requests.switched_off(session)
        waiting = [request.kind for request in requests.waiting(session, KINDS)]
    table = Table("Act", "What it is", "People", "Why", "Since (UTC)", "Waiting")
    for kind, each in KINDS.items():
        switched = off.get(kind)
        why = ("two", "", "") if switched is None else ("one", switched.reason, moment(switched.switched_at))
        table.add_row(kind.value, each.title, *why, str(waiting.count(kind)))
    Console().print(table)


@app.command()
def off(
    act: Act, reason: Annotated[str, typer.Option(help="Why one person is enough here. Every record of it says so.")]
) -> None:
    """Let one person do an act alone: for a team of one. It is in the audit chain, and in each record of the act.

    Example: seawall second-person off item.not_a_match --reason "I moderate this forum alone."
    """
    from seawall.access import requests
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        requests.switch_off(session, act, reason, operator())
    typer.echo(f"{act.value} takes one person now. Each record of it says: second person switched off: {reason}")


@app.command()
def on(act: Act) -> None:
    """Have an act take two people again.

    Example: seawall second-person on item.not_a_match
    """
    from seawall.access import requests
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        requests.switch_on(session, act, operator())
    typer.echo(f"{act.value} takes two people now.")
