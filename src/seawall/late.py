"""Late matches: a list learns of something, and what is on the platform already is compared with it.

A walk goes through the ledger with the entries that are new, twice: first with their digests and hashes as they are,
then with the hashes as they would be of a picture that was turned or mirrored. What it finds are candidates; each is
judged anew from its ledger row, by all lists and the policy, and acted on in one transaction: case, webhook, audit,
state. The state of the row is what makes that happen once, however often a walk is begun again.

Uploads go on meanwhile. One that was looked up before an entry bound may be written into the ledger after the walk
has passed. So rows say with which generation of the lists they were judged and in which transaction they were
written, and `stragglers` judges those anew that were written since with lists older than what was walked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.asides import Asides
from seawall.cases import store as cases
from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables import Content, HashList, ListWalk, Walk, now
from seawall.database.tables.content import SHOWN_STATES
from seawall.errors import NotFound
from seawall.hashlists.tally import MatchTally
from seawall.matching import ledger
from seawall.matching.index import reach_of
from seawall.matching.ledger_marks import Clock, clock_of
from seawall.matching.ledger_process import FileGone
from seawall.matching.ledger_search import LedgerSearch
from seawall.matching.loading import Part, parts_to_walk
from seawall.matching.orientations import with_orientations
from seawall.matching.rounds import ENTRIES_AT_ONCE, Rounds
from seawall.policy.decide import decide
from seawall.records import ContentState, ListInfo, Match
from seawall.rejudging import matches_of
from seawall.rooms import Rooms
from seawall.steps import all_met, open_case

# Candidates that are asked for at once whether they are shown at all.
ASKED_AT_ONCE = 1000
# When files go while they are searched, others have taken their place; that soon ends.
TRIES = 5
# The walk that never ends: the row that keeps from where on stragglers are looked for.
STRAGGLERS = "stragglers"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a walk is.

    Args:
        rows: how many were compared in every round; parts_done: of how many parts of the way, all rounds together.
    """

    entries: int
    rows: int = 0
    candidates: int = 0
    matches: int = 0
    parts_done: int = 0
    parts: int = 0


# ------------------------------------------------------------------------------------------------- one ledger row


def judge_again(rooms: Rooms, row_id: int, tally: MatchTally | None = None) -> bool:
    """Judges one ledger row by what the lists know now; whether it became a late match.

    What is held, blocked or removed already stays as it is, and so does what a reviewer released, unless it meets an
    entry that the reviewer did not see.

    Args:
        tally: counts what each list met; the caller has it written.
    """
    with rooms.database.transaction() as session:
        named = session.execute(
            select(Content.content_id, Content.identity).where(Content.id == row_id)
        ).one_or_none()
        if named is None:
            return False
        take(session, Lock.CONTENT, of=f"{named.content_id}:{named.identity.hex()}")
        row = session.get(Content, row_id, populate_existing=True, with_for_update=True)
        if row is None or row.state not in SHOWN_STATES:
            return False
        generation = rooms.index.generation
        fingerprint = with_orientations(ledger.fingerprint_of_row(row))
        findings = all_met(rooms, fingerprint)
        matches = matches_of(findings)
        judgement = decide(rooms.policy, findings, surface=row.surface)
        if not judgement.verdict.refuses or _was_reviewed(session, row, matches):
            row.generation = max(row.generation, generation)
            return False
        ledger.judge_row(row, judgement, ledger.STATE_OF[judgement.verdict], generation)
        open_case(rooms, session, row, judgement, findings, late=True)
    if tally is not None:
        tally.record((match.list.name for match in matches), late=True)
    return True


def _was_reviewed(session: Session, row: Content, matches: tuple[Match, ...]) -> bool:
    if row.state != ContentState.RELEASED:
        return False
    return {match.entry_id for match in matches} <= cases.entries_reviewed(session, row.id)


# ---------------------------------------------------------------------------------------------------------- walks


def due(session: Session) -> bool:
    """Whether some list has changed, or reaches farther, since it last walked."""
    waits = (
        select(HashList.id)
        .outerjoin(ListWalk, ListWalk.list_id == HashList.id)
        .where(
            (ListWalk.list_id.is_(None))
            | (HashList.change > ListWalk.generation)
            | (HashList.enabled & (HashList.max_distance > ListWalk.reach))
        )
    )
    return session.scalar(select(waits.exists())) is True


