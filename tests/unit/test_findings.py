"""Every kind of finding is known wherever findings go: documents, policy, priority, console."""

from __future__ import annotations

import json
import typing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from seawall.cases import priority
from seawall.cases.views import CaseView, ItemView
from seawall.console.views import FoundPart, case_page
from seawall.console.wording import IN_PART
from seawall.conversation_records import ConversationSignal
from seawall.database.documents import finding_from_json, finding_to_json
from seawall.policy.decide import UNCOVERED, decide, describe
from seawall.policy.explain import in_words
from seawall.policy.load import default_policy, parse_policy
from seawall.policy.rules import FindingKind, Policy
from seawall.policy.samples import sample
from seawall.records import CaseState, ContentState, Finding, HarmClass, ItemState, Match, Noted, ScanOwed, Verdict

KINDS: tuple[type[Finding], ...] = typing.get_args(Finding)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEIGHS = {Match: True, ScanOwed: False, Noted: False, ConversationSignal: True}
"""Whether a finding of that kind makes a case more pressing than its being there does."""


def sample_of(kind: FindingKind) -> Finding:
    return sample(json.dumps({"finding": kind.value}))


FINDINGS = {kind: sample_of(kind) for kind in FindingKind}


def rule_for(kind: FindingKind) -> str:
    return "of-" + kind.replace("_", "-")


def policy_for(kind: FindingKind) -> Policy:
    rule = f'name = "{rule_for(kind)}"\nwhen = {{ finding = "{kind}" }}\nverdict = "hold"\nexplanation = "A test."'
    return parse_policy(f"version = 1\n[[rule]]\n{rule}\n", "test.toml")


def shown(finding: Finding) -> tuple[FoundPart, ...]:
    """What the console's page of a case says was found."""
    judgement = decide(default_policy(), [finding], surface="upload")
    item = ItemView(
        id=1,
        content_id="content-1",
        surface="upload",
        filename=None,
        uploader_ip=None,
        uploaded_at=None,
        sha256=None,
        pictures=1,
        media_type=None,
        width=None,
        height=None,
        size=None,
        pdq_quality=None,
        content_state=ContentState.HELD,
        state=ItemState.PENDING,
        verdict=Verdict.HOLD,
        reasons=judgement.reasons,
        findings=(finding,),
        retracted=(),
        policy_version="test",
        added_at=NOW,
        decided_at=None,
        evidence_id=None,
        decisions=(),
        reveals=(),
    )
    case = CaseView(
        id=1,
        subject="content:content-1",
        account_id=None,
        state=CaseState.OPEN,
        urgent=False,
        harm_class=HarmClass.OTHER,
        at_risk=False,
        priority=0,
        terms=(),
        is_test=True,
        opened_at=NOW,
        updated_at=NOW,
        decided_at=None,
        items=(item,),
    )
    return case_page(case).items[0].found


def test_policies_can_speak_of_every_kind_and_try_a_sample_of_it() -> None:
    assert sorted(type(finding).__name__ for finding in FINDINGS.values()) == sorted(kind.__name__ for kind in KINDS)


@pytest.mark.parametrize("kind", FindingKind)
def test_the_database_gives_it_back(kind: FindingKind) -> None:
    document = json.loads(json.dumps(finding_to_json(FINDINGS[kind])))
    assert document["finding"] == kind
    assert finding_from_json(document) == FINDINGS[kind]


@pytest.mark.parametrize("kind", FindingKind)
def test_a_rule_takes_up_its_own_kind_alone(kind: FindingKind) -> None:
    policy = policy_for(kind)
    judged = {each: decide(policy, [finding], surface="upload") for each, finding in FINDINGS.items()}
    rules = {each: {reason.rule for reason in judgement.reasons} for each, judgement in judged.items()}
    assert rules == {each: {rule_for(kind) if each is kind else UNCOVERED} for each in FindingKind}


def test_each_is_told_in_its_own_words() -> None:
    for told in (
        [describe(finding) for finding in FINDINGS.values()],
        [in_words(policy_for(kind).rules[0]) for kind in FindingKind],
    ):
        assert all(told)
        assert len(set(told)) == len(FindingKind)


@pytest.mark.parametrize("kind", FindingKind)
def test_the_shipped_policy_speaks_of_it(kind: FindingKind) -> None:
    assert kind in {rule.when.finding for rule in default_policy().rules}


def test_each_has_its_weight() -> None:
    assert set(WEIGHS) == set(KINDS)
    assert {type(finding): bool(priority.of_item([finding])) for finding in FINDINGS.values()} == WEIGHS


def test_the_console_shows_each_as_what_it_is() -> None:
    parts = [shown(finding) for finding in FINDINGS.values()]
    assert all(len(found) == 1 for found in parts)
    assert len({found[0].about for found in parts}) == len(FindingKind)


def test_a_match_in_a_part_of_a_picture_is_told_as_one() -> None:
    whole = FINDINGS[FindingKind.MATCH]
    assert isinstance(whole, Match)
    part = replace(whole, in_part=True)
    assert finding_from_json(json.loads(json.dumps(finding_to_json(part)))) == part
    before = {name: value for name, value in finding_to_json(whole).items() if name != "in_part"}
    assert finding_from_json(before) == whole, "as it was written before there were parts"
    assert IN_PART in shown(part)[0].likeness
    assert IN_PART not in shown(whole)[0].likeness
