from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.grooming.load import Rules, load_rules
from seawall.grooming.noticing import Noticer
from seawall.grooming.risk import MOST_IDS, MOST_PAIRS, MOST_PEOPLE, MOST_REASONS, ConversationRisk, Risk
from seawall.grooming.tactics import Noticed

RULES = load_rules()
CODES = sorted(RULES.catalogue.codes)
SCRIPT = """
a: hey asl?
b: 13 f u?
a: 34 m is that ok
b: i guess
a: where r ur parents
b: at work
a: u r so mature for ur age
a: got a pic?
a: dont tell ur mom about us
a: wanna meet sometime
"""


def told(noticer: Noticer, rules: Rules, script: str) -> ConversationRisk:
    conversation = ConversationRisk(rules.catalogue)
    for line in script.strip().splitlines():
        author, text = line.split(": ", 1)
        conversation.add(author, noticer.notice(text))
    return conversation


def score(conversation: ConversationRisk, author: str, toward: str) -> float:
    return next(risk.score for risk in conversation.risks() if (risk.author, risk.toward) == (author, toward))


def test_tactics_add_up_to_a_risk_of_one_toward_the_other_with_reasons(noticer: Noticer, rules: Rules) -> None:
    risk, other = told(noticer, rules, SCRIPT).risks()
    assert (risk.author, risk.toward) == ("a", "b")
    assert risk.score > 0.9 > 0.2 > other.score
    assert "said to be 34 to somebody who said to be 13, message 3" in str(risk)
    assert "asked not to tell parents or anyone, message 9; proposed to meet, message 10" in str(risk)
    assert not risk.financial


def test_the_order_of_tactics_says_nothing(noticer: Noticer, rules: Rules) -> None:
    lines = SCRIPT.strip().splitlines()
    there = score(told(noticer, rules, "\n".join(lines)), "a", "b")
    back = score(told(noticer, rules, "\n".join([*lines[:4], *reversed(lines[4:])])), "a", "b")
    assert back == pytest.approx(there, abs=0.05)


def test_one_question_again_and_again_is_less_than_several_tactics(noticer: Noticer, rules: Rules) -> None:
    again = told(noticer, rules, "b: hi\n" + "a: got a pic?\n" * 30)
    several = told(noticer, rules, "b: hi\na: got a pic?\na: r u alone\na: how old r u\na: wanna meet")
    assert score(again, "a", "b") < 0.1 < score(several, "a", "b")


def test_ages_are_known_from_answers(noticer: Noticer, rules: Rules) -> None:
    conversation = told(noticer, rules, "a: how old r u\nb: 12\na: im 41")
    assert conversation.people["b"].age == 12
    assert "said to be 41 to somebody who said to be 12" in str(conversation.risks()[0])
    assert told(noticer, rules, "a: how was the test\nb: 12").people["b"].age is None


def test_relatives_and_classmates_may_ask_what_they_ask_each_other(noticer: Noticer, rules: Rules) -> None:
    said = "b: hi mum|a: love you son|a: dinner is ready|a: where are you|a: are you home alone|a: can i call you"
    said += "|a: ill pick you up after school|a: send me a pic"
    family = told(noticer, rules, said.replace("|", "\n"))
    assert max(risk.score for risk in family.risks()) < 0.2
    peers = "b: im 14\na: im 14\na: did you do the maths homework\na: what grade r u in\na: wanna meet\n"
    peers += "a: got a pic\na: whats ur number\na: u r cute"
    older = peers.replace("a: im 14", "a: im 29")
    assert score(told(noticer, rules, peers), "a", "b") < 0.2 < score(told(noticer, rules, older), "a", "b")


def test_talk_of_homework_buys_no_secrecy(noticer: Noticer, rules: Rules) -> None:
    secret = "b: im 13\na: im 14\na: dont tell ur mom about us\na: delete these msgs\na: i could get in trouble\n"
    secret += "a: sneak out tonight\na: r u home alone"
    homework = "a: did u do the maths homework\n" * 4 + "a: hi mum\n" * 3
    plain = told(noticer, rules, secret).risks()[0]
    dressed = told(noticer, rules, homework + secret).risks()[0]
    assert dict(dressed.tactics)["secrecy"] == pytest.approx(dict(plain.tactics)["secrecy"], rel=0.1)
    assert dressed.score > 0.4


def test_extortion_for_money_is_seen_at_once(noticer: Noticer, rules: Rules) -> None:
    conversation = told(
        noticer, rules, "a: i will send ur pics to all ur friends\nb: please no\na: send me a gift card"
    )
    assert conversation.risks()[0].financial
    assert conversation.risks()[0].score > 0.95
    assert not told(noticer, rules, "a: send me a gift card\nb: why").risks()[0].financial


