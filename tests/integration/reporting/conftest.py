"""A desk with filing configured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seawall.database.sessions import Database
from seawall.settings import Settings
from tests.integration.reporting.desk import SCHEMA, Desk, open_desk


@pytest.fixture
def desk(database: Database, settings: Settings) -> Iterator[Desk]:
    with open_desk(database, settings, SCHEMA) as made:
        yield made
