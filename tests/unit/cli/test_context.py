"""Who runs a command, as the audit chain names them."""

from __future__ import annotations

import os
import pwd

import pytest

from seawall.cli.context import operator


def test_the_environment_gives_nobody_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody.else")
    assert str(operator()) == f"cli:{pwd.getpwuid(os.getuid()).pw_name}"


def test_a_user_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_242_424)
    assert str(operator()) == "cli:uid 4242424"
