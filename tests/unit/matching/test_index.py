"""The index against the plain model, at every distance, under every sequence of changes."""

from __future__ import annotations

import itertools
import random
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seawall.errors import HashInvalid
from seawall.matching import index as index_module
from seawall.matching import kernels
from seawall.matching.entries import Changes, EntryBatch, empty_batch, joined
from seawall.matching.index import MOST_MATCHES, HashIndex
from seawall.matching.segments import ScanSegment
from seawall.records import (
    FARTHEST_DISTANCE,
    Classification,
    Digests,
    Fingerprint,
    Frame,
    HashKind,
    MatchKind,
    Orientation,
)
from tests.unit.matching.model import (
    KnownEntry,
    Model,
    batch_of,
    distance,
    flipped,
    list_info,
    pdq_batch,
    print_of,
)

pytestmark = pytest.mark.usefixtures("compiled_cache")
PDQ = bytes([0x0F, 0x33] * 16)
OTHER = bytes([0xC5, 0x3A] * 16)


def index_of(batch: EntryBatch, *lists: object, generation: int = 1) -> HashIndex:
    index = HashIndex()
    index.apply(Changes(generation, tuple(lists) or (list_info(1),), batch))  # type: ignore[arg-type]
    return index


def digest_print(kind: HashKind, value: bytes) -> Fingerprint:
    digests: dict[str, bytes] = {kind.value: value}
    return Fingerprint(Digests(**digests))


def randoms(count: int, seed: int = 1) -> list[bytes]:
    generator = random.Random(seed)
    return [generator.randbytes(32) for _ in range(count)]


class TestDistance:
    @pytest.mark.parametrize("bits", range(36))
    def test_every_distance_among_many(self, bits: int) -> None:
        """An entry at 0..31 is found wherever its bits differ, one at 32 or more never."""
        generator = random.Random(bits)
        hashes = randoms(3000)
        index = index_of(pdq_batch(hashes))
        for _ in range(40):
            chosen = generator.randrange(3000)
            query = flipped(hashes[chosen], generator.sample(range(256), bits))
            matches = index.lookup(print_of(query), 50)
            expected = [(chosen + 1, bits)] if bits <= 31 else []
            assert [(match.entry_id, match.distance) for match in matches] == expected

    def test_differences_all_in_one_word(self) -> None:
        for start in range(0, 256, 31):
            query = flipped(PDQ, list(range(start, min(start + 31, 256))))
            assert len(index_of(pdq_batch([PDQ])).lookup(print_of(query), 50)) == 1
            farther = flipped(PDQ, [(start + place) % 256 for place in range(32)])
            assert index_of(pdq_batch([PDQ])).lookup(print_of(farther), 50) == ()

    @pytest.mark.parametrize("farthest", [0, 1, 15, 31])
    def test_each_list_has_its_own_reach(self, farthest: int) -> None:
        near, far = list_info(1, max_distance=farthest), list_info(2)
        batch = joined([pdq_batch([PDQ], 1, 1), pdq_batch([PDQ], 2, 2)])
        index = index_of(batch, near, far)
        for bits in range(33):
            found = {match.list.list_id for match in index.lookup(print_of(flipped(PDQ, list(range(bits)))), 50)}
            assert found == {number for number, reach in ((1, farthest), (2, 31)) if bits <= reach}


