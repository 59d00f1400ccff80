"""A file into a list, as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.tables import now
from seawall.errors import ListFormatInvalid, UpdateQuarantined
from seawall.evidence import audit
from seawall.hashlists import counts
from seawall.hashlists.changes import announce, next_change
from seawall.hashlists.counts import Counts
from seawall.hashlists.lists import ListDefinition, check_list, put_list, refuse_own_source
from seawall.hashlists.staging import Staged, settle, stage
from seawall.records import Actor, BadLine, EntryDraft

# A new version of a list that has lost more than this share of its entries is more likely broken than right.
LARGEST_LOSS = 0.5
BAD_LINES_NAMED = 5


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. read = added + changed + unchanged + repeated.

    Args:
        repeated: lines that said no more than another line of the same file.
        removed: entries that the file no longer has (only when replacing).
        bad: the first thousand bad lines; `bad_count` counts all.
    """

    list_name: str
    read: int
    added: int
    changed: int
    unchanged: int
    repeated: int
    removed: int
    bad: tuple[BadLine, ...]
    bad_count: int


@dataclass(frozen=True, slots=True)
class ImportMode:
    """How to import.

    Args:
        strict: one bad line, and nothing goes in.
        replace: the file is the whole list; entries that it lacks are removed.
        force: import even when more than half of the entries are removed or lose a hash by it.
    """

    strict: bool = False
    replace: bool = False
    force: bool = False


def import_entries(
    session: Session,
    list_name: str,
    items: Iterable[EntryDraft | BadLine],
    *,
    actor: Actor,
    definition: ListDefinition | None = None,
    mode: ImportMode | None = None,
) -> ImportReport:
    """Imports what `formats.read_entries` gives into the list, which is made or changed as defined.

    It binds on every replica with the commit. Importing a file twice changes nothing the second time. Without
    `replace`, hashes that an entry had and the file does not name stay, so that a list can come in several files.

    Raises:
        ListFormatInvalid: bad lines under strict, or a file that cannot be read on. Nothing went in.
        UpdateQuarantined: more than half of the entries would be removed or lose a hash. Nothing was changed.
    """
    mode, definition = mode or ImportMode(), definition or ListDefinition()
    refuse_own_source(definition)
    check_list(list_name, definition)
    staged = stage(session, items)
    if mode.strict and staged.bad_count:
        raise _strict_refusal(staged)
    distinct = settle(session)
    with session.begin_nested():  # what is quarantined leaves nothing behind
        change = next_change(session)
        row, list_event = put_list(session, list_name, definition, change)
        present = counts.of_list(session, row.id).entries
        removed = _remove_missing(session, row.id, change) if mode.replace else 0
        added, changed, lost = _merge(session, row.id, change, keep_known=not mode.replace)
        if removed + lost > present * LARGEST_LOSS and not mode.force:
            raise _quarantine(list_name, present, removed, lost)
    row.change, row.updated_at = change, now()
    session.flush()
    unchanged = distinct - added - changed
    report = ImportReport(
        list_name,
        staged.read,
        added,
        changed,
        unchanged,
        staged.read - distinct,
        removed,
        tuple(staged.bad),
        staged.bad_count,
    )
    announce(session, change)
    if list_event is not None:
        audit.append(session, actor, *list_event)
    audit.append(session, actor, "list.import", f"list:{list_name}", _details(report, mode))
    return report


