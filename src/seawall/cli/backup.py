"""`seawall backup` and `seawall restore`: database and sealed evidence, into a folder and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup; it must be empty or not be there.")],
    with_keys: Annotated[
        bool,
        typer.Option(
            "--with-keys", help="Put the key files in it too. Whoever has such a backup can open all evidence."
        ),
    ] = False,
) -> None:
    """Back up the database and the sealed evidence as they are at one moment; the service goes on meanwhile.

    The keys are not in it: keep the master key, the audit key and your settings apart. What is not as it was sealed
    is left out, named, and ends the command with 7. It holds hash lists and names of accounts in clear: guard it as
    you guard the database.

    Example: seawall backup /backups/2026-01-31
    """
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.engines.objects import open_objects
    from seawall.errors import EvidenceTampered
    from seawall.evidence.backing_up import back_up

    settings = open_settings()
    with open_database(settings) as database:
        made = back_up(database, open_objects(settings), settings, operator(), folder, with_keys=with_keys)
    typer.echo(f"{made.events} audit events and {made.objects} sealed objects are backed up in {folder}.")
    typer.echo(f"Head: {made.head}")
    if not with_keys:
        typer.echo("Its keys are not in it. Without these the evidence cannot be opened; keep them somewhere else:")
        for name in made.master_keys or ("none was needed so far",):
            typer.echo(f"  master key {name}")
    if made.damaged:
        raise EvidenceTampered(
            f"{len(made.damaged)} sealed objects are not in the store as they were sealed, and so not in the backup: "
            f"{', '.join(made.damaged[:5])}."
        )


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.", exists=True, file_okay=False)],
) -> None:
    """Restore a backup where nothing is: into an empty home, or an empty database and object store.

    Every byte is checked before anything is touched. Restore only your own backups: a database's dump can hold
    programs. Put the master key in its place before the service starts.

    Example: seawall restore /backups/2026-01-31
    """
    from seawall.cli.context import open_settings, operator
    from seawall.engines.objects import open_objects
    from seawall.errors import AuditChainBroken
    from seawall.evidence.restoring import restore as put_back
    from seawall.opening import connect

    settings = open_settings()
    database = connect(settings)
    try:
        restored = put_back(database, open_objects(settings), settings, operator(), folder)
    finally:
        database.close()
    made = restored.manifest
    typer.echo(f"Restored: {made.events} audit events and {made.objects} sealed objects, of {made.made_at}.")
    if made.master_keys:
        typer.echo(f"Master key needed: {', '.join(made.master_keys)}, at {settings.resolved_master_key_file}.")
    problem = restored.report.first_problem
    if problem is not None:
        raise AuditChainBroken(
            f"All is restored, but the audit chain does not hold ({problem.code}). {problem.explanation}",
            hint="If heads were noted here after the backup was made, what happened since is lost; that is what they "
            f"say. Move {settings.audit_heads_file} away, and keep it, once you have understood it.",
        )
    if restored.report.signatures == 0:
        typer.echo(
            "The hashes of the audit chain hold. No signature was looked at: there is no audit key here, or no head "
            "was signed yet."
        )
    else:
        typer.echo("The audit chain holds.")