class TestWhatIsLookedUp:
    def test_nothing_in_an_empty_index(self) -> None:
        assert HashIndex().lookup(print_of(PDQ, md5=bytes(16)), 50) == ()
        assert index_of(empty_batch()).lookup(print_of(PDQ), 50) == ()

    def test_all_eight_orientations_and_the_best_of_them(self) -> None:
        hashes = randoms(8)
        for place, orientation in enumerate(Orientation):
            index = index_of(pdq_batch([flipped(hashes[place], [5])]))
            (match,) = index.lookup(print_of(*hashes), 50)
            assert (match.orientation, match.distance) == (orientation, 1)
        symmetric = index_of(pdq_batch([PDQ]))
        (match,) = symmetric.lookup(print_of(flipped(PDQ, [1, 2]), flipped(PDQ, [3]), flipped(PDQ, [4])), 50)
        assert (match.orientation, match.distance) == (Orientation.ROTATED_90, 1)

    def test_likenesses_that_tell_too_little_count_beside_others_only(self) -> None:
        index = index_of(
            batch_of(
                *(KnownEntry(n, 1, {HashKind.PDQ: flipped(PDQ, [n])}) for n in (1, 2)),
                KnownEntry(3, 1, {HashKind.MD5: b"5" * 16}),
                KnownEntry(4, 1, {HashKind.PDQ: OTHER}),
            )
        )
        little = Frame(0, (PDQ,), 100, low_information=True)
        alone = index.find(Fingerprint(Digests(), frames=(little,)), 50)
        assert (alone.matches, alone.set_aside) == ((), 2)
        beside_a_digest = index.find(Fingerprint(Digests(md5=b"5" * 16), frames=(little,)), 50)
        assert [match.entry_id for match in beside_a_digest.matches] == [3, 1, 2]
        assert [match.low_information for match in beside_a_digest.matches] == [False, True, True]
        beside_a_picture = index.find(Fingerprint(Digests(), frames=(little, Frame(1, (OTHER,), 100))), 50)
        assert {match.entry_id for match in beside_a_picture.matches} == {1, 2, 4}
        assert beside_a_digest.set_aside == beside_a_picture.set_aside == 0
        telling = index.find(Fingerprint(Digests(), frames=(little, Frame(1, (PDQ,), 100))), 50)
        assert [match.low_information for match in telling.matches] == [False, False]

    def test_what_tells_too_little_hides_nothing_that_tells_enough(self) -> None:
        index = index_of(pdq_batch([PDQ, *(flipped(PDQ, [n, n + 1, n + 2]) for n in range(MOST_MATCHES + 5))]))
        telling, nearer = (Frame(n, (flipped(PDQ, list(range(bits))),), 100) for n, bits in ((0, 9), (1, 6)))
        little = replace(nearer, low_information=True)
        found = index.find(Fingerprint(Digests(), frames=(telling, little)), 50)
        alone = index.find(Fingerprint(Digests(), frames=(telling,)), 50)
        assert found.set_aside == 0
        assert [(match.entry_id, match.distance) for match in found.matches] == [
            (match.entry_id, match.distance) for match in alone.matches
        ]

    def test_the_upright_wins_a_draw(self) -> None:
        (match,) = index_of(pdq_batch([PDQ])).lookup(print_of(PDQ, PDQ, PDQ), 50)
        assert match.orientation is Orientation.UPRIGHT

    @pytest.mark.parametrize(("quality", "found"), [(0, False), (49, False), (50, True), (100, True), (None, True)])
    def test_frames_of_low_quality_are_not_looked_up_by_pdq(self, quality: int | None, found: bool) -> None:
        index = index_of(batch_of(KnownEntry(1, 1, {HashKind.PDQ: PDQ, HashKind.MD5: bytes(range(16))})))
        matches = index.lookup(print_of(PDQ, quality=quality), 50)
        assert bool(matches) is found
        assert all(match.quality == quality for match in matches)
        assert index.lookup(print_of(PDQ, quality=quality, md5=bytes(range(16))), 50)[0].kind is MatchKind.EXACT

    def test_the_frame_that_matched_is_named(self) -> None:
        hashes = randoms(300, seed=4)
        frames = tuple(Frame(number, (value,), 90) for number, value in enumerate(hashes))
        index = index_of(pdq_batch([hashes[277], hashes[3]]))
        matches = index.lookup(Fingerprint(print_of().digests, frames=frames), 50)
        assert [(match.entry_id, match.frame) for match in matches] == [(1, 277), (2, 3)]

    @pytest.mark.parametrize("kind", [HashKind.MD5, HashKind.SHA1, HashKind.SHA256])
    def test_digests(self, kind: HashKind) -> None:
        """Also digests that share their first bytes, or end in zeros."""
        length = kind.length
        values = [
            bytes(length),
            bytes(8) + bytes([1] * (length - 8)),
            bytes([255] * length),
            bytes([7]) + bytes(length - 1),
        ]
        index = index_of(batch_of(*(KnownEntry(n, 1, {kind: value}) for n, value in enumerate(values, start=1))))
        for n, value in enumerate(values, start=1):
            (match,) = index.lookup(digest_print(kind, value), 50)
            assert (match.entry_id, match.kind, match.hash_kind, match.distance) == (n, MatchKind.EXACT, kind, 0)
        assert index.lookup(digest_print(kind, bytes([9]) * length), 50) == ()

    def test_a_digest_and_a_pdq_of_one_entry_are_one_match(self) -> None:
        entry = KnownEntry(1, 1, {HashKind.PDQ: PDQ, HashKind.MD5: bytes(16), HashKind.SHA256: bytes(32)})
        (match,) = index_of(batch_of(entry)).lookup(print_of(PDQ, md5=bytes(16), sha256=bytes(32)), 50)
        assert (match.kind, match.hash_kind) == (MatchKind.EXACT, HashKind.SHA256)

    def test_the_match_carries_what_the_list_says(self) -> None:
        known = Classification("uk", "A")
        entry = KnownEntry(1, 1, {HashKind.PDQ: PDQ}, disputed=True, classification=known)
        (match,) = index_of(batch_of(entry), list_info(1)).lookup(print_of(PDQ), 50)
        assert (match.disputed, match.classification, match.list.name) == (True, known, "test-1")

    @pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
    def test_hashes_of_the_wrong_length(self, wrong: bytes) -> None:
        index = index_of(pdq_batch([PDQ]))
        with pytest.raises(HashInvalid):
            index.lookup(print_of(wrong), 50)
        with pytest.raises(HashInvalid):
            index.lookup(print_of(md5=wrong), 50)

    def test_a_batch_gives_what_single_lookups_give(self) -> None:
        hashes = randoms(200)
        index = index_of(pdq_batch(hashes))
        prints = [print_of(flipped(value, [1] * (n % 2)), quality=40 + n) for n, value in enumerate(hashes[:40])]
        prints += [print_of(), print_of(PDQ)]
        assert index.lookup_many(prints, 50) == tuple(index.lookup(each, 50) for each in prints)
        assert index.lookup_many([], 50) == ()


