from __future__ import annotations

from pathlib import Path

import pytest

from seawall.errors import GroomingRulesInvalid
from seawall.grooming.load import Rules, load_rules, parse_catalogue, parse_language
from seawall.grooming.noticing import examples_that_fail

CATALOGUE = """[tactics]
secrecy = { most = 2, says = "secrecy" }

[[code]]
code = "asks-secrecy"
tactic = "secrecy"
weight = 1
says = "asked to keep it secret"
"""
LANGUAGE = """language = "xx"

[terms]
thing = "it|this"

[[rule]]
code = "asks-secrecy"
patterns = ["keep <thing> .. secret"]
examples = ["keep it secret", "keep this a big secret"]
counter_examples = ["secret"]
"""


def test_every_example_of_the_shipped_rules_holds(rules: Rules) -> None:
    assert examples_that_fail(rules) == []


def test_each_language_knows_the_main_tactics(rules: Rules) -> None:
    assert {language.language for language in rules.languages} == {"en", "de", "nl", "es", "fr"}
    tactics = {code.tactic for code in rules.catalogue.codes.values() if code.tactic} - {"age_gap"}
    for language in rules.languages:
        known = {rules.catalogue.codes[rule.code].tactic for rule in language.rules} - {None}
        assert known == tactics, language.language


def test_terms_and_gaps_are_filled_in() -> None:
    language = parse_language(LANGUAGE, "xx.toml", parse_catalogue(CATALOGUE, "codes.toml"))
    assert language.rules[0].line == 6


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('code = "asks-secrecy"', 'code = "asks"', "xx.toml:7:8: there is no code 'asks' in codes.toml"),
        ("<thing>", "<things>", "xx.toml:8:13: there is no term <things> above"),
        ("keep <", "keep (", "xx.toml:8:13: this is no pattern: "),
        ("keep <thing> .. secret", "(a|)", "xx.toml:8:13: the pattern meets a message that says nothing"),
        ('examples = ["keep it secret", ', "examples = [", "xx.toml:9:12: `examples` is a list of at least 2 texts"),
        ('language = "xx"', "language = 1", "xx.toml:1:12: `language` is missing, or no text"),
        ("counter_examples", "counter", "xx.toml:10:11: 'counter' means nothing here"),
        ('thing = "it|this"', "thing = 1", "xx.toml:4:9: a term is a text"),
        ("[[rule]]", "[[rule", "xx.toml:6:7: this is not TOML"),
        ("[[rule]]", "[rule]", "there is no [[rule]]"),
        ("[terms]", "[words]\nu = 1\n[terms]", "xx.toml:4:5: a spelling stands for a text"),
    ],
)
def test_an_error_points_at_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(GroomingRulesInvalid) as caught:
        parse_language(LANGUAGE.replace(old, new, 1), "xx.toml", parse_catalogue(CATALOGUE, "codes.toml"))
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("weight = 1", "weight = 11", "codes.toml:7:10: `weight` is missing"),
        ('tactic = "secrecy"', 'tactic = "other"', "codes.toml:6:10: there is no tactic 'other'"),
        ('tactic = "secrecy"', 'context = "other"', "codes.toml:6:11: a context is one of"),
        ('tactic = "secrecy"\n', "", "codes.toml:4:1: a code has either a tactic or a context"),
        ('code = "asks-secrecy"', 'code = "A B"', "codes.toml:5:8: a code is a new name"),
    ],
)
def test_an_error_in_the_catalogue_points_at_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(GroomingRulesInvalid) as caught:
        parse_catalogue(CATALOGUE.replace(old, new, 1), "codes.toml")
    assert told in caught.value.message


def test_rules_of_the_operators_own_are_read_from_a_folder(tmp_path: Path) -> None:
    with pytest.raises(GroomingRulesInvalid, match=r"no codes\.toml"):
        load_rules(tmp_path)
    (tmp_path / "codes.toml").write_text(CATALOGUE, "utf-8")
    (tmp_path / "xx.toml").write_text(LANGUAGE, "utf-8")
    assert examples_that_fail(load_rules(tmp_path)) == []
    (tmp_path / "xx.toml").write_text(LANGUAGE.replace('["secret"]', '["keep it secret"]'), "utf-8")
    assert examples_that_fail(load_rules(tmp_path)) == ["xx.toml:6: asks-secrecy: 'keep it secret'"]
    (tmp_path / "xx.toml").write_bytes(b"\xff")
    with pytest.raises(GroomingRulesInvalid, match="not UTF-8"):
        load_rules(tmp_path)
    with pytest.raises(GroomingRulesInvalid, match="cannot be read"):
        load_rules(tmp_path / "missing")


def test_every_code_has_a_rule(rules: Rules) -> None:
    used = {rule.code for language in rules.languages for rule in language.rules}
    assert used == set(rules.catalogue.codes)
