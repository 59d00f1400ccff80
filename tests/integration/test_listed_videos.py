"""Videos on lists: met by their frames, judged by how much of them is there, and taken off as wholes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from seawall import flow, late, retraction
from seawall.database.tables import CaseItem, Content, Entry
from seawall.hashlists import store
from seawall.hashlists.formats import read_entries
from seawall.hashlists.lists import ListDefinition, entries_named, get_list, remove_entry
from seawall.records import (
    SYSTEM,
    Answer,
    ContentState,
    Digests,
    Fingerprint,
    Frame,
    MediaArrival,
    Outcome,
    Trust,
    Verdict,
)
from seawall.runtime import Runtime
from tests.integration.test_flow import reviewer, runtime
from tests.vectors.files import scene
from tests.vectors.videos import panning, still, video

__all__ = ["runtime"]


@pytest.fixture(scope="module")
def listed() -> bytes:
    """Six scenes, one of which other videos begin with too."""
    return video([frame for seed in range(70, 76) for frame in still(scene(seed), 0.6)])


def put_video(runtime: Runtime, data: bytes, name: str = "Test videos", number: str = "v1", **more: object) -> None:
    frames = runtime.rooms.decoders.fingerprint(data).frames
    said = {"id": number, "vpdq": [f"{frame.pdq.hex()},{frame.quality},{frame.number / 25:.3f}" for frame in frames]}
    definition = ListDefinition(trust=Trust.TRUSTED, is_test=True, **more)  # type: ignore[arg-type]
    with runtime.database.transaction() as session:
        entries = read_entries(BytesIO(json.dumps(said).encode()))
        store.import_entries(session, name, entries, actor=SYSTEM, definition=definition)
    runtime.rooms.index.catch_up()


def judged(runtime: Runtime, data: bytes, content_id: str) -> tuple[Answer, set[tuple[int | None, int | None]]]:
    """The answer, and the shares of what was met."""
    answer = flow.judge_media(runtime.rooms, MediaArrival(content_id, data))
    found = runtime.rooms.index.lookup(answer.fingerprint, 50)
    assert all(match.of_video for match in found)
    return answer, {(match.query_share, match.entry_share) for match in found}


def test_shares_say_how_much_of_each_is_in_the_other(runtime: Runtime, listed: bytes) -> None:
    put_video(runtime, listed)
    answer, shares = judged(runtime, listed, "whole")
    assert shares == {(100, 100)}
    assert answer.verdict is Verdict.HOLD
    assert "100 % of the video is in it" in answer.reasons[0].explanation
    spliced = video(panning(4.0) + [frame for seed in range(70, 73) for frame in still(scene(seed), 0.6)])
    _, ((query_share, entry_share),) = judged(runtime, spliced, "spliced")
    assert query_share is not None
    assert 15 <= query_share <= 60
    assert entry_share == 50
    _, shares = judged(runtime, _picture(scene(74)), "one picture")
    assert shares == {(100, 17)}
    _, shares = judged(runtime, video(panning(2.0, seed=5)), "other")
    assert shares == set()


def test_two_lists_block_a_video_and_no_single_frame(runtime: Runtime, listed: bytes) -> None:
    put_video(runtime, listed, "Test videos", source="one")
    put_video(runtime, listed, "Test videos too", source="another")
    assert judged(runtime, _picture(scene(70)), "title")[0].verdict is Verdict.HOLD
    assert judged(runtime, listed, "whole")[0].verdict is Verdict.BLOCK


def test_a_video_is_found_late_and_let_go_as_a_whole(runtime: Runtime, listed: bytes) -> None:
    answer, _ = judged(runtime, listed, "early")
    assert answer.verdict is Verdict.ALLOW
    put_video(runtime, listed)
    assert late.walk(runtime.rooms).matches == 1
    with runtime.database.transaction() as session:
        assert session.scalars(select(Content.state)).one() == ContentState.HELD
        list_id = get_list(session, "Test videos").list_id
        entries = session.scalars(select(Entry.id)).all()
        assert len(entries) == 6
        named = entries_named(session, list_id, among={entries[2]})
        assert sorted(named) == sorted(entries)
        for entry in named:
            remove_entry(session, entry, SYSTEM)
    runtime.rooms.index.catch_up()
    assert judged(runtime, _picture(scene(71)), "after")[0].verdict is Verdict.ALLOW


def pending(runtime: Runtime) -> CaseItem:
    with runtime.database.transaction() as session:
        return session.scalars(select(CaseItem).where(CaseItem.state == "pending")).one()


def test_what_was_released_by_one_frame_is_found_by_the_others(runtime: Runtime, listed: bytes) -> None:
    put_video(runtime, video(still(scene(70), 0.6)))
    assert judged(runtime, listed, "c1")[0].verdict is Verdict.HOLD
    flow.decide_item(runtime.rooms, reviewer(runtime), pending(runtime).id, Outcome.NOT_A_MATCH, "A title.")
    assert judged(runtime, listed, "c1")[0].verdict is Verdict.ALLOW
    put_video(runtime, listed)
    assert late.walk(runtime.rooms).matches == 1
    assert {finding["entry_share"] for finding in pending(runtime).findings} == {100}


def test_one_frame_less_reopens_nothing(runtime: Runtime, listed: bytes) -> None:
    put_video(runtime, listed)
    judged(runtime, listed, "c1")
    item = pending(runtime)
    assert len(item.findings) == 6
    flow.decide_item(runtime.rooms, reviewer(runtime), item.id, Outcome.CONFIRM, "It is.")
    with runtime.database.transaction() as session:
        remove_entry(session, item.findings[0]["entry_id"], SYSTEM)
    assert retraction.look_back(runtime.rooms) == 0
    with runtime.database.transaction() as session:
        assert session.scalars(select(CaseItem.state)).all() == ["confirmed"]


def test_what_is_left_of_a_video_is_counted_anew(runtime: Runtime, listed: bytes) -> None:
    put_video(runtime, listed, "Test videos", source="one")
    put_video(runtime, listed, "Test videos too", source="another")
    assert judged(runtime, listed, "c1")[0].verdict is Verdict.BLOCK
    with runtime.database.transaction() as session:
        for entry in sorted(session.scalars(select(Entry.id)).all())[1:6]:
            remove_entry(session, entry, SYSTEM)
    put_video(runtime, video(panning(6.0, seed=9) + still(scene(70), 0.6)))
    assert retraction.look_back(runtime.rooms) == 1
    with runtime.database.transaction() as session:
        assert session.scalars(select(Content.state)).one() == ContentState.HELD


def test_the_same_file_again_changes_nothing(runtime: Runtime, listed: bytes) -> None:
    put_video(runtime, listed)
    before = runtime.rooms.index.generation
    with runtime.database.transaction() as session:
        was = session.execute(select(Entry.id, Entry.identity, Entry.change)).all()
    put_video(runtime, listed)
    with runtime.database.transaction() as session:
        assert session.execute(select(Entry.id, Entry.identity, Entry.change)).all() == was
    assert runtime.rooms.index.generation >= before


@pytest.mark.parametrize("seed", range(5))
def test_shares_against_all_pairs(runtime: Runtime, seed: int) -> None:
    dice = np.random.default_rng(seed)
    frames = [dice.bytes(32) for _ in range(40)]
    lines = [f"{frame.hex()},80,1" for frame in frames]
    with runtime.database.transaction() as session:
        entries = read_entries(BytesIO(json.dumps({"id": "v", "vpdq": lines}).encode()))
        store.import_entries(session, "Test videos", entries, actor=SYSTEM, definition=ListDefinition(is_test=True))
    runtime.rooms.index.catch_up()
    asked = [_changed(dice, frames[dice.integers(40)], int(dice.integers(20, 45))) for _ in range(30)]
    asked += [dice.bytes(32) for _ in range(10)]
    qualities = dice.integers(30, 101, len(asked)).tolist()
    pictures = tuple(Frame(n, (pdq,), quality) for n, (pdq, quality) in enumerate(zip(asked, qualities, strict=True)))
    matches = runtime.rooms.index.lookup(Fingerprint(Digests(), frames=pictures), 50)
    ((query_share, entry_share),) = {(match.query_share, match.entry_share) for match in matches}
    good = [pdq for pdq, quality in zip(asked, qualities, strict=True) if quality >= 50]
    assert query_share == pytest.approx(_share(good, frames), abs=1)
    assert entry_share == pytest.approx(_share(frames, good), abs=1)


def _share(of: Sequence[bytes], among: Sequence[bytes]) -> float:
    met = [any((int.from_bytes(one) ^ int.from_bytes(other)).bit_count() <= 31 for other in among) for one in of]
    return 100 * sum(met) / len(met)


def _changed(dice: np.random.Generator, value: bytes, bits: int) -> bytes:
    number = int.from_bytes(value)
    for bit in dice.choice(256, bits, replace=False).tolist():
        number ^= 1 << bit
    return number.to_bytes(32)


def _picture(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
