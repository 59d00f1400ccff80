"""The shapes of what the API answers about messages."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from seawall.conversation_records import Intervention, MessageAnswer
from seawall.gateways.http.answers import Shape


class FiredRuleAnswer(Shape):
    """A rule of the policy that fired."""

    rule: Annotated[str, Field(description="Its name in the policy.")]
    interventions: list[Intervention]
    explanation: str


class TacticAnswer(Shape):
    """How much of a tactic of luring there is by now."""

    tactic: Annotated[str, Field(description="Stable; branch on it.")]
    says: Annotated[str, Field(description="What it is, for people.")]
    strength: Annotated[float, Field(description="What it comes to; each is capped, and fades.")]


class SaidReasonAnswer(Shape):
    """One thing that was noticed."""

    code: Annotated[str, Field(description="Stable; branch on it.")]
    says: Annotated[str, Field(description="What it is, for people, with the number of the message.")]
    message: Annotated[int | None, Field(description="The number of the message; null of what contacts show.")]


class PromptAnswer(Shape):
    """A text to show to a child, before or with the message."""

    accounts: Annotated[list[str], Field(description="Who is to see it.")]
    code: Annotated[str, Field(description="Stable: which text it is.")]
    language: str
    text: str


class JudgedMessageAnswer(Shape):
    """What is to be done about a conversation after a message."""

    conversation_id: str
    message_id: str
    looked_at: Annotated[
        bool,
        Field(
            description="False for a private message where private messages are not read: nothing was read or kept, "
            "and the rest says nothing."
        ),
    ]
    intervention: Annotated[Intervention, Field(description="The strictest of what is to be done.")]
    interventions: Annotated[list[Intervention], Field(description="All that is to be done, the strictest first.")]
    risk: Annotated[float, Field(description="Of what the author says to `toward`, 0 to 1. It accuses nobody.")]
    toward: Annotated[str | None, Field(description="The account that the author talks to, as far as is known.")]
    financial: Annotated[bool, Field(description="Whether it is extortion for money.")]
    number: Annotated[int | None, Field(description="Of the message in its conversation, in the order of arrival.")]
    tactics: Annotated[list[TacticAnswer], Field(description="The strongest first.")]
    reasons: Annotated[list[SaidReasonAnswer], Field(description="What was noticed, of this and earlier messages.")]
    rules: list[FiredRuleAnswer]
    prompt: PromptAnswer | None
    case_id: Annotated[int | None, Field(description="Where a person looks: the case.")]
    policy_version: str
    replayed: Annotated[bool, Field(description="Whether the message was there already, and nothing changed.")]


class JudgedMessagesAnswer(Shape):
    """The answers to a batch, in the order of its messages."""

    items: list[JudgedMessageAnswer]


def of_message(answer: MessageAnswer) -> dict[str, Any]:
    """What one message comes to, ready to be sent."""
    strictest = answer.interventions[0] if answer.interventions else Intervention.NOTHING
    prompt = answer.prompt
    return {
        "conversation_id": answer.conversation_id,
        "message_id": answer.message_id,
        "looked_at": answer.looked_at,
        "intervention": strictest.value,
        "interventions": [each.value for each in answer.interventions],
        "risk": answer.score,
        "toward": answer.toward,
        "financial": answer.financial,
        "number": answer.number,
        "tactics": [{"tactic": each.tactic, "says": each.says, "strength": each.strength} for each in answer.tactics],
        "reasons": [{"code": each.code, "says": each.says, "message": each.message} for each in answer.reasons],
        "rules": [
            {
                "rule": each.rule,
                "interventions": [wanted.value for wanted in each.interventions],
                "explanation": each.explanation,
            }
            for each in answer.rules
        ],
        "prompt": None
        if prompt is None
        else {
            "accounts": list(prompt.accounts),
            "code": prompt.code,
            "language": prompt.language,
            "text": prompt.text,
        },
        "case_id": answer.case_id,
        "policy_version": answer.policy_version,
        "replayed": answer.replayed,
    }
