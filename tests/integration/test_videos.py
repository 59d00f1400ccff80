"""Videos on their way through every room: judged, sealed, looked at, and found later."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from seawall import flow, late
from seawall.database.tables import Content, Evidence
from seawall.fingerprints import exact
from seawall.matching import ledger
from seawall.records import ContentState, EntryDraft, MediaArrival, RevealStage, ScanOwed, Verdict
from seawall.runtime import Runtime
from tests.integration.test_flow import encoded, list_by_sight, put_on_list, reviewer, runtime
from tests.vectors.files import scene
from tests.vectors.videos import index_first, panning, still, video

__all__ = ["runtime"]

LISTED = scene(77)


@pytest.fixture(scope="module")
def with_listed() -> bytes:
    """A landscape, half a second of what a list knows, and another landscape."""
    return video(panning(1.0) + still(LISTED, 0.5) + panning(1.0, seed=9))


def test_a_video_that_shows_what_is_listed_is_held_and_can_be_looked_at(runtime: Runtime, with_listed: bytes) -> None:
    list_by_sight(runtime, encoded(LISTED))
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", with_listed, account_id="test-account"))
    assert (answer.verdict, answer.reasons[0].code) == (Verdict.HOLD, "perceptual_match")
    assert answer.fingerprint.media_type == "video/mp4"
    with runtime.database.transaction() as session:
        evidence = session.scalars(select(Evidence)).one()
        assert runtime.rooms.vault.open(session, evidence.id) == with_listed
        evidence_id = evidence.id
    person = reviewer(runtime)
    token = flow.ask_to_reveal(runtime.rooms, person, evidence_id, RevealStage.BLURRED)
    with Image.open(BytesIO(flow.reveal(runtime.rooms, person, token, 200))) as shown:
        assert (shown.format, shown.mode, max(shown.size)) == ("JPEG", "L", 200)
        assert np.asarray(shown).std() > 10


def test_every_kept_frame_is_in_the_ledger_and_found_later(runtime: Runtime, with_listed: bytes) -> None:
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", with_listed))
    assert (answer.verdict, answer.reasons) == (Verdict.ALLOW, ())
    with runtime.database.transaction() as session:
        row = session.scalars(select(Content)).one()
        kept = ledger.fingerprint_of_row(row).frames
    assert [frame.pdq for frame in kept] == [frame.pdq for frame in answer.fingerprint.frames]
    assert len(kept) >= 5
    frame = runtime.rooms.decoders.fingerprint(encoded(LISTED)).frames[0]
    put_on_list(runtime, EntryDraft(1, pdq=frame.pdq, pdq_quality=frame.quality))
    assert late.walk(runtime.rooms).matches == 1
    with runtime.database.transaction() as session:
        assert session.scalars(select(Content.state)).one() != ContentState.PUBLISHED


def test_what_was_read_of_a_broken_video_counts_and_the_rest_is_owed(runtime: Runtime) -> None:
    data = index_first(video(still(LISTED, 1.0) + panning(3.0)))
    cut = data[: len(data) * 2 // 3]
    first = flow.judge_media(runtime.rooms, MediaArrival("c1", cut))
    assert (first.verdict, [reason.code for reason in first.reasons]) == (Verdict.HOLD, ["media_corrupt"])
    list_by_sight(runtime, encoded(LISTED))
    _, findings, judgement = flow.examine(runtime.rooms, cut, exact.digest(cut), surface="upload")
    assert {reason.code for reason in judgement.reasons} == {"media_corrupt", "perceptual_match"}
    assert sum(isinstance(finding, ScanOwed) for finding in findings) == 1
