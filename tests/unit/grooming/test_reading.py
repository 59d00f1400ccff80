from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seawall.errors import BadInput
from seawall.grooming import reading
from seawall.grooming.conversations import Corpus, Role
from seawall.grooming.reading import read_corpus


def read(tmp_path: Path, *records: Any) -> Corpus:
    file = tmp_path / "chats.jsonl"
    file.write_bytes(b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in records))
    return read_corpus(file)


def message(**told: Any) -> dict[str, Any]:
    return {"conversation": "c", "author": "a", "text": "hello", **told}


def test_one_message_a_line(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        message(time="2030-01-01T00:00:10Z", text="second", label="predatory", role="offender"),
        message(time="2030-01-01T00:00:00Z", text="first", author="b", role="victim"),
        message(conversation="d", label=0),
    )
    first, second = corpus.conversations
    assert [said.text for said in first.messages] == ["first", "second"]
    assert first.predatory is True
    assert first.roles == {"a": Role.OFFENDER, "b": Role.CHILD}
    assert first.offenders == {"a"}
    assert second.predatory is False
    assert corpus.bad == ()


@pytest.mark.parametrize(
    "record",
    [
        {"conversation_id": 7, "sender": "a", "body": "x"},
        {"chat_id": "7", "from": "a", "message": "x"},
        {"thread": "7", "user_id": "a", "content": "x"},
    ],
)
def test_the_usual_names_of_fields_are_understood(tmp_path: Path, record: dict[str, Any]) -> None:
    (conversation,) = read(tmp_path, record).conversations
    assert (conversation.name, conversation.messages[0].author, conversation.messages[0].text) == ("7", "a", "x")


def test_one_conversation_a_line(tmp_path: Path) -> None:
    told = {
        "id": "c9",
        "label": 1,
        "roles": {"x": "groomer"},
        "messages": [{"sender": "x", "text": "hi"}, {"sender": "y", "text": "yo"}],
    }
    (conversation,) = read(tmp_path, told).conversations
    assert (conversation.name, conversation.predatory, len(conversation.messages)) == ("c9", True, 2)
    assert conversation.offenders == {"x"}


@pytest.mark.parametrize(
    ("label", "predatory"),
    [
        ("predatory", True),
        (1, True),
        (True, True),
        ("1", True),
        (0, False),
        (False, False),
        ("Benign", False),
        (None, None),
    ],
)
def test_labels(tmp_path: Path, label: object, predatory: bool | None) -> None:
    assert read(tmp_path, message(label=label)).conversations[0].predatory is predatory


def test_who_is_an_offender_makes_a_conversation_predatory(tmp_path: Path) -> None:
    assert read(tmp_path, message(role="predator")).conversations[0].predatory is True


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2030-01-01T00:00:00+00:00", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01 00:00:00", datetime(2030, 1, 1, tzinfo=UTC)),
        (1893456000, datetime(2030, 1, 1, tzinfo=UTC)),
        (1893456000000, datetime(2030, 1, 1, tzinfo=UTC)),
        ("1893456000", datetime(2030, 1, 1, tzinfo=UTC)),
        ("23:12", None),
        ("yesterday", None),
        (1e300, None),
        ([], None),
    ],
)
def test_times(tmp_path: Path, time: object, at: datetime | None) -> None:
    assert read(tmp_path, message(time=time)).conversations[0].messages[0].at == at


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b"[]", "this is no JSON object"),
        ({"author": "a", "text": "x"}, "there is no `conversation`"),
        ({"conversation": "c", "text": "x"}, "there is no `author`"),
        (message(text=7), "`text` is no text"),
        (message(label="maybe"), "`label` is 'maybe'; it is predatory (1, true) or benign (0, false)"),
        ({"conversation": "c", "messages": [7]}, "a message is no JSON object"),
    ],
)
def test_a_bad_line_is_told_and_loses_nothing_else(tmp_path: Path, line: Any, reason: str) -> None:
    corpus = read(tmp_path, message(), b"", line, message())
    assert len(corpus.conversations[0].messages) == 2
    assert [str(part) for part in corpus.bad] == [f"line 3: {reason}"]
    assert corpus.bad_lines == 1


def test_text_of_any_kind_is_taken(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        message(text=""),
        message(text=None),
        b'{"conversation":"c","author":"a","text":"\\ud800"}',
        b'{"conversation":"c","author":"a","text":"\xff"}',
        message(text="x" * 1_000_000),
    )
    assert len(corpus.conversations[0].messages) == 5
    assert corpus.bad == ()


def test_lines_and_conversations_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 100)
    monkeypatch.setattr(reading, "MOST_MESSAGES", 3)
    monkeypatch.setattr(reading, "MOST_BAD", 1)
    corpus = read(tmp_path, message(text="x" * 1000), b"{", *[message()] * 5)
    assert len(corpus.conversations[0].messages) == 3
    assert (corpus.cut, corpus.bad_lines, len(corpus.bad)) == (2, 2, 1)
    assert str(corpus.bad[0]) == "line 1: longer than 100 bytes"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{}\n", b"<conversations/>", b"<"])
def test_a_file_without_conversations_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "empty").write_bytes(content)
    with pytest.raises(BadInput, match="holds no conversation"):
        read_corpus(tmp_path / "empty")
    with pytest.raises(BadInput, match="cannot be read"):
        read_corpus(tmp_path / "missing")


PAN = """<?xml version="1.0" encoding="UTF-8"?>
<conversations>
  <conversation id="one">
    <message line="1"><author>aa</author><time>10:00</time><text>hello &amp; hi &#128512;</text></message>
    <message line="2"><author>bb</author><time>10:01</time><text/></message>
  </conversation>
  <conversation id="two"><message
  line="1"><author>cc</author><time>10:02</time><text>x</text></message></conversation>
</conversations>
"""


def test_the_xml_of_pan_2012(tmp_path: Path) -> None:
    (tmp_path / "pan.xml").write_text(PAN, "utf-8")
    (tmp_path / "predators.txt").write_text("aa\nzz\n", "utf-8")
    one, two = read_corpus(tmp_path / "pan.xml", predators=tmp_path / "predators.txt").conversations
    assert [(said.author, said.text) for said in one.messages] == [("aa", "hello & hi 😀"), ("bb", "")]
    assert (one.predatory, one.roles, two.predatory) == (True, {"aa": Role.OFFENDER, "bb": Role.CHILD}, False)
    assert all(one.predatory is None for one in read_corpus(tmp_path / "pan.xml").conversations)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("</conversations>", "", "line 10: this is not XML"),
        ('<conversation id="two">', "<conversation id=two>", "line 7: this is not XML"),
    ],
)
def test_damaged_xml_keeps_what_came_before(tmp_path: Path, old: str, new: str, told: str) -> None:
    (tmp_path / "pan.xml").write_text(PAN.replace(old, new), "utf-8")
    corpus = read_corpus(tmp_path / "pan.xml")
    assert corpus.conversations[0].name == "one"
    assert told in str(corpus.bad[0])


def test_document_types_are_refused_before_anything_unfolds(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    (tmp_path / "pan.xml").write_text(
        PAN.replace("<conversations>", bomb + "<conversations>").replace("hello", "&b;&f;"), "utf-8"
    )
    with pytest.raises(BadInput, match="document types are refused"):
        read_corpus(tmp_path / "pan.xml")
