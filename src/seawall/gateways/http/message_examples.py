"""Examples of messages and their answers, shown at `/docs`. All of them are made up."""

from __future__ import annotations

MESSAGE = {
    "conversation_id": "conversation-1",
    "message_id": "message-14",
    "author": "account-1",
    "recipients": ["account-2"],
    "text": "keep it a secret, ok? don't tell your mum",
    "at": "2026-03-01T12:30:00Z",
    "surface": "message",
    "private": True,
    "jurisdiction": "GB",
    "language": "en",
}
NOTHING: dict[str, object] = {
    "conversation_id": "conversation-1",
    "message_id": "message-1",
    "looked_at": True,
    "intervention": "nothing",
    "interventions": [],
    "risk": 0.0124,
    "toward": "account-2",
    "financial": False,
    "number": 1,
    "tactics": [],
    "reasons": [],
    "rules": [],
    "prompt": None,
    "case_id": None,
    "policy_version": "c1d7a2f09b3e",
    "replayed": False,
}
NOT_LOOKED_AT: dict[str, object] = {**NOTHING, "looked_at": False, "risk": 0.0, "toward": None, "number": None}
REVIEW: dict[str, object] = {
    **NOTHING,
    "message_id": "message-14",
    "intervention": "review",
    "interventions": ["review", "block_media", "mask_handle", "friction", "prompt"],
    "risk": 0.8931,
    "number": 14,
    "tactics": [
        {"tactic": "secrecy", "says": "secrecy and deletion", "strength": 2.1},
        {"tactic": "profiling", "says": "questions about age, school and place", "strength": 0.9},
    ],
    "reasons": [
        {"code": "asks-age", "says": "asked how old they are, message 3", "message": 3},
        {"code": "asks-secrecy", "says": "asked to keep it secret, message 14", "message": 14},
        {"code": "adult_to_child", "says": "An adult and a child without a common connection", "message": None},
    ],
    "rules": [
        {
            "rule": "look-at-a-conversation",
            "interventions": ["review", "block_media", "mask_handle"],
            "explanation": "What is said to a child, or to somebody who may be one, shows strong signs of grooming; "
            "a human looks.",
        },
        {
            "rule": "warn-a-child",
            "interventions": ["friction", "prompt"],
            "explanation": "What is said to a child, or to somebody who may be one, shows signs of grooming.",
        },
    ],
    "prompt": {
        "accounts": ["account-2"],
        "code": "secrecy",
        "language": "en",
        "text": "Good secrets do not have to be kept from the people who look after you. If somebody asks you to "
        "hide or delete a chat, you may tell an adult you trust. You will not get anybody into trouble by asking "
        "for advice.",
    },
    "case_id": 17,
}
