"""The shapes of what the API answers. Routes fill them, `/docs` and docs/reference/api.md describe them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from seawall.cases.appeals import AppealState, AppealView
from seawall.cases.clocks import Clocks
from seawall.cases.priority import total, with_waiting
from seawall.cases.store import CaseView, QueueRow
from seawall.database.documents import Document, reason_to_json
from seawall.errors import SeawallError
from seawall.hashlists.store import ListSummary
from seawall.records import (
    Answer,
    CaseState,
    ContentState,
    Fingerprint,
    HarmClass,
    ItemState,
    MatchKind,
    Orientation,
    Trust,
    Verdict,
)


class Shape(BaseModel):
    """The base of all shapes: what is not described is not there."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class ErrorDetail(Shape):
    """What went wrong, and what to do."""

    code: Annotated[str, Field(description="Stable; branch on it. docs/reference/errors.md lists all.")]
    message: Annotated[str, Field(description="What is wrong, for people. It may change.")]
    hint: Annotated[str, Field(description="What to do next, for people.")]


class ErrorAnswer(Shape):
    """The one shape of every error."""

    error: ErrorDetail


class ReasonAnswer(Shape):
    """Why a verdict is what it is."""

    code: Annotated[
        str,
        Field(description="What was found: exact_match, perceptual_match, or the code of a step that failed."),
    ]
    rule: Annotated[str, Field(description="The policy's rule, or `decision` where a reviewer has decided.")]
    list: Annotated[str | None, Field(description="The hash list that was met.")]
    kind: Annotated[MatchKind | None, Field(description="How it was met.")]
    distance: Annotated[int | None, Field(description="Bits that differ, 0 to 31.")]
    orientation: Annotated[
        Orientation | None, Field(description="How the upload was turned or mirrored when it matched.")
    ]
    explanation: Annotated[str, Field(description="A sentence for people.")]


class FingerprintsAnswer(Shape):
    """What the content is known by, in lower-case hexadecimal."""

    md5: Annotated[str | None, Field(description="32 digits.")]
    sha1: Annotated[str | None, Field(description="40 digits.")]
    sha256: Annotated[str | None, Field(description="64 digits.")]
    pdq: Annotated[str | None, Field(description="64 digits: PDQ of the first frame, as it is displayed.")]
    quality: Annotated[int | None, Field(description="PDQ quality of that frame, 0 to 100.")]


class VerdictAnswer(Shape):
    """The verdict on one content. Publish on allow and warn alone."""

    verdict: Verdict
    reasons: list[ReasonAnswer]
    fingerprints: FingerprintsAnswer
    media_type: Annotated[str | None, Field(description="What the bytes are, found by looking at them.")]
    case_id: Annotated[int | None, Field(description="The case that a person will decide, where there is one.")]
    policy_version: str
    elapsed_ms: Annotated[
        float, Field(description="Milliseconds that it took; what was judged together took it together.")
    ]


class VerdictsAnswer(Shape):
    """The verdicts on a batch, in the order of its items."""

    items: list[VerdictAnswer]


class HashCounts(Shape):
    """How many entries have a hash of each kind."""

    md5: int
    sha1: int
    sha256: int
    pdq: int


class ListAnswer(Shape):
    """One hash list: what it is, how large and how fresh. Never its hashes."""

    name: str
    source: Annotated[str, Field(description="Who stands behind it.")]
    trust: Trust
    harm_class: HarmClass
    max_distance: Annotated[int, Field(description="PDQ bits within which it matches.")]
    enabled: bool
    test: Annotated[bool, Field(description="Whether it holds test data.")]
    entries: int
    hashes: HashCounts
    disputed: Annotated[int, Field(description="Entries that a reviewer found to be wrong.")]
    created_at: datetime
    updated_at: Annotated[datetime, Field(description="When it last changed.")]


class ListsAnswer(Shape):
    """All hash lists, by name."""

    lists: list[ListAnswer]


class CaseItemAnswer(Shape):
    """One content within a case."""

    content_id: str
    state: Annotated[
        ItemState,
        Field(description="What a reviewer concluded, if anyone has; `retracted` where nothing holds it any more."),
    ]
    content_state: Annotated[ContentState, Field(description="Where the content stands on the platform.")]


class TermAnswer(Shape):
    """One summand of a priority."""

    name: str
    points: int


class PressingAnswer(Shape):
    """A case as the queue orders it: urgent ones first, then by the priority."""

    id: int
    state: CaseState
    urgent: bool
    test: Annotated[bool, Field(description="Whether all of it comes of test data.")]
    harm_class: Annotated[HarmClass, Field(description="The gravest of what was found.")]
    priority: Annotated[int, Field(description="The sum of the terms, at the time of asking.")]
    terms: Annotated[list[TermAnswer], Field(description="Why it is as pressing as that.")]
    claimed: Annotated[bool, Field(description="Whether somebody works on it now.")]
    opened_at: datetime
    due_at: Annotated[datetime, Field(description="By when it ought to be decided (`SEAWALL_DECIDE_WITHIN`).")]
    overdue: Annotated[bool, Field(description="Whether it is still undecided after that.")]


class CaseAnswer(PressingAnswer):
    """How far a case is."""

    items: list[CaseItemAnswer]


