"""`seawall audit`: verify, export and read the audit chain."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from seawall.evidence.audit import AuditLink, AuditReport

app = typer.Typer(help="Verify, export and read the chain of audit events.", no_args_is_help=True)


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
) -> None:
    """Walk the whole chain and find the first event that was changed, removed or moved. Exits with 7 if there is one.

    Note the head that it prints somewhere else: given as --head later, it proves that nothing up to it was cut off.

    Example: seawall audit verify --export audit.jsonl --head 3f5a...
    """
    from seawall.errors import AuditChainBroken, BadInput
    from seawall.evidence import audit

    try:
        expected = bytes.fromhex(head) if head is not None else None
    except ValueError:
        expected = b""
    if expected is not None and len(expected) != 32:
        raise BadInput("The head is not 64 hex digits.", hint="Give it as `seawall audit verify` printed it.")
    if export is not None:
        with export.open("rb") as stream:
            report = audit.verify(audit.links_of_export(stream), expected_head=expected)
    else:
        report = _verify_database(expected)
    problem = report.first_problem
    if problem is not None:
        raise AuditChainBroken(f"The audit chain does not hold ({problem.code}). {problem.explanation}")
    typer.echo(f"The audit chain holds: {report.events} events.")
    typer.echo(f"Head: {report.head.hex()}")


@app.command()
def export(
    to: Annotated[
        Path | None, typer.Option(help="The file to make; without it, standard output.", dir_okay=False)
    ] = None,
) -> None:
    """Write the chain as JSON lines, one event a line, for `seawall audit verify --export` or a program of your own.

    The export itself is put on record. It names accounts and people: keep it as you keep the database.

    Example: seawall audit export --to audit.jsonl
    """
    import sys

    from seawall.cli.context import open_database, open_settings, operator
    from seawall.errors import BadInput
    from seawall.evidence import audit

    with open_database(open_settings()) as database:
        try:
            with database.transaction() as session:
                if to is None:
                    count = _write(audit.links(session), sys.stdout.buffer)
                else:
                    with _new_private_file(to) as stream:
                        count = _write(audit.links(session), stream)
        except FileExistsError:
            raise BadInput(f"{to} is there already.", hint="Choose another name; nothing is overwritten.") from None
        except OSError as error:
            raise BadInput(
                f"The export cannot be written ({error.strerror}).", hint="Choose another place."
            ) from None
        with database.transaction() as session:
            audit.append(session, operator(), "audit.export", "audit:chain", {"events": count})
    typer.echo(f"{count} events written.", err=True)


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


def _verify_database(expected_head: bytes | None) -> AuditReport:
    from seawall.cli.context import open_database, open_settings
    from seawall.evidence import audit

    with open_database(open_settings()) as database, database.transaction() as session:
        return audit.verify(session, expected_head=expected_head)


def _write(links: Iterable[AuditLink], stream: BinaryIO) -> int:
    from seawall.evidence import audit

    count = 0
    for link in links:
        stream.write(audit.export_line(link))
        count += 1
    stream.flush()
    return count


def _new_private_file(path: Path) -> BinaryIO:
    import os

    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