class TestMany:
    def test_a_cluster_gives_the_nearest_and_says_that_there_are_more(self) -> None:
        generator = random.Random(2)
        hashes = [flipped(PDQ, generator.sample(range(256), generator.randrange(1, 32))) for _ in range(5000)]
        index = index_of(pdq_batch(hashes))
        found = index.find(print_of(PDQ), 50)
        nearest = sorted((distance(value, PDQ), n) for n, value in enumerate(hashes, start=1))
        assert [(match.distance, match.entry_id) for match in found.matches] == nearest[:MOST_MATCHES]
        assert found.truncated

    def test_all_equal(self) -> None:
        index = index_of(pdq_batch([PDQ] * 20_000))
        found = index.find(print_of(PDQ, *(flipped(PDQ, [n]) for n in range(7))), 50)
        assert [match.entry_id for match in found.matches] == list(range(1, MOST_MATCHES + 1))
        assert {match.distance for match in found.matches} == {0}
        assert found.truncated

    def test_a_crowd_on_one_list_does_not_hide_another(self) -> None:
        far = flipped(PDQ, list(range(31)))
        crowd, lone = pdq_batch([PDQ] * 500, 1, 1), pdq_batch([far], 2, 900)
        found = index_of(joined([crowd, lone]), list_info(1), list_info(2)).find(print_of(PDQ), 50)
        assert found.matches[-1].list.list_id == 2
        assert found.matches[-1].distance == 31
        assert len(found.matches) == MOST_MATCHES + 1

    def test_a_crowd_with_one_digest_does_not_hide_another(self) -> None:
        entries = [KnownEntry(n, 1 if n < 500 else 2, {HashKind.MD5: bytes(16)}) for n in range(1, 501)]
        found = index_of(batch_of(*entries), list_info(1), list_info(2)).find(print_of(md5=bytes(16)), 50)
        assert [match.entry_id for match in found.matches] == [*range(1, MOST_MATCHES + 1), 500]
        assert found.truncated

    def test_exactly_as_many_as_are_kept_is_not_truncated(self) -> None:
        for count, truncated in ((MOST_MATCHES, False), (MOST_MATCHES + 1, True)):
            assert index_of(pdq_batch([PDQ] * count)).find(print_of(PDQ), 50).truncated is truncated
            same = batch_of(*(KnownEntry(n, 1, {HashKind.MD5: bytes(16)}) for n in range(count)))
            assert index_of(same).find(print_of(md5=bytes(16)), 50).truncated is truncated

    def test_dead_and_disabled_entries_take_no_places(self) -> None:
        index = index_of(
            joined([pdq_batch([PDQ] * 300, 1, 1), pdq_batch([PDQ] * 3, 2, 1000)]), list_info(1), list_info(2)
        )
        index.apply(Changes(2, (list_info(1), list_info(2)), batch_of(removed=tuple(range(1, 299)))))
        assert [match.entry_id for match in index.lookup(print_of(PDQ), 50)] == [299, 300, 1000, 1001, 1002]
        index.apply(Changes(3, (list_info(1, enabled=False), list_info(2)), empty_batch()))
        assert [match.entry_id for match in index.lookup(print_of(PDQ), 50)] == [1000, 1001, 1002]

    def test_many_frames_in_several_passes(self) -> None:
        hashes = randoms(700)
        index = index_of(pdq_batch(hashes))
        prints = [print_of(value) for value in hashes]
        assert [found[0].entry_id for found in index.lookup_many(prints, 50)] == list(range(1, 701))


