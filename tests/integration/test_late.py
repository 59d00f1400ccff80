"""What is on the platform already, and a list that learns of it later."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select, text

from seawall import flow, late
from seawall.database.tables import Case, CaseItem, Content, ListDay, ListWalk, OutboxMessage, Walk
from seawall.errors import NotFound
from seawall.hashlists import store
from seawall.matching import rounds
from seawall.records import (
    SYSTEM,
    ContentState,
    EntryDraft,
    EventType,
    HashArrival,
    MediaArrival,
    Outcome,
    Trust,
    Verdict,
)
from seawall.runtime import Runtime
from tests.integration.second import pairs
from tests.integration.test_flow import encoded, list_by_sight, list_exactly, picture, put_on_list, reviewer, runtime

__all__ = ["runtime"]

PICTURE = encoded(picture(11))


def states(runtime: Runtime) -> dict[str, str]:
    with runtime.database.transaction() as session:
        return {row.content_id: row.state for row in session.execute(select(Content.content_id, Content.state))}


def events(runtime: Runtime) -> list[tuple[str, object]]:
    with runtime.database.transaction() as session:
        rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at)).all()
        return [(row.event, row.payload["data"]["content_id"]) for row in rows]


def is_due(runtime: Runtime) -> bool:
    with runtime.database.transaction() as session:
        return late.due(session)


def test_what_a_trusted_list_learns_of_is_taken_down_once(runtime: Runtime) -> None:
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE, account_id="account-1")).verdict == "allow"
    list_exactly(runtime, PICTURE)
    assert is_due(runtime)
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime) == {"c1": ContentState.BLOCKED}
    assert events(runtime) == [(EventType.CONTENT_REMOVE, "c1")]
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem)).one()
        message = session.scalars(select(OutboxMessage)).one()
        assert (item.late, message.payload["data"]["late"]) == (True, True)
        assert session.execute(select(ListDay.matches, ListDay.late_matches)).all() == [(0, 1)]
    assert not is_due(runtime)
    assert late.walk(runtime.rooms, lists=("Test list",), anew=True).matches == 0
    assert len(events(runtime)) == 1


@pytest.mark.parametrize("turn", [None, *Image.Transpose])
def test_looks_are_found_in_every_orientation(runtime: Runtime, turn: Image.Transpose | None) -> None:
    image = picture(12)
    shown = image if turn is None else image.transpose(turn)
    flow.judge_media(runtime.rooms, MediaArrival("c1", encoded(shown, "JPEG", quality=80)))
    list_by_sight(runtime, encoded(image), trust=Trust.STANDARD)
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime) == {"c1": ContentState.HELD}
    assert events(runtime) == [(EventType.CONTENT_HOLD, "c1")]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "pdq"])
def test_hashes_alone_are_found_by_each_kind(runtime: Runtime, kind: str) -> None:
    value = np.random.default_rng(5).bytes({"md5": 16, "sha1": 20}.get(kind, 32))
    arrival = HashArrival("c1", **{kind: value}, pdq_quality=90 if kind == "pdq" else None)  # type: ignore[arg-type]
    flow.judge_hashes(runtime.rooms, arrival)
    other = HashArrival("c2", sha256=bytes(32), md5=bytes(16))
    flow.judge_hashes(runtime.rooms, other)
    put_on_list(runtime, EntryDraft(1, **{kind: value}))  # type: ignore[arg-type]
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime)["c2"] == ContentState.PUBLISHED


def test_every_frame_of_an_animation_counts(runtime: Runtime) -> None:
    frames = [picture(seed, (240, 180)) for seed in (21, 22, 23)]
    body = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    flow.judge_media(runtime.rooms, MediaArrival("c1", body))
    hashed = runtime.rooms.decoders.fingerprint(body).frames[2]
    put_on_list(runtime, EntryDraft(1, pdq=hashed.pdq, pdq_quality=hashed.quality))
    assert late.walk(runtime.rooms).matches == 1


def test_a_list_that_is_enabled_again_walks_with_all_it_has(runtime: Runtime) -> None:
    list_exactly(runtime, PICTURE)
    with runtime.database.transaction() as session:
        store.disable_list(session, "Test list", SYSTEM)
    late.walk(runtime.rooms)
    flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE))
    assert states(runtime) == {"c1": ContentState.PUBLISHED}
    with runtime.database.transaction() as session:
        store.enable_list(session, "Test list", SYSTEM)
    assert is_due(runtime)
    assert late.walk(runtime.rooms).matches == 1


def test_what_a_reviewer_released_stays_until_something_new_is_met(runtime: Runtime) -> None:
    flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE))
    list_exactly(runtime, PICTURE)
    late.walk(runtime.rooms)
    person = reviewer(runtime)
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    pairs.decide(runtime.rooms, person, item, Outcome.NOT_A_MATCH, "A harmless test picture.")
    assert late.walk(runtime.rooms, lists=("Test list",), anew=True).matches == 0
    assert states(runtime) == {"c1": ContentState.RELEASED}
    list_exactly(runtime, PICTURE, name="Another test list")
    assert late.walk(runtime.rooms).matches == 1
    assert states(runtime) == {"c1": ContentState.BLOCKED}


def test_many_walks_at_once_act_once(runtime: Runtime) -> None:
    for number in range(5):
        flow.judge_media(runtime.rooms, MediaArrival(f"c{number}", PICTURE, account_id=f"account-{number}"))
    list_exactly(runtime, PICTURE)
    walks = [threading.Thread(target=late.walk, args=(runtime.rooms,)) for _ in range(4)]
    for each in walks:
        each.start()
    for each in walks:
        each.join()
    assert sorted(events(runtime)) == [(EventType.CONTENT_REMOVE, f"c{number}") for number in range(5)]
    with runtime.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(CaseItem)) == 5


def test_an_upload_on_its_way_does_not_slip_through(runtime: Runtime) -> None:
    """It was looked up before the entry bound, and its row becomes visible after the walk has passed."""
    late.walk(runtime.rooms)
    put_on_list(runtime, EntryDraft(1, sha256=bytes(range(32))))
    late.walk(runtime.rooms)
    before = runtime.rooms.index.generation
    with runtime.database.transaction() as slow:
        insert = text(
            "INSERT INTO content (content_id, identity, surface, sha256, frames, verdict, reasons, policy_version,"
            " state, generation) VALUES"
            " ('c1', 'x', 'upload', :sha256, '[]', 'allow', '[]', 'p', 'published', :generation)"
        )
        slow.execute(insert, {"sha256": b"\7" * 32, "generation": before})
        put_on_list(runtime, EntryDraft(1, sha256=b"\7" * 32), name="Another test list")
        assert late.walk(runtime.rooms).matches == 0
        # A sweep while it is still on its way must not forget it.
        assert late.stragglers(runtime.rooms) == 0
    assert late.stragglers(runtime.rooms) == 1
    assert states(runtime) == {"c1": ContentState.BLOCKED}
    assert late.stragglers(runtime.rooms) == 0


def test_a_row_of_the_present_generation_is_no_straggler(runtime: Runtime) -> None:
    list_exactly(runtime, PICTURE)
    late.walk(runtime.rooms)
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", encoded(picture(13)))).verdict is Verdict.ALLOW
    with runtime.database.transaction() as session:
        assert session.scalar(select(Content.generation)) == runtime.rooms.index.generation
    assert late.stragglers(runtime.rooms) == 0


def test_a_large_list_walks_some_entries_at_a_time(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (late, rounds):
        monkeypatch.setattr(module, "ENTRIES_AT_ONCE", 2)
    hashes = [bytes([number]) * 32 for number in range(1, 8)]
    for number, value in enumerate(hashes):
        flow.judge_hashes(runtime.rooms, HashArrival(f"c{number}", sha256=value))
    drafts = [EntryDraft(line, sha256=value) for line, value in enumerate(hashes[1:], 1)]
    definition = store.ListDefinition(trust=Trust.TRUSTED, is_test=True)
    with runtime.database.transaction() as session:
        store.import_entries(session, "Test list", drafts, actor=SYSTEM, definition=definition)
    told: list[late.Progress] = []
    progress = late.walk(runtime.rooms, say=told.append)
    assert (progress.entries, progress.matches) == (6, 6)
    assert [each.parts for each in told] == [6] * 6
    assert late.walk(runtime.rooms).matches == 0


def test_what_comes_while_a_large_list_walks_does_not_wait_for_it(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "ENTRIES_AT_ONCE", 10)
    monkeypatch.setattr(rounds, "ENTRIES_AT_ONCE", 10)
    for number in range(3):
        flow.judge_hashes(runtime.rooms, HashArrival(f"c{number}", sha256=number.to_bytes(32, "big")))
    with runtime.database.transaction() as session:
        many = [EntryDraft(number, md5=number.to_bytes(16, "big")) for number in range(100)]
        store.import_entries(session, "Large test list", many, actor=SYSTEM)
    after: list[dict[str, str]] = []

    def say(_progress: late.Progress) -> None:
        after.append(states(runtime))
        if len(after) in {1, 5}:
            known = EntryDraft(1, sha256=(len(after) // 5).to_bytes(32, "big"))
            put_on_list(runtime, known, f"Test list {len(after)}")

    assert late.walk(runtime.rooms, say=say).matches == 0
    assert len(after) == 20
    assert [len([state for state in each.values() if state == "blocked"]) for each in after] == [0] + [1] * 4 + [
        2
    ] * 15
    assert is_due(runtime)
    assert late.walk(runtime.rooms).matches == 0
    assert sorted(events(runtime)) == [(EventType.CONTENT_REMOVE, "c0"), (EventType.CONTENT_REMOVE, "c1")]
    assert not is_due(runtime)


def test_small_lists_walk_first(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "ENTRIES_AT_ONCE", 10)
    monkeypatch.setattr(rounds, "ENTRIES_AT_ONCE", 10)
    flow.judge_hashes(runtime.rooms, HashArrival("c1", sha256=bytes(32)))
    with runtime.database.transaction() as session:
        many = [EntryDraft(number, md5=number.to_bytes(16, "big")) for number in range(100)]
        store.import_entries(session, "Large test list", many, actor=SYSTEM)
    put_on_list(runtime, EntryDraft(1, sha256=bytes(32)))
    found: list[int] = []
    late.walk(runtime.rooms, say=lambda progress: found.append(progress.matches))
    assert found == [1] * 22


def test_nothing_shown_needs_no_search(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, sha256=bytes(32)))
    told: list[late.Progress] = []
    assert late.walk(runtime.rooms, say=told.append).entries == 1
    assert told == []
    assert not is_due(runtime)


def test_an_unknown_list_is_refused(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="none such"):
        late.walk(runtime.rooms, lists=("none such",), anew=True)


def test_a_walk_goes_on_where_it_was_broken_off(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stretches that are done are not read again, and the record stays one."""
    flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE))
    with runtime.database.transaction() as session:
        # As of before there were days in the ids.
        session.execute(text("UPDATE content SET id = 7"))
    flow.judge_media(runtime.rooms, MediaArrival("c2", PICTURE, account_id="account-2"))
    list_exactly(runtime, PICTURE)
    seen: list[int] = []

    def broken_off(progress: late.Progress) -> None:
        seen.append(progress.rows)
        if len(seen) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        late.walk(runtime.rooms, say=broken_off)
    assert states(runtime) == {"c1": ContentState.BLOCKED, "c2": ContentState.PUBLISHED}
    assert is_due(runtime)
    late.walk(runtime.rooms, say=lambda progress: seen.append(progress.rows))
    assert states(runtime) == {"c1": ContentState.BLOCKED, "c2": ContentState.BLOCKED}
    with runtime.database.transaction() as session:
        assert session.scalars(select(Walk.state).where(Walk.reason == "list change")).all() == ["finished"]
        assert session.scalar(select(ListWalk.generation)) == runtime.rooms.index.generation
        assert session.scalar(select(func.count()).select_from(Case)) == 2


def test_hashes_sent_over_bytes_do_not_hide_what_the_bytes_would_meet(runtime: Runtime) -> None:
    """The walk has passed, the upload commits, and hashes of it come with newer lists: it is still owed a look."""
    late.walk(runtime.rooms)
    put_on_list(runtime, EntryDraft(1, sha256=bytes(range(32))))
    late.walk(runtime.rooms)
    flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE))
    with runtime.database.transaction() as session:
        before, digest = session.execute(select(Content.generation, Content.sha256)).one()
    put_on_list(runtime, EntryDraft(1, sha256=b"\7" * 32), name="Another test list")
    flow.judge_hashes(runtime.rooms, HashArrival("c1", sha256=digest))
    with runtime.database.transaction() as session:
        assert session.scalar(select(Content.generation)) == before < runtime.rooms.index.generation
