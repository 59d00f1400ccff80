"""`seawall webhooks`: where Seawall tells the platform what it decided."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.errors import ExitStatus

if TYPE_CHECKING:
    from seawall.actions.outbox import MessageListing
    from seawall.database.sessions import Database
    from seawall.evidence.master_key import MasterKey
    from seawall.settings import Settings

app = typer.Typer(help="Say where messages go, and look after their delivery.", no_args_is_help=True)

SECRET_VARIABLE = "SEAWALL_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
Endpoint = Annotated[str, typer.Argument(help="The endpoint's number or address.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where the platform listens; https, unless it is this machine.")],
    secret_stdin: Annotated[
        bool,
        typer.Option("--secret-stdin", help="Read a signing secret that you have already, from standard input."),
    ] = False,
) -> None:
    """Add an endpoint and print its signing secret, this once.

    The secret never goes on the command line, where others can read it: pipe it in with --secret-stdin, or set
    SEAWALL_WEBHOOK_SECRET. Without either, one is made.

    Example: seawall webhooks add https://forum.example/seawall-hook
    """
    import os
    import sys

    from seawall.actions import endpoints
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.opening import open_master_key

    given = sys.stdin.readline() if secret_stdin else os.environ.get(SECRET_VARIABLE)
    settings = open_settings()
    with open_database(settings) as database:
        master_key = open_master_key(settings, database)
        with database.transaction() as session:
            secret = endpoints.add(
                session,
                master_key,
                url,
                actor=operator(),
                secret=given,
                allow_http=settings.webhook_allow_http,
            )
    if given is None:
        typer.echo("Give this secret to the receiver; it is shown only now.", err=True)
        typer.echo(secret)
    else:
        typer.echo("Added, with the secret that was given.", err=True)


@app.command("list")
def list_all() -> None:
    """Show all endpoints, and how many messages wait or were given up.

    Example: seawall webhooks list
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seawall.actions import endpoints
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment

    with open_database(open_settings()) as database, database.transaction() as session:
        listed = endpoints.list_endpoints(session)
    table = Table("Number", "Address", "Enabled", "Waiting", "Given up", "Added (UTC)")
    for one in listed:
        enabled = "yes" if one.enabled else "no"
        counts = str(one.pending), str(one.failed)
        table.add_row(str(one.endpoint_id), Text(one.url), enabled, *counts, moment(one.created_at))
    Console().print(table)


@app.command()
def remove(endpoint: Endpoint) -> None:
    """Remove an endpoint with all its messages, also those that wait.

    Example: seawall webhooks remove 1
    """
    from seawall.actions import endpoints
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        endpoints.remove(session, endpoints.find(session, endpoint), operator())
    typer.echo("The endpoint is removed.")


@app.command()
def disable(endpoint: Endpoint) -> None:
    """Send nothing to an endpoint for now. What waits for it waits on; what happens meanwhile is not kept for it.

    Example: seawall webhooks disable 1
    """
    _switch(endpoint, enabled=False)
    typer.echo("The endpoint is disabled.")


@app.command()
def enable(endpoint: Endpoint) -> None:
    """Send to an endpoint again, also what still waits for it.

    Example: seawall webhooks enable 1
    """
    _switch(endpoint, enabled=True)
    typer.echo("The endpoint is enabled.")


@app.command()
def test(endpoint: Endpoint) -> None:
    """Send a `webhook.test` message and say what the receiver answered. Exits with 1 if it did not take it.

    Example: seawall webhooks test 1
    """
    from seawall.actions import endpoints, outbox
    from seawall.cli.context import open_database, open_settings
    from seawall.errors import Conflict
    from seawall.opening import open_master_key
    from seawall.records import EventType

    settings = open_settings()
    with open_database(settings) as database:
        master_key = open_master_key(settings, database)
        with database.transaction() as session:
            number = endpoints.find(session, endpoint)
            ids = outbox.put(session, EventType.WEBHOOK_TEST, {"test": True}, endpoint_id=number)
        if not ids:
            raise Conflict("The endpoint is disabled.", hint=f"seawall webhooks enable {number}")
        message = _attempt(database, master_key, settings, ids[0])
    if message.delivered_at is None:
        answer = f"status {message.last_status}" if message.last_status else message.last_error
        typer.echo(f"Not taken: {answer or 'another worker is still at it'}.", err=True)
        raise typer.Exit(ExitStatus.DIFFERS)
    typer.echo(f"Taken, with status {message.last_status}.")


@app.command()
def replay(
    message: Annotated[str, typer.Argument(help="The message's id, as the log and the console show it.")],
) -> None:
    """Send a message anew, under its old id; a running worker does it at once.

    Example: seawall webhooks replay 0b6c2f0e-4c39-4d0e-9b2f-3f6c1f0a7d11
    """
    from seawall.actions import outbox
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.errors import BadInput

    try:
        message_id = uuid.UUID(message)
    except ValueError:
        raise BadInput("This is no message id.", hint="It looks like 0b6c2f0e-4c39-4d0e-9b2f-3f6c1f0a7d11.") from None
    with open_database(open_settings()) as database, database.transaction() as session:
        outbox.replay(session, message_id, operator())
    typer.echo("The message will be sent anew.")


def _switch(endpoint: str, *, enabled: bool) -> None:
    from seawall.actions import endpoints
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        endpoints.set_enabled(session, endpoints.find(session, endpoint), enabled, operator())


def _attempt(database: Database, master_key: MasterKey, settings: Settings, message_id: uuid.UUID) -> MessageListing:
    """Delivers in this process, whether or not a worker runs; where one is quicker, waits for what it gets."""
    import asyncio
    import time

    from seawall.actions import outbox
    from seawall.actions.delivery import Deliverer

    async def deliver() -> None:
        async with Deliverer(database, master_key, settings) as deliverer:
            await deliverer.deliver(message_id)

    asyncio.run(deliver())
    until = time.monotonic() + settings.webhook_timeout_s + 1
    while True:
        with database.transaction() as session:
            message = outbox.get(session, message_id)
        if message.attempts or time.monotonic() > until:
            return message
        time.sleep(0.1)
