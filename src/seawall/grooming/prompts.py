"""What a child is told when a conversation shows signs of grooming: kind, short, and never about their fault."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

LANGUAGES = ("en", "de", "nl", "es", "fr")
# What is told where no text speaks of the tactic.
GENERAL = "general"
EXTORTION = "extortion"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text, in the language that was asked for or else in English."""

    code: str
    language: str
    text: str


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """All texts: by code, in the order in which one goes before another; and by language."""
    told = tomllib.loads(files("seawall.grooming").joinpath("prompts.toml").read_text("utf-8"))
    return MappingProxyType({code: MappingProxyType(each) for code, each in told.items()})


def choose(tactics: Collection[str], *, financial: bool, language: str | None) -> Prompt:
    """The text that fits best what was said.

    Args:
        tactics: those that this message is a sign of.
        language: as the platform names it (``nl``, ``nl-BE``); English where there is no text in it.
    """
    code = EXTORTION if financial else next((each for each in texts() if each in tactics), GENERAL)
    wanted = (language or "").replace("_", "-").partition("-")[0].lower()
    known = wanted if wanted in LANGUAGES else LANGUAGES[0]
    return Prompt(code, known, texts()[code][known])
