"""Cases with items to seal evidence for. All of it is test data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Content

MakeItems = Callable[..., tuple[int, list[int]]]


@pytest.fixture
def make_items(database: Database) -> MakeItems:
    """``make_items(account, count)`` opens a test case and returns its id and the ids of its items."""

    def make(account: str, count: int = 1) -> tuple[int, list[int]]:
        with database.transaction() as session:
            case = Case(subject=f"account:{account}", account_id=account, state="open", is_test=True)
            session.add(case)
            session.flush()
            items = []
            for number in range(count):
                content = Content(
                    content_id=f"test-{account}-{number}",
                    identity=hashlib.sha256(f"{account}-{number}".encode()).digest(),
                    surface="upload",
                    frames=[],
                    verdict="hold",
                    reasons=[],
                    policy_version="test",
                    state="held",
                )
                session.add(content)
                session.flush()
                item = CaseItem(
                    case_id=case.id,
                    content_row=content.id,
                    state="pending",
                    verdict="hold",
                    findings=[],
                    reasons=[],
                    policy_version="test",
                )
                session.add(item)
                session.flush()
                items.append(item.id)
            return case.id, items

    return make
