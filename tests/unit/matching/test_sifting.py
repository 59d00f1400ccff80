"""What of earlier findings stands: by the entries as they are now, against a model in a few lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.matching.orientations import with_orientations
from seawall.matching.sifting import EntryNow, sift, with_news
from seawall.records import (
    Digests,
    Fingerprint,
    Frame,
    HarmClass,
    HashKind,
    ListInfo,
    Match,
    MatchKind,
    Orientation,
    ScanOwed,
    Trust,
)

LIST = ListInfo(1, "Test list", "test source", Trust.TRUSTED, HarmClass.CSAM, 31, True, True)
PDQ = np.random.default_rng(1).bytes(32)
SHA256 = b"\1" * 32
FINGERPRINT = Fingerprint(Digests(sha256=SHA256), frames=(Frame(0, (PDQ,), 90),))
TURNED = with_orientations(FINGERPRINT)


def flipped(value: bytes, bits: int) -> bytes:
    """The hash with so many of its first bits turned over."""
    return (int.from_bytes(value, "big") ^ (((1 << bits) - 1) << (256 - bits))).to_bytes(32, "big")


@dataclass(frozen=True)
class Sample:
    """A match, what its list says of the entry now, and whether it stands."""

    match: Match
    entry: EntryNow | None
    stands: bool


@st.composite
def samples(draw: st.DrawFn, number: int) -> Sample:
    now = replace(LIST, trust=draw(st.sampled_from(Trust)), enabled=draw(st.booleans()))
    disputed = draw(st.booleans())
    exact = draw(st.booleans())
    fate = draw(st.sampled_from(["there", "gone", "another hash", "without that hash"]))
    if exact:
        match = Match(number, LIST, MatchKind.EXACT, HashKind.SHA256, 0)
        hashes = {HashKind.SHA256: SHA256 if fate == "there" else b"\2" * 32}
    else:
        orientation = draw(st.sampled_from(Orientation))
        distance = draw(st.integers(0, 31))
        match = Match(number, LIST, MatchKind.PERCEPTUAL, HashKind.PDQ, distance, orientation)
        of = TURNED.frames[0].orientations[list(Orientation).index(orientation)]
        # What was derived from the upright hash may be off by so much more.
        more = 0 if orientation is Orientation.UPRIGHT else draw(st.integers(0, 28))
        hashes = {HashKind.PDQ: flipped(of, distance + more) if fate == "there" else flipped(of, 128)}
    if fate == "without that hash":
        hashes = {HashKind.MD5: b"\3" * 16}
    entry = None if fate == "gone" else EntryNow(now, hashes, None, disputed)
    return Sample(match, entry, fate == "there")


@settings(deadline=None)
@given(st.data(), st.integers(0, 6), st.booleans())
def test_a_finding_stands_as_long_as_its_entry_does(data: st.DataObject, count: int, owed: bool) -> None:
    drawn = [data.draw(samples(number)) for number in range(count)]
    scan_owed = (ScanOwed("media_corrupt", "The picture ends too early."),) if owed else ()
    known = {sample.match.entry_id: sample.entry for sample in drawn if sample.entry is not None}
    sifted = sift((*(sample.match for sample in drawn), *scan_owed), known, FINGERPRINT)
    assert sifted.fallen == tuple(sample.match for sample in drawn if not sample.stands)
    kept = tuple(
        replace(sample.match, list=sample.entry.list, disputed=sample.entry.disputed)
        for sample in drawn
        if sample.stands and sample.entry is not None
    )
    assert sifted.kept == (*kept, *scan_owed)


@settings(deadline=None)
@given(st.lists(st.integers(0, 31), max_size=4), st.lists(st.integers(0, 31), max_size=4), st.booleans())
def test_of_what_stands_and_what_is_found_the_better_counts(old: list[int], new: list[int], owed: bool) -> None:
    def matches(distances: list[int]) -> tuple[Match, ...]:
        return tuple(Match(n, LIST, MatchKind.PERCEPTUAL, HashKind.PDQ, d) for n, d in enumerate(distances))

    scan_owed = (ScanOwed("media_corrupt", "It ends too early."),) if owed else ()
    together = with_news((*matches(old), *scan_owed), matches(new))
    expected = {n: min(d for ds in (old, new) for d in ds[n : n + 1]) for n in range(max(len(old), len(new)))}
    assert {each.entry_id: each.distance for each in together if isinstance(each, Match)} == expected
    assert [each for each in together if isinstance(each, ScanOwed)] == list(scan_owed)


def test_an_exact_match_is_better_than_any_likeness() -> None:
    exact = Match(1, LIST, MatchKind.EXACT, HashKind.SHA256, 0)
    near = Match(1, LIST, MatchKind.PERCEPTUAL, HashKind.PDQ, 0)
    assert with_news((exact,), (near,)) == with_news((near,), (exact,)) == (exact,)