def _merge(session: Session, list_id: int, change: int, *, keep_known: bool) -> tuple[int, int, int]:
    """Adds what is new and changes what differs; removed entries that are back bind again. How many were added, how
    many changed, and how many of those lost a hash."""
    kept = {name: _merged(name, keep_known) for name in ("md5", "sha1", "sha256", "pdq")}
    kept |= {
        "pdq_quality": _merged("pdq_quality", keep_known, instead_of="pdq"),
        "classification_scheme": _merged("classification_scheme", keep_known, instead_of="classification_code"),
        "classification_code": _merged("classification_code", keep_known),
        "upstream_id": _merged("upstream_id", keep_known),
    }
    assignments = ", ".join(f"{name} = {value}" for name, value in kept.items())
    # A hash that it had and has no more: what it met by that is met no more.
    lost = " OR ".join(f"e.{name} IS NOT NULL AND ({kept[name]}) IS DISTINCT FROM e.{name}" for name in counts.HASHES)
    statement = f"""
        WITH done AS (
            INSERT INTO entries AS e (list_id, identity, md5, sha1, sha256, pdq, pdq_quality,
                classification_scheme, classification_code, upstream_id, video, change)
            SELECT :list_id, identity, md5, sha1, sha256, pdq, pdq_quality, scheme, code, upstream_id, video, :change
            FROM incoming ORDER BY line
            ON CONFLICT (list_id, identity) DO UPDATE
            SET {assignments}, change = excluded.change, removed_at = NULL,
                retracted = CASE WHEN e.removed_at IS NULL AND ({lost}) THEN excluded.change ELSE e.retracted END
            WHERE e.removed_at IS NOT NULL
                OR ({", ".join(f"e.{name}" for name in kept)}) IS DISTINCT FROM ({", ".join(kept.values())})
            RETURNING e.*, (xmax = 0) AS added
        )
        SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added),
            count(before.id) FILTER (WHERE done.retracted = :change),
            count(*) - count(before.id),
            count(*) FILTER (WHERE done.disputed) - count(*) FILTER (WHERE before.disputed),
            {", ".join(f"count(done.{name}) - count(before.{name})" for name in counts.HASHES)}
        -- A statement sees the table as it was before: what the changed rows were is still there to be read.
        FROM done LEFT JOIN entries AS before
            ON NOT done.added AND before.id = done.id AND before.removed_at IS NULL
    """  # noqa: S608 - made of constants
    added, changed, lost, *by = session.execute(text(statement), {"list_id": list_id, "change": change}).one()
    counts.add(session, list_id, Counts(*by))
    return added, changed, lost


def _merged(name: str, keep_known: bool, *, instead_of: str | None = None) -> str:
    """SQL for the new value of a column: the file's, or the known one where the file says nothing."""
    if not keep_known:
        return f"excluded.{name}"
    says_nothing = f"excluded.{instead_of or name} IS NULL AND e.removed_at IS NULL"
    return f"CASE WHEN {says_nothing} THEN e.{name} ELSE excluded.{name} END"


def _remove_missing(session: Session, list_id: int, change: int) -> int:
    statement = f"""
        WITH gone AS (
            UPDATE entries SET removed_at = now(), change = :change, retracted = :change
            WHERE list_id = :list_id AND removed_at IS NULL
                AND NOT EXISTS (SELECT FROM incoming WHERE incoming.identity = entries.identity)
            RETURNING *
        )
        SELECT count(*), count(*) FILTER (WHERE disputed), {", ".join(f"count({name})" for name in counts.HASHES)}
        FROM gone
    """  # noqa: S608 - made of constants
    gone = Counts(*session.execute(text(statement), {"list_id": list_id, "change": change}).one())
    counts.add(session, list_id, counts.minus(gone))
    return gone.entries


def _quarantine(list_name: str, present: int, removed: int, lost: int) -> UpdateQuarantined:
    what = [f"lacks {removed}"] * (removed > 0) + [f"names other hashes for {lost}"] * (lost > 0)
    return UpdateQuarantined(f"The file {' and '.join(what)} of the {present} entries of {list_name!r}.")


def _strict_refusal(staged: Staged) -> ListFormatInvalid:
    named = " ".join(f"Line {bad.line}: {bad.reason}" for bad in staged.bad[:BAD_LINES_NAMED])
    more = staged.bad_count - BAD_LINES_NAMED
    return ListFormatInvalid(
        f"{staged.bad_count} bad lines, so nothing went in. {named}{f' And {more} more.' if more > 0 else ''}",
        hint="Mend the lines, or import without --strict to take the rest.",
    )


def _details(report: ImportReport, mode: ImportMode) -> dict[str, audit.Json]:
    return {
        "read": report.read,
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "repeated": report.repeated,
        "removed": report.removed,
        "bad": report.bad_count,
        "replace": mode.replace,
        "forced": mode.force,
    }
