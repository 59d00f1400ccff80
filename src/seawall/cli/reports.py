"""`seawall reports`: what is to be filed with an authority, and how far it is."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli import report_nca
from seawall.cli.report_exports import export, package
from seawall.cli.report_profiles import profiles
from seawall.cli.report_rooms import opened
from seawall.errors import ExitStatus

if TYPE_CHECKING:
    from seawall.reporting.views import ReportListing, SendListing

app = typer.Typer(help="Complete, file and look after reports to authorities.", no_args_is_help=True)

app.command()(profiles)
app.command()(export)
app.command()(package)
app.add_typer(report_nca.app, name="nca")

Number = Annotated[int, typer.Argument(help="The report's number.", min=1)]
Words = Annotated[str, typer.Option("--words", help="What it rests on; it goes into the audit chain.")]


class How(enum.StrEnum):
    """As `seawall.reporting.acts.Resolution`, which is not loaded for `--help`."""

    OPENED = "opened"
    NOT_OPENED = "not-opened"
    FILED = "filed"
    SET_ASIDE = "set-aside"


@app.command("list")
def list_all(
    state: Annotated[str, typer.Option(help="Only those that stand so: draft, stopped, reconcile, filed ...")] = "",
) -> None:
    """Show the newest reports: where each stands, and why.

    Example: seawall reports list --state stopped
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seawall.cli.context import open_database, open_settings
    from seawall.cli.tables import moment
    from seawall.errors import BadInput
    from seawall.reporting import views
    from seawall.reporting.states import ReportState

    if state and state not in {each.value for each in ReportState}:
        raise BadInput(f"No report stands {state}.", hint=f"One of: {', '.join(ReportState)}.")
    with open_database(open_settings()) as database, database.transaction() as session:
        listed = views.recent(session, state=ReportState(state) if state else None)
    table = Table("Report", "Case", "State", "Items", "Authority", "Number there", "Made (UTC)", "Says")
    for one in listed:
        label = one.state.label + (" (test data)" if one.is_test else "")
        there = one.reference or ("" if one.authority_number is None else str(one.authority_number))
        row = str(one.report_id), str(one.case_id), label, str(one.items), one.system or one.authority_label, there
        table.add_row(*row, moment(one.created_at), Text(one.says or ""))
    Console().print(table)


@app.command()
def show(
    report: Number,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what the report says, to be completed with an editor.")
    ] = False,
    request: Annotated[
        int | None, typer.Option("--request", help="Print the exact XML of that request.", min=1)
    ] = None,
) -> None:
    """Show where a report stands, what keeps it from being filed, and every request that was sent for it.

    What it says is personal data: who prints it (--json, --request) is put into the audit chain.

    Example: seawall reports show 12 --json > report-12.json
    """
    from seawall.cli.context import operator
    from seawall.reporting import views

    with opened() as (database, vault, _settings), database.transaction() as session:
        if as_json:
            typer.echo(views.read(session, vault, report, operator()).to_json())
        elif request is not None:
            typer.echo(views.read_send(session, vault, report, request, operator()))
        else:
            _print(views.get(session, report), views.problems(session, vault, report), views.sends(session, report))


@app.command()
def draft(case: Annotated[int, typer.Argument(help="The case's number.", min=1)]) -> None:
    """Make the draft of a decided case, should it lack one: where the reporter file could not be used at the time.

    Example: seawall reports draft 7
    """
    from seawall.database.tables import Case
    from seawall.errors import NotFound
    from seawall.reporting import drafting
    from seawall.reporting.cybertip.account import account_of

    with opened() as (database, vault, settings), database.transaction() as session:
        account_of(settings)
        if session.get(Case, case, with_for_update=True) is None:
            raise NotFound(f"There is no case {case}.")
        made = drafting.draft(session, vault, settings, case)
    if made is None:
        typer.echo("Nothing of it is owed: nothing confirmed is without a report, or one is under way.")
        raise typer.Exit(ExitStatus.DIFFERS)
    typer.echo(f"Report {made} is its draft.")


