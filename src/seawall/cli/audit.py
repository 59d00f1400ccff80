"""`seawall audit`: verify, export, sign and read the audit chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from seawall.evidence.proving import AuditReport

app = typer.Typer(help="Verify, export, sign and read the chain of audit events.", no_args_is_help=True)


@app.command()
def verify(
    export: Annotated[
        Path | None,
        typer.Option(
            help="Verify this export instead of the database; needs nothing else.", exists=True, dir_okay=False
        ),
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="A head noted earlier (hex): shows that the end was not cut off since.")
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(
            help="A public key whose signatures count (PEM); several for several. Without it, the one of this home.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Walk the whole chain and find the first event that was changed, removed or moved, a forged signature, or an end
    that was cut off. Exits with 7 if there is one.

    Keep a copy of what `seawall audit public-key` prints, and of the head that this prints, somewhere else.

    Example: seawall audit verify --export audit.jsonl --public-key audit.pub
    """
    from seawall.cli.context import open_database, open_settings
    from seawall.errors import AuditChainBroken, BadInput
    from seawall.evidence import heads, proving, signing

    try:
        expected = bytes.fromhex(head) if head is not None else None
    except ValueError:
        expected = b""
    if expected is not None and len(expected) != 32:
        raise BadInput("The head is not 64 hex digits.", hint="Give it as `seawall audit verify` printed it.")
    settings = open_settings()
    if public_key:
        trust = signing.Trust(signing.read_public_key(file.read_bytes()) for file in public_key)
    else:
        trust = heads.own_trust(settings)
    if export is not None:
        with export.open("rb") as stream:
            report = proving.verify_export(stream, expected_head=expected, trust=trust)
    else:
        with open_database(settings) as database, database.transaction() as session:
            report = heads.prove(session, settings, expected_head=expected, trust=trust)
    problem = report.first_problem
    if problem is not None:
        raise AuditChainBroken(f"The audit chain does not hold ({problem.code}). {problem.explanation}")
    typer.echo(f"The audit chain holds: {report.events} events.")
    typer.echo(_signed(report) if trust else "Signatures: not looked at, since there is no public key here.")
    typer.echo(f"Head: {report.head.hex()}")


@app.command()
def export(
    to: Annotated[
        Path | None, typer.Option(help="The file to make; without it, standard output.", dir_okay=False)
    ] = None,
) -> None:
    """Write the chain as JSON lines, one event a line and a signed end, for `seawall audit verify --export` or a
    program of your own.

    That it is made is put on record first, so that the record is in it. It names accounts and people: keep it as you
    keep the database.

    Example: seawall audit export --to audit.jsonl
    """
    import sys
    from contextlib import AbstractContextManager, nullcontext

    from sqlalchemy import text

    from seawall.cli.context import open_database, open_settings, operator
    from seawall.errors import BadInput
    from seawall.evidence import audit, heads

    settings = open_settings()
    with open_database(settings) as database:
        with database.transaction() as session:
            heads.refuse_rewritten(session, settings)
            key = heads.open_signing_key(settings, session)
        try:
            sink: AbstractContextManager[BinaryIO] = nullcontext(sys.stdout.buffer)
            with sink if to is None else _new_private_file(to) as stream:
                with database.transaction() as session:
                    audit.append(session, operator(), "audit.export", "audit:chain", {})
                with database.transaction() as session:
                    # What is compared and what is signed are one snapshot.
                    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
                    heads.refuse_rewritten(session, settings)
                    count = heads.export(session, key, stream)
        except FileExistsError:
            raise BadInput(f"{to} is there already.", hint="Choose another name; nothing is overwritten.") from None
        except OSError as error:
            raise BadInput(
                f"The export cannot be written ({error.strerror}).", hint="Choose another place."
            ) from None
    typer.echo(f"{count} events written.", err=True)


@app.command()
def sign() -> None:
    """Sign the chain's head now. The worker does so each hour in which something happened.

    Example: seawall audit sign
    """
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.evidence import heads

    settings = open_settings()
    with open_database(settings) as database:
        head = heads.sign(database, settings, operator())
    if head is None:
        typer.echo("Nothing happened since the head was signed last.")
    else:
        typer.echo(f"{head.events} events are signed with the key {head.key_id}.")
        typer.echo(f"Head: {head.head}")


@app.command("public-key")
def public_key() -> None:
    """Print the public key (PEM) with which anybody can check the signatures. Keep it somewhere else.

    Example: seawall audit public-key > audit.pub
    """
    from seawall.cli.context import open_database, open_settings
    from seawall.evidence import heads

    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        key = heads.open_signing_key(settings, session)
    typer.echo(key.public_pem, nl=False)


@app.command()
def show(last: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest events.")] = 20) -> None:
    """Print the newest events, oldest of them first.

    Example: seawall audit show --last 50
    """
    import json

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seawall.cli.context import open_database, open_settings
    from seawall.evidence import audit

    with open_database(open_settings()) as database, database.transaction() as session:
        links = audit.last_links(session, last)
    table = Table("Number", "When (UTC)", "Who", "What", "To what", "Details")
    for link in links:
        when = link.at.strftime("%Y-%m-%d %H:%M:%S")
        details = json.dumps(link.details, ensure_ascii=False) if link.details else ""
        cells = (str(link.number), when, link.actor, link.act, link.subject, details)
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)


def _signed(report: AuditReport) -> str:
    if report.signatures == 0:
        return "Signatures: none yet."
    return f"Signatures: {report.signatures} hold, and vouch for events 1 to {report.signed}."


def _new_private_file(path: Path) -> BinaryIO:
    import os

    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
