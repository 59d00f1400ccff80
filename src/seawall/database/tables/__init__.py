"""All tables, one file per noun."""

from seawall.database.tables.access import (
    ApiKey,
    ConsoleSession,
    FailedLogin,
    LookupCount,
    OneTimeLink,
    Passkey,
    PasskeyChallenge,
    ProviderAccount,
    ProviderRequest,
    User,
)
from seawall.database.tables.actions import OutboxMessage, WebhookEndpoint
from seawall.database.tables.appeals import Appeal
from seawall.database.tables.base import Base, now
from seawall.database.tables.bulk import Bulk, BulkItem, WorkspaceItem
from seawall.database.tables.cases import (
    BlindReview,
    Case,
    CaseItem,
    CaseNote,
    Decision,
    ExposureGrant,
    Reveal,
    RevealFloor,
)
from seawall.database.tables.contacts import Account, Contact, ContactDay
from seawall.database.tables.content import DAY_SHIFT, STANDINGS_CHANNEL, Content, PolicyText, content_numbers
from seawall.database.tables.desk import Claim, PassedOn, Presence, SavedFilter
from seawall.database.tables.evidence import AuditEvent, Evidence, EvidenceKey
from seawall.database.tables.hashlists import (
    CHANGES_CHANNEL,
    Entry,
    HashList,
    IndexBuild,
    ListCount,
    ListDay,
    ListRemoval,
    ListWalk,
    Quarantine,
    Retractions,
    Walk,
    change_numbers,
)
from seawall.database.tables.keypoints import KeptKeypoints
from seawall.database.tables.messages import Conversation, ConversationMessage
from seawall.database.tables.reporting import Report, ReportItem, ReportSend
from seawall.database.tables.requests import Request, SecondPersonOff

__all__ = [
    "CHANGES_CHANNEL",
    "DAY_SHIFT",
    "STANDINGS_CHANNEL",
    "Account",
    "ApiKey",
    "Appeal",
    "AuditEvent",
    "Base",
    "BlindReview",
    "Bulk",
    "BulkItem",
    "Case",
    "CaseItem",
    "CaseNote",
    "Claim",
    "ConsoleSession",
    "Contact",
    "ContactDay",
    "Content",
    "Conversation",
    "ConversationMessage",
    "Decision",
    "Entry",
    "Evidence",
    "EvidenceKey",
    "ExposureGrant",
    "FailedLogin",
    "HashList",
    "IndexBuild",
    "KeptKeypoints",
    "ListCount",
    "ListDay",
    "ListRemoval",
    "ListWalk",
    "LookupCount",
    "OneTimeLink",
    "OutboxMessage",
    "PassedOn",
    "Passkey",
    "PasskeyChallenge",
    "PolicyText",
    "Presence",
    "ProviderAccount",
    "ProviderRequest",
    "Quarantine",
    "Report",
    "ReportItem",
    "ReportSend",
    "Request",
    "Retractions",
    "Reveal",
    "RevealFloor",
    "SavedFilter",
    "SecondPersonOff",
    "User",
    "Walk",
    "WebhookEndpoint",
    "WorkspaceItem",
    "change_numbers",
    "content_numbers",
    "now",
]
