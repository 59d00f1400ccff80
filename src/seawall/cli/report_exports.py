"""`seawall reports export`, `package`: handing the sealed originals of a case to an authority, by two people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from seawall.access.requests import RequestInfo


def export(
    case: Annotated[int, typer.Argument(help="The case's number.", min=1)],
    to: Annotated[list[str], typer.Option("--to", help="A public key of age (age1...) of whoever may open it.")],
    to_whom: Annotated[str, typer.Option("--for", help="The authority, and who there asked for it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. The second person reads it, and it goes on record.")],
    country: Annotated[
        str, typer.Option(help="Whose VICS categories are meant, as US. Without it: the model's default.")
    ] = "",
) -> None:
    """Ask that the sealed originals of a case be handed on, as a VICS 2.0 package that only the recipient opens.

    A second person has to agree, at the console under Second look. Then `seawall reports package` writes it.

    Example: seawall reports export 7 --to age1... --for "Cybercrime unit, file 12/26" --reason "Their letter"
    """
    from datetime import timedelta

    from seawall.access.requests import Asker
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.second import exports, handing_on

    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        wanted = exports.parameters_of(session, case, to_whom, to, country)
        lasts = timedelta(days=settings.second_person_days)
        asked = handing_on.ask(session, wanted, Asker(operator()), reason, lasts)
    say(asked)


def say(asked: RequestInfo) -> None:
    """What was asked for, and what comes next."""
    from seawall.request_records import RequestKind, RequestState

    files = len(cast("list[int]", asked.parameters["items"]))
    about = f"{files} file{'' if files == 1 else 's'} of case {asked.parameters['case']}"
    typer.echo(f"Request {asked.id}: {about}, for {asked.parameters['for']}.")
    if asked.state is RequestState.CARRIED_OUT:
        typer.echo(f"It needs nobody else here. Write it: seawall reports package {asked.id} FILE")
        return
    typer.echo("It waits for a second person, at the console under Second look. Nothing has left yet.")
    typer.echo(f"Where nobody else is there: seawall second-person off {RequestKind.EXPORT.value} --reason TEXT")


def package(
    request: Annotated[int, typer.Argument(help="The number of the request, as `export` said it.", min=1)],
    file: Annotated[Path, typer.Argument(help="Where to write it, as case-7.zip.age. Nothing may be there yet.")],
) -> None:
    """Write what a second person has let go, encrypted to its recipients. It goes through no other file.

    The recipient opens it with `age --decrypt -i KEYFILE case-7.zip.age > case-7.zip`.

    Example: seawall reports package 12 case-7.zip.age
    """
    from seawall.cli.context import operator
    from seawall.cli.report_rooms import opened
    from seawall.second import handing_on

    with opened() as (database, vault, settings):
        written = handing_on.write(database, vault, settings, request, file, operator())
    typer.echo(f"{file}: {written.size} bytes, SHA-256 {written.sha256.hex()}")
    typer.echo("Tell the recipient the digest by another way. It is in the audit chain.")
