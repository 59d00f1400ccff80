"""`seawall users`: people at the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seawall.records import Role

if TYPE_CHECKING:
    from seawall.settings import Settings

app = typer.Typer(help="Let people in, give them roles, keep them out.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name they log in with, such as reviewer-1.")]
Roles = Annotated[list[Role], typer.Option("--role", help="What they may do; give it several times for several.")]
Hours = Annotated[float, typer.Option(min=0.05, max=168, help="Hours that the link stays good.")]


@app.command()
def add(name: Name, role: Roles, hours: Hours = 24) -> None:
    """Add a person and print the link by which they choose a password, once.

    A reviewer sees and decides cases; a senior reviewer (senior) also reassigns them and is the second person; an
    evidence_custodian sees and releases evidence; a list_manager looks after hash lists; an auditor reads the audit
    chain; an admin manages people, keys, webhooks and settings. No role implies another.

    Example: seawall users add reviewer-1 --role reviewer
    """
    from datetime import timedelta

    from seawall.access import people
    from seawall.cli.context import open_database, open_settings, operator

    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        people.create_user(session, name, role, operator())
        token = people.one_time_link(session, name, timedelta(hours=hours), operator())
    _show_link(settings, name, token)


@app.command()
def link(name: Name, hours: Hours = 24) -> None:
    """Print a new link for choosing a password. Links made earlier stop working.

    Example: seawall users link reviewer-1 --hours 2
    """
    from datetime import timedelta

    from seawall.access import people
    from seawall.cli.context import open_database, open_settings, operator

    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        token = people.one_time_link(session, name, timedelta(hours=hours), operator())
    _show_link(settings, name, token)


@app.command("list")
def list_all() -> None:
    """Show everyone, the disabled ones too.

    Example: seawall users list
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import people
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment

    with open_database(open_settings()) as database, database.transaction() as session:
        everyone = people.list_people(session)
    table = Table("Name", "Roles", "Password", "Last login (UTC)", "Disabled (UTC)")
    for person in everyone:
        table.add_row(
            person.name,
            ", ".join(sorted(person.roles)),
            "chosen" if person.has_password else "not yet",
            moment(person.last_login_at, "never"),
            moment(person.disabled_at),
        )
    Console().print(table)


@app.command()
def roles(name: Name, role: Roles) -> None:
    """Give a person exactly these roles; it holds from their next click.

    Example: seawall users roles reviewer-1 --role admin --role reviewer
    """
    from seawall.access import people
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        people.set_roles(session, name, role, operator())
    typer.echo(f"{name} is now {', '.join(sorted(set(role)))}.")


@app.command()
def disable(name: Name) -> None:
    """Keep a person out: their sessions and links end at once.

    Example: seawall users disable reviewer-1
    """
    from seawall.access import people
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        people.disable(session, name, operator())
    typer.echo(f"{name} is disabled.")


@app.command()
def enable(name: Name) -> None:
    """Let a disabled person in again, with the password they had.

    Example: seawall users enable reviewer-1
    """
    from seawall.access import people
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        people.enable(session, name, operator())
    typer.echo(f"{name} is enabled.")


@app.command()
def permissions() -> None:
    """Show what each role may do, and who holds it.

    Example: seawall users permissions
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import people
    from seawall.access.permissions import ALLOWED
    from seawall.cli.context import open_database, open_settings

    with open_database(open_settings()) as database, database.transaction() as session:
        everyone = [person for person in people.list_people(session) if person.disabled_at is None]
    table = Table("Role", "May", "Held by", show_lines=True)
    for role in Role:
        may = "\n".join(act.value for act, by in ALLOWED.items() if role in by)
        table.add_row(role.value, may, "\n".join(person.name for person in everyone if role in person.roles))
    Console().print(table)


@app.command()
def sessions(name: Name) -> None:
    """Show where a person is logged in at the console.

    Example: seawall users sessions reviewer-1
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import sessions as open_sessions
    from seawall.access.browsers import browser_name
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment, plain

    with open_database(open_settings()) as database, database.transaction() as session:
        found = open_sessions.open_sessions(session, name)
    table = Table("Session", "Browser", "From", "Logged in by", "Since (UTC)", "Last seen (UTC)")
    for each in found:
        table.add_row(
            str(each.id),
            browser_name(each.browser.agent),
            plain(each.browser.address),
            each.way.value,
            moment(each.created_at),
            moment(each.seen_at),
        )
    Console().print(table)


@app.command()
def end_sessions(
    name: Name,
    number: Annotated[int | None, typer.Option("--session", help="Only this one, by its number.")] = None,
) -> None:
    """End a person's sessions at once; they can log in again.

    Example: seawall users end-sessions reviewer-1
    """
    from seawall.access import sessions as open_sessions
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        if number is None:
            ended = open_sessions.end_all(session, name, operator())
        else:
            open_sessions.end(session, name, number, operator())
            ended = 1
    typer.echo(f"{ended} {'session' if ended == 1 else 'sessions'} of {name} ended.")


@app.command()
def passkeys(name: Name) -> None:
    """Show the passkeys that a person can log in with.

    Example: seawall users passkeys reviewer-1
    """
    from rich.console import Console
    from rich.table import Table

    from seawall.access import passkeys as kept
    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment, plain

    with open_database(open_settings()) as database, database.transaction() as session:
        found = kept.list_passkeys(session, name)
    table = Table("Passkey", "Name", "Added (UTC)", "Last used (UTC)")
    for each in found:
        table.add_row(str(each.id), plain(each.name), moment(each.created_at), moment(each.last_used_at, "never"))
    Console().print(table)


@app.command()
def remove_passkey(
    name: Name, passkey: Annotated[int, typer.Argument(help="Its number, as `passkeys` shows it.")]
) -> None:
    """Take one of a person's passkeys away, for good. Sessions stay open: see `end-sessions`.

    Example: seawall users remove-passkey reviewer-1 3
    """
    from seawall.access import passkeys as kept
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        kept.remove(session, name, passkey, operator())
    typer.echo(f"Passkey {passkey} of {name} is removed.")


@app.command()
def tie(
    name: Name,
    email: Annotated[str | None, typer.Option(help="Its address, which the provider must have verified.")] = None,
    subject: Annotated[str | None, typer.Option(help="Its subject (sub), as the provider shows it.")] = None,
) -> None:
    """Let a person log in by an account of the single sign-on that SEAWALL_OIDC_ISSUER names.

    Example: seawall users tie reviewer-1 --email reviewer@example.org
    """
    from seawall.access import identities
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.errors import ConfigurationError

    settings = open_settings()
    issuer = settings.oidc_issuer
    if issuer is None:
        raise ConfigurationError("There is no single sign-on: SEAWALL_OIDC_ISSUER is not set.")
    with open_database(settings) as database, database.transaction() as session:
        identities.tie(session, name, issuer, email=email, subject=subject, actor=operator())
    typer.echo(f"{name} can log in by {issuer}.")


@app.command()
def untie(name: Name) -> None:
    """Keep a person from logging in by single sign-on. Sessions stay open: see `end-sessions`.

    Example: seawall users untie reviewer-1
    """
    from seawall.access import identities
    from seawall.cli.context import open_database, open_settings, operator

    with open_database(open_settings()) as database, database.transaction() as session:
        identities.untie(session, name, operator())
    typer.echo(f"{name} cannot log in by single sign-on any more.")


def _show_link(settings: Settings, name: str, token: str) -> None:
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    typer.echo(f"Give this link to {name} over a way that you trust. It works once.", err=True)
    typer.echo(f"{address.rstrip('/')}/console/welcome/{token}")
