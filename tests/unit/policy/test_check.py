"""Every error of a policy is found at once, at its place, with what was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import PolicyInvalid
from seawall.policy.check import check, normalised
from seawall.policy.load import default_text, parse_policy
from seawall.policy.rules import Copies

RULE = """[[rule]]
name = "x"
explanation = "Test."
when = { finding = "match", kind = "exact", trust = "trusted", disputed = false }
verdict = "block"
"""


def errors(text: str) -> list[str]:
    return [str(problem) for problem in check(text, "p.toml").errors]


def changed(old: str, new: str) -> str:
    assert old in RULE
    return "version = 1\n" + RULE.replace(old, new)


def test_the_default_policy_has_neither_errors_nor_warnings() -> None:
    checked = check(default_text(), "default.toml")
    assert (checked.errors, checked.warnings) == ((), ())
    assert checked.policy is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 'p.toml:1:1: "version" is missing'),
        ("version = 1", "p.toml:1:1: there is no rule"),
        ("version = 2\n" + RULE, "p.toml:1:11: this Seawall reads version 1 only"),
        ("version = true\n" + RULE, "p.toml:1:11: this Seawall reads version 1 only"),
        ("version = 1\nrules = []\n" + RULE, 'p.toml:2:1: "rules" is no key; did you mean "rule"?'),
        ("version = 1\nrule = 3", "p.toml:2:1: rules are written as tables"),
        ("version = 1\nrule = [1]", "p.toml:2:1: rules are written as tables"),
        (changed("verdict", "verdcit"), 'p.toml:6:1: "verdcit" is no key of a rule; did you mean "verdict"?'),
        (changed("verdict", "verdcit"), 'p.toml:2:1: the rule has no "verdict"'),
        (changed('"block"', '"blok"'), 'p.toml:6:11: "blok" is not one of its values; did you mean "block"?'),
        (changed('"block"', "1"), "p.toml:6:11: this is not one of its values; known are allow, warn, hold, block"),
        (changed('"x"', '"X y"'), "p.toml:3:8: a name is small letters"),
        (changed('"x"', '"no-rule"'), "p.toml:3:8: a name is small letters"),
        (changed('"Test."', '""'), 'p.toml:4:15: "explanation" is a text'),
        (changed('"Test."', "['a']"), 'p.toml:4:15: "explanation" is a text'),
        ("version = 1\n" + RULE + "urgent = 'yes'", 'p.toml:7:10: "urgent" is true or false'),
        ("version = 1\n" + RULE + RULE, 'p.toml:8:8: "x" is already the name of the rule in line 3'),
        (changed("kind", "knid"), 'p.toml:5:29: "knid" is no condition; did you mean "kind"?'),
        (changed("kind", '"k\\u006eid"'), 'p.toml:5:29: "knid" is no condition; did you mean "kind"?'),
        (changed('"exact"', '"exakt"'), 'p.toml:5:36: "exakt" is not one of its values; did you mean "exact"?'),
        (changed('"exact"', '["exact", "exakt"]'), 'p.toml:5:46: "exakt" is not one of its values'),
        (changed('"exact"', "[]"), 'p.toml:5:36: "kind" names nothing'),
        (changed('finding = "match", ', ""), 'p.toml:5:1: the condition "finding" is missing'),
        (
            changed('"match"', '"scan_owed"'),
            'p.toml:5:33: "kind" says nothing about a finding of the kind "scan_owed"',
        ),
        (changed('trust = "trusted"', 'code = "x"'), 'p.toml:5:45: "code" says nothing'),
        (changed('trust = "trusted"', "list = [3]"), 'p.toml:5:53: "list" is a text'),
        (changed('trust = "trusted"', "max_distance = 32"), 'p.toml:5:60: "max_distance" is a whole number'),
        (changed('trust = "trusted"', "max_distance = true"), 'p.toml:5:60: "max_distance" is a whole number'),
        (changed('trust = "trusted"', "max_distance = 1.0"), 'p.toml:5:60: "max_distance" is a whole number'),
        (changed('trust = "trusted"', "min_independent_lists = 1"), "p.toml:5:69: "),
        (changed('trust = "trusted"', "min_distance = 1"), "p.toml:5:60: an exact match has distance 0"),
        (changed('trust = "trusted"', 'hash_kind = "pdq"'), "p.toml:5:57: a PDQ match is never exact"),
        (changed('kind = "exact"', "min_distance = 9, max_distance = 8"), "p.toml:5:44: "),
        (changed('kind = "exact"', 'kind = "perceptual", hash_kind = "md5"'), "p.toml:5:62: only a PDQ match"),
        (changed('kind = "exact"', 'surface = "a", except_surface = "a"'), "p.toml:5:61: a surface is both"),
        (changed('kind = "exact"', 'list = "a", min_independent_lists = 2'), "p.toml:5:65: fewer lists"),
        (changed('{ finding = "match", kind = "exact", trust = "trusted", disputed = false }', "3"), "p.toml:5:8: "),
        (changed('"block"', '"warn"\nurgent = true'), "p.toml:7:10: warn opens no case"),
        (
            changed('disputed = false }\nverdict = "block"', 'min_independent_lists = 2 }\nverdict = "allow"'),
            "p.toml:5:88: agreement of lists",
        ),
        (changed("explanation = ", "explanation "), "p.toml:4:13: this is not TOML: expected '='"),
        ("version = 1\n[[rule]]\nname = '''x\n", "p.toml:3:1: this is not TOML: "),
        ("version = 1\nversion = 1", "p.toml:2:12: this is not TOML: cannot overwrite"),
        ("version = " + "[" * 100_000, "p.toml:1:1: the file is nested too deeply"),
    ],
)
def test_each_error_points_at_its_place(text: str, expected: str) -> None:
    assert any(error.startswith(expected) for error in errors(text)), errors(text)


@pytest.mark.parametrize("verdict", ["allow", "warn"])
def test_what_was_not_screened_needs_a_surface_to_pass_and_then_a_loud_warning(verdict: str) -> None:
    rule = '[[rule]]\nname = "x"\nexplanation = "x"\nwhen = {{ finding = "scan_owed"{} }}\nverdict = "{}"\n'
    assert "only on surfaces" in errors("version = 1\n" + rule.format("", verdict))[0]
    assert "only on surfaces" in errors("version = 1\n" + rule.format(', except_surface = "a"', verdict))[0]
    checked = check("version = 1\n" + rule.format(', surface = "avatar"', verdict), "p.toml")
    assert checked.policy is not None
    (warning,) = map(str, checked.warnings)
    assert warning.startswith('p.toml:2:1: rule "x" PUBLISHES CONTENT THAT NOBODY SCREENED on avatar')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (changed(", disputed = false", ""), "disputed"),
        (changed(', trust = "trusted"', ""), "not given full trust"),
        (changed('"exact"', '"perceptual"'), "a likeness"),
        (changed('"block"', '"allow"'), "publishes content that is on a hash list"),
        (
            changed('disputed = false }\nverdict = "block"', 'disputed = true }\nverdict = "allow"'),
            "publishes what entries met that are disputed",
        ),
        (
            'version = 1\n[[rule]]\nname = "x"\nexplanation = "x"\n'
            'when = { finding = "scan_owed", code = "media_corupt" }\nverdict = "hold"',
            "media_corupt",
        ),
    ],
)
def test_doubtful_rules_are_warned_of(text: str, expected: str) -> None:
    checked = check(text, "p.toml")
    assert checked.policy is not None
    assert any(expected in problem.message for problem in checked.warnings)


def test_all_errors_are_listed_in_order_and_in_one_exception() -> None:
    text = changed("kind", "knid").replace('"block"', '"blok"').replace('"Test."', '""') + "[extra]\n"
    found = errors(text)
    assert [error.split(" ")[0] for error in found] == [
        "p.toml:4:15:",
        "p.toml:5:29:",
        "p.toml:6:11:",
        "p.toml:7:1:",
    ]
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy(text, "p.toml")
    assert caught.value.message.startswith("The policy has 4 errors:")
    assert all(error in caught.value.message for error in found)
    assert caught.value.exit_status == 4


def test_the_pointer_shows_the_line_and_the_place() -> None:
    checked = check('version = 1\n\tname = "é" \r\n', "p.toml")
    (unknown, _no_rule) = sorted(checked.errors, key=lambda problem: -problem.position.line)
    assert unknown.pointer(checked.text) == '    2 | \tname = "é"\n      | \t^'


def test_other_ways_to_write_the_same() -> None:
    ways = [
        changed('kind = "exact"', 'kind = ["exact"]'),
        '"version" = 1\nrule = [{name="x", explanation="""\nTest.""", verdict=\'block\', '
        'when.finding="match", when.kind="exact", when.trust="trusted", when.disputed=false}]',
        'version = 1\n[[rule]]\nname = "x"\nexplanation = "Test."\nverdict = "block"\n'
        '[rule.when]\nfinding = "match"\nkind = "exact"\ntrust = "trusted"\ndisputed = false\n',
    ]
    first = parse_policy("version = 1\n" + RULE, "p.toml").rules[0]
    for way in ways:
        rule = parse_policy(way, "p.toml").rules[0]
        assert (rule.when, rule.verdict, rule.explanation) == (first.when, first.verdict, first.explanation)


def test_the_version_is_that_of_the_text_whatever_the_system_makes_of_line_ends() -> None:
    text = "version = 1\n" + RULE
    version = parse_policy(text, "a").version
    assert len(version) == 12
    for same in (text.replace("\n", "\r\n"), "\ufeff" + text, text + "\n\n", text.replace("\n", "  \n")):
        assert parse_policy(same, "b").version == version
        assert normalised(same) == normalised(text)
    assert parse_policy(text.replace('"x"', '"y"'), "a").version != version


@given(st.text(max_size=200))
def test_any_text_is_checked_without_a_crash(text: str) -> None:
    assert check(text, "p.toml").errors


DEFAULT = default_text()


@given(st.integers(0, len(DEFAULT) - 1), st.integers(0, 12), st.text(alphabet="[]{}=\"'#.,\n abc01", max_size=4))
def test_any_edit_of_a_policy_is_checked_without_a_crash(start: int, length: int, new: str) -> None:
    checked = check(DEFAULT[:start] + new + DEFAULT[start + length :], "p.toml")
    assert (checked.policy is None) == bool(checked.errors)
    lines = checked.text.count("\n") + 1
    assert all(1 <= problem.position.line <= lines for problem in checked.errors)


@pytest.mark.parametrize(
    ("copies", "message"),
    [
        ("copies = 3", 'p.toml:2:10: this is written as a table: "[copies]"'),
        ("[copies]\ndigest = 1", 'p.toml:3:10: "digest" is true or false, without quotes'),
        ("[copies]\ndigset = true", 'p.toml:3:1: "digset" is no key of [copies]; did you mean "digest"?'),
        ("[copies]\npdq_distance = 32", 'p.toml:3:16: "pdq_distance" is a whole number from 0 to 31, or "off"'),
        ("[copies]\npdq_distance = true", 'p.toml:3:16: "pdq_distance" is a whole number from 0 to 31, or "off"'),
        ('[copies]\npdq_distance = "none"', 'p.toml:3:16: "pdq_distance" is a whole number from 0 to 31, or "off"'),
    ],
)
def test_what_counts_as_a_copy_is_checked(copies: str, message: str) -> None:
    assert errors(f"version = 1\n{copies}\n{RULE}") == [message]


def test_copies_by_default_and_by_word() -> None:
    def of(text: str) -> Copies:
        checked = check("version = 1\n" + text + "\n" + RULE, "p.toml")
        assert checked.policy is not None
        return checked.policy.copies

    assert of("") == Copies(True, 10)
    assert of("[copies]\npdq_distance = 0") == Copies(True, 0)
    assert of('[copies]\ndigest = false\npdq_distance = "off"') == Copies(False, None)
