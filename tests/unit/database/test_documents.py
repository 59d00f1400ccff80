"""What is written into the JSONB columns is read back as it was."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from seawall.database.documents import finding_from_json, finding_to_json, reason_from_json, reason_to_json
from seawall.records import Finding, Match, MatchKind, Noted, Orientation, Reason, ScanOwed


@given(st.one_of(st.builds(ScanOwed), st.builds(Noted), st.builds(Match)))
def test_a_finding_comes_back(finding: Finding) -> None:
    assert finding_from_json(json.loads(json.dumps(finding_to_json(finding)))) == finding


@given(st.builds(Reason))
def test_a_reason_comes_back(reason: Reason) -> None:
    assert reason_from_json(json.loads(json.dumps(reason_to_json(reason)))) == reason


def test_a_reason_has_the_shape_of_the_answer() -> None:
    reason = Reason("perceptual_match", "near", "Words.", "Test list", MatchKind.PERCEPTUAL, 4, Orientation.MIRRORED)
    assert reason_to_json(reason) == {
        "code": "perceptual_match",
        "rule": "near",
        "list": "Test list",
        "kind": "perceptual",
        "distance": 4,
        "orientation": "mirrored",
        "explanation": "Words.",
    }
