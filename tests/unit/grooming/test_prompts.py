"""What children are told: in every language, short, and never with a reproach."""

from __future__ import annotations

import pytest

from seawall.grooming import prompts
from seawall.grooming.load import load_rules

REPROACHES = (
    "your fault that",
    "should have",
    "why did you",
    "stupid",
    "naive",
    "you must not have",
    "selber schuld",
)


def test_each_text_is_there_in_every_language_and_short_enough_to_be_read() -> None:
    for code, by_language in prompts.texts().items():
        assert set(by_language) == set(prompts.LANGUAGES), code
        assert len(set(by_language.values())) == len(prompts.LANGUAGES), code
        for text in by_language.values():
            assert 60 < len(text) < 320, text
            assert not any(word in text.lower() for word in REPROACHES)


def test_texts_speak_of_tactics_that_there_are() -> None:
    assert set(prompts.texts()) - set(load_rules().catalogue.tactics) == {prompts.EXTORTION, prompts.GENERAL}


@pytest.mark.parametrize(
    ("language", "known"), [("nl-BE", "nl"), ("FR", "fr"), ("de_AT", "de"), ("ja", "en"), (None, "en"), ("", "en")]
)
def test_a_language_without_texts_is_answered_in_english(language: str | None, known: str) -> None:
    assert prompts.choose((), financial=False, language=language).language == known


def test_what_matters_most_is_said_first() -> None:
    def code(*tactics: str, financial: bool = False) -> str:
        return prompts.choose(tactics, financial=financial, language="en").code

    assert code("moving", "secrecy") == "secrecy"
    assert code("secrecy", "pictures") == "pictures"
    assert code("profiling") == code() == "general"
    assert code("secrecy", financial=True) == "extortion"
