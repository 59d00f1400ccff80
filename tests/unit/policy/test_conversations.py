"""Rules about conversations: read with errors that point at the spot, and never milder for more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from seawall.cli.policy import app
from seawall.conversation_records import AgeBand, ConversationFacts, Intervention, Level, LuringTactic
from seawall.errors import BadInput
from seawall.grooming.load import load_rules
from seawall.policy.check import check
from seawall.policy.conversation_check import shipped
from seawall.policy.conversation_samples import sample_conversation
from seawall.policy.conversations import in_words, judge_conversation
from seawall.policy.load import default_policy, default_text

CALM = ConversationFacts(
    Level.NONE, 0.1, False, (), AgeBand.ADULT, AgeBand.FROM_13_TO_15, contact_points=0.0, surface="message"
)
RULE = '[[rule]]\nname = "all"\nexplanation = "A test."\nwhen = { finding = "match" }\nverdict = "hold"\n'
GOOD = 'name = "one"\nexplanation = "A test."\nwhen = { level = "warn" }\ninterventions = "friction"\n'


def judged(facts: ConversationFacts) -> list[str]:
    return [each.value for each in judge_conversation(shipped(), "v", facts).interventions]


def checked(table: str) -> tuple[list[str], int]:
    found = check(f"version = 1\n{RULE}\n[[conversation]]\n{table}", "test.toml")
    return [str(error) for error in found.errors], 0 if found.policy is None else len(found.policy.conversations)


def test_policies_know_the_tactics_that_are_noticed() -> None:
    assert {tactic.value for tactic in LuringTactic} == set(load_rules().catalogue.tactics)


def test_what_ships_goes_from_nothing_to_urgent() -> None:
    warned = replace(CALM, level=Level.WARN)
    assert judged(CALM) == []
    assert judged(warned) == ["friction", "prompt"]
    assert judged(replace(warned, tactics=("moving", "pictures"))) == [
        "block_media",
        "mask_handle",
        "friction",
        "prompt",
    ]
    assert judged(replace(warned, contact_points=2.5))[:2] == ["review", "restrict"]
    assert judged(replace(CALM, level=Level.REVIEW))[0] == "review"
    assert judged(replace(CALM, financial=True))[0] == "urgent"
    assert judged(replace(CALM, contact_points=3.0)) == ["friction"]


def test_somebody_of_unknown_age_may_be_a_child_and_an_adult_is_none() -> None:
    sure = replace(CALM, level=Level.REVIEW)
    assert judged(replace(sure, to_age=AgeBand.UNKNOWN))[0] == "review"
    assert judged(replace(sure, to_age=AgeBand.ADULT)) == []
    assert judged(replace(sure, to_age=AgeBand.ADULT, financial=True))[0] == "review"


facts = st.builds(
    ConversationFacts,
    st.sampled_from(Level),
    st.just(0.5),
    st.booleans(),
    st.lists(st.sampled_from([tactic.value for tactic in LuringTactic]), max_size=4).map(tuple),
    st.sampled_from(AgeBand),
    st.sampled_from(AgeBand),
    st.floats(0, 9),
    st.just("message"),
)


@given(facts, st.floats(0, 9), st.sampled_from([tactic.value for tactic in LuringTactic]))
def test_more_signs_never_ask_for_less(before: ConversationFacts, points: float, tactic: str) -> None:
    more = replace(
        before,
        level=Level.REVIEW,
        tactics=(*before.tactics, tactic),
        contact_points=before.contact_points + points,
    )
    assert set(judged(before)) <= set(judged(more))


def test_a_policy_that_says_nothing_of_conversations_has_the_shipped_rules_and_an_empty_array_none() -> None:
    said_nothing = check(f"version = 1\n{RULE}", "test.toml").policy
    none = check(f"version = 1\nconversation = []\n{RULE}", "test.toml").policy
    assert said_nothing is not None
    assert said_nothing.conversations == default_policy().conversations == shipped()
    assert none is not None
    assert none.conversations == ()


def test_a_good_rule_is_read_and_said_in_words() -> None:
    assert checked(GOOD) == ([], 1)
    words = [in_words(rule) for rule in shipped()]
    assert len(set(words)) == len(words)
    assert words[0].endswith("slow the author down, say something to the child.")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('level = "warn"', 'level = "high"', "not one of its values"),
        ('level = "warn"', 'level = "none"', "below every threshold"),
        ('level = "warn"', 'surface = "chat"', "fire for every message"),
        ('level = "warn"', 'tactic = "secrets"', 'did you mean "secrecy"?'),
        ('level = "warn"', 'level = "warn", to_age = "teen"', "not one of its values"),
        ('level = "warn"', 'level = "warn", age = "adult"', "no condition of a rule about conversations"),
        ('level = "warn"', "min_contact_points = 0", "above 0"),
        ('level = "warn"', 'financial = "yes"', "true or false"),
        ('"friction"', '"nothing"', "when no rule fires"),
        ('"friction"', '["prompt", "prompt"]', "twice"),
        ('"friction"', '"report"', "not one of its values"),
        ('"friction"', "[]", "names nothing"),
        ('name = "one"', 'name = "No good"', "small letters"),
        ('explanation = "A test."\n', "", 'the rule has no "explanation"'),
        (
            'explanation = "A test."',
            'explanation = "A test."\nverdict = "hold"',
            "no key of a rule about conversations",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, says: str) -> None:
    assert old in GOOD
    (error,) = checked(GOOD.replace(old, new))[0]
    assert error.startswith("test.toml:")
    assert says in error


def test_two_rules_of_one_name_are_an_error() -> None:
    (error,) = checked(f"{GOOD}\n[[conversation]]\n{GOOD}")[0]
    assert "already the name" in error


def test_interventions_are_in_the_order_of_their_severity() -> None:
    assert [each.value for each in Intervention if each.needs_person] == ["review", "urgent"]
    assert [each.severity for each in Intervention] == list(range(8))


def test_a_sample_is_explained_rule_by_rule(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(default_text(), "utf-8")
    told = CliRunner().invoke(
        app, ["explain", str(file), "--conversation", '{"level": "review", "to_age": "13_to_15"}']
    )
    assert told.exit_code == 0, told.output
    assert "look-at-a-conversation: fires" in told.output
    assert "extortion-of-a-child: does not fire\n  it is no extortion for money" in told.output
    assert told.output.rstrip().endswith("Interventions: review, block_media, mask_handle, friction, prompt")
    with pytest.raises(BadInput, match="to_age"):
        sample_conversation('{"to_age": "old"}')
