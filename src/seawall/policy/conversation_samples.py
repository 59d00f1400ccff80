"""Made-up conversations, to try a policy on before it meets real ones."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seawall.conversation_records import AgeBand, ConversationFacts, Level, LuringTactic
from seawall.errors import BadInput
from seawall.policy.samples import problems_of


class SampleConversationFacts(BaseModel):
    """A conversation that might be."""

    model_config = ConfigDict(extra="forbid")

    level: Level = Level.NONE
    score: Annotated[float, Field(ge=0, le=1)] = 0.5
    financial: bool = False
    tactics: tuple[LuringTactic, ...] = ()
    from_age: AgeBand = AgeBand.ADULT
    to_age: AgeBand = AgeBand.FROM_13_TO_15
    contact_points: Annotated[float, Field(ge=0)] = 0.0
    surface: str = "message"


def sample_conversation(text: str) -> ConversationFacts:
    """What is known of a conversation, from JSON, as `seawall policy explain --conversation` takes it.

    Raises:
        BadInput: names the fields that are wrong.
    """
    try:
        told = SampleConversationFacts.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(
            f"This is no conversation: {problems_of(error, 'conversation')}.",
            hint='Write it like {"level": "review", "to_age": "13_to_15", "tactics": ["secrecy"]}.',
        ) from None
    tactics = tuple(tactic.value for tactic in told.tactics)
    return ConversationFacts(**{**told.model_dump(exclude={"tactics"}), "tactics": tactics})
