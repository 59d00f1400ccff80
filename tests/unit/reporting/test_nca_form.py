"""A report to the NCA says of each field that it is held, or why not; and it is read as it was written."""

from __future__ import annotations

import json

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.errors import ReportInvalid
from seawall.reporting.nca.form import CODES, FIELDS, Answer, Form, Priority, blank, read_form
from seawall.reporting.nca.pdf import pdf

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40).map(str.strip)
answers = st.builds(Answer, st.none() | st.booleans(), texts, texts)
forms = st.builds(
    Form,
    st.fixed_dictionaries(dict.fromkeys(sorted(CODES), answers)),
    st.none() | st.sampled_from(Priority),
    texts,
    texts,
)


def complete() -> Form:
    held = Answer(True, "Test value")
    return Form(dict.fromkeys(CODES, held), Priority.P2, "A test.", "Test Person")


@settings(max_examples=50, deadline=None)
@given(forms)
def test_it_is_read_as_it_was_written(form: Form) -> None:
    assert read_form(form.to_json()) == form


def test_a_blank_form_asks_for_everything_and_tells_nothing() -> None:
    form = blank({"account": Answer(True, "test-account")})
    problems = form.problems()
    assert len(problems) == len(FIELDS) - 1 + 2
    assert not any("test-account" in problem for problem in problems)
    assert complete().problems() == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(None), "say whether it is held"),
        (Answer(True), "its value is missing"),
        (Answer(False), "say in why_not why"),
        (Answer(False, "x", "y"), "has a value"),
    ],
)
def test_not_held_needs_a_reason_and_held_a_value(answer: Answer, says: str) -> None:
    form = complete()
    (problem,) = Form({**form.answers, "email": answer}, form.priority, "A test.", "Test Person").problems()
    assert says in problem
    assert problem.startswith("fields.email")
    assert (
        Form(
            {**form.answers, "email": Answer(False, "", "Nobody is asked for it.")}, form.priority, "a", "b"
        ).problems()
        == []
    )


@pytest.mark.parametrize(
    "change",
    [
        {"priority": "P4"},
        {"declared_by": 3},
        {"more": 1},
        {"fields": {}},
        {"fields": {"email": {"held": "yes", "value": "", "why_not": ""}}},
    ],
)
def test_what_is_no_form_is_refused(change: dict[str, object]) -> None:
    document = complete().document()
    fields = change.get("fields")
    if isinstance(fields, dict) and fields:
        change = {"fields": {**document["fields"], **fields}}
    with pytest.raises(ReportInvalid):
        read_form(json.dumps({**document, **change}))
    for wrong in ("", "[]", "[" * 100_000):
        with pytest.raises(ReportInvalid):
            read_form(wrong)


def test_what_is_on_record_of_many_items_is_read_again_and_a_persons_words_have_an_end() -> None:
    many = "\n".join(f"Item {item}: SHA256 {item:064x}" for item in range(1000))
    form = complete()
    long = Form({**form.answers, "hashes": Answer(True, many)}, form.priority, "A test.", "Test Person")
    assert read_form(long.to_json()) == long
    assert long.sha256 != form.sha256
    assert pdf(long, [], [], is_test=True).startswith(b"%PDF-")
    with pytest.raises(ReportInvalid, match=r"fields\.other\.value"):
        read_form(Form({**form.answers, "other": Answer(True, many)}, Priority.P2, "A", "B").to_json())


def test_the_paper_says_what_the_form_says_and_takes_no_markup() -> None:
    form = complete()
    tricky = "<b>bold</b> & <para/> \u0436 " + "x" * 3000
    made = pdf(
        Form(
            {**form.answers, "content": Answer(True, tricky), "email": Answer(False, "", "Not asked.")},
            Priority.P1,
            "A",
            "B",
        ),
        [("Our case", "7")],
        ["Media/1.png"],
        is_test=True,
    )
    document = pypdfium2.PdfDocument(made)
    text = "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "")
    for expected in (
        "TEST DATA",
        "<b>bold</b> & <para/> [U+0436]",
        "Not held: Not asked.",
        "Media/1.png",
        "Our case: 7",
    ):
        assert expected in text
    assert all(field.says.split()[0] in text for field in FIELDS)
