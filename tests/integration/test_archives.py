"""Archives on their way through every room."""

from __future__ import annotations

import pytest

from seawall import flow
from seawall.errors import NotMedia
from seawall.records import MatchKind, MediaArrival, Verdict
from seawall.runtime import Runtime
from tests.integration.test_flow import encoded, list_by_sight, list_exactly, runtime
from tests.vectors.files import scene, zipped

__all__ = ["runtime"]

LISTED, OTHER = encoded(scene(77)), encoded(scene(3))


def test_a_listed_picture_in_an_archive_is_found_by_its_digest_and_by_what_it_shows(runtime: Runtime) -> None:
    archive = zipped({"a.jpg": OTHER, "in.cbz": zipped({"b.jpg": LISTED})})
    list_exactly(runtime, LISTED)
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", archive))
    assert answer.verdict is Verdict.BLOCK
    assert answer.fingerprint.media_type == "application/zip"
    assert [reason.kind for reason in answer.reasons] == [MatchKind.EXACT]


def test_a_picture_that_looks_like_a_listed_one_holds_its_archive(runtime: Runtime) -> None:
    list_by_sight(runtime, LISTED)
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", zipped({"a.jpg": OTHER, "b.jpg": LISTED})))
    assert (answer.verdict, answer.reasons[0].kind) == (Verdict.HOLD, MatchKind.PERCEPTUAL)


def test_what_cannot_be_decoded_in_an_archive_is_met_by_its_digest(runtime: Runtime) -> None:
    broken = LISTED[: len(LISTED) // 2]
    list_exactly(runtime, broken)
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", zipped({"a.jpg": broken})))
    assert answer.verdict is Verdict.BLOCK
    assert {reason.code for reason in answer.reasons} == {"exact_match", "media_corrupt"}


def test_what_is_unusual_about_a_file_is_told_and_published(runtime: Runtime) -> None:
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", OTHER + b"The sea is calm tonight. " * 9))
    assert (answer.verdict, answer.case_id) == (Verdict.ALLOW, None)
    assert [(reason.code, reason.rule) for reason in answer.reasons] == [("trailing_data", "unusual-file")]
    again = flow.judge_media(runtime.rooms, MediaArrival("c1", OTHER + b"The sea is calm tonight. " * 9))
    assert (again.replayed, again.reasons) == (True, answer.reasons)


def test_a_listed_picture_behind_another_is_met_beside_what_is_noted(runtime: Runtime) -> None:
    list_exactly(runtime, LISTED)
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", OTHER + LISTED))
    assert answer.verdict is Verdict.BLOCK
    assert {reason.code for reason in answer.reasons} == {"exact_match", "polyglot"}


def test_an_archive_without_media_is_refused_as_none(runtime: Runtime) -> None:
    with pytest.raises(NotMedia):
        flow.judge_media(runtime.rooms, MediaArrival("c1", zipped({"a.txt": b"The sea is calm."})))
