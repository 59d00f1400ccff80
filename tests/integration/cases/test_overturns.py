"""How often entries and lists were wrong, against the same counted one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from seawall.cases import overturns, store
from seawall.cases.overturns import Overturns
from seawall.database.sessions import Database
from seawall.database.tables import CaseItem, Content, HashList, now
from seawall.records import Outcome
from tests.integration.cases.material import add, match, person

# By bytes: when they were decided last, of whose account they were, and whether it was no match.
Met = dict[bytes, tuple[int, str, bool]]


def counted(of: int, met: Met) -> Overturns:
    """What was decided last of each account counts."""
    by_account = {account: refused for _number, account, refused in sorted(met.values())}
    return Overturns(of, len(by_account), sum(by_account.values()))


@pytest.mark.parametrize("seed", range(3))
def test_bytes_and_accounts_count_once_by_what_was_decided_last(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    start = now() - timedelta(days=1)
    last: dict[int, Met] = defaultdict(dict)
    met: Met = {}
    with database.transaction() as session:
        reviewer = person(session, "reviewer-1")
        session.add(HashList(id=1, name="Test list", source="test", trust="standard", harm_class="csam", change=1))
        for number in range(60):
            entries = chance.sample(range(1, 6), chance.randrange(1, 3))
            found = [replace(match(), entry_id=entry) for entry in entries]
            account = f"account-{chance.randrange(10)}"
            _case, item, _created = add(session, f"c{number}", account, findings=found)
            sha256 = bytes([chance.randrange(12)]) * 32
            session.execute(update(Content).where(Content.id == item.content_row).values(sha256=sha256))
            if number % 5 == 0:
                continue  # nobody has decided it
            refused = chance.random() < 0.6
            outcome = Outcome.NOT_A_MATCH if refused else Outcome.CONFIRM
            store.decide(session, item_id=item.id, user_id=reviewer, outcome=outcome, reason="looked at it")
            at = start + timedelta(minutes=number)
            session.execute(update(CaseItem).where(CaseItem.id == item.id).values(decided_at=at))
            met[sha256] = (number, account, refused)
            for entry in entries:
                last[entry][sha256] = (number, account, refused)
    with database.transaction() as session:
        assert overturns.of_entries(session, range(1, 8)) == [
            counted(entry, seen) for entry, seen in sorted(last.items())
        ]
        (of_list,) = overturns.of_lists(session, start - timedelta(minutes=1))
        assert overturns.of_lists(session, now()) == []
    assert of_list == counted(1, met)


def test_few_decisions_prove_little() -> None:
    assert not Overturns(1, 0, 0).is_noisy(0.5)
    assert not Overturns(1, 3, 3).is_noisy(0.5)
    assert Overturns(1, 4, 4).is_noisy(0.5)
    assert not Overturns(1, 100, 55).is_noisy(0.5)
    assert Overturns(1, 100, 65).is_noisy(0.5)
    assert not Overturns(1, 10_000, 10_000).is_noisy(1)


def test_what_is_surely_right_more_often_is_sound() -> None:
    assert not Overturns(1, 0, 0).is_sound(0.5)
    assert not Overturns(1, 2, 1).is_sound(0.5)
    assert not Overturns(1, 5, 1).is_sound(0.5)
    assert Overturns(1, 10, 1).is_sound(0.5)
    assert Overturns(1, 300, 3).is_sound(0.5)
