"""Lists and imports on a real PostgreSQL."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, Entry, HashList, ListRemoval
from seawall.errors import BadInput, ListFormatInvalid, NotFound, UpdateQuarantined
from seawall.evidence import audit
from seawall.hashlists import store
from seawall.hashlists.formats import read_entries
from seawall.hashlists.store import ImportMode, ImportReport, ListDefinition
from seawall.records import Actor, BadLine, Classification, EntryDraft, HarmClass, HashKind, Trust

CLERK = Actor("cli", "test")
PDQ = bytes([0x0F] * 32)


def digest(number: int, kind: str = "md5") -> bytes:
    return hashlib.new(kind, f"harmless {number}".encode()).digest()


def load(database: Database, *items: EntryDraft | BadLine, name: str = "test-list", **mode: bool) -> ImportReport:
    with database.transaction() as session:
        return store.import_entries(session, name, items, actor=CLERK, mode=ImportMode(**mode))


def rows(database: Database, name: str = "test-list") -> list[Entry]:
    with database.transaction() as session:
        query = (
            select(Entry)
            .join(HashList, HashList.id == Entry.list_id)
            .where(HashList.name == name, Entry.removed_at.is_(None))
            .order_by(Entry.id)
        )
        return list(session.scalars(query))


def acts(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.number)))


def numbers(report: ImportReport) -> tuple[int, int, int, int, int]:
    assert report.read == report.added + report.changed + report.unchanged + report.repeated
    return report.added, report.changed, report.unchanged, report.repeated, report.removed


class TestImport:
    def test_everything_that_an_entry_says_is_kept(self, database: Database) -> None:
        draft = EntryDraft(
            2,
            digest(1),
            digest(1, "sha1"),
            digest(1, "sha256"),
            PDQ,
            88,
            Classification("vics-US", "1"),
            "upstream-7",
        )
        assert numbers(load(database, draft)) == (1, 0, 0, 0, 0)
        (row,) = rows(database)
        assert (row.md5, row.sha1, row.sha256, row.pdq) == (draft.md5, draft.sha1, draft.sha256, draft.pdq)
        assert (row.pdq_quality, row.upstream_id) == (88, "upstream-7")
        assert (row.classification_scheme, row.classification_code) == ("vics-US", "1")

    def test_the_list_is_made_and_changed_as_defined(self, database: Database) -> None:
        with database.transaction() as session:
            store.import_entries(
                session,
                "a list",
                [EntryDraft(1, md5=digest(1))],
                actor=CLERK,
                definition=ListDefinition("source", Trust.TRUSTED, HarmClass.NCII, 20, True),
            )
        with database.transaction() as session:
            info = store.ensure_list(session, "a list", ListDefinition(trust=Trust.UNVERIFIED), CLERK)
        assert (info.source, info.trust, info.harm_class) == ("source", Trust.UNVERIFIED, HarmClass.NCII)
        assert (info.max_distance, info.is_test, info.enabled) == (20, True, True)
        assert acts(database) == ["list.create", "list.import", "list.change"]

    def test_a_new_list_takes_careful_defaults(self, database: Database) -> None:
        with database.transaction() as session:
            info = store.ensure_list(session, "plain", ListDefinition(), CLERK)
        assert (info.source, info.trust, info.harm_class) == ("plain", Trust.STANDARD, HarmClass.CSAM)
        assert (info.max_distance, info.enabled, info.is_test) == (31, True, False)

    def test_twice_the_same_changes_nothing(self, database: Database) -> None:
        drafts = [EntryDraft(n, md5=digest(n), upstream_id=str(n)) for n in range(50)]
        load(database, *drafts)
        before = [(row.id, row.change) for row in rows(database)]
        assert numbers(load(database, *drafts)) == (0, 0, 50, 0, 0)
        assert [(row.id, row.change) for row in rows(database)] == before

    def test_a_correction_upstream_changes_the_entry(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1), upstream_id="7"), EntryDraft(2, md5=digest(3)))
        report = load(database, EntryDraft(1, md5=digest(2), upstream_id="7"))
        assert numbers(report) == (0, 1, 0, 0, 0)
        assert {row.md5 for row in rows(database)} == {digest(2), digest(3)}

    def test_what_a_later_file_does_not_say_stays(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1), pdq=PDQ, pdq_quality=70, upstream_id="7"))
        report = load(database, EntryDraft(1, sha1=digest(1, "sha1"), upstream_id="7"))
        assert numbers(report) == (0, 1, 0, 0, 0)
        (row,) = rows(database)
        assert (row.md5, row.sha1, row.pdq, row.pdq_quality) == (digest(1), digest(1, "sha1"), PDQ, 70)

    def test_lines_of_one_item_are_one_entry(self, database: Database) -> None:
        report = load(
            database,
            EntryDraft(1, md5=digest(1), upstream_id="7"),
            EntryDraft(2, sha1=digest(1, "sha1"), upstream_id="7", classification=Classification("uk", "A")),
            EntryDraft(3, pdq=PDQ, pdq_quality=90, upstream_id="7", classification=Classification("uk", "B")),
            EntryDraft(4, md5=digest(9)),
            EntryDraft(5, md5=digest(9)),
        )
        assert numbers(report) == (2, 0, 0, 3, 0)
        first, second = rows(database)
        assert (first.md5, first.sha1, first.pdq, first.pdq_quality) == (digest(1), digest(1, "sha1"), PDQ, 90)
        assert first.classification_code == "B"
        assert second.md5 == digest(9)

    def test_lines_of_one_id_that_differ_are_all_kept(self, database: Database) -> None:
        """Dropping one of two hashes that share an id would be a missed match."""
        drafts = [EntryDraft(n, md5=digest(n), upstream_id="7") for n in (1, 2, 3, 2)]
        assert numbers(load(database, *drafts)) == (3, 0, 0, 1, 0)
        assert {row.md5 for row in rows(database)} == {digest(1), digest(2), digest(3)}
        assert numbers(load(database, *drafts)) == (0, 0, 3, 1, 0)

    def test_bad_lines_are_reported_and_the_rest_goes_in(self, database: Database) -> None:
        report = load(database, EntryDraft(1, md5=digest(1)), BadLine(2, "not_hex", "md5 is not hexadecimal."))
        assert (report.added, report.bad_count, report.bad[0].line) == (1, 1, 2)

    def test_reported_bad_lines_are_bounded_and_counted(self, database: Database) -> None:
        report = load(database, *(BadLine(n, "no_hash", "x") for n in range(3000)))
        assert (len(report.bad), report.bad_count) == (1000, 3000)

    def test_strict_lets_nothing_in(self, database: Database) -> None:
        with pytest.raises(ListFormatInvalid, match="Line 2: md5 is not hexadecimal"):
            load(
                database, EntryDraft(1, md5=digest(1)), BadLine(2, "not_hex", "md5 is not hexadecimal."), strict=True
            )
        with database.transaction() as session:
            assert store.summaries(session) == ()
        assert acts(database) == []

    def test_a_file_that_breaks_lets_nothing_in(self, database: Database) -> None:
        body = b'{"@odata.context": "x", "value": [{"MD5": "' + digest(1).hex().encode() + b'"}, {"MD5'
        with pytest.raises(ListFormatInvalid), database.transaction() as session:
            store.import_entries(session, "test-list", read_entries(io.BytesIO(body)), actor=CLERK)
        with database.transaction() as session:
            assert store.find_list(session, "test-list") is None

    def test_two_imports_in_one_transaction(self, database: Database) -> None:
        with database.transaction() as session:
            for name in ("one", "two"):
                store.import_entries(session, name, [EntryDraft(1, md5=digest(1))], actor=CLERK)
        assert len(rows(database, "one")) == len(rows(database, "two")) == 1

    @pytest.mark.parametrize("name", ["", " x", "x" * 101, "a\nb", "a\x00b"])
    def test_names_that_cannot_be(self, database: Database, name: str) -> None:
        with pytest.raises(BadInput):
            load(database, EntryDraft(1, md5=digest(1)), name=name)

    def test_the_audit_chain_holds_numbers_and_no_hash(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1)))
        with database.transaction() as session:
            details = str(session.scalars(select(AuditEvent.details)).all())
            assert "'added': 1" in details
            assert digest(1).hex() not in details
            assert audit.verify(session).ok


class TestReplace:
    def test_the_file_is_the_whole_list(self, database: Database) -> None:
        load(database, *(EntryDraft(n, md5=digest(n)) for n in range(5)))
        report = load(database, *(EntryDraft(n, md5=digest(n)) for n in (1, 2, 3, 4, 9)), replace=True)
        assert numbers(report) == (1, 0, 4, 0, 1)
        assert {row.md5 for row in rows(database)} == {digest(n) for n in (1, 2, 3, 4, 9)}

    def test_hashes_that_the_file_lacks_go(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1), pdq=PDQ, upstream_id="7"))
        with pytest.raises(UpdateQuarantined, match="names other hashes for 1 of the 1"):
            load(database, EntryDraft(1, md5=digest(1), upstream_id="7"), replace=True)
        load(database, EntryDraft(1, md5=digest(1), upstream_id="7"), replace=True, force=True)
        assert [row.pdq for row in rows(database)] == [None]

    def test_a_loss_of_hashes_is_held_back_like_one_of_entries(self, database: Database) -> None:
        load(database, *(EntryDraft(n, md5=digest(n), upstream_id=str(n)) for n in range(10)))
        others = [EntryDraft(n, md5=digest(n + 100), upstream_id=str(n)) for n in range(6)]
        before = rows(database)
        for replace in (False, True):
            with database.transaction() as session, pytest.raises(UpdateQuarantined, match="for 6 of the 10"):
                store.import_entries(session, "test-list", others, actor=CLERK, mode=ImportMode(replace=replace))
        assert [(row.id, row.md5, row.change) for row in rows(database)] == [
            (row.id, row.md5, row.change) for row in before
        ]
        assert load(database, *others[:5]).changed == 5
        assert load(database, *others[:1], *others[5:], force=True, replace=True).removed == 8

    def test_a_loss_of_more_than_half_is_held_back(self, database: Database) -> None:
        load(database, *(EntryDraft(n, md5=digest(n)) for n in range(10)))
        five = [EntryDraft(n, md5=digest(n)) for n in range(5)]
        with pytest.raises(UpdateQuarantined, match="lacks 6 of the 10"):
            load(database, *five[:4], replace=True)
        with pytest.raises(UpdateQuarantined):
            load(database, replace=True)
        assert len(rows(database)) == 10
        assert load(database, *five, replace=True).removed == 5
        assert load(database, *five[:1], replace=True, force=True).removed == 4

    def test_a_removed_entry_comes_back_as_itself(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1), pdq=PDQ, upstream_id="1"), EntryDraft(2, md5=digest(2)))
        first = rows(database)[0].id
        load(database, EntryDraft(2, md5=digest(2)), replace=True)
        assert load(database, EntryDraft(1, md5=digest(1), upstream_id="1")).changed == 1
        back = next(row for row in rows(database) if row.md5 == digest(1))
        assert back.id == first
        assert back.pdq is None, "what it had before its removal does not come back unsaid"


class TestLists:
    def test_enable_and_disable(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1)))
        with database.transaction() as session:
            assert not store.disable_list(session, "test-list", CLERK).enabled
        with database.transaction() as session:
            store.disable_list(session, "test-list", CLERK)
        with database.transaction() as session:
            assert store.enable_list(session, "test-list", CLERK).enabled
        assert acts(database)[2:] == ["list.disable", "list.enable"]

    def test_remove(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1)))
        with database.transaction() as session:
            store.remove_list(session, "test-list", CLERK)
        with database.transaction() as session:
            assert store.summaries(session) == ()
            assert session.scalars(select(Entry)).all() == []
            assert [row.name for row in session.scalars(select(ListRemoval))] == ["test-list"]
        load(database, EntryDraft(1, md5=digest(1)))
        assert len(rows(database)) == 1

    @pytest.mark.parametrize("act", [store.enable_list, store.disable_list, store.remove_list])
    def test_unknown_list(self, database: Database, act: Callable[..., object]) -> None:
        with pytest.raises(NotFound), database.transaction() as session:
            act(session, "nobody", CLERK)

    def test_entries_one_by_one(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1)), EntryDraft(2, md5=digest(2)))
        first, second = rows(database)
        with database.transaction() as session:
            store.dispute_entry(session, first.id, True, CLERK)
        with database.transaction() as session:
            store.remove_entry(session, second.id, CLERK)
        assert [(row.id, row.disputed) for row in rows(database)] == [(first.id, True)]
        with pytest.raises(NotFound), database.transaction() as session:
            store.remove_entry(session, second.id, CLERK)

    def test_summaries_count(self, database: Database) -> None:
        load(database, EntryDraft(1, md5=digest(1), pdq=PDQ), EntryDraft(2, md5=digest(2)), name="b")
        load(database, name="a")
        with database.transaction() as session:
            empty, full = store.summaries(session)
        assert (empty.info.name, empty.entries) == ("a", 0)
        assert (full.info.name, full.entries, full.disputed) == ("b", 2, 0)
        assert dict(full.hashes) == {HashKind.MD5: 2, HashKind.SHA1: 0, HashKind.SHA256: 0, HashKind.PDQ: 1}


class TestChanges:
    def test_every_change_moves_the_list_and_notifies(self, database: Database) -> None:
        with psycopg.connect(database.url, autocommit=True) as listener:
            listener.execute("LISTEN seawall_hashes")
            seen: list[int] = []
            for act in self.changes(database):
                act()
                seen.extend(int(notice.payload) for notice in listener.notifies(timeout=5, stop_after=1))
        assert len(seen) == 6
        assert seen == sorted(set(seen))
        with database.transaction() as session:
            assert session.scalar(text("SELECT max(change) FROM list_removals")) == seen[-1]

    def changes(self, database: Database) -> Iterator[Callable[[], None]]:
        def once(act: Callable[..., object], *arguments: object) -> Callable[[], None]:
            def run() -> None:
                with database.transaction() as session:
                    act(session, *arguments, CLERK)

            return run

        yield lambda: (load(database, EntryDraft(1, md5=digest(1))), None)[1]
        yield once(store.disable_list, "test-list")
        yield once(store.enable_list, "test-list")
        yield once(store.dispute_entry, rows(database)[0].id, True)
        yield once(store.remove_entry, rows(database)[0].id)
        yield once(store.remove_list, "test-list")

    def test_nothing_is_announced_when_nothing_is_committed(self, database: Database) -> None:
        with psycopg.connect(database.url, autocommit=True) as listener:
            listener.execute("LISTEN seawall_hashes")
            with pytest.raises(ListFormatInvalid):
                load(database, EntryDraft(1, md5=digest(1)), BadLine(2, "x", "x"), strict=True)
            load(database, EntryDraft(1, md5=digest(1)))
            notices = list(listener.notifies(timeout=1, stop_after=5))
        assert len(notices) == 1

    def test_numbers_become_visible_in_their_order(self, database: Database) -> None:
        """Many writers; a reader that looks all the time never sees a number appear below one it has seen."""
        done = threading.Event()
        errors: list[str] = []

        def write(worker: int) -> None:
            for turn in range(8):
                drafts = [EntryDraft(n, md5=digest(worker * 1000 + turn * 10 + n)) for n in range(5)]
                load(database, *drafts, name=f"list-{worker}")

        def watch() -> None:
            seen: set[int] = set()
            while not done.is_set():
                with database.transaction() as session:
                    visible = set(session.scalars(select(Entry.change).distinct()))
                if seen and (late := [number for number in visible - seen if number < max(seen)]):
                    errors.append(f"{late} after {max(seen)}")
                seen |= visible

        writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        watcher = threading.Thread(target=watch)
        for thread in (watcher, *writers):
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        watcher.join()
        assert errors == []
        with database.transaction() as session:
            assert session.scalar(text("SELECT count(*) FROM entries")) == 4 * 8 * 5
            assert audit.verify(session).ok


DRAFTS = st.lists(
    st.builds(
        EntryDraft,
        line=st.integers(1, 99),
        md5=st.integers(0, 4).map(digest),
        sha1=st.none() | st.integers(0, 2).map(lambda n: digest(n, "sha1")),
        upstream_id=st.none() | st.sampled_from("abc"),
    ),
    max_size=12,
)


@given(drafts=DRAFTS, replace=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_twice_is_a_file_once(database: Database, drafts: list[EntryDraft], replace: bool) -> None:
    name = "twice"
    first = load(database, *drafts, name=name, replace=replace, force=True)
    numbers(first)
    before = {(row.id, row.identity, row.md5, row.sha1, row.change) for row in rows(database, name)}
    # No digest that the file names may be lost, whatever ids it shares.
    assert {draft.md5 for draft in drafts} <= {row[2] for row in before}
    assert {draft.sha1 for draft in drafts if draft.sha1} <= {row[3] for row in before}
    second = load(database, *drafts, name=name, replace=replace, force=True)
    assert (second.added, second.changed, second.removed) == (0, 0, 0)
    assert {(row.id, row.identity, row.md5, row.sha1, row.change) for row in rows(database, name)} == before
