"""The console's words: labels, ages and sentences for what the records hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from seawall.conversation_records import ConversationSignal
from seawall.records import (
    CaseState,
    ContentState,
    HashKind,
    ItemState,
    MatchKind,
    Noted,
    Orientation,
    Outcome,
    RevealStage,
    ScanOwed,
)

PDQ_BITS = 256


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the navigation; `key` is pressed after g."""

    name: str
    address: str
    key: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where a message leads on to."""

    address: str
    label: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said after something was done or refused. `tone` is good, trouble or empty."""

    text: str
    hint: str = ""
    tone: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One outcome that a reviewer can choose: its key on the keyboard and the usual reasons for it."""

    value: str
    label: str
    key: str
    presets: tuple[str, ...]


ORIENTATIONS = {
    Orientation.UPRIGHT: "as listed",
    Orientation.ROTATED_90: "turned by 90°",
    Orientation.ROTATED_180: "upside down (turned by 180°)",
    Orientation.ROTATED_270: "turned by 270°",
    Orientation.FLIPPED: "flipped top to bottom",
    Orientation.MIRRORED: "mirrored left to right",
    Orientation.TRANSPOSED: "mirrored and turned by 90°",
    Orientation.TRANSVERSED: "mirrored and turned by 270°",
}
# What findings that are no match are, in a few words.
FOUND: Mapping[type[object], str] = {
    ScanOwed: "Not screened to the end",
    Noted: "Noted about the file",
    ConversationSignal: "Said in a conversation",
}
CASE_STATES = {
    CaseState.OPEN: "Open",
    CaseState.ESCALATED: "Escalated",
    CaseState.DECIDED: "Decided",
}
ITEM_STATES = {
    ItemState.PENDING: "To decide",
    ItemState.CONFIRMED: "Confirmed",
    ItemState.NOT_A_MATCH: "Not a match",
    ItemState.RETRACTED: "Taken back by its list",
}
OUTCOMES = {
    Outcome.CONFIRM: "Confirmed",
    Outcome.NOT_A_MATCH: "Not a match",
    Outcome.ESCALATE: "Escalated",
}
CHOICES = (
    Choice(
        Outcome.CONFIRM.value,
        "Confirm",
        "c",
        (
            "Same picture as the listed one",
            "Altered copy of the listed picture",
            "Listed; no reason to doubt the list",
        ),
    ),
    Choice(
        Outcome.NOT_A_MATCH.value,
        "Not a match",
        "n",
        (
            "A different picture",
            "Too plain to tell pictures apart",
            "The list entry looks wrong",
        ),
    ),
    Choice(
        Outcome.ESCALATE.value,
        "Escalate",
        "e",
        (
            "Not sure; someone else should look",
            "A child may be in danger now",
            "Beyond what I may decide",
        ),
    ),
)
# The rule that reasons name when a list took something back.
RETRACTION_RULE = "retraction"
AGAIN = (
    "To decide again. It was confirmed by entries that have been taken off their lists or disputed since. It stays "
    "removed until someone decides."
)
AGAIN_IN_SHORT = "Met an entry that its list took back"
RETRACTED = "No decision needed. What had held it was taken off its list, and the platform may publish it."
RESULTS = {
    Outcome.CONFIRM: "Item {item} of case #{case} is confirmed.",
    Outcome.NOT_A_MATCH: "Item {item} of case #{case} is not a match.",
    Outcome.ESCALATE: "Case #{case} is escalated.",
}
WAITS = "Item {item} of case #{case} waits for a second person."
WAITS_HINT = "It is the very file that a trusted list has. The platform is told nothing until somebody else agrees."
PAUSE = "That was a hard one: a few minutes away from the desk do good, and the queue keeps."
CONSEQUENCES = {
    Outcome.CONFIRM: "The platform is told to remove it",
    Outcome.NOT_A_MATCH: "The platform is told that it may publish it",
    Outcome.ESCALATE: "The item stays to be decided by someone else, and unpublished",
}
STANDINGS = {
    ContentState.PUBLISHED: "Published",
    ContentState.HELD: "Held, not published",
    ContentState.BLOCKED: "Blocked",
    ContentState.RELEASED: "Released",
    ContentState.REMOVED: "Removed",
}
STAGES = {
    RevealStage.BLURRED: ("Blurred", "Blurred, grey and small."),
    RevealStage.GREY: ("Grey", "Grey and small, not blurred."),
    RevealStage.COLOUR: ("Colour", "Small, in colour."),
    RevealStage.ORIGINAL: ("Original size", "As large as it is, in colour."),
}
DELIVERY_STATES = {"pending": "Waiting", "delivered": "Delivered", "failed": "Given up"}
HARM_CLASSES = {"csam": "CSAM", "ncii": "NCII", "terrorism": "Terrorism", "other": "Other"}
WAYS = {"password": "Password", "passkey": "Passkey", "provider": "Single sign-on"}
TRUST = {"trusted": "Trusted", "standard": "Standard", "unverified": "Unverified"}


def age(at: datetime, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that says enough: ``3 min``, ``5 h``, ``12 d``."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if seconds < 60:
        return "<1 min"
    for limit, size, unit in ((3600, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86400)} d"


def exact_time(at: datetime) -> str:
    """The moment itself, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def words(value: object) -> str:
    """A value of the audit details as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(words(inner) for inner in value)
    return str(value)


def capitalised(text: str) -> str:
    """The text with its first letter large; the others stay as they are."""
    return text[:1].upper() + text[1:]


def clock(ms: int) -> str:
    """``0:05``, ``1:02:03``: a time within a film."""
    hours, rest = divmod(ms // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 item``, ``2 items``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def likeness(kind: MatchKind | None, distance: int | None, hash_kind: HashKind | None = None) -> str:
    """How near an upload is to the entry that it met."""
    if kind is MatchKind.KEYPOINTS:
        return "Shows what a confirmed picture shows, or a part of it"
    if kind is MatchKind.EXACT or distance is None:
        by = f", by its {hash_kind.label}" if hash_kind else " as a listed one"
        return f"The very same file{by}"
    if distance == 0:
        return f"Looks the same, all {PDQ_BITS} bits agree"
    closeness = "very close" if distance <= 10 else "close" if distance <= 20 else "similar"
    return f"{counted(distance, 'bit')} of {PDQ_BITS} {'differs' if distance == 1 else 'differ'} ({closeness})"


def places(inliers: int | None, share: int | None) -> str:
    """What keypoints say of a likeness."""
    return f"{inliers} places lie where they do there, {share} % of those that could"


IN_PART = "a part of the picture: within a border, or on a page or a screen"
LOW_INFORMATION = "like text or a pattern, of which a hash tells little"


def of_video(query_share: int | None, entry_share: int | None) -> str:
    """What a match with a frame of a listed video says, with the shares where they were counted, in per cent."""
    if query_share is None or entry_share is None:
        return "a frame of a listed video"
    return f"a listed video: {query_share} % of this is like it, {entry_share} % of the video is in this"


def turned(orientation: Orientation | None) -> str:
    """How the upload was turned against the entry; empty where it was not."""
    if orientation is None or orientation is Orientation.UPRIGHT:
        return ""
    return ORIENTATIONS[orientation]


def looks(people: Iterable[str]) -> str:
    """Who has looked, and how often: ``reviewer-1 2 times, reviewer-2 once``; empty when nobody has."""
    times = Counter(people)
    return ", ".join(f"{name} {'once' if n == 1 else f'{n} times'}" for name, n in sorted(times.items()))


def consequence(
    outcome: Outcome, *, restricted: bool, heard: bool, words: Mapping[Outcome, str] = CONSEQUENCES
) -> str:
    """What comes of a decision on the platform. `heard` is whether any webhook endpoint listens."""
    if outcome is not Outcome.ESCALATE and not heard:
        return "The platform was not told: no webhook endpoint listens."
    return words[outcome] + (", and to restrict the account." if restricted else ".")


def size(number: int) -> str:
    """Bytes for people: ``812 B``, ``3.1 kB``, ``2.4 MB``."""
    if number < 1000:
        return f"{number} B"
    amount, unit = (number / 1000, "kB") if number < 1_000_000 else (number / 1_000_000, "MB")
    return f"{amount:.1f} {unit}"


def subject(text: str) -> tuple[str, str]:
    """``account:account-1`` as its kind for people and its name."""
    kind, _, name = text.partition(":")
    return {"account": "Account", "content": "Content"}.get(kind, kind), name
