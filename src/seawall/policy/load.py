"""Where the policy comes from: the operator's file, or the default that ships with Seawall."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from seawall.errors import PolicyInvalid
from seawall.policy.check import Checked, check
from seawall.policy.rules import Policy
from seawall.settings import Settings

DEFAULT_ORIGIN = "default.toml"


def load_policy(settings: Settings) -> Policy:
    """The policy that the settings name.

    Raises:
        PolicyInvalid: the file is not there, or says what a policy may not say; all errors are listed.
    """
    return parse_policy(*read_policy(policy_file(settings)))


def policy_file(settings: Settings) -> Path | None:
    """SEAWALL_POLICY_FILE, or policy.toml in the home if there is one; None for the default."""
    if settings.policy_file is not None:
        return settings.policy_file
    usual = settings.home / "policy.toml"
    return usual if os.path.lexists(usual) else None


def read_policy(file: Path | None) -> tuple[str, str]:
    """The text of a policy file (of the default, when there is none), and what messages call it.

    Raises:
        PolicyInvalid: it cannot be read.
    """
    if file is None:
        return default_text(), DEFAULT_ORIGIN
    try:
        return file.read_bytes().decode(), str(file)
    except OSError as error:
        raise PolicyInvalid(f"The policy {file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise PolicyInvalid(f"The policy {file} is not UTF-8 (at byte {error.start}).") from None


def parse_policy(text: str, origin: str) -> Policy:
    """A policy from its text.

    Raises:
        PolicyInvalid: all that is wrong, each with file, line and column.
    """
    checked = check(text, origin)
    if checked.policy is None:
        raise PolicyInvalid(summary(checked))
    return checked.policy


def summary(checked: Checked) -> str:
    """All errors, one a line."""
    many = "an error" if len(checked.errors) == 1 else f"{len(checked.errors)} errors"
    return "\n  ".join([f"The policy has {many}:", *map(str, checked.errors)])


def default_text() -> str:
    """The policy that ships with Seawall."""
    return files("seawall.policy").joinpath("default.toml").read_text(encoding="utf-8")


def default_policy() -> Policy:
    """The policy that ships with Seawall, read."""
    return parse_policy(default_text(), DEFAULT_ORIGIN)