def test_what_was_said_fades(noticer: Noticer, rules: Rules) -> None:
    conversation = told(noticer, rules, SCRIPT)
    before = score(conversation, "a", "b")
    for _ in range(300):
        conversation.add("b", Noticed(()))
        conversation.add("a", Noticed(()))
    assert score(conversation, "a", "b") < 0.5 < before

    slow, now = ConversationRisk(rules.catalogue), datetime(2030, 1, 1, tzinfo=UTC)
    slow.add("a", noticer.notice("dont tell ur mom"), at=now)
    later = slow.add("a", Noticed(()), at=now + timedelta(days=210))
    assert later is not None
    assert later.tactics == ()
    # A clock that runs backwards changes nothing.
    assert slow.add("a", noticer.notice("dont tell ur mom"), at=now - timedelta(days=900)) is not None


def test_what_arrives_twice_counts_once(noticer: Noticer, rules: Rules) -> None:
    conversation = ConversationRisk(rules.catalogue)
    first = conversation.add("a", noticer.notice("r u alone"), message_id="1")
    assert conversation.add("a", noticer.notice("r u alone"), message_id="1") is None
    assert conversation.messages == 1
    assert first is not None
    assert conversation.risks() == [first]


def test_what_was_said_before_anyone_answered_was_said_to_the_first_who_did(noticer: Noticer, rules: Rules) -> None:
    conversation = told(noticer, rules, "a: r u alone\nb: yes\na: ok")
    assert [(risk.author, risk.toward) for risk in conversation.risks()] == [("a", "b"), ("b", "a")]


def test_in_a_room_each_pair_has_its_own_risk(noticer: Noticer, rules: Rules) -> None:
    conversation = told(noticer, rules, "b: hi\na: r u alone\nc: hi\na: got a pic?\nd: hi\na: wanna meet")
    met = {(risk.author, risk.toward) for risk in conversation.risks() if risk.tactics}
    assert met == {("a", "b"), ("a", "c"), ("a", "d")}


def test_state_stays_small_in_a_conversation_of_millions() -> None:
    """All that grows is bounded, so that ten million messages cost what some thousands do."""
    conversation = ConversationRisk(RULES.catalogue)
    sizes = set()
    for number in range(6000):
        author, code = f"author-{number * 7919 % 997}", CODES[number * 31 % len(CODES)]
        conversation.add(author, Noticed((code,)), message_id=str(number))
        if number > 3000:
            sizes.add(len(json.dumps(conversation.document())) // 20000)
    conversation.messages = 10_000_000
    assert conversation.add("author-1", Noticed(("asks-age",))) is not None
    assert len(conversation.people) <= MOST_PEOPLE
    assert len(conversation.pairs) <= MOST_PAIRS
    assert len(conversation.document()["ids"]) <= MOST_IDS
    assert all(len(pair.reasons) <= MOST_REASONS for pair in conversation.pairs.values())
    assert len(sizes) <= 2


def test_of_too_many_pairs_the_weakest_goes(noticer: Noticer, rules: Rules) -> None:
    conversation = told(noticer, rules, "b: hi\na: dont tell ur mom about us\na: r u alone")
    number = 0
    while len(conversation.pairs) < MOST_PAIRS:
        conversation.add(f"calm-{number}", Noticed(()))
        number += 1
    for _ in range(5):
        conversation.add(f"calm-{number}", Noticed(()))
        number += 1
        assert len(conversation.pairs) == MOST_PAIRS
    assert dict(conversation.pairs[("a", "b")].strengths)["secrecy"] > 0
    assert (f"calm-{number - 1}", f"calm-{number - 2}") in conversation.pairs, "the newest stays"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.lists(st.sampled_from(CODES), max_size=3, unique=True),
            st.none() | st.integers(7, 90),
        ),
        max_size=60,
    ),
    st.integers(0, 60),
)
def test_kept_state_goes_on_as_if_it_had_never_been_kept(
    said: list[tuple[str, list[str], int | None]], cut: int
) -> None:
    whole, kept = ConversationRisk(RULES.catalogue), ConversationRisk(RULES.catalogue)
    for number, (author, codes, age) in enumerate(said):
        if number == cut:
            kept = ConversationRisk.from_document(RULES.catalogue, json.loads(json.dumps(kept.document())))
        noticed = Noticed(tuple(codes), age)
        first, second = whole.add(author, noticed), kept.add(author, noticed)
        assert isinstance(first, Risk)
        assert first == second
        assert 0 <= first.score <= 1
        assert len(first.reasons) <= MOST_REASONS
        for tactic, strength in first.tactics:
            assert strength <= RULES.catalogue.tactics[tactic].most + 0.001
