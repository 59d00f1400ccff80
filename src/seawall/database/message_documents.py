"""What was answered to a message as a JSON document, and back: a repeated message is answered from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seawall.conversation_records import (
    FiredRule,
    Intervention,
    MessageAnswer,
    PromptFor,
    SaidReason,
    TacticSeen,
)

Document = dict[str, Any]


def answer_to_json(answer: MessageAnswer) -> Document:
    """The answer without the ids, which its row has, and without what says nothing."""
    document: Document = {"policy": answer.policy_version, "number": answer.number, "score": answer.score}
    prompt = answer.prompt
    more: Document = {
        "financial": answer.financial,
        "toward": answer.toward,
        "interventions": [each.value for each in answer.interventions],
        "rules": [[each.rule, each.explanation, [*map(str, each.interventions)]] for each in answer.rules],
        "tactics": [[each.tactic, each.says, each.strength] for each in answer.tactics],
        "reasons": [[each.code, each.says, each.message] for each in answer.reasons],
        "prompt": None if prompt is None else [list(prompt.accounts), prompt.code, prompt.language, prompt.text],
        "case": answer.case_id,
    }
    return document | {name: value for name, value in more.items() if value}


def answer_from_json(conversation_id: str, message_id: str, document: Mapping[str, Any]) -> MessageAnswer:
    """The answer that `answer_to_json` wrote, as one that is given again."""
    prompt = document.get("prompt")
    return MessageAnswer(
        conversation_id,
        message_id,
        looked_at=True,
        policy_version=document["policy"],
        number=document["number"],
        score=document["score"],
        financial=document.get("financial", False),
        toward=document.get("toward"),
        interventions=tuple(map(Intervention, document.get("interventions", ()))),
        rules=tuple(
            FiredRule(rule, explanation, tuple(map(Intervention, wanted)))
            for rule, explanation, wanted in document.get("rules", ())
        ),
        tactics=tuple(TacticSeen(*told) for told in document.get("tactics", ())),
        reasons=tuple(SaidReason(*told) for told in document.get("reasons", ())),
        prompt=None if prompt is None else PromptFor(tuple(prompt[0]), *prompt[1:]),
        case_id=document.get("case"),
        replayed=True,
    )