class TestChanges:
    def test_what_is_new_is_newer(self) -> None:
        index = index_of(pdq_batch([PDQ]))
        other = bytes([0xF0] * 32)
        index.apply(Changes(2, (list_info(1),), batch_of(KnownEntry(1, 1, {HashKind.PDQ: other}))))
        assert index.lookup(print_of(PDQ), 50) == ()
        assert len(index.lookup(print_of(other), 50)) == 1
        assert (index.generation, len(index)) == (2, 1)

    def test_the_last_of_two_rows_of_one_entry_counts(self) -> None:
        other = bytes([0xF0] * 32)
        index = index_of(batch_of(KnownEntry(1, 1, {HashKind.PDQ: PDQ}), KnownEntry(1, 1, {HashKind.PDQ: other})))
        assert index.lookup(print_of(PDQ), 50) == ()
        assert len(index.lookup(print_of(other), 50)) == 1

    def test_everything_replaces_everything(self) -> None:
        index = index_of(pdq_batch([PDQ]))
        index.apply(Changes(1, (list_info(1),), pdq_batch(randoms(1)), everything=True))
        assert index.lookup(print_of(PDQ), 50) == ()
        assert len(index) == 1

    def test_large_segments_are_not_rebuilt_for_small_changes(self) -> None:
        index = index_of(pdq_batch(randoms(9000)))
        base = index._snapshot.held[0].segment
        for n in range(50):
            index.apply(Changes(n + 2, (list_info(1),), pdq_batch(randoms(1, seed=n + 2), first_id=20_000 + n)))
        assert index._snapshot.held[0].segment is base
        assert [held.rows for held in index._snapshot.held] == [9000, 50]
        assert len(index) == 9050

    def test_what_is_mostly_gone_is_cleared_away(self) -> None:
        index = index_of(
            joined([pdq_batch(randoms(6000)), pdq_batch(randoms(3000, 9), 2, 7000)]), list_info(1), list_info(2)
        )
        index.apply(Changes(2, (list_info(2),), empty_batch()))
        assert [held.rows for held in index._snapshot.held] == [3000]
        index.apply(Changes(3, (), empty_batch()))
        assert index._snapshot.held == ()

    def test_lookups_while_changes_are_applied(self) -> None:
        """A steady entry is found by every lookup, whatever is going on beside it."""
        index = index_of(pdq_batch([PDQ]))
        done = threading.Event()
        missed: list[int] = []

        def look() -> None:
            while not done.is_set():
                if [match.entry_id for match in index.lookup(print_of(PDQ), 50)] != [1]:
                    missed.append(1)

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for n in range(200):
            index.apply(Changes(n + 2, (list_info(1),), pdq_batch(randoms(30, seed=n), first_id=100 + (n % 7) * 10)))
        done.set()
        for thread in threads:
            thread.join()
        assert missed == []


def test_the_compiled_search_looks_as_far_as_policies_and_lists_may_ask() -> None:
    assert kernels.FAR == FARTHEST_DISTANCE


def test_a_segment_gives_back_what_it_was_built_from() -> None:
    entries = [
        KnownEntry(
            3, 2, {HashKind.PDQ: PDQ, HashKind.SHA1: bytes(range(20))}, classification=Classification("uk", "A")
        ),
        KnownEntry(5, 1, {HashKind.MD5: bytes(16)}, disputed=True),
        KnownEntry(9, 2, {HashKind.SHA256: bytes(range(32))}, classification=Classification("uk", "B")),
    ]
    batch = batch_of(*entries)
    again = ScanSegment(batch).batch(np.ones(3, dtype=bool))
    assert (again.rows == batch.rows).all()
    mixed = joined([batch_of(entries[0]), batch_of(entries[1]), batch_of(entries[2])])
    segment = ScanSegment(mixed)
    assert [segment.classification(row) for row in range(3)] == [entry.classification for entry in entries]


