"""What a reviewer confirms is found again when it was cropped or covered, where keypoints are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import ImageOps
from pydantic import SecretStr
from sqlalchemy import func, select, text, update

from seawall import flow, keypoints, retraction
from seawall.access.people import PersonSession
from seawall.database.documents import finding_from_json
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, CaseItem, Entry, KeptKeypoints
from seawall.evidence import audit
from seawall.hashlists import own
from seawall.hashlists.changes import next_change
from seawall.records import (
    Answer,
    ContentState,
    ItemState,
    Match,
    MatchKind,
    MediaArrival,
    Orientation,
    Outcome,
    Verdict,
)
from seawall.rejudging import judge_item_again
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.integration.test_flow import encoded, list_exactly, reviewer
from tests.integration.test_retraction import states
from tests.unit.matching.test_keypoints import detailed, lettering

PICTURE = encoded(detailed(51))
CROPPED = detailed(51).crop((170, 20, 700, 420))
CROP = encoded(CROPPED)


@pytest.fixture
def runtime(database: Database, settings: Settings) -> Iterator[Runtime]:
    """All rooms on a fresh database, with keypoints on one surface."""
    more = {"database_url": SecretStr(database.url), "keypoint_surfaces": "upload"}
    with Runtime(settings.model_copy(update=more)) as runtime:
        yield runtime


def upload(runtime: Runtime, content_id: str, body: bytes, surface: str = "upload") -> Answer:
    arrival = MediaArrival(content_id, body, account_id=content_id, surface=surface)
    return flow.judge_media(runtime.rooms, arrival)


def decide(runtime: Runtime, person: PersonSession, outcome: Outcome) -> None:
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id).where(CaseItem.state == ItemState.PENDING.value)).one()
    flow.decide_item(runtime.rooms, person, item, outcome, "A harmless test picture.")


def settled(runtime: Runtime) -> int:
    done = keypoints.settle(runtime.rooms)
    runtime.rooms.index.catch_up()
    return done


def confirmed(runtime: Runtime, body: bytes = PICTURE) -> PersonSession:
    person = reviewer(runtime)
    list_exactly(runtime, body)
    assert upload(runtime, "c1", body).verdict is Verdict.BLOCK
    decide(runtime, person, Outcome.CONFIRM)
    return person


def kept(runtime: Runtime) -> int:
    with runtime.database.transaction() as session:
        return session.scalar(select(func.count()).where(KeptKeypoints.sealed.is_not(None))) or 0


def test_a_crop_of_what_was_confirmed_is_held_and_says_why(runtime: Runtime) -> None:
    assert upload(runtime, "before", CROP).verdict is Verdict.ALLOW
    confirmed(runtime)
    assert settled(runtime) == 1
    assert settled(runtime) == 0
    assert kept(runtime) == 2, "the picture and its mirror image"
    answer = upload(runtime, "c2", CROP)
    assert answer.verdict is Verdict.HOLD
    (reason,) = answer.reasons
    assert (reason.code, reason.rule, reason.distance) == ("keypoints_match", "shows-what-was-confirmed-here", None)
    assert "places" in reason.explanation
    with runtime.database.transaction() as session:
        (found,) = session.scalars(select(CaseItem.findings).order_by(CaseItem.id.desc())).first() or ()
        assert audit.verify(session).ok
        acts = session.scalars(select(AuditEvent.details).where(AuditEvent.act == "list.keypoints")).all()
    assert [details["signatures"] for details in acts] == [2]
    match = finding_from_json(found)
    assert isinstance(match, Match)
    assert (match.kind, match.list.name, match.distance) == (
        MatchKind.KEYPOINTS,
        "Confirmed here (csam, test data)",
        None,
    )
    assert match.inliers
    assert match.inliers >= 15
    assert upload(runtime, "c3", CROP, surface="avatar").verdict is Verdict.ALLOW, "keypoints are not looked at there"
    for number in range(3):
        assert upload(runtime, f"other-{number}", encoded(detailed(200 + number))).verdict is Verdict.ALLOW
    (reason,) = upload(runtime, "c4", encoded(ImageOps.mirror(CROPPED))).reasons
    assert reason.orientation is Orientation.MIRRORED
    reasons = upload(runtime, "c5", encoded(detailed(51), "JPEG", quality=70)).reasons
    assert {reason.kind for reason in reasons} == {MatchKind.PERCEPTUAL}, "what hashes meet is not looked at again"
    change = "UPDATE kept_keypoints SET sealed = set_byte(sealed, 500, 255 - get_byte(sealed, 500))"
    with runtime.database.transaction() as session:
        session.execute(text(change))
    answer = upload(runtime, "c6", CROP)
    assert (answer.verdict, answer.reasons[0].rule) == (Verdict.HOLD, "scan-owed")


def test_keypoints_go_with_the_decision_and_what_they_held_is_released(runtime: Runtime) -> None:
    confirmed(runtime)
    settled(runtime)
    assert upload(runtime, "c2", CROP).verdict is Verdict.HOLD
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id).where(CaseItem.state == ItemState.PENDING.value)).one()
    assert judge_item_again(runtime.rooms, item, with_news_alone=True) is None, "it stands as long as its entry does"
    with runtime.database.transaction() as session:
        row = session.scalars(select(Entry.content_row).where(Entry.content_row.is_not(None))).one()
        own.take_back(session, row or 0, next_change(session))
    assert kept(runtime) == 0
    runtime.rooms.index.catch_up()
    assert upload(runtime, "c3", CROP).verdict is Verdict.ALLOW
    retraction.look_back(runtime.rooms)
    assert states(runtime)["c2"] == ContentState.PUBLISHED


def test_of_text_nothing_is_kept_and_nobody_asks_again(runtime: Runtime) -> None:
    confirmed(runtime, encoded(lettering("the sea is calm tonight upon the straits")))
    assert settled(runtime) == 1
    assert kept(runtime) == 0
    assert settled(runtime) == 0
    with runtime.database.transaction() as session:
        session.execute(update(Entry).where(Entry.content_row.is_not(None)).values(removed_at=func.now()))
        entry = session.scalars(select(Entry.id).where(Entry.content_row.is_not(None))).one()
        session.add(KeptKeypoints(entry_id=entry, words=b"", sealed=b"x"))
    assert settled(runtime) == 0
    assert kept(runtime) == 0, "what was removed by hand is swept"
