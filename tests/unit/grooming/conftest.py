"""The rules that ship with Seawall, read and compiled once."""

from __future__ import annotations

import pytest

from seawall.grooming.load import Rules, load_rules
from seawall.grooming.noticing import Noticer


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()


@pytest.fixture(scope="session")
def noticer(rules: Rules) -> Noticer:
    return Noticer(rules)