def walk(
    rooms: Rooms,
    *,
    lists: tuple[str, ...] | None = None,
    anew: bool = False,
    say: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Walks through the ledger with all entries that have not walked yet, and acts on what is found.

    Args:
        lists: only these, by name.
        anew: with all their entries, also those that have walked.

    Raises:
        NotFound: there is no list of that name.
        DatabaseUnavailable: PostgreSQL went away; what was acted on stays, the rest is walked again.
    """
    generation = rooms.index.catch_up()
    with LedgerSearch(rooms.database, rooms.ledger) as search:
        with rooms.database.transaction() as session:
            chosen = _chosen(rooms.index.index.lists, lists)
            of_lists = [_parts(session, info, anew) for info in chosen]
            # Small ones first: they need not wait for one that has millions.
            parts = [part for each in sorted(of_lists, key=_entries) for part in each]
            entries = _entries(parts)
            record = _resumed(session, "by hand" if anew else "list change", chosen, generation, entries)
            _remember_horizon(session, generation)
            any_shown = session.scalar(select(select(Content.id).where(Content.state.in_(SHOWN_STATES)).exists()))
        progress = Progress(entries)
        if parts and any_shown:
            # Only now is it said what there is to go through: what is written from here on is for the stragglers.
            search.rounds = Rounds(rooms.database, parts, {info.list_id: reach_of(info) for info in chosen})
            asides = None if anew else Asides(rooms, generation, lambda found: _judged(rooms, found))
            progress = _through(rooms, search, record.id, progress, say, asides)
    with rooms.database.transaction() as session:
        for info in chosen:
            _walked(session, info, generation)
        finished = session.get_one(Walk, record.id)
        finished.state, finished.finished_at, finished.rows_total = "finished", now(), finished.rows_done
    log.info("walk.finished", lists=len(chosen), entries=progress.entries, rows=progress.rows, late=progress.matches)
    return progress


def stragglers(rooms: Rooms) -> int:
    """Judges anew what was written into the ledger since the last time with lists older than what was walked; returns
    how many late matches that gave. Cheap enough for every second."""
    with rooms.database.transaction() as session:
        standing = session.scalar(select(Walk).where(Walk.reason == STRAGGLERS))
        if standing is None:
            return 0
        clock, walked = clock_of(session), standing.generation
        late = text(
            "SELECT id FROM content WHERE written_in >= CAST(CAST(:since AS text) AS xid8) AND generation < :walked"
            " AND state = ANY(:shown) ORDER BY id"
        )
        found = session.scalars(
            late, {"since": standing.done[0], "walked": walked, "shown": list(SHOWN_STATES)}
        ).all()
    if found:
        rooms.index.catch_up()
    matches = _judged(rooms, found)
    with rooms.database.transaction() as session:
        standing = session.scalars(select(Walk).where(Walk.reason == STRAGGLERS).with_for_update()).one()
        if standing.generation == walked:
            standing.done, standing.updated_at = _since(clock), now()
    return matches


def settle(database: Database) -> None:
    """Call it before anything is written into the ledger. A database that was restored from a dump keeps the numbers
    of transactions that another cluster counted, and counts its own from lower ones on: what is written now would
    look older than what was walked long ago. So the count begins anew here, and what was still to be looked at there
    is written again under a number of this cluster."""
    with database.transaction() as session:
        standing = session.scalar(select(Walk).where(Walk.reason == STRAGGLERS).with_for_update())
        if standing is None:
            return
        clock, (since, *cluster) = clock_of(session), standing.done
        if cluster == [clock.cluster] and int(since) <= clock.following:
            return
        if not cluster and int(since) <= clock.following:
            standing.done = [since, clock.cluster]  # as it was noted before clusters were told apart
            return
        owed = text("written_in >= CAST(CAST(:since AS text) AS xid8)").bindparams(since=since)
        session.execute(update(Content).where(owed).values(written_in=text("pg_current_xact_id()")))
        standing.done, standing.updated_at = _since(clock), now()
    log.info("ledger.other_cluster", advice="The database was restored from a dump; nothing is to be done.")


def _since(clock: Clock) -> list[str]:
    return [str(clock.horizon), clock.cluster]


def recent(session: Session, limit: int = 20) -> list[Walk]:
    """The last walks, newest first."""
    wanted = select(Walk).where(Walk.state != "standing").order_by(Walk.id.desc()).limit(limit)
    return list(session.scalars(wanted))


def _chosen(known: tuple[ListInfo, ...], names: tuple[str, ...] | None) -> list[ListInfo]:
    if names is None:
        return list(known)
    missing = set(names) - {info.name for info in known}
    if missing:
        raise NotFound(
            f"There is no list of the name {min(missing)!r}.", hint="`seawall lists show` names all lists."
        )
    return [info for info in known if info.name in names]


def _parts(session: Session, info: ListInfo, anew: bool) -> list[Part]:
    """What of a list has not walked. A list that reaches farther than when it walked walks with all it has."""
    before = session.get(ListWalk, info.list_id)
    reach = reach_of(info)
    if reach < 0:
        return []
    since = -1 if anew or before is None or reach > before.reach else before.generation
    return parts_to_walk(session, info.list_id, since, ENTRIES_AT_ONCE)


def _resumed(session: Session, reason: str, chosen: list[ListInfo], generation: int, entries: int) -> Walk:
    """The record of this walk: that of one which was broken off, if it was the same."""
    names = sorted(info.name for info in chosen)
    last = session.scalar(
        select(Walk).where(Walk.state == "walking", Walk.reason == reason).order_by(Walk.id.desc()).limit(1)
    )
    if last is not None and last.generation == generation and last.lists == names:
        return last
    if last is not None:
        last.state, last.finished_at = "replaced", now()
    record = Walk(reason=reason, lists=names, generation=generation, state="walking", entries=entries, done=[])
    session.add(record)
    session.flush()
    return record


def _remember_horizon(session: Session, generation: int) -> None:
    """From here on stragglers are looked for. An older horizon stays: what it covers may not have been looked at."""
    standing = session.scalar(select(Walk).where(Walk.reason == STRAGGLERS).with_for_update())
    if standing is None:
        take(session, Lock.HASH_CHANGES, of=STRAGGLERS)
        standing = session.scalar(select(Walk).where(Walk.reason == STRAGGLERS))
    if standing is None:
        since = _since(clock_of(session))
        session.add(Walk(reason=STRAGGLERS, lists=[], generation=generation, state="standing", done=since))
    else:
        standing.generation = max(standing.generation, generation)
    session.flush()


def _entries(parts: Sequence[Part]) -> int:
    return sum(part.entries for part in parts)


def _through(
    rooms: Rooms,
    search: LedgerSearch,
    walk_id: int,
    progress: Progress,
    say: Callable[[Progress], None],
    asides: Asides | None,
) -> Progress:
    """All of the ledger, stretch by stretch, but for those that are done. What a stretch finds is judged at once, in
    transactions of its own. A row counts as compared when every round has passed it."""
    compared = 0
    for left in range(TRIES, -1, -1):
        todo = search.stretches()
        with rooms.database.transaction() as session:
            record = session.get_one(Walk, walk_id)
            record.rows_total, done = search.rows(session), set(record.done)
        try:
            numbers = {stretch.key: number for number, stretch in enumerate(todo, 1)}
            for stretch, found in search.each([stretch for stretch in todo if stretch.key not in done]):
                compared += found.rows
                progress = Progress(
                    progress.entries,
                    compared // len(search.rounds),
                    progress.candidates + len(found.ids),
                    progress.matches + _judged(rooms, found.ids.tolist()),
                    numbers[stretch.key],
                    len(todo),
                )
                _note(rooms, walk_id, progress, stretch.key)
                say(progress)
                if asides is not None:
                    asides.look()
        except FileGone:
            if not left:
                raise
        else:
            return progress
    raise AssertionError("unreachable")


def _judged(rooms: Rooms, row_ids: Sequence[int]) -> int:
    """Judges those again that are shown; returns how many late matches that gave."""
    tally = MatchTally(rooms.database)
    matches = 0
    for start in range(0, len(row_ids), ASKED_AT_ONCE):
        some = row_ids[start : start + ASKED_AT_ONCE]
        with rooms.database.transaction() as session:
            wanted = (
                select(Content.id).where(Content.id.in_(some), Content.state.in_(SHOWN_STATES)).order_by(Content.id)
            )
            shown = session.scalars(wanted).all()
        matches += sum(judge_again(rooms, row_id, tally) for row_id in shown)
    tally.flush()
    return matches


def _note(rooms: Rooms, walk_id: int, progress: Progress, key: str) -> None:
    with rooms.database.transaction() as session:
        record = session.get_one(Walk, walk_id)
        record.done = [*record.done, key]
        record.rows_done, record.candidates, record.matches = progress.rows, progress.candidates, progress.matches
        record.updated_at = now()


def _walked(session: Session, info: ListInfo, generation: int) -> None:
    if session.get(HashList, info.list_id) is None:
        return  # removed meanwhile
    values = {"list_id": info.list_id, "generation": generation, "reach": reach_of(info)}
    statement = insert(ListWalk).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=[ListWalk.list_id], set_=values))
