"""The frozen types that pass between rooms, in the order in which data flows.

A room takes records and returns records; `flow.py` carries them on. Hashes travel as ``bytes`` (MD5 16, SHA-1 20,
SHA-256 32, PDQ 32 bytes); hex exists only at the edges.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime

from seawall.conversation_records import ConversationSignal

# Hamming bits, of the 256 of a PDQ hash, up to which two pictures count as the same. The index looks no further.
FARTHEST_DISTANCE = 31


# The source of the lists that hold what reviewers confirmed here. No other list can have it.
OWN_SOURCE = "this platform"


class HashKind(enum.StrEnum):
    """The kinds of hash that an entry may hold."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    PDQ = "pdq"

    @property
    def length(self) -> int:
        """Bytes in one hash of this kind."""
        return {"md5": 16, "sha1": 20, "sha256": 32, "pdq": 32}[self.value]

    @property
    def label(self) -> str:
        """What people call it."""
        return {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "pdq": "PDQ"}[self.value]


class MatchKind(enum.StrEnum):
    """How a fingerprint met an entry."""

    EXACT = "exact"
    PERCEPTUAL = "perceptual"
    KEYPOINTS = "keypoints"


class Orientation(enum.StrEnum):
    """What was done to the query picture before it met the entry: the eight turns and mirrorings of a square.

    The order is that of the eight hashes in :class:`Frame`.
    """

    UPRIGHT = "upright"
    ROTATED_90 = "rotated-90"
    ROTATED_180 = "rotated-180"
    ROTATED_270 = "rotated-270"
    FLIPPED = "flipped"
    MIRRORED = "mirrored"
    TRANSPOSED = "transposed"
    TRANSVERSED = "transversed"


class Trust(enum.StrEnum):
    """How far an exact hit on a list may act by itself."""

    TRUSTED = "trusted"
    STANDARD = "standard"
    UNVERIFIED = "unverified"


class HarmClass(enum.StrEnum):
    """What a list is about."""

    CSAM = "csam"
    NCII = "ncii"
    TERRORISM = "terrorism"
    OTHER = "other"


class Verdict(enum.StrEnum):
    """What the platform is told to do, mildest first."""

    ALLOW = "allow"
    WARN = "warn"
    HOLD = "hold"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for allow up to 3 for block."""
        return list(Verdict).index(self)

    @property
    def refuses(self) -> bool:
        """Whether it must not be shown: hold and block."""
        return self in (Verdict.HOLD, Verdict.BLOCK)


@dataclass(frozen=True, slots=True)
class MediaArrival:
    """One upload, as a gateway received it. `body` is the whole of it, never stored unless it is sealed; `url_hash`
    the SHA-256 of the canonical form of the address under which it is served."""

    content_id: str
    body: bytes = field(repr=False)
    account_id: str | None = None
    surface: str = "upload"
    filename: str | None = None
    uploader_ip: str | None = None
    uploaded_at: datetime | None = None
    url_hash: bytes | None = None
    declared_media_type: str | None = None


@dataclass(frozen=True, slots=True)
class HashArrival:
    """Hashes alone, from a platform whose pictures may not leave. At least one of the hashes is there."""

    content_id: str
    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    pdq_quality: int | None = None
    account_id: str | None = None
    surface: str = "upload"
    filename: str | None = None
    uploader_ip: str | None = None
    uploaded_at: datetime | None = None
    url_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class ShareArrival:
    """Something that is passed on: named by what the ledger may know it by (`content_id`, or `url_hash` as above), or
    by `hashes`, which then have a content id in any case: the platform's, or one that is made of them."""

    content_id: str | None = None
    url_hash: bytes | None = None
    hashes: HashArrival | None = None
    surface: str = "share"


