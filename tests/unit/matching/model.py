"""The index as anyone would write it first: every entry compared in plain Python. It is the truth for the tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from seawall.matching.entries import DISPUTED, ENTRY, HAS, NO_CLASSIFICATION, REMOVED, EntryBatch
from seawall.records import (
    Classification,
    Digests,
    Fingerprint,
    Frame,
    HarmClass,
    HashKind,
    ListInfo,
    MatchKind,
    Trust,
)


@dataclass(frozen=True)
class KnownEntry:
    entry_id: int
    list_id: int
    hashes: dict[HashKind, bytes]
    disputed: bool = False
    classification: Classification | None = None


def list_info(list_id: int, *, enabled: bool = True, max_distance: int = 31, is_test: bool = True) -> ListInfo:
    return ListInfo(
        list_id,
        f"test-{list_id}",
        f"source-{list_id}",
        Trust.STANDARD,
        HarmClass.OTHER,
        max_distance,
        enabled,
        is_test,
    )


def batch_of(*entries: KnownEntry, removed: tuple[int, ...] = ()) -> EntryBatch:
    classifications = tuple({entry.classification for entry in entries if entry.classification})
    rows = np.zeros(len(entries) + len(removed), dtype=ENTRY)
    for row, entry in zip(rows, entries, strict=False):
        row["entry_id"], row["list_id"] = entry.entry_id, entry.list_id
        known = entry.classification
        row["classification"] = classifications.index(known) if known else NO_CLASSIFICATION
        row["flags"] = DISPUTED if entry.disputed else 0
        for kind, value in entry.hashes.items():
            row["flags"] |= HAS[kind]
            row[kind.value] = np.frombuffer(value, dtype=np.uint8)
    rows[len(entries) :]["entry_id"] = removed
    rows[len(entries) :]["flags"] = REMOVED
    return EntryBatch(rows, classifications)


def pdq_batch(hashes: list[bytes], list_id: int = 1, first_id: int = 1) -> EntryBatch:
    return batch_of(*(KnownEntry(first_id + n, list_id, {HashKind.PDQ: value}) for n, value in enumerate(hashes)))


def print_of(*hashes: bytes, quality: int | None = 100, **digests: bytes) -> Fingerprint:
    """One frame whose orientations are the hashes."""
    frames = (Frame(0, hashes, quality),) if hashes else ()
    return Fingerprint(Digests(**digests), frames=frames)


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def flipped(value: bytes, bits: list[int]) -> bytes:
    number = int.from_bytes(value)
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(value))


@dataclass
class Model:
    entries: dict[int, KnownEntry] = field(default_factory=dict)
    lists: dict[int, ListInfo] = field(default_factory=dict)

    def lookup(self, fingerprint: Fingerprint, minimum_quality: int) -> list[tuple[int, MatchKind, int]]:
        """(entry, kind, distance) of every match, nearest first."""
        found = []
        for entry in self.entries.values():
            info = self.lists.get(entry.list_id)
            if info is not None and info.enabled and (best := self.best(entry, info, fingerprint, minimum_quality)):
                found.append((entry.entry_id, *best))
        return sorted(found, key=lambda match: (match[1] is MatchKind.PERCEPTUAL, match[2], match[0]))

    def best(
        self, entry: KnownEntry, info: ListInfo, fingerprint: Fingerprint, minimum_quality: int
    ) -> tuple[MatchKind, int] | None:
        for kind in (HashKind.MD5, HashKind.SHA1, HashKind.SHA256):
            digest = getattr(fingerprint.digests, kind.value)
            if digest is not None and entry.hashes.get(kind) == digest:
                return MatchKind.EXACT, 0
        pdq = entry.hashes.get(HashKind.PDQ)
        distances = [
            distance(value, pdq)
            for frame in fingerprint.frames
            if pdq is not None and (frame.quality is None or frame.quality >= minimum_quality)
            for value in frame.orientations
        ]
        near = [bits for bits in distances if bits <= info.max_distance]
        return (MatchKind.PERCEPTUAL, min(near)) if near else None
