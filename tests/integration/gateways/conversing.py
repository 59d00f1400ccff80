"""Made-up conversations, how they are sent, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from seawall.access import people
from seawall.access.people import PersonSession
from seawall.database.tables import Case, CaseItem, Content, now
from seawall.gateways.http.message_answers import JudgedMessageAnswer, JudgedMessagesAnswer
from seawall.records import SYSTEM, Role
from tests.integration.gateways.conftest import Api

GROUND = "A test of private channels, on the ground of this test"
LURING = (
    ("a", "hi, how old are you?"),
    ("c", "im 13"),
    ("a", "you are so mature for your age"),
    ("a", "are your parents home?"),
    ("a", "keep it our secret, don't tell your mum"),
    ("a", "add me on snapchat, what is your snap?"),
)
EXTORTION = (
    ("a", "hey"),
    ("c", "hi"),
    ("a", "i have your photos and i will send them to all your friends"),
    ("a", "send me 200 dollars in gift cards now, you have 10 minutes"),
)
HARMLESS = ("did you do the homework", "no, it was too long", "see you at practice", "haha yes")
NUMBERS = count(1)


def talk(name: str, lines: Sequence[tuple[str, str]], **more: Any) -> list[dict[str, Any]]:
    """Messages of two accounts of a conversation of this name."""
    return [
        {
            "conversation_id": name,
            "message_id": f"{name}-{number}",
            "author": f"{name}-{who}",
            "recipients": [f"{name}-{'c' if who == 'a' else 'a'}"],
            "text": said,
            "private": False,
            **more,
        }
        for number, (who, said) in enumerate(lines)
    ]


def ages(api: Api, name: str, author: str = "adult", other: str = "13_to_15") -> None:
    told = [{"account_id": f"{name}-a", "age_band": author}, {"account_id": f"{name}-c", "age_band": other}]
    assert api.client.post("/v1/accounts", json={"items": told}).is_success


def send(api: Api, told: Sequence[dict[str, Any]]) -> list[JudgedMessageAnswer]:
    response = api.client.post("/v1/messages", json={"items": list(told)})
    assert response.status_code == 200, response.text
    return JudgedMessagesAnswer.model_validate_json(response.content).items


def case_of(api: Api, name: str) -> tuple[Case, CaseItem, Content]:
    with api.runtime.database.transaction() as session:
        row = session.execute(
            select(Case, CaseItem, Content)
            .join(CaseItem, CaseItem.case_id == Case.id)
            .join(Content, Content.id == CaseItem.content_row)
            .where(Case.account_id == f"{name}-a")
        ).one()
        return row[0], row[1], row[2]


def reviewer(api: Api) -> PersonSession:
    name = f"reviewer-{next(NUMBERS)}"
    with api.runtime.database.transaction() as session:
        user_id = people.create_user(session, name, [Role.REVIEWER], SYSTEM)
    return PersonSession(user_id, name, frozenset({Role.REVIEWER}), now() + timedelta(hours=1), "csrf")