@dataclass(frozen=True, slots=True)
class Digests:
    """Exact digests of the bytes. From a platform's own hashes some may be missing."""

    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The perceptual hash of one frame (a still picture has one).

    ``orientations`` holds eight 32-byte PDQ hashes in the order of :class:`Orientation` (or only the upright one
    where a platform sent hashes alone); ``quality`` is 0-100, or None when the platform did not say. One picture that
    can be seen in several ways (transparent over white or black, with its colour profile or without) has a frame
    for each, all of the same ``number``. So has each part of it that may be a picture of its own (``is_part``): what
    is within its border, or shown on the page or the screen that it is a picture of. ``low_information`` says that
    the hash tells little of what is to be seen (text, a lattice), so that a likeness by it counts for nothing alone.
    """

    number: int
    orientations: tuple[bytes, ...]
    quality: int | None
    is_part: bool = False
    low_information: bool = False

    @property
    def pdq(self) -> bytes:
        """The upright hash."""
        return self.orientations[0]

    def is_good(self, minimum_quality: int) -> bool:
        """Whether it may be looked up by PDQ: unknown quality is good enough."""
        return self.quality is None or self.quality >= minimum_quality


@dataclass(frozen=True, slots=True)
class DecodedMedia:
    """What the decoder child says of the bytes. ``width`` and ``height`` are pixels of the first frame as displayed,
    None where there is no frame. ``owed`` is what of a video, an archive or what a file carries was not read: the
    frames are those of the rest. ``parts`` are the digests of the files in it, ``noted`` what is unusual."""

    media_type: str
    width: int | None
    height: int | None
    frames: tuple[Frame, ...]
    owed: tuple[ScanOwed, ...] = ()
    parts: tuple[Digests, ...] = ()
    noted: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """All that is computed from one content's bytes."""

    digests: Digests
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Classification:
    """What a list says an entry shows, in that list's own scheme.

    `scheme` is one of ``ncmec`` (A1, A2, B1, B2), ``uk`` (A, B, C), ``vics-XX`` (the category number of country
    XX), ``inhope`` (baseline, national), ``interpol``, or a name of the operator's own.
    """

    scheme: str
    code: str


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """One entry as a list file or a remote source gives it, validated but not yet stored. `video` is what the entries
    of one video have in common: each frame is one, with its PDQ alone, and its digests are one more."""

    line: int
    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    pdq_quality: int | None = None
    classification: Classification | None = None
    upstream_id: str | None = None
    video: str | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a list file that was not taken, and why."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListInfo:
    """One hash list as matching and policy see it. `source` names who stands behind it: two lists of one source
    are not independent of each other. `quarantined`: too much of what it met was no match, so every entry of it
    counts as disputed."""

    list_id: int
    name: str
    source: str
    trust: Trust
    harm_class: HarmClass
    max_distance: int
    enabled: bool
    is_test: bool
    quarantined: bool = False

    @property
    def is_own(self) -> bool:
        """Whether the platform itself stands behind it: what its reviewers confirmed."""
        return self.source == OWN_SOURCE


@dataclass(frozen=True, slots=True)
class Match:
    """A fingerprint met an entry. ``distance`` is Hamming bits (0 for exact). A match by keypoints has neither that
    nor a hash, but ``inliers``, places of both pictures that lie on each other, and ``share``, per cent of those that
    could. ``in_part``: a part met, not the whole; ``low_information``: its hash tells little (:class:`Frame`).

    ``of_video`` says that the entry is a frame of a listed video. Then there are
    two shares in per cent, as vPDQ has them: of the frames of what arrived, how many are like some frame of the
    listed video (``query_share``), and of those of the listed video, how many are like some frame of what arrived
    (``entry_share``); None where they were not counted."""

    entry_id: int
    list: ListInfo
    kind: MatchKind
    hash_kind: HashKind | None
    distance: int | None
    orientation: Orientation = Orientation.UPRIGHT
    frame: int = 0
    quality: int | None = None
    classification: Classification | None = None
    disputed: bool = False
    in_part: bool = False
    low_information: bool = False
    of_video: bool = False
    query_share: int | None = None
    entry_share: int | None = None
    inliers: int | None = None
    share: int | None = None

    @property
    def nearness(self) -> tuple[bool, int]:
        """Smaller is nearer: exact first, then by bits, and keypoints, which have none, last."""
        return self.kind is not MatchKind.EXACT, FARTHEST_DISTANCE + 1 if self.distance is None else self.distance


