"""From which score on a conversation is worth a warning, and from which a person should look."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from seawall.errors import ConfigurationError

LEVELS = ("warn", "review")


def shipped_thresholds() -> Mapping[str, float]:
    """The thresholds that ship with the rules."""
    text = files("seawall.grooming").joinpath("thresholds.toml").read_text("utf-8")
    return parse_thresholds(text, "thresholds.toml")


def load_thresholds(path: Path) -> Mapping[str, float]:
    """Thresholds from a file, as `seawall grooming calibrate` writes it.

    Raises:
        ConfigurationError: it cannot be read, or says something else.
    """
    try:
        return parse_thresholds(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The thresholds {path} cannot be read ({type(error).__name__}).") from None


def parse_thresholds(text: str, origin: str) -> Mapping[str, float]:
    """``warn`` and ``review``, each a score above 0 and up to 1, and warn no higher than review."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{origin} is not TOML: {error}.", hint="Write it anew with calibrate.") from None
    found = {level: told.get(level) for level in LEVELS}
    for level, value in found.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
            raise ConfigurationError(f"{origin}: `{level}` is missing, or no number above 0 and up to 1.")
    thresholds = {level: float(value) for level, value in found.items() if value is not None}
    if thresholds["warn"] > thresholds["review"]:
        raise ConfigurationError(f"{origin}: `warn` is higher than `review`.", hint="Review is for the surer ones.")
    return thresholds
