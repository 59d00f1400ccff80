from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.grooming.noticing import Noticer
from seawall.grooming.spelling import HEAD, TAIL, plain

KNOWN = frozenset(
    {"keep", "it", "secret", "send", "pic", "alone", "you", "are", "old", "how", "dont", "tell", "please"}
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Keep it SECRET", "keep it secret"),
        ("don't tell", "dont tell"),
        ("s3cr3t", "secret"),
        ("$ecret", "secret"),
        ("s e c r e t", "secret"),
        ("s.e.c.r.e.t", "secret"),
        ("k e e p  i t  s e c r e t", "keep it secret"),
        ("k-3-3-p i-t s-3-c-r-3-t", "keep it secret"),
        ("seeeecret", "secret"),
        ("pleeease", "please"),
        ("ѕесrеt", "secret"),
        ("ｓｅｃｒｅｔ", "secret"),
        ("𝓼𝓮𝓬𝓻𝓮𝓽", "secret"),
        ("s\u200be\u200bc\u2060r\u00ade\ufefft", "secret"),
        ("s̶e̶c̶r̶e̶t̶", "secret"),
        ("sécrêt", "secret"),
        ("🇸🇪🇨🇷🇪🇹", "secret"),
        ("send 📷", "send pic"),
        ("🤫", "secret"),
        ("14f", "14f"),
        ("14/f", "14 f"),
        ("im 13", "im 13"),
        ("5pm", "5pm"),
        ("a b c", "a b c"),
        ("how old?", "how old ?"),
        ("", ""),
        ("!!! ***", ""),
        ("\ud800 secret \udfff", "secret"),
        ("\x00secret\x00", "secret"),
        ("日本語", ""),
    ],
)
def test_what_is_said_is_read_through_tricks_of_spelling(text: str, words: str) -> None:
    assert " ".join(plain(text, KNOWN).words) == words


def test_of_a_long_message_the_beginning_and_the_end_are_read() -> None:
    said = plain("secret " + "x " * 500_000 + "alone", KNOWN)
    assert said.clipped
    assert said.words[0] == "secret"
    assert said.words[-1] == "alone"
    assert sum(map(len, said.words)) <= HEAD + TAIL
    assert not plain("secret").clipped


@pytest.mark.parametrize("letter", ["a ", "a", "🇦", "ﷺ", "e\u0301", "? ", "4"])
def test_a_megabyte_of_anything_is_little_work(letter: str, noticer: Noticer) -> None:
    assert noticer.notice(letter * (1_000_000 // len(letter))).clipped


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_becomes_plain_words(text: str) -> None:
    for word in plain(text, KNOWN).words:
        assert word == "?" or (word.isascii() and word and " " not in word)
