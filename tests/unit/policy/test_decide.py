"""The default policy says what the design promises, and no policy can make more findings mean less."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.policy.decide import REASONS_PER_RULE, UNCOVERED, decide
from seawall.policy.load import default_policy, parse_policy
from seawall.policy.rules import Conditions, Copies, FindingKind, Policy, Rule
from seawall.records import (
    Finding,
    Match,
    MatchKind,
    Noted,
    NotedKind,
    Orientation,
    ScanOwed,
    Trust,
    Verdict,
)

from .findings import FINDINGS, SURFACES, exact, hash_list, perceptual, policies

DEFAULT = default_policy()
OWED = ScanOwed("media_corrupt", "The file ends too early.")
TRUSTED = Trust.TRUSTED


def verdict(*findings: Finding, surface: str = "upload", policy: Policy = DEFAULT) -> str:
    judgement = decide(policy, findings, surface=surface)
    return judgement.verdict + (" urgent" if judgement.urgent else "")


def policy(*rules: str) -> Policy:
    return parse_policy("version = 1\n" + "\n".join(f"[[rule]]\n{rule}" for rule in rules), "test.toml")


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], "allow"),
        ([exact("police", TRUSTED)], "block urgent"),
        ([exact("a")], "hold"),
        ([exact("a", Trust.UNVERIFIED)], "hold"),
        ([exact("police", TRUSTED, disputed=True)], "hold"),
        ([perceptual("a", 0)], "hold"),
        ([perceptual("police", 0, trust=TRUSTED)], "hold"),
        ([perceptual("a", 31)], "hold"),
        ([perceptual("a", 10), perceptual("b", 10)], "block"),
        ([perceptual("a", 10), perceptual("b", 11)], "hold"),
        ([perceptual("a", 10, source="one"), perceptual("b", 0, source="one")], "hold"),
        ([perceptual("a", 10), perceptual("a", 9, entry=2)], "hold"),
        ([perceptual("a", 10), perceptual("b", 10, disputed=True)], "hold"),
        ([perceptual("a", 10, disputed=True), perceptual("b", 10, disputed=True)], "hold"),
        ([OWED], "hold"),
        ([OWED, exact("police", TRUSTED)], "block urgent"),
        ([OWED, exact("police", TRUSTED, disputed=True)], "hold"),
    ],
)
def test_the_default_policy(findings: list[Finding], expected: str) -> None:
    for order in itertools.permutations(findings):
        assert verdict(*order) == expected


OWN = "this platform"


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([replace(exact("own", TRUSTED), list=replace(exact("own", TRUSTED).list, source=OWN))], "block urgent"),
        ([perceptual("own", 10, trust=TRUSTED, source=OWN)], "hold"),
        ([perceptual("own", 11, trust=TRUSTED, source=OWN)], "allow"),
        # It may have been confirmed by that very list.
        ([perceptual("own", 3, trust=TRUSTED, source=OWN), perceptual("a", 3)], "hold"),
        ([perceptual("own", 3, source=OWN), perceptual("a", 3), perceptual("b", 3)], "block"),
    ],
)
def test_what_was_confirmed_here(findings: list[Finding], expected: str) -> None:
    for order in itertools.permutations(findings):
        assert verdict(*order) == expected


def test_what_counts_as_a_copy_is_the_policys_word() -> None:
    text = default_policy().text
    near = perceptual("own", 0, trust=TRUSTED, source=OWN)
    same = replace(exact("own", TRUSTED), list=near.list)
    neither = parse_policy(
        text.replace("pdq_distance = 10", 'pdq_distance = "off"').replace("digest = true", "digest = false"), "p"
    )
    assert (neither.copies.off, verdict(near, same, policy=neither)) == (True, "allow")
    assert verdict(OWED, near, policy=neither) == "hold"
    farther = parse_policy(text.replace("pdq_distance = 10", "pdq_distance = 31"), "p")
    assert verdict(perceptual("own", 31, source=OWN), policy=farther) == "hold"
    without = parse_policy(text.replace("[copies]\ndigest = true\npdq_distance = 10\n", ""), "p")
    assert without.copies == default_policy().copies


@given(
    st.lists(st.integers(0, 31), max_size=4),
    st.integers(0, 31) | st.none(),
    st.booleans(),
    st.lists(FINDINGS, max_size=3),
)
def test_what_is_no_copy_changes_nothing(
    distances: list[int], reach: int | None, digest: bool, others: list[Finding]
) -> None:
    counted = replace(DEFAULT, copies=Copies(digest, reach))
    own = [perceptual("own", each, trust=TRUSTED, source=OWN, entry=100 + n) for n, each in enumerate(distances)]
    near = [each for each in own if reach is not None and each.distance <= reach]
    with_all = decide(counted, [*others, *own], surface="upload")
    assert with_all == decide(counted, [*others, *near], surface="upload")


def test_a_reason_says_what_matched_where_and_how() -> None:
    found = perceptual("test list", 8, orientation=Orientation.MIRRORED)
    (reason,) = decide(DEFAULT, [found], surface="upload").reasons
    assert (reason.code, reason.rule, reason.list) == (
        "perceptual_match",
        "looks-like-a-listed-picture",
        "test list",
    )
    assert (reason.kind, reason.distance, reason.orientation) == ("perceptual", 8, "mirrored")
    for word in ("PDQ", "8", '"test list"', "mirrored", "human decides"):
        assert word in reason.explanation
    (owed,) = decide(DEFAULT, [OWED], surface="upload").reasons
    assert (owed.code, owed.list, owed.distance) == ("media_corrupt", None, None)
    assert "ends too early" in owed.explanation


def test_reasons_come_strictest_first_and_nearest_first() -> None:
    findings = [perceptual("a", 20, entry=2), perceptual("b", 3), perceptual("a", 5)]
    reasons = decide(DEFAULT, findings, surface="upload").reasons
    assert [(reason.rule, reason.distance) for reason in reasons] == [
        ("close-on-two-independent-lists", 3),
        ("close-on-two-independent-lists", 5),
        ("looks-like-a-listed-picture", 3),
        ("looks-like-a-listed-picture", 5),
        ("looks-like-a-listed-picture", 20),
    ]


def test_many_matches_give_few_reasons_that_name_every_list() -> None:
    crowd = [perceptual("crowded", 1, entry=number) for number in range(1000)]
    reasons = decide(DEFAULT, [*crowd, perceptual("far", 9)], surface="upload").reasons
    assert len(reasons) == 2 * REASONS_PER_RULE
    for rule in ("close-on-two-independent-lists", "looks-like-a-listed-picture"):
        assert {reason.list for reason in reasons if reason.rule == rule} == {"crowded", "far"}
    assert reasons[REASONS_PER_RULE - 1].explanation.endswith("There are 993 more like this.")


@pytest.mark.parametrize("finding", [OWED, exact("a", TRUSTED), perceptual("a", 31)])
def test_what_no_rule_speaks_of_is_held(finding: Finding) -> None:
    other = policy('name = "x"\nexplanation = "x"\nwhen = { finding = "match", list = "other" }\nverdict = "block"')
    judgement = decide(other, [finding], surface="upload")
    assert judgement.verdict is Verdict.HOLD
    assert [reason.rule for reason in judgement.reasons] == [UNCOVERED]


def test_only_a_rule_that_fires_takes_a_finding_up() -> None:
    two = 'name = "x"\nexplanation = "x"\nwhen = { finding = "match", min_independent_lists = 2 }\nverdict = "block"'
    assert verdict(perceptual("a", 5), policy=policy(two)) == "hold"
    assert verdict(perceptual("a", 5), perceptual("b", 5), policy=policy(two)) == "block"


def test_an_explicit_rule_lets_a_match_through_and_nothing_else() -> None:
    allow = 'name = "x"\nexplanation = "x"\nwhen = { finding = "match", list = "bank" }\nverdict = "allow"'
    assert verdict(perceptual("bank", 5), policy=policy(allow)) == "allow"
    assert verdict(perceptual("bank", 5), perceptual("other", 31), policy=policy(allow)) == "hold"
    assert verdict(perceptual("bank", 5), OWED, policy=policy(allow)) == "hold"


def test_an_operator_can_let_owed_scans_through_on_one_surface_in_writing() -> None:
    rule = 'name = "{}"\nexplanation = "x"\nwhen = {{ finding = "scan_owed", {} = "avatar" }}\nverdict = "{}"'
    written = policy(rule.format("a", "surface", "allow"), rule.format("b", "except_surface", "hold"))
    assert verdict(OWED, surface="avatar", policy=written) == "allow"
    assert verdict(OWED, surface="upload", policy=written) == "hold"
    assert verdict(OWED, perceptual("a", 31), surface="avatar", policy=written) == "hold"


def test_even_a_policy_that_was_never_checked_lets_no_owed_scan_through_everywhere() -> None:
    smuggled = Policy("0", "", (Rule("x", "x", Conditions(FindingKind.SCAN_OWED), Verdict.ALLOW),), "made in code")
    assert verdict(OWED, policy=smuggled) == "hold"


ANY_POLICY = policies() | st.just(DEFAULT)


@given(ANY_POLICY, st.lists(FINDINGS, max_size=6), FINDINGS, st.sampled_from(SURFACES))
def test_one_finding_more_never_makes_the_verdict_milder(
    any_policy: Policy, findings: list[Finding], more: Finding, surface: str
) -> None:
    before = decide(any_policy, findings, surface=surface)
    after = decide(any_policy, [*findings, more], surface=surface)
    assert after.verdict.severity >= before.verdict.severity
    assert after.urgent >= before.urgent


@given(ANY_POLICY, st.lists(FINDINGS, max_size=6), st.randoms(use_true_random=False), st.sampled_from(SURFACES))
def test_the_order_of_findings_does_not_matter(
    any_policy: Policy, findings: list[Finding], random: object, surface: str
) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(any_policy, findings, surface=surface) == decide(any_policy, shuffled, surface=surface)


@given(st.lists(FINDINGS, max_size=6), st.sampled_from(SURFACES))
def test_no_finding_but_what_is_noted_is_ever_allowed_by_the_default_policy(
    findings: list[Finding], surface: str
) -> None:
    only_noted = all(isinstance(finding, Noted) for finding in findings)
    harmless = only_noted and not any(
        isinstance(finding, Noted) and finding.code == NotedKind.LOW_INFORMATION for finding in findings
    )
    judged = decide(DEFAULT, findings, surface=surface)
    assert (judged.verdict is Verdict.ALLOW) == harmless
    assert {reason.code for reason in judged.reasons} >= {
        each.code for each in findings if only_noted and isinstance(each, Noted)
    }


@given(ANY_POLICY, st.lists(FINDINGS, max_size=6), st.sampled_from(SURFACES))
def test_an_owed_scan_passes_only_where_a_rule_names_the_surface(
    any_policy: Policy, findings: list[Finding], surface: str
) -> None:
    permitted = any(
        rule.when.finding is FindingKind.SCAN_OWED and surface in rule.when.surface for rule in any_policy.rules
    )
    judgement = decide(any_policy, [*findings, OWED], surface=surface)
    assert judgement.verdict.severity >= Verdict.HOLD.severity or permitted


@given(ANY_POLICY, st.lists(FINDINGS, min_size=1, max_size=6), st.sampled_from(SURFACES))
def test_every_verdict_has_its_reason(any_policy: Policy, findings: list[Finding], surface: str) -> None:
    judgement = decide(any_policy, findings, surface=surface)
    assert judgement.reasons
    verdicts = {rule.name: rule.verdict for rule in any_policy.rules} | {UNCOVERED: Verdict.HOLD}
    severities = [verdicts[reason.rule].severity for reason in judgement.reasons]
    assert severities == sorted(severities, reverse=True)
    assert severities[0] == judgement.verdict.severity
    assert judgement.policy_version == any_policy.version


def test_what_keypoints_found_is_blocked_only_by_a_rule_that_names_them() -> None:
    match = Match(1, hash_list("alpha", trust=Trust.TRUSTED), MatchKind.KEYPOINTS, None, None, inliers=40, share=30)
    assert decide(DEFAULT, [match], surface="upload").verdict is Verdict.HOLD
    for when, verdict in (
        ('{ finding = "match" }', Verdict.HOLD),
        ('{ finding = "match", max_distance = 31 }', Verdict.HOLD),
        ('{ finding = "match", kind = "keypoints" }', Verdict.BLOCK),
    ):
        rule = f'[[rule]]\nname = "a"\nexplanation = "A test."\nwhen = {when}\nverdict = "block"\n'
        policy = parse_policy(f"version = 1\n{rule}", "test.toml")
        assert decide(policy, [match], surface="upload").verdict is verdict
