"""`seawall keys`: API keys."""

from __future__ import annotations

from typing import Annotated

import typer

from seawall.records import Scope

app = typer.Typer(help="Make, list and revoke the API keys of platforms.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, such as forum-upload. Names are never used twice.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it several times for several.")],
    rate: Annotated[
        int | None, typer.Option(help="Judgements a minute (SEAWALL_KEY_RATE_PER_MINUTE if left out).")
    ] = None,
) -> None:
    """Make a key and print it, this once. Only its digest is kept.

    Example: seawall keys create forum-upload --scope judge --rate 600
    """
    from seawall.access import keys
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        secret = keys.create(session, name, scope, rate, operator())
    typer.echo("Keep this key safe; it is shown only now.", err=True)
    typer.echo(secret)


@app.command("list")
def list_all() -> None:
    """Show all keys, the revoked ones too, and when each was last used.

    Example: seawall keys list
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import keys
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment

    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        listed = keys.list_keys(session)
    table = Table("Name", "Scopes", "A minute", "Made (UTC)", "Last used (UTC)", "Revoked (UTC)")
    for key in listed:
        rate = key.info.rate_per_minute
        table.add_row(
            key.info.name,
            ", ".join(sorted(key.info.scopes)),
            str(rate) if rate is not None else f"{settings.key_rate_per_minute} (default)",
            moment(key.created_at),
            moment(key.last_used_at, "never"),
            moment(key.revoked_at),
        )
    Console().print(table)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Whose key ends.")]) -> None:
    """End a key for good. It stops working everywhere within seconds.

    Example: seawall keys revoke forum-upload
    """
    from seawall.access import keys
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        keys.revoke(session, name, operator())
    typer.echo(f"The key {name} is revoked.")


@app.command()
def lookups(
    hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="How many hours back.")] = 24,
) -> None:
    """Show how much each key asked in each hour, and how much of it matched.

    Many lookups, or an odd share of matches, can be somebody who tries out what the lists hold.

    Example: seawall keys lookups --hours 48
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import trail
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment

    with open_database(open_settings()) as database, database.transaction() as session:
        found = trail.recent(session, hours)
    table = Table("Hour (UTC)", "Key", "Lookups", "Matches")
    for row in found:
        table.add_row(moment(row.hour), row.key, str(row.lookups), str(row.matches))
    Console().print(table)
