"""The main job through every room: real PostgreSQL, real decoder processes, real sealed evidence."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from pydantic import SecretStr
from sqlalchemy import func, select

from seawall import flow, late
from seawall.access import people
from seawall.access.people import PersonSession
from seawall.actions import endpoints
from seawall.cases import priority
from seawall.cases import store as cases
from seawall.database.documents import finding_from_json
from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Content, Decision, Evidence, OutboxMessage, now
from seawall.errors import BadInput, Conflict, NotFound, NotMedia, ObjectStoreUnavailable
from seawall.evidence import audit
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.policy.decide import describe
from seawall.records import (
    SYSTEM,
    CaseState,
    EntryDraft,
    HarmClass,
    HashArrival,
    ItemState,
    Match,
    MediaArrival,
    Outcome,
    RevealStage,
    Role,
    Trust,
    Verdict,
)
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.integration.second import pairs


def picture(seed: int, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """A benign picture with detail at every scale, as photographs have: clouds of colour."""
    random = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for octave in range(6):
        blocks = random.integers(0, 255, (3 * 2**octave, 4 * 2**octave, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)) * 0.9**octave
    return Image.fromarray(((total - total.min()) / np.ptp(total) * 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


LISTED = encoded(picture(1))
OTHER = encoded(picture(2))


@pytest.fixture
def runtime(database: Database, settings: Settings) -> Iterator[Runtime]:
    """All rooms on a fresh database, with one receiver and an empty trusted test list."""
    with Runtime(settings.model_copy(update={"database_url": SecretStr(database.url)})) as runtime:
        with runtime.database.transaction() as session:
            endpoints.add(session, runtime.master_key, "http://127.0.0.1:9/hooks", actor=SYSTEM)
        yield runtime


def put_on_list(runtime: Runtime, draft: EntryDraft, name: str = "Test list", trust: Trust = Trust.TRUSTED) -> None:
    definition = ListDefinition(source=name, trust=trust, harm_class=HarmClass.CSAM, is_test=True)
    with runtime.database.transaction() as session:
        store.import_entries(session, name, [draft], actor=SYSTEM, definition=definition)
    runtime.rooms.index.catch_up()


def list_exactly(runtime: Runtime, body: bytes, **options: object) -> None:
    put_on_list(runtime, EntryDraft(1, sha256=hashlib.sha256(body).digest()), **options)  # type: ignore[arg-type]


def list_by_sight(runtime: Runtime, body: bytes, **options: object) -> None:
    frame = runtime.rooms.decoders.fingerprint(body).frames[0]
    put_on_list(runtime, EntryDraft(1, pdq=frame.pdq, pdq_quality=frame.quality), **options)  # type: ignore[arg-type]


def count(runtime: Runtime, table: type) -> int:
    with runtime.database.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def reviewer(runtime: Runtime, name: str = "test-reviewer") -> PersonSession:
    with runtime.database.transaction() as session:
        user_id = people.create_user(session, name, [Role.REVIEWER], SYSTEM)
    return PersonSession(user_id, name, frozenset({Role.REVIEWER}), now() + timedelta(hours=1), "csrf")


def test_a_known_picture_is_met_within_a_frame_at_upload_and_later(runtime: Runtime) -> None:
    known = picture(3)
    before, framed = (encoded(ImageOps.expand(known, 50, colour)) for colour in ("white", "navy"))
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", before)).verdict is Verdict.ALLOW
    list_by_sight(runtime, encoded(known))
    answer = flow.judge_media(runtime.rooms, MediaArrival("c2", framed))
    assert (answer.verdict, answer.reasons[0].code) == (Verdict.HOLD, "perceptual_match")
    with runtime.database.transaction() as session:
        (found,) = session.scalars(select(CaseItem.findings)).one()
    match = finding_from_json(found)
    assert isinstance(match, Match)
    assert match.in_part
    assert "in a part of the picture" in describe(match)
    assert late.walk(runtime.rooms).matches == 1
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", before)).verdict is Verdict.HOLD


def test_an_unknown_picture_is_published_and_leaves_only_its_ledger_row(runtime: Runtime) -> None:
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", OTHER, account_id="test-account"))
    assert (answer.verdict, answer.case_id, answer.reasons) == (Verdict.ALLOW, None, ())
    assert count(runtime, Content) == 1
    assert [count(runtime, table) for table in (Case, Evidence, OutboxMessage)] == [0, 0, 0]
    assert not list(runtime.settings.objects_folder.rglob("*.*"))


def test_an_exact_hit_blocks_with_all_that_it_obliges_to(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", LISTED, account_id="test-account"))
    assert answer.verdict is Verdict.BLOCK
    with runtime.database.transaction() as session:
        case = session.scalars(select(Case)).one()
        assert (case.id, case.subject, case.urgent, case.is_test) == (
            answer.case_id,
            "account:test-account",
            True,
            True,
        )
        sealed = session.scalars(select(Evidence)).one()
        assert runtime.rooms.vault.open(session, sealed.id) == LISTED
        message = session.scalars(select(OutboxMessage)).one()
        assert message.event == "content.block"
        assert audit.verify(session).ok


ALTERED: dict[str, Callable[[Image.Image], bytes]] = {
    "recompressed": lambda image: encoded(image, "JPEG", quality=40),
    "halved": lambda image: encoded(image.resize((240, 180))),
    "mirrored": lambda image: encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "rotated": lambda image: encoded(image.transpose(Image.Transpose.ROTATE_90)),
    "palette": lambda image: encoded(image.quantize(128)),
    "cmyk": lambda image: encoded(image.convert("CMYK"), "JPEG", quality=90),
    "gif": lambda image: encoded(image, "GIF"),
    "webp": lambda image: encoded(image, "WEBP"),
}


def test_an_altered_copy_is_held(runtime: Runtime) -> None:
    list_by_sight(runtime, LISTED)
    for name, edit in ALTERED.items():
        answer = flow.judge_media(runtime.rooms, MediaArrival(name, edit(picture(1))))
        assert answer.verdict is Verdict.HOLD, name
        assert answer.case_id is not None


def test_regions_are_looked_for_as_the_surface_wants_it(database: Database, settings: Settings) -> None:
    changes = {"regions_by_surface": "avatar=0", "database_url": SecretStr(database.url)}
    framed = ImageOps.expand(picture(1), 60, "white")
    with Runtime(settings.model_copy(update=changes)) as runtime:
        list_by_sight(runtime, encoded(picture(1)))
        verdicts = {
            surface: flow.judge_media(runtime.rooms, MediaArrival(surface, encoded(framed), surface=surface)).verdict
            for surface in ("avatar", "upload")
        }
    assert verdicts == {"avatar": Verdict.ALLOW, "upload": Verdict.HOLD}


def test_two_independent_lists_that_see_the_same_block(runtime: Runtime) -> None:
    list_by_sight(runtime, LISTED, name="Test list one", trust=Trust.STANDARD)
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", LISTED)).verdict is Verdict.HOLD
    list_by_sight(runtime, LISTED, name="Test list two", trust=Trust.STANDARD)
    assert flow.judge_media(runtime.rooms, MediaArrival("c2", LISTED)).verdict is Verdict.BLOCK


def test_what_cannot_be_read_is_held_as_scan_owed(runtime: Runtime) -> None:
    broken = encoded(picture(3), "JPEG")[:2000]
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", broken))
    assert answer.verdict is Verdict.HOLD
    assert answer.reasons[0].code == "media_corrupt"
    with runtime.database.transaction() as session:
        sealed = session.scalars(select(Evidence)).one()
        assert runtime.rooms.vault.open(session, sealed.id) == broken


def test_what_is_no_media_is_refused_unless_a_list_knows_it(runtime: Runtime) -> None:
    body = b"just some text"
    with pytest.raises(NotMedia):
        flow.judge_media(runtime.rooms, MediaArrival("c1", body))
    assert count(runtime, Content) == 0
    list_exactly(runtime, body)
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", body)).verdict is Verdict.BLOCK


def test_the_same_again_is_the_same_answer_and_no_second_case(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    arrival = MediaArrival("c1", LISTED, account_id="test-account")
    first, second = (flow.judge_media(runtime.rooms, arrival) for _ in range(2))
    assert (first.verdict, first.case_id, first.reasons) == (second.verdict, second.case_id, second.reasons)
    assert second.replayed
    assert [count(runtime, table) for table in (Content, Case, CaseItem, Evidence, OutboxMessage)] == [1] * 5


def test_the_same_at_once_from_eight_threads(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    arrival = MediaArrival("c1", LISTED, account_id="test-account")
    answers: list[tuple[Verdict, int | None]] = []

    def send() -> None:
        answer = flow.judge_media(runtime.rooms, arrival)
        answers.append((answer.verdict, answer.case_id))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert [count(runtime, table) for table in (Content, Case, CaseItem, Evidence, OutboxMessage)] == [1] * 5


def test_one_case_for_all_of_an_account(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    list_exactly(runtime, OTHER)
    cases = {
        flow.judge_media(runtime.rooms, MediaArrival(f"c{number}", body, account_id="test-account")).case_id
        for number, body in enumerate([LISTED, OTHER, LISTED])
    }
    assert len(cases) == 1
    assert count(runtime, CaseItem) == 3


def test_a_clean_answer_does_not_outlive_what_the_lists_learn(runtime: Runtime) -> None:
    arrival = MediaArrival("c1", LISTED)
    assert flow.judge_media(runtime.rooms, arrival).verdict is Verdict.ALLOW
    list_exactly(runtime, LISTED)
    assert flow.judge_media(runtime.rooms, arrival).verdict is Verdict.BLOCK
    assert count(runtime, Content) == 1


def test_hashes_alone_are_judged_without_evidence(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    arrival = HashArrival("c1", sha256=hashlib.sha256(LISTED).digest(), account_id="test-account")
    answer = flow.judge_hashes(runtime.rooms, arrival)
    assert answer.verdict is Verdict.BLOCK
    assert flow.judge_hashes(runtime.rooms, arrival).case_id == answer.case_id
    assert [count(runtime, table) for table in (CaseItem, Evidence)] == [1, 0]


def claimed(body: bytes, **options: object) -> HashArrival:
    """Hashes as a client that lies may send them: the true SHA-256, and an MD5 that is on a list."""
    return HashArrival("c1", sha256=hashlib.sha256(body).digest(), md5=bytes(range(16)), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("others_in_the_case", [False, True])
def test_a_release_of_hashes_alone_lets_no_bytes_pass(runtime: Runtime, others_in_the_case: bool) -> None:
    put_on_list(runtime, EntryDraft(1, md5=bytes(range(16))), "Another test list")
    list_by_sight(runtime, LISTED)
    hashes = claimed(LISTED, account_id="test-account")
    assert flow.judge_hashes(runtime.rooms, hashes).verdict is Verdict.BLOCK
    with runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    if others_in_the_case:
        flow.judge_media(runtime.rooms, MediaArrival("c2", LISTED, account_id="test-account"))
    person = reviewer(runtime)
    pairs.decide(runtime.rooms, person, item, Outcome.NOT_A_MATCH, "no picture to see")
    assert flow.judge_hashes(runtime.rooms, hashes).verdict is Verdict.ALLOW
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", LISTED, account_id="test-account"))
    assert answer.verdict is Verdict.HOLD
    with runtime.database.transaction() as session:
        case = cases.get_case(session, answer.case_id or 0)
    (new,) = (item for item in case.items if item.content_id == "c1")
    assert (new.state, new.verdict, new.evidence_id is not None) == (ItemState.PENDING, Verdict.HOLD, True)
    assert case.state is CaseState.OPEN
    assert case.priority == priority.total(case.terms)
    flow.decide_item(runtime.rooms, person, new.id, Outcome.CONFIRM, "seen")
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", LISTED)).verdict is Verdict.BLOCK


def test_bytes_that_follow_held_hashes_are_sealed(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    first = flow.judge_hashes(runtime.rooms, claimed(LISTED))
    for _ in range(2):
        again = flow.judge_media(runtime.rooms, MediaArrival("c1", LISTED))
        assert (again.verdict, again.case_id) == (Verdict.BLOCK, first.case_id)
    assert [count(runtime, table) for table in (Case, CaseItem, Evidence)] == [1, 1, 1]


def test_clean_bytes_do_not_lift_what_a_reviewer_is_to_decide(runtime: Runtime) -> None:
    put_on_list(runtime, EntryDraft(1, md5=bytes(range(16))))
    first = flow.judge_hashes(runtime.rooms, claimed(OTHER))
    again = flow.judge_media(runtime.rooms, MediaArrival("c1", OTHER))
    assert (again.verdict, again.case_id) == (Verdict.BLOCK, first.case_id)


def test_hashes_take_nothing_from_what_was_found_in_the_bytes(runtime: Runtime) -> None:
    flow.judge_media(runtime.rooms, MediaArrival("c1", OTHER))
    flow.judge_hashes(runtime.rooms, HashArrival("c1", sha256=hashlib.sha256(OTHER).digest()))
    with runtime.database.transaction() as session:
        row = session.scalars(select(Content)).one()
    assert row.size == len(OTHER)
    assert row.pdq is not None
    assert row.md5 == hashlib.md5(OTHER).digest()
    assert len(row.frames) == 1


def test_demo_mode_does_not_make_a_real_match_a_test(runtime: Runtime) -> None:
    rooms = replace(runtime.rooms, settings=runtime.settings.model_copy(update={"demo": True}))
    draft = EntryDraft(1, sha256=hashlib.sha256(LISTED).digest())
    with runtime.database.transaction() as session:
        store.import_entries(session, "No test list", [draft], actor=SYSTEM, definition=ListDefinition(is_test=False))
    runtime.rooms.index.catch_up()
    flow.judge_media(rooms, MediaArrival("c1", LISTED))
    flow.judge_media(rooms, MediaArrival("c2", encoded(picture(3))[:2000]))
    with runtime.database.transaction() as session:
        assert [case.is_test for case in session.scalars(select(Case).order_by(Case.id))] == [False, True]


def test_a_failing_object_store_answers_nothing_and_leaves_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_exactly(runtime, LISTED)

    def full(*_arguments: object) -> None:
        raise ObjectStoreUnavailable("The disk is full.")

    monkeypatch.setattr("seawall.engines.objects.Objects.put_new", full)
    with pytest.raises(ObjectStoreUnavailable):
        flow.judge_media(runtime.rooms, MediaArrival("c1", LISTED))
    assert [count(runtime, table) for table in (Content, Case, Evidence, OutboxMessage)] == [0] * 4


def held_item(runtime: Runtime, content_id: str = "c1") -> int:
    list_by_sight(runtime, LISTED)
    flow.judge_media(runtime.rooms, MediaArrival(content_id, encoded(picture(1), "JPEG"), account_id="test-account"))
    with runtime.database.transaction() as session:
        return session.scalars(select(CaseItem.id)).one()


def events(runtime: Runtime) -> list[str]:
    with runtime.database.transaction() as session:
        return list(session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.created_at)))


@pytest.mark.parametrize(
    ("outcome", "restrict", "told", "verdict"),
    [
        (Outcome.CONFIRM, False, ["content.remove"], Verdict.BLOCK),
        (Outcome.CONFIRM, True, ["content.remove", "account.restrict"], Verdict.BLOCK),
        (Outcome.NOT_A_MATCH, False, ["content.release"], Verdict.ALLOW),
        (Outcome.ESCALATE, False, [], Verdict.HOLD),
    ],
)
def test_a_decision_goes_back_to_the_platform(
    runtime: Runtime, outcome: Outcome, restrict: bool, told: list[str], verdict: Verdict
) -> None:
    item = held_item(runtime)
    person = reviewer(runtime)
    flow.decide_item(runtime.rooms, person, item, outcome, "looked at it", restrict_account=restrict)
    assert sorted(events(runtime)) == sorted(["content.hold", *told])
    again = MediaArrival("c1", encoded(picture(1), "JPEG"), account_id="test-account")
    assert flow.judge_media(runtime.rooms, again).verdict is verdict
    with runtime.database.transaction() as session:
        assert audit.verify(session).ok


def test_what_was_released_is_stopped_again_once_a_list_knows_more(runtime: Runtime) -> None:
    copy = encoded(picture(1), "JPEG")
    arrival = MediaArrival("c1", copy, account_id="test-account")
    flow.decide_item(runtime.rooms, reviewer(runtime), held_item(runtime), Outcome.NOT_A_MATCH, "another picture")
    assert flow.judge_media(runtime.rooms, arrival).verdict is Verdict.ALLOW
    list_exactly(runtime, copy, name="Test list two")
    answers = [flow.judge_media(runtime.rooms, arrival) for _ in range(2)]
    assert [answer.verdict for answer in answers] == [Verdict.BLOCK, Verdict.BLOCK]
    assert answers[0].case_id == answers[1].case_id
    with runtime.database.transaction() as session:
        assert len(session.scalars(select(CaseItem).where(CaseItem.state == "pending")).all()) == 1
    assert sorted(events(runtime)) == ["content.block", "content.hold", "content.release"]


def test_nothing_is_decided_twice_or_without_a_reason(runtime: Runtime) -> None:
    item = held_item(runtime)
    person = reviewer(runtime)
    with pytest.raises(BadInput):
        flow.decide_item(runtime.rooms, person, item, Outcome.CONFIRM, "  ")
    flow.decide_item(runtime.rooms, person, item, Outcome.CONFIRM, "seen")
    with pytest.raises(Conflict):
        flow.decide_item(runtime.rooms, person, item, Outcome.NOT_A_MATCH, "seen")
    assert count(runtime, Decision) == 1


def test_a_reveal_shows_little_once_and_is_on_record(runtime: Runtime) -> None:
    held_item(runtime)
    person, other = reviewer(runtime), reviewer(runtime, "another-test-reviewer")
    with runtime.database.transaction() as session:
        evidence_id = session.scalars(select(Evidence.id)).one()
    token = flow.ask_to_reveal(runtime.rooms, person, evidence_id, RevealStage.BLURRED)
    with pytest.raises(NotFound):
        flow.reveal(runtime.rooms, other, token, 320)
    shown = Image.open(BytesIO(flow.reveal(runtime.rooms, person, token, 320)))
    assert max(shown.size) <= 320
    assert all(abs(red - blue) <= 2 for red, _, blue in shown.convert("RGB").resize((8, 8)).get_flattened_data())
    with pytest.raises(NotFound):
        flow.reveal(runtime.rooms, person, token, 320)
    with runtime.database.transaction() as session:
        acts = [link.act for link in audit.last_links(session, 10)]
    assert acts.count("reveal.show") == 1


def test_clean_hashes_do_not_lift_what_the_bytes_were_answered(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    rule = 'name = "warn"\nexplanation = "Test."\nwhen = { finding = "match" }\nverdict = "warn"\n'
    policy.write_text(f"version = 1\n[[rule]]\n{rule}")
    changes = {"database_url": SecretStr(database.url), "policy_file": policy}
    with Runtime(settings.model_copy(update=changes)) as runtime:
        list_by_sight(runtime, LISTED)
        seen = flow.judge_media(runtime.rooms, MediaArrival("c1", encoded(picture(1), "JPEG", quality=80)))
        assert seen.verdict is Verdict.WARN
        again = flow.judge_hashes(runtime.rooms, HashArrival("c1", sha256=seen.fingerprint.digests.sha256))
        assert (again.verdict, again.replayed) == (Verdict.WARN, True)