@dataclass(frozen=True, slots=True)
class ScanOwed:
    """A step that did not finish. `code` is the error's code; the content must not be called clean."""

    code: str
    explanation: str


class NotedKind(enum.StrEnum):
    """What may be noted of a file that was read to its end, or of what it met."""

    TRAILING_DATA = "trailing_data"
    POLYGLOT = "polyglot"
    MORE_MATCHES = "more_matches"
    LOW_INFORMATION = "low_information"


@dataclass(frozen=True, slots=True)
class Noted:
    """Something about a file, or about what it met, that is unusual and no harm by itself: it was read to its end all
    the same. `code` is one of :class:`NotedKind`."""

    code: str
    explanation: str


Finding = Match | ScanOwed | Noted | ConversationSignal


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is. `code` is the finding's kind or failure code, `rule` the policy rule's name."""

    code: str
    rule: str
    explanation: str
    list: str | None = None
    kind: MatchKind | None = None
    distance: int | None = None
    orientation: Orientation | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the policy made of the findings."""

    verdict: Verdict
    urgent: bool
    reasons: tuple[Reason, ...]
    policy_version: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One arrival with all that was found out about it. `identity` is what its bytes or hashes are known by,
    `generation` that of the hash lists, from before they were looked into: what changed later has not been seen."""

    arrival: MediaArrival | HashArrival
    identity: bytes
    fingerprint: Fingerprint
    findings: tuple[Finding, ...]
    judgement: Judgement
    generation: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform is told. `replayed` is true when the same content and bytes had been judged before."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    fingerprint: Fingerprint
    case_id: int | None
    policy_version: str
    elapsed_ms: float
    replayed: bool = False


class ItemState(enum.StrEnum):
    """Where one item of a case stands. Nobody need decide what is retracted: the entries that held it have been taken
    back, and the content was released."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    NOT_A_MATCH = "not_a_match"
    RETRACTED = "retracted"


class CaseState(enum.StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ESCALATED = "escalated"
    DECIDED = "decided"


class Outcome(enum.StrEnum):
    """What a reviewer can conclude of one item."""

    CONFIRM = "confirm"
    NOT_A_MATCH = "not_a_match"
    ESCALATE = "escalate"


class RevealStage(enum.StrEnum):
    """How much of a picture one look shows, mildest first."""

    BLURRED = "blurred"
    GREY = "grey"
    COLOUR = "colour"
    ORIGINAL = "original"


class ContentState(enum.StrEnum):
    """What became of a content on the platform, as far as Seawall has told it."""

    PUBLISHED = "published"
    HELD = "held"
    BLOCKED = "blocked"
    RELEASED = "released"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one content stands at the time of asking: what a platform needs to know before it shows it."""

    content_id: str
    verdict: Verdict
    state: ContentState
    updated_at: datetime


class EventType(enum.StrEnum):
    """What a webhook tells the platform. The data of each is described in docs/reference/webhooks.md."""

    CONTENT_HOLD = "content.hold"
    CONTENT_BLOCK = "content.block"
    CONTENT_RELEASE = "content.release"
    CONTENT_REMOVE = "content.remove"
    ACCOUNT_RESTRICT = "account.restrict"
    APPEAL_DECIDED = "appeal.decided"
    CONVERSATION_REVIEW = "conversation.review"
    CONVERSATION_DECIDED = "conversation.decided"
    WEBHOOK_TEST = "webhook.test"


class Scope(enum.StrEnum):
    """What an API key may do."""

    JUDGE = "judge"
    APPEALS = "appeals"
    LISTS = "lists"
    METRICS = "metrics"
    ADMIN = "admin"


class Role(enum.StrEnum):
    """What a person at the console may do, as `access/permissions.py` says. No role implies another."""

    REVIEWER = "reviewer"
    SENIOR = "senior"
    EVIDENCE_CUSTODIAN = "evidence_custodian"
    LIST_MANAGER = "list_manager"
    AUDITOR = "auditor"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        """The role as people say it."""
        return "senior reviewer" if self is Role.SENIOR else self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did a thing, as the audit chain names them: ``kind`` is user, key, system or cli."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


SYSTEM = Actor("system", "seawall")
