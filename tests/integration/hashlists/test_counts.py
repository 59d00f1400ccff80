"""The numbers of lists, kept where entries change, against counting everything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from seawall.database.sessions import Database
from seawall.database.tables import Entry, ListCount, now
from seawall.errors import ListFormatInvalid, UpdateQuarantined
from seawall.hashlists import counts, store
from seawall.hashlists.counts import Counts
from seawall.hashlists.store import ImportMode
from seawall.records import Actor, BadLine, EntryDraft
from tests.integration.hashlists.test_store import digest

CLERK = Actor("cli", "test")
NAMES = ("list-a", "list-b")


def counted(database: Database) -> dict[int, Counts]:
    """The truth: every entry looked at."""
    query = text("""
        SELECT l.id, count(e.id), count(e.id) FILTER (WHERE e.disputed), count(e.md5), count(e.sha1), count(e.sha256),
            count(e.pdq)
        FROM hash_lists AS l LEFT JOIN entries AS e ON e.list_id = l.id AND e.removed_at IS NULL GROUP BY l.id
    """)
    with database.transaction() as session:
        return {row[0]: Counts(*row[1:]) for row in session.execute(query)}


def kept(database: Database) -> dict[int, Counts]:
    with database.transaction() as session:
        return counts.of_all(session)


def draft(line: int, number: int, kinds: frozenset[str], variant: int) -> EntryDraft:
    hashes = {kind: digest(number * 10 + variant, kind) for kind in kinds if kind != "pdq"}
    pdq = bytes([number, variant] * 16) if "pdq" in kinds else None
    return EntryDraft(line=line, upstream_id=f"item-{number}", pdq=pdq, **hashes)


items = st.tuples(
    st.integers(0, 6),
    st.frozensets(st.sampled_from(["md5", "sha1", "sha256", "pdq"]), min_size=1),
    st.integers(0, 1),
)
imports = st.tuples(
    st.just("import"),
    st.sampled_from(NAMES),
    st.lists(items, max_size=6),
    st.fixed_dictionaries({"strict": st.booleans(), "replace": st.booleans(), "force": st.booleans()}),
    st.booleans(),
)
steps = st.one_of(
    imports,
    imports,
    st.tuples(st.just("remove"), st.integers(0, 20)),
    st.tuples(st.just("dispute"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("remove list"), st.sampled_from(NAMES)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(steps, min_size=1, max_size=10))
def test_whatever_happens_the_numbers_are_those_of_a_full_count(database: Database, sequence: list[tuple]) -> None:  # type: ignore[type-arg]
    with database.transaction() as session:
        session.execute(text("TRUNCATE hash_lists CASCADE"))
    for step in sequence:
        run(database, *step)
        assert kept(database) == counted(database)
    with database.transaction() as session:
        last = {list_id: days[-1].entries for list_id, days in counts.days(session, now().date()).items()}
    assert last == {list_id: truth.entries for list_id, truth in counted(database).items()}


def run(database: Database, what: str, *args: object) -> None:
    with database.transaction() as session:
        if what == "import":
            name, rows, mode, with_bad = args
            drafts: list[EntryDraft | BadLine] = [draft(line, *row) for line, row in enumerate(rows, 1)]  # type: ignore[arg-type, misc, call-overload]
            if with_bad:
                drafts.append(BadLine(99, "hash_malformed", "No hash."))
            try:
                with session.begin_nested():
                    store.import_entries(session, str(name), drafts, actor=CLERK, mode=ImportMode(**mode))  # type: ignore[arg-type]
            except (ListFormatInvalid, UpdateQuarantined):
                pass
            return
        if what == "remove list":
            if store.find_list(session, str(args[0])) is not None:
                store.remove_list(session, str(args[0]), CLERK)
            return
        present = session.scalars(select(Entry.id).where(Entry.removed_at.is_(None)).order_by(Entry.id)).all()
        if not present:
            return
        entry = present[int(str(args[0])) % len(present)]
        if what == "remove":
            store.remove_entry(session, entry, CLERK)
        else:
            store.dispute_entry(session, entry, bool(args[1]), CLERK)


def test_summaries_do_not_count_entries(database: Database) -> None:
    run(database, "import", "list-a", [(1, frozenset({"md5", "pdq"}), 0)], {}, False)
    with database.transaction() as session:
        session.execute(text("UPDATE list_counts SET entries = 17000000"))
        (summary,) = store.summaries(session)
    assert summary.entries == 17_000_000


def test_what_was_filled_in_another_way_can_be_counted_anew(database: Database) -> None:
    run(database, "import", "list-a", [(1, frozenset({"md5", "pdq"}), 0)], {}, False)
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO entries (list_id, identity, sha1, change) SELECT list_id, 'x', :h, change FROM entries"
            ),
            {"h": digest(1, "sha1")},
        )
        list_id = session.scalars(select(ListCount.list_id)).one()
        assert counts.recount(session, list_id) == Counts(2, 0, 1, 1, 0, 1)
    assert kept(database) == counted(database)


@pytest.mark.parametrize("back", [0, 30])
def test_days_begin_with_the_last_size_before(database: Database, back: int) -> None:
    run(database, "import", "list-a", [(1, frozenset({"md5"}), 0)], {}, False)
    today = now().date()
    with database.transaction() as session:
        session.execute(text("UPDATE list_days SET day = :day"), {"day": today - timedelta(days=back + 5)})
        (days,) = counts.days(session, today - timedelta(days=back)).values()
    assert [(day.day, day.entries) for day in days] == [(today - timedelta(days=back + 5), 1)]