class AppealAnswer(Shape):
    """How far an appeal is."""

    appeal_id: str
    content_id: str
    case_id: int
    state: Annotated[AppealState, Field(description="`overturned` says that the refusal was wrong.")]
    content_state: Annotated[ContentState, Field(description="Where the content stands on the platform.")]
    received_at: datetime
    decided_at: datetime | None


class QueuedCaseAnswer(PressingAnswer):
    """A case as a list of cases has it."""

    items: Annotated[int, Field(description="How many contents are in it.")]
    pending: Annotated[int, Field(description="How many of them wait for a decision.")]


class CasesAnswer(Shape):
    """Cases in the order of the queue."""

    cases: list[QueuedCaseAnswer]
    next: Annotated[
        str | None,
        Field(description="What to send as `after` for the cases behind these; null at the end."),
    ]


class StandingAnswer(Shape):
    """Where a content stands. Show it on allow and warn alone."""

    content_id: str
    verdict: Verdict
    state: Annotated[ContentState, Field(description="What became of it; the strictest of its versions counts.")]
    updated_at: Annotated[datetime, Field(description="When that last changed.")]


class AskedStandingAnswer(Shape):
    """Where one of several contents stands. What is not known is not clean: it has no verdict."""

    content_id: str
    known: Annotated[bool, Field(description="Whether the ledger knows it. If not, the rest is null.")]
    verdict: Verdict | None
    state: ContentState | None
    updated_at: datetime | None


class StandingsAnswer(Shape):
    """Where each content stands, in the order in which they were asked for."""

    items: list[AskedStandingAnswer]


class AliveAnswer(Shape):
    """The process answers."""

    status: Annotated[str, Field(description="Always `ok`.")]


class ReadyAnswer(Shape):
    """Every part that a verdict needs is there."""

    status: Annotated[str, Field(description="Always `ready`; else the answer is an error.")]
    parts: Annotated[dict[str, str], Field(description="Each part with what it says.")]


def of_error(error: SeawallError) -> Document:
    """An error in the one shape."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def of_answer(answer: Answer) -> Document:
    """A verdict with all that belongs to it, as :class:`VerdictAnswer` describes it."""
    return {
        "verdict": answer.verdict.value,
        "reasons": [reason_to_json(reason) for reason in answer.reasons],
        "fingerprints": _fingerprints(answer.fingerprint),
        "media_type": answer.fingerprint.media_type,
        "case_id": answer.case_id,
        "policy_version": answer.policy_version,
        "elapsed_ms": answer.elapsed_ms,
    }


def of_list(summary: ListSummary) -> ListAnswer:
    """A list as the API tells of it."""
    info = summary.info
    return ListAnswer(
        name=info.name,
        source=info.source,
        trust=info.trust,
        harm_class=info.harm_class,
        max_distance=info.max_distance,
        enabled=info.enabled,
        test=info.is_test,
        entries=summary.entries,
        hashes=HashCounts(**{kind.value: number for kind, number in summary.hashes.items()}),
        disputed=summary.disputed,
        created_at=summary.created_at,
        updated_at=summary.updated_at,
    )


def of_case(case: CaseView, clocks: Clocks, at: datetime, *, claimed: bool) -> CaseAnswer:
    """A case as the API tells of it: how far it is, not what was found."""
    items = [
        CaseItemAnswer(content_id=item.content_id, state=item.state, content_state=item.content_state)
        for item in case.items
    ]
    return CaseAnswer(id=case.id, claimed=claimed, items=items, **_pressing(case, clocks, at))


def of_row(row: QueueRow, clocks: Clocks, at: datetime) -> QueuedCaseAnswer:
    """A case of the queue, in the same way."""
    return QueuedCaseAnswer(
        id=row.case_id,
        claimed=row.holder is not None,
        items=row.items,
        pending=row.pending,
        **_pressing(row, clocks, at),
    )


def _pressing(case: CaseView | QueueRow, clocks: Clocks, at: datetime) -> dict[str, Any]:
    terms = [term for term in with_waiting(case.terms, case.opened_at, at) if term.points]
    due_at = clocks.due_at(case.urgent, case.harm_class, case.opened_at)
    return {
        "state": case.state,
        "urgent": case.urgent,
        "test": case.is_test,
        "harm_class": case.harm_class,
        "priority": total(terms),
        "terms": [TermAnswer(name=term.name, points=term.points) for term in terms],
        "opened_at": case.opened_at,
        "due_at": due_at,
        "overdue": case.state is not CaseState.DECIDED and due_at < at,
    }


def _fingerprints(fingerprint: Fingerprint) -> Document:
    digests, first = fingerprint.digests, next(iter(fingerprint.frames), None)
    return {
        "md5": None if digests.md5 is None else digests.md5.hex(),
        "sha1": None if digests.sha1 is None else digests.sha1.hex(),
        "sha256": None if digests.sha256 is None else digests.sha256.hex(),
        "pdq": None if first is None else first.pdq.hex(),
        "quality": None if first is None else first.quality,
    }


def of_appeal(appeal: AppealView) -> AppealAnswer:
    """An appeal, without its words."""
    return AppealAnswer(
        appeal_id=appeal.appeal_id,
        content_id=appeal.content_id,
        case_id=appeal.case_id,
        state=appeal.state,
        content_state=appeal.content_state,
        received_at=appeal.received_at.astimezone(UTC),
        decided_at=None if appeal.decided_at is None else appeal.decided_at.astimezone(UTC),
    )
