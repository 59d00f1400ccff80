"""What a lookup gives: the nearest matches, and whether there were more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seawall.records import Match


@dataclass(frozen=True, slots=True)
class Found:
    """Matches, nearest first, each entry once. `truncated` says that there are more, none of them nearer; `set_aside`
    how many likenesses do not count, since they stand alone and the hashes they are by tell too little."""

    matches: tuple[Match, ...]
    truncated: bool
    set_aside: int = 0


def chosen(candidates: Sequence[Match], limit: int, truncated: bool) -> Found:
    """The `limit` nearest, and of lists that are not among them the nearest: how many independent lists know an item
    must not depend on how many near copies one of them holds. Likenesses by hashes that tell too little count only
    beside something else."""
    telling = counting(candidates)
    if not telling:
        return Found((), False, set_aside=len(candidates))
    ordered = sorted(telling, key=_nearness)
    kept: list[Match] = []
    lists: set[int] = set()
    for match in ordered:
        if len(kept) < limit or match.list.list_id not in lists:
            kept.append(match)
            lists.add(match.list.list_id)
    return Found(tuple(kept), truncated or len(kept) < len(ordered))


def counting(matches: Sequence[Match]) -> Sequence[Match]:
    """All of them, or none where each is a likeness by a hash that tells too little."""
    return () if all(match.low_information for match in matches) else matches


def merged(found: Iterable[Iterable[Match]]) -> tuple[Match, ...]:
    """The matches of several fingerprints of one content, nearest first, each entry once by its nearest."""
    nearest: dict[int, Match] = {}
    for match in sorted((match for matches in found for match in matches), key=_nearness):
        nearest.setdefault(match.entry_id, match)
    return tuple(nearest.values())


def _nearness(match: Match) -> tuple[bool, int, int]:
    """Exact before perceptual, near before far, old before new."""
    return *match.nearness, match.entry_id