@app.command()
def complete(
    report: Number,
    file: Annotated[Path, typer.Argument(help="What `show --json` printed, completed.", exists=True, dir_okay=False)],
) -> None:
    """Put a completed draft into the place of the draft, and say what is still wrong with it.

    Example: seawall reports complete 12 report-12.json
    """
    from seawall.cli.context import operator
    from seawall.reporting import acts
    from seawall.reporting.draft import read_draft

    completed = read_draft(file.read_text("utf-8"))
    with opened() as (database, vault, _settings), database.transaction() as session:
        found = acts.complete(session, vault, report, completed, operator())
    for problem in found:
        typer.echo(f"  {problem}")
    typer.echo("Kept; it cannot be filed like this." if found else "Kept; it can be filed.")
    if found:
        raise typer.Exit(ExitStatus.DIFFERS)


@app.command("file")
def file_report(report: Number) -> None:
    """Let a report go: a worker files it, and goes on trying. A stopped one is taken up where it stopped.

    Example: seawall reports file 12
    """
    from seawall.cli.context import operator
    from seawall.reporting import acts

    with opened() as (database, vault, settings), database.transaction() as session:
        acts.file(session, vault, settings, report, operator())
    typer.echo(f"Report {report} will be filed by a worker; `seawall reports show {report}` says how far it is.")


@app.command()
def retract(report: Number, words: Words) -> None:
    """Take a report back that is not finished: the authority forgets it, and it is a draft again.

    Example: seawall reports retract 12 --words "The wrong account"
    """
    from seawall.cli.context import operator
    from seawall.errors import AuthorityTrouble, Conflict
    from seawall.reporting import acts
    from seawall.reporting.filing import Filer
    from seawall.reporting.states import ReportState

    with opened() as (database, vault, settings):
        with database.transaction() as session:
            acts.withdrawn(session, report, words, operator())
        filer = Filer(database, vault, settings)
        try:
            outcome = filer.withdraw(report)
        finally:
            filer.close()
    if outcome is None:
        raise Conflict("A worker is at it just now.", hint="Try again in a minute.")
    if outcome.state is ReportState.FILED:
        raise Conflict("It is too late: the authority has it as finished, so it counts as filed.", hint="Call them.")
    if outcome.state is not ReportState.DRAFT:
        raise AuthorityTrouble(f"The authority did not take it back: {outcome.says}")
    typer.echo(f"Report {report} is a draft again.")


@app.command()
def resolve(
    report: Number,
    how: Annotated[
        How,
        typer.Argument(
            help="opened: the authority has it open under --number. not-opened: it has nothing of it. filed: it was "
            "filed by another way, under --number. set-aside: it is not to be filed."
        ),
    ],
    words: Words,
    number: Annotated[int | None, typer.Option("--number", help="The authority's number of it.", min=1)] = None,
) -> None:
    """Settle by hand what cannot go on by itself.

    After an unanswered /submit only the authority knows whether it has opened the report: look there, or ask them. An
    open report that is never finished does not count, and ends by itself within a day.

    Example: seawall reports resolve 12 not-opened --words "Asked the authority by telephone; they have nothing"
    """
    from seawall.cli.context import operator
    from seawall.reporting import acts

    with opened() as (database, vault, settings), database.transaction() as session:
        acts.resolve(session, vault, settings, report, acts.Resolution(how.value), words, operator(), number=number)
    typer.echo("Settled.")


def _print(report: ReportListing, problems: list[str], sends: list[SendListing]) -> None:
    typer.echo(f"Report {report.report_id} of case {report.case_id}: {report.state.label}")
    if report.is_test:
        typer.echo("Test data.")
    if report.says:
        typer.echo(report.says)
    if report.reference:
        typer.echo(f"Reference {report.reference} at the {report.authority_label}")
    if report.authority_number is not None:
        typer.echo(f"Number {report.authority_number} at {report.system}")
    if report.next_attempt_at is not None:
        typer.echo(f"Tried again at {report.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC")
    if not report.state.is_done:
        for problem in problems:
            typer.echo(f"  To complete: {problem}")
    for send in sends:
        answer = f"code {send.code} (HTTP {send.status})" if send.answered else "no answer"
        there = f", number {send.authority_number}" if send.authority_number else ""
        why = f": {send.error}" if send.error else ""
        typer.echo(f"  {send.number}. {send.sent_at:%Y-%m-%d %H:%M:%S} /{send.call}: {answer}{there}{why}")