PLACES = st.lists(st.integers(0, 255), max_size=40, unique=True)
CENTRES = [PDQ, bytes([0xAA] * 32), bytes(range(0, 256, 8))]
HASHES = st.builds(flipped, st.sampled_from(CENTRES), PLACES)
DIGEST = {kind: st.sampled_from([bytes([n]) * kind.length for n in range(4)]) for kind in HashKind}
ENTRY_HASHES = st.fixed_dictionaries(
    {},
    optional={
        HashKind.PDQ: HASHES,
        HashKind.MD5: DIGEST[HashKind.MD5],
        HashKind.SHA1: DIGEST[HashKind.SHA1],
        HashKind.SHA256: DIGEST[HashKind.SHA256],
    },
).filter(bool)
PRINTS = st.builds(
    print_of,
    *(HASHES for _ in range(3)),
    quality=st.sampled_from([None, 10, 50, 90]),
    md5=DIGEST[HashKind.MD5],
    sha1=DIGEST[HashKind.SHA1],
)


class IndexAgainstModel(RuleBasedStateMachine):
    """Any sequence of changes; after each, the index says what the model says."""

    @initialize()
    def begin(self) -> None:
        # Small numbers, so that folding and clearing away happen here too.
        self.restore = (index_module.SMALL_SEGMENT, index_module.FOLD_RATIO)
        index_module.SMALL_SEGMENT, index_module.FOLD_RATIO = 3, 2
        self.index = HashIndex()
        self.model = Model(lists={1: list_info(1), 2: list_info(2, max_distance=12)})
        self.ids = {1: 1, 2: 2}
        self.next_id = itertools.count(3)
        self.asked: list[Fingerprint] = [print_of(centre) for centre in CENTRES]
        self.change(empty_batch())

    def teardown(self) -> None:
        if hasattr(self, "restore"):
            index_module.SMALL_SEGMENT, index_module.FOLD_RATIO = self.restore

    def change(self, batch: EntryBatch) -> None:
        self.index.apply(Changes(self.index.generation + 1, tuple(self.model.lists.values()), batch))

    @rule(put=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 3), ENTRY_HASHES, st.booleans()), max_size=8))
    def put_entries(self, put: list[tuple[int, int, dict[HashKind, bytes], bool]]) -> None:
        """Entries are only ever put on lists that there are."""
        entries = [
            KnownEntry(entry_id, self.ids[place], hashes, disputed)
            for entry_id, place, hashes, disputed in put
            if place in self.ids
        ]
        self.model.entries |= {entry.entry_id: entry for entry in entries}
        self.change(batch_of(*entries))

    @rule(gone=st.lists(st.integers(1, 30), max_size=6))
    def remove_entries(self, gone: list[int]) -> None:
        for entry_id in gone:
            self.model.entries.pop(entry_id, None)
        self.change(batch_of(removed=tuple(gone)))

    @rule(place=st.integers(1, 3), enabled=st.booleans(), farthest=st.integers(0, 31))
    def set_list(self, place: int, enabled: bool, farthest: int) -> None:
        """A list that is made anew has a new id."""
        list_id = self.ids.setdefault(place, next(self.next_id))
        self.model.lists[list_id] = list_info(list_id, enabled=enabled, max_distance=farthest)
        self.change(empty_batch())

    @rule(place=st.integers(1, 3))
    def remove_list(self, place: int) -> None:
        list_id = self.ids.pop(place, None)
        if list_id is not None:
            del self.model.lists[list_id]
        self.model.entries = {key: entry for key, entry in self.model.entries.items() if entry.list_id != list_id}
        self.change(empty_batch())

    @rule(asked=PRINTS)
    def ask(self, asked: Fingerprint) -> None:
        self.asked = [*self.asked[-4:], asked]

    @invariant()
    def says_what_the_model_says(self) -> None:
        if not hasattr(self, "index"):
            return
        answers = self.index.lookup_many(self.asked, 50)
        for asked, answer in zip(self.asked, answers, strict=True):
            expected = self.model.lookup(asked, 50)
            assert [(match.entry_id, match.kind, match.distance) for match in answer] == expected
            for match in answer:
                entry = self.model.entries[match.entry_id]
                assert match.list == self.model.lists[entry.list_id]
                assert match.disputed == entry.disputed
        assert len(self.index) == len(self.model.entries)


IndexAgainstModel.TestCase.settings = settings(
    max_examples=120, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestIndexAgainstModel = IndexAgainstModel.TestCase
