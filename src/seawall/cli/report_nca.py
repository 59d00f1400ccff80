"""`seawall reports nca`: reports to the NCA, which a person enters in its portal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seawall.errors import ExitStatus

app = typer.Typer(
    help="Reports to the NCA (United Kingdom), which a person enters in its portal.", no_args_is_help=True
)

Number = Annotated[int, typer.Argument(help="The report's number.", min=1)]


@app.command()
def draft(case: Annotated[int, typer.Argument(help="The case's number.", min=1)]) -> None:
    """Make the draft of a case for the NCA, or let it take up what was confirmed since.

    It takes what is confirmed and reported to nobody. A draft for the CyberTipline loses it: nothing goes two ways.

    Example: seawall reports nca draft 7
    """
    from seawall.cli.context import operator
    from seawall.cli.report_rooms import opened
    from seawall.reporting.nca import drafting

    with opened() as (database, vault, settings), database.transaction() as session:
        made = drafting.draft(session, vault, settings, case, operator())
    typer.echo(
        f"Report {made} is its draft. Complete it: seawall reports nca show {made} --json > report-{made}.json"
    )


@app.command()
def show(
    report: Number,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what the report says, to be completed with an editor.")
    ] = False,
) -> None:
    """Show where a report to the NCA stands, and what is left to complete.

    Of each field it says whether it is held, and if not why. What it says is personal data: who prints it is put into
    the audit chain.

    Example: seawall reports nca show 12 --json > report-12.json
    """
    from seawall.cli.context import operator
    from seawall.cli.report_rooms import opened
    from seawall.reporting import views
    from seawall.reporting.nca import drafting

    with opened() as (database, vault, _settings), database.transaction() as session:
        row = drafting.locked(session, report)
        if as_json:
            typer.echo(drafting.read(session, vault, report, operator()).to_json())
            return
        found = views.get(session, report)
        problems = [] if found.state.is_done else drafting.opened(session, vault, row).problems()
    typer.echo(f"Report {report} of case {found.case_id} to the NCA: {found.state.label}")
    if found.is_test:
        typer.echo("Test data.")
    if found.reference:
        typer.echo(f"Reference {found.reference}")
    for problem in problems:
        typer.echo(f"  To complete: {problem}")


@app.command()
def complete(
    report: Number,
    file: Annotated[Path, typer.Argument(help="What `show --json` printed, completed.", exists=True, dir_okay=False)],
) -> None:
    """Put a completed draft into the place of the draft, and say what is still missing.

    What is on record of the items (content, detection, times, addresses, hashes) stays as it is on record.

    Example: seawall reports nca complete 12 report-12.json
    """
    from seawall.cli.context import operator
    from seawall.cli.report_rooms import opened
    from seawall.reporting.nca import drafting
    from seawall.reporting.nca.form import read_form

    completed = read_form(file.read_text("utf-8"))
    with opened() as (database, vault, _settings), database.transaction() as session:
        problems = drafting.complete(session, vault, report, completed, operator())
    for problem in problems:
        typer.echo(f"  {problem}")
    typer.echo("Kept; it is not complete." if problems else "Kept; it is complete.")
    if problems:
        raise typer.Exit(ExitStatus.DIFFERS)


@app.command()
def pack(
    report: Number,
    to: Annotated[list[str], typer.Option("--to", help="A public key of age of whoever enters it in the portal.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. The second person reads it, and it goes on record.")],
) -> None:
    """Ask that the pack be made: the report as PDF and JSON, and the originals, encrypted to whoever enters it.

    The report must be complete. A second person has to agree, at the console under Second look. Then
    `seawall reports package` writes it, as long as the report stays as it is.

    Example: seawall reports nca pack 12 --to age1... --reason "To be entered today"
    """
    from datetime import timedelta

    from seawall.access.requests import Asker
    from seawall.cli.context import operator
    from seawall.cli.report_exports import say
    from seawall.cli.report_rooms import opened
    from seawall.second import exports, handing_on

    with opened() as (database, vault, settings), database.transaction() as session:
        wanted = exports.parameters_of_report(session, vault, report, to)
        lasts = timedelta(days=settings.second_person_days)
        asked = handing_on.ask(session, wanted, Asker(operator()), reason, lasts)
    say(asked)


@app.command()
def received(
    report: Number,
    reference: Annotated[str, typer.Option("--reference", help="The unique reference that the NCA gave.")],
) -> None:
    """Put on record that the NCA has it, under the reference of its receipt.

    Example: seawall reports nca received 12 --reference REFERENCE
    """
    from seawall.cli.context import operator
    from seawall.cli.report_rooms import opened
    from seawall.reporting.nca import drafting

    with opened() as (database, vault, settings), database.transaction() as session:
        drafting.received(session, vault, settings, report, reference, operator())
    typer.echo(f"Report {report} is filed. `seawall reports profiles GB` says how long what is kept.")


@app.command("set-aside")
def set_aside(
    report: Number, words: Annotated[str, typer.Option("--words", help="Why; it goes into the audit chain.")]
) -> None:
    """Give a draft for the NCA up. Where the CyberTipline is configured, its draft takes the items back.

    Example: seawall reports nca set-aside 12 --words "Reported by NCMEC already"
    """
    from seawall.cli.context import operator
    from seawall.cli.report_rooms import opened
    from seawall.reporting.nca import drafting

    with opened() as (database, vault, settings), database.transaction() as session:
        drafting.set_aside(session, vault, settings, report, words, operator())
    typer.echo("Set aside.")
