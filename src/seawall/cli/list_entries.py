"""`seawall lists dispute` and `seawall lists remove-entry`: single entries of a list. Hashes are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from seawall.access.requests import Parameters
    from seawall.request_records import RequestKind
    from seawall.settings import Settings

Name = Annotated[str, typer.Argument(help="The list's name.")]
ById = Annotated[str | None, typer.Option("--id", help="The number that the source gave the entry.")]
ByHash = Annotated[str | None, typer.Option("--hash", help="Any hash of the entry, in hexadecimal.")]
ByCase = Annotated[int | None, typer.Option("--case", min=1, help="What the items of this case met on the list.")]

Reason = Annotated[str, typer.Option(help="Why, for the second person and for the record.")]


def dispute(
    name: Name,
    upstream_id: ById = None,
    value: ByHash = None,
    case: ByCase = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the mark off again.")] = False,
) -> None:
    """Mark entries of a list as disputed. They match still; by the shipped policy they hold and no longer block, and
    what was confirmed by them alone is decided again.

    Example: seawall lists dispute ncmec --case 17
    """
    from seawall.cli.context import open_database, open_settings, operator
    from seawall.hashlists.store import dispute_entry

    with open_database(open_settings()) as database, database.transaction() as session:
        entries = _chosen(session, name, upstream_id, value, case)
        for entry in entries:
            dispute_entry(session, entry, not undo, operator())
    typer.echo(f"{_counted(entries)} of {name} {'not disputed any more' if undo else 'disputed'}.")


def remove_entries(
    name: Name, reason: Reason, upstream_id: ById = None, value: ByHash = None, case: ByCase = None
) -> None:
    """Take entries off a list, once a second person agrees at the console. What they alone had held is then released;
    what was confirmed by them alone is decided again.

    Example: seawall lists remove-entry ncmec --id 4711 --reason "Taken back by the source, ticket 12."
    """
    from seawall.cli.context import open_database, open_settings
    from seawall.request_records import RequestKind
    from seawall.second import lists

    settings = open_settings()
    with open_database(settings) as database, database.transaction() as session:
        entries = _chosen(session, name, upstream_id, value, case)
        wanted = lists.entries_parameters(name, entries)
        done = ask(session, settings, RequestKind.REMOVE_ENTRIES, name, wanted, reason)
    typer.echo(f"{_counted(entries)} of {name} removed." if done is None else done)


def ask(
    session: Session, settings: Settings, kind: RequestKind, name: str, parameters: Parameters, reason: str
) -> str | None:
    """Asks for a change of a list; says that it waits, or None when it was carried out at once."""
    from datetime import timedelta

    from seawall.access.requests import Asker
    from seawall.cli.context import operator
    from seawall.request_records import RequestState
    from seawall.second import asking

    lasts = timedelta(days=settings.second_person_days)
    request = asking.ask(session, kind, f"list:{name}", parameters, Asker(operator()), reason, lasts)
    if request.state is RequestState.CARRIED_OUT:
        return None
    return (
        f"Request {request.id} waits for a second person, at the console under Second look. Nothing has changed "
        "yet.\n"
        f"Where nobody else is there: seawall second-person off {kind.value} --reason TEXT"
    )


def _chosen(session: Session, name: str, upstream_id: str | None, value: str | None, case: int | None) -> list[int]:
    from seawall.cases.store import get_case
    from seawall.errors import BadInput, NotFound
    from seawall.hashlists.store import entries_named, get_list
    from seawall.records import Match

    if sum(given is not None for given in (upstream_id, value, case)) != 1:
        raise BadInput("Which entries are meant?", hint="Give one of --id, --hash and --case.")
    list_id = get_list(session, name).list_id
    met: set[int] | None = None
    if case is not None:
        found = (finding for item in get_case(session, case).items for finding in item.findings)
        met = {each.entry_id for each in found if isinstance(each, Match) and each.list.list_id == list_id}
    entries = entries_named(session, list_id, upstream_id=upstream_id, value=_bytes(value), among=met)
    if not entries:
        raise NotFound(f"The list {name!r} has no such entry.", hint="It may be removed already.")
    return entries


def _bytes(value: str | None) -> bytes | None:
    from seawall.errors import HashInvalid

    if value is None:
        return None
    try:
        read = bytes.fromhex(value)
    except ValueError:
        read = b""
    if len(read) not in (16, 20, 32):
        raise HashInvalid("A hash has 32, 40 or 64 hexadecimal digits.")
    return read


def _counted(entries: list[int]) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
