from __future__ import annotations

import pytest

from seawall.grooming.noticing import Noticer


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("im 13", 13),
        ("13 f cali", 13),
        ("f/14", 14),
        ("i'm 34 is that ok", 34),
        ("i just turned 15", 15),
        ("14f here", 14),
        ("im 13 minutes away", None),
        ("i have 13 cats", None),
        ("im 130", None),
        ("see you at 5pm", None),
        ("ich bin erst 13", 13),
        ("ik ben 12", 12),
        ("tengo 14 años", 14),
        ("j'ai 13 ans", 13),
        ("ich bin 10 minuten weg", None),
    ],
)
def test_ages_that_people_claim(noticer: Noticer, text: str, age: int | None) -> None:
    assert noticer.notice(text).age == age


@pytest.mark.parametrize(
    ("text", "number"),
    [("13", 13), ("13 u?", 13), ("lol 42", 42), ("3", None), ("i saw 13 of them there", None), ("12 34", None)],
)
def test_a_number_alone_may_answer_a_question(noticer: Noticer, text: str, number: int | None) -> None:
    noticed = noticer.notice(text)
    assert (noticed.bare_number or noticed.age) == number


@pytest.mark.parametrize(
    "text",
    [
        "dont tell ur mom",
        "D0NT T3LL ur m0m",
        "don\u200b't tell ur mom",
        "d o n t  t e l l ur mom",
        "dоn't tеll yоur mоm",
    ],
)
def test_one_thing_spelt_in_many_ways_is_one_code(noticer: Noticer, text: str) -> None:
    assert "not-to-parents" in noticer.notice(text).codes


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "?", "🤷", "lol", "ok", "the match starts at five"])
def test_what_says_nothing_has_no_codes(noticer: Noticer, text: str) -> None:
    assert noticer.notice(text).codes == ()


def test_questions_are_known(noticer: Noticer) -> None:
    assert noticer.notice("and you?").asks
    assert noticer.notice("where is it").asks
    assert not noticer.notice("there it is").asks
