"""Rules in plain words, and why each fired or did not."""

from __future__ import annotations

import json

import pytest

from seawall.errors import BadInput
from seawall.policy.explain import copies_in_words, explain, in_words
from seawall.policy.load import default_policy, parse_policy
from seawall.policy.rules import Copies
from seawall.policy.samples import sample
from seawall.records import MatchKind, ScanOwed, Trust

from .findings import exact, perceptual

DEFAULT = default_policy()


def test_the_default_rules_in_words() -> None:
    assert [in_words(rule) for rule in DEFAULT.rules[:2]] == [
        "When there is an exact match on a trusted list whose entry is not disputed: "
        "block it, and its case is urgent.",
        "When there is a perceptual match at distance 0 to 10 whose entry is not disputed by a hash that tells "
        "enough that is no frame of a listed video and at least 2 independent sources agree: block it.",
    ]


def test_every_condition_finds_its_way_into_the_words() -> None:
    text = """version = 1
[[rule]]
name = "all"
explanation = "All."
verdict = "hold"
[rule.when]
finding = "match"
kind = ["exact", "perceptual"]
hash_kind = ["sha1", "pdq"]
min_distance = 3
trust = "unverified"
harm_class = ["ncii", "terrorism"]
list = ["L1", "L2", "L3"]
classification = "uk:A"
disputed = true
low_information = true
video = true
min_query_share = 40
min_entry_share = 60
surface = "chat"
except_surface = "feed"
min_independent_lists = 3
[[rule]]
name = "owed"
explanation = "Owed."
verdict = "hold"
when = { finding = "scan_owed", code = "media_corrupt" }
"""
    many, owed = (in_words(rule) for rule in parse_policy(text, "p").rules)
    words = (
        *("exact or perceptual", "SHA-1 or PDQ", "3 or more", "unverified", "ncii or terrorism"),
        *(
            "L1, L2 or L3",
            "uk:A",
            "is disputed",
            "tells little",
            "frame of a listed video",
            "40 % of what arrived",
            "60 % of the listed video",
            "surface chat",
            "but feed",
            "3 independent",
            "hold it",
        ),
    )
    for word in words:
        assert word in many
    assert "(media_corrupt)" in owed


def test_each_rule_says_why() -> None:
    explanation = explain(DEFAULT, [perceptual("a", 8), perceptual("b", 12)], surface="upload")
    whys = {trace.rule.name: (trace.fired, trace.why) for trace in explanation.traces}
    assert whys["looks-like-a-listed-picture"] == (
        True,
        '2 findings fit: PDQ distance 8 to an entry of the list "a".',
    )
    assert whys["close-on-two-independent-lists"] == (
        False,
        "The matches that fit come from 1 source; 2 independent sources are needed.",
    )
    assert "the match is perceptual, not exact" in whys["known-to-a-trusted-list"][1]
    assert "not a scan that is owed" in whys["scan-owed"][1]
    assert explanation.judgement.verdict == "hold"


def test_without_findings_nothing_fires() -> None:
    explanation = explain(DEFAULT, [], surface="upload")
    assert not any(trace.fired for trace in explanation.traces)
    assert explanation.judgement.verdict == "allow"


def test_the_traces_agree_with_the_judgement() -> None:
    findings = [exact("a", Trust.TRUSTED), perceptual("b", 31, disputed=True), ScanOwed("media_corrupt", "x")]
    explanation = explain(DEFAULT, findings, surface="upload")
    fired = {trace.rule.name for trace in explanation.traces if trace.fired}
    assert fired == {reason.rule for reason in explanation.judgement.reasons}


def test_samples() -> None:
    match = sample('{"kind": "exact", "list": "bank", "trust": "trusted", "classification": "uk:A"}')
    assert not isinstance(match, ScanOwed)
    assert (match.kind, match.hash_kind, match.list.source, match.list.is_test) == (
        MatchKind.EXACT,
        "sha256",
        "bank",
        True,
    )
    assert match.classification is not None
    assert (match.classification.scheme, match.classification.code) == ("uk", "A")
    assert isinstance(sample('{"finding": "scan_owed", "code": "media_corrupt"}'), ScanOwed)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "exakt"},
        {"distance": 32},
        {"distance": "far"},
        {"kind": "exact", "distance": 1},
        {"kind": "exact", "hash_kind": "pdq"},
        {"hash_kind": "md5"},
        {"colour": "red"},
        {"finding": "scan_owed", "distance": 1},
        [],
        "x",
    ],
)
def test_wrong_samples_are_bad_input(document: object) -> None:
    with pytest.raises(BadInput):
        sample(json.dumps(document))
    with pytest.raises(BadInput):
        sample("{" + json.dumps(document))


def test_what_counts_as_a_copy_in_words() -> None:
    begins = "What a reviewer confirms is known from then on, as on a trusted list: "
    assert copies_in_words(DEFAULT.copies) == f"{begins}by the same digest and by PDQ at distance 0 to 10."
    assert copies_in_words(Copies(False, 3)) == f"{begins}by PDQ at distance 0 to 3."
    assert copies_in_words(Copies(True, None)) == f"{begins}by the same digest."
    assert "put on no list" in copies_in_words(Copies(False, None))


def test_what_is_no_copy_is_no_finding() -> None:
    far = perceptual("own", 11, source="this platform")
    assert {trace.why for trace in explain(DEFAULT, [far], surface="upload").traces} == {"There is no finding."}
