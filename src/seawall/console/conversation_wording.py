"""The console's words for conversations, where those for pictures would say something else."""

from __future__ import annotations

from seawall.console.wording import Choice
from seawall.conversation_records import Intervention
from seawall.records import ContentState, Outcome

CHOICES = (
    Choice(
        Outcome.CONFIRM.value,
        "Confirm",
        "c",
        ("Luring a child", "Extortion", "Asking a child for pictures or to meet"),
    ),
    Choice(
        Outcome.NOT_A_MATCH.value,
        "Not a match",
        "n",
        ("Harmless talk", "Friends or relatives", "Not a child"),
    ),
    Choice(
        Outcome.ESCALATE.value,
        "Escalate",
        "e",
        ("Not sure; someone else should look", "A child may be in danger now", "Beyond what I may decide"),
    ),
)
STANDINGS = {
    ContentState.HELD: "To be looked at",
    ContentState.REMOVED: "Confirmed",
    ContentState.RELEASED: "Harmless",
}
CONSEQUENCES = {
    Outcome.CONFIRM: "The platform is told that it is confirmed",
    Outcome.NOT_A_MATCH: "The platform is told that it is harmless",
    Outcome.ESCALATE: "The conversation stays to be looked at by someone else",
}
IN_SHORT = {
    Intervention.URGENT.value: "Signs of extortion or grooming in a conversation, urgent",
    Intervention.REVIEW.value: "Signs of grooming in a conversation",
}
