"""A made-up conversation for the console to show."""

from __future__ import annotations

from datetime import UTC, datetime

from seawall import flow
from seawall.conversation_records import MessageArrival
from tests.browser.stand import Stand

SAID = (
    ("test-a", "hi, how old are you?"),
    ("test-b", "im 13 <b>bold</b>"),
    ("test-a", "you are so mature for your age"),
    ("test-a", "are your parents home?"),
    ("test-a", "keep it our secret, don't tell your mum"),
    ("test-a", "add me on snapchat, what is your snap?"),
)


def say(stand: Stand) -> int:
    """A made-up conversation that comes to a person; the case."""
    at = datetime.now(UTC)
    messages = [
        MessageArrival("test-talk", str(number), author, text, at, private=False)
        for number, (author, text) in enumerate(SAID)
    ]
    case_id = flow.judge_messages(stand.runtime.rooms, messages)[-1].case_id
    assert case_id is not None
    return case_id
