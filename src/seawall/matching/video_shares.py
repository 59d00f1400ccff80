"""How much of what arrived is in a listed video, and how much of the video is in it: two shares, as vPDQ has them.

Each frame of a listed video is an entry, and the index finds those that are met. That one is met may mean little:
many videos begin with the same title. So of every video of which one frame is met all frames are compared with all
that was looked up, as the reference code of Meta's vPDQ does: the share of the query's frames and of the entry's,
each within a distance and of enough quality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, any_, literal, select
from sqlalchemy.orm import Session

from seawall.database.sessions import Database
from seawall.database.tables import Entry
from seawall.database.tables.hashlists import IS_FRAME
from seawall.matching.found import Found
from seawall.records import Fingerprint, Match

# What an upload may cost. Shares are counted of so many videos, those of the nearest frames, and of so many frames of
# each; the others are matches without shares.
MOST_VIDEOS, MOST_FRAMES = 16, 5000

Video = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was looked up: (n, 4) uint64, and of which frame each is."""

    words: NDArray[np.uint64]
    frames: NDArray[np.int64]

    @classmethod
    def of(cls, fingerprint: Fingerprint, minimum_quality: int) -> _Asked:
        """Every orientation of every frame that is good enough, parts included. What tells too little is no frame at
        all here, so that a video of black pictures and titles is not like another."""
        hashes: list[bytes] = []
        frames: list[int] = []
        for frame in fingerprint.frames:
            if frame.is_good(minimum_quality) and not frame.low_information:
                hashes += frame.orientations
                frames += [frame.number] * len(frame.orientations)
        return cls(_words(hashes), np.array(frames, dtype=np.int64))


def with_shares(
    database: Database, fingerprints: Sequence[Fingerprint], found: tuple[Found, ...], minimum_quality: int
) -> tuple[Found, ...]:
    """The same, with both shares in each match with a frame of a listed video. Nothing is asked where no video is
    met, which is nearly always.

    Raises:
        DatabaseUnavailable: the frames of the videos cannot be had.
    """
    met = list(dict.fromkeys(match.entry_id for each in found for match in each.matches if match.of_video))
    if not met:
        return found
    with database.transaction() as session:
        videos = _videos(session, met)
        frames = _frames(session, videos)
    return tuple(
        replace(each, matches=_told(_Asked.of(fingerprint, minimum_quality), each.matches, videos, frames))
        if any(match.of_video for match in each.matches)
        else each
        for fingerprint, each in zip(fingerprints, found, strict=True)
    )


def _videos(session: Session, entries: Sequence[int]) -> dict[int, Video]:
    """Of which videos these entries are, those of the first `MOST_VIDEOS`."""
    wanted = select(Entry.id, Entry.list_id, Entry.video).where(
        Entry.id == any_(literal(list(entries), ARRAY(BigInteger))), Entry.video.is_not(None)
    )
    of = {entry: (list_id, str(video)) for entry, list_id, video in session.execute(wanted)}
    first = list(dict.fromkeys(of[entry] for entry in entries if entry in of))[:MOST_VIDEOS]
    return {entry: video for entry, video in of.items() if video in first}


def _frames(session: Session, videos: Mapping[int, Video]) -> dict[Video, NDArray[np.uint64]]:
    found: dict[Video, NDArray[np.uint64]] = {}
    for list_id, video in dict.fromkeys(videos.values()):
        wanted = (
            select(Entry.pdq)
            .where(Entry.list_id == list_id, Entry.video == video, Entry.removed_at.is_(None), IS_FRAME)
            .order_by(Entry.id)
            .limit(MOST_FRAMES)
        )
        found[list_id, video] = _words([bytes(pdq or b"") for pdq in session.scalars(wanted)])
    return found


def _told(
    asked: _Asked,
    matches: Sequence[Match],
    videos: Mapping[int, Video],
    frames: Mapping[Video, NDArray[np.uint64]],
) -> tuple[Match, ...]:
    known: dict[Video, tuple[int, int]] = {}
    told: list[Match] = []
    for match in matches:
        video = videos.get(match.entry_id) if match.of_video else None
        if video is not None and len(frames[video]):
            if video not in known:
                known[video] = _shares(asked, frames[video], match.list.max_distance)
            query_share, entry_share = known[video]
            told.append(replace(match, query_share=query_share, entry_share=entry_share))
        else:
            told.append(match)
    return tuple(told)


def _shares(asked: _Asked, listed: NDArray[np.uint64], reach: int) -> tuple[int, int]:
    """In per cent, rounded, but nothing that is met is called none, and nothing less than all is called all."""
    from seawall.matching.video_kernels import mark_near

    numbers, frames = np.unique(asked.frames, return_inverse=True)
    of_frames, of_listed = np.zeros(len(numbers), dtype=bool), np.zeros(len(listed), dtype=bool)
    mark_near(asked.words, frames, listed, reach, of_frames, of_listed)
    return _per_cent(int(of_frames.sum()), len(of_frames)), _per_cent(int(of_listed.sum()), len(of_listed))


def _per_cent(part: int, whole: int) -> int:
    if part in (0, whole):
        return 100 if part else 0
    return min(99, max(1, round(100 * part / whole)))


def _words(hashes: Sequence[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, 4)
