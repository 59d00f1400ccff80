"""`seawall`: the list of commands, and the one place where an error becomes a message and an exit status."""

from __future__ import annotations

import sys

import typer

from seawall import __version__
from seawall.cli import (
    audit,
    backup,
    demo,
    dev,
    doctor,
    grooming,
    keys,
    ledger,
    lists,
    match,
    policy,
    reports,
    retroscan,
    scan,
    second_person,
    serve,
    users,
    webhooks,
    worker,
)
from seawall.errors import ExitStatus, SeawallError

app = typer.Typer(
    name="seawall",
    help="Safeguards that a platform puts in its upload, share and view paths.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit statuses: " + "; ".join(f"{status.value} {status.meaning}" for status in ExitStatus) + ".",
)

app.command("serve")(serve.serve)
app.command("serve-part", hidden=True)(serve.serve_part)
app.command("worker")(worker.worker)
app.command("doctor")(doctor.doctor)
app.add_typer(lists.app, name="lists")
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
app.add_typer(second_person.app, name="second-person")
app.add_typer(webhooks.app, name="webhooks")
app.command("match")(match.match)
app.command("scan")(scan.scan)
app.command("retroscan")(retroscan.retroscan)
app.add_typer(policy.app, name="policy")
app.add_typer(reports.app, name="reports")
app.add_typer(grooming.app, name="grooming")
app.add_typer(audit.app, name="audit")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("demo")(demo.demo)
app.add_typer(dev.app, name="dev")


@app.callback(invoke_without_command=True)
def seawall(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Safeguards that a platform puts in its upload, share and view paths."""
    if version:
        typer.echo(f"seawall {__version__}")
        raise typer.Exit


def run() -> None:
    """The entry point. A message says what is wrong and what to do next; bugs keep their traceback."""
    try:
        app()
    except SeawallError as error:
        typer.echo(f"seawall: {error.message}\n  {error.hint}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    run()
