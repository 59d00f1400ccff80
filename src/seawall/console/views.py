"""What the templates of cases show, made from the records of the rooms. Wording only, no decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from seawall.cases.store import CaseView, DecisionView, ItemView, WaitingView
from seawall.cases.workspace import WorkspaceLine
from seawall.console import conversation_wording, wording
from seawall.console.rows import in_short
from seawall.console.wording import Choice, counted
from seawall.conversation_records import ConversationSignal
from seawall.policy.decide import describe
from seawall.records import ContentState, Finding, ItemState, Match, MatchKind


@dataclass(frozen=True, slots=True)
class FoundPart:
    """What one list has that is nearest to the upload, in words; without a list, what could not be done or
    is unusual. `gone` says
    that the list has taken it back."""

    list: str | None
    about: str
    is_test: bool
    likeness: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What was filled in for one item, when it must be shown again."""

    outcome: str = ""
    preset: str = ""
    note: str = ""
    restrict_account: bool = False


@dataclass(frozen=True, slots=True)
class ItemPart:
    """One item of a case."""

    id: int
    number: int
    content_id: str
    standing: str
    open: bool
    confirmed: bool
    again: str
    closed: str
    sealed: bool
    conversation: bool
    why: tuple[str, ...]
    found: tuple[FoundPart, ...]
    looks: str
    facts: tuple[tuple[str, str], ...]
    added_at: datetime
    choices: tuple[Choice, ...]
    decisions: tuple[DecisionView, ...]
    waiting: WaitingView | None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One case with its items."""

    id: int
    subject_kind: str
    subject_name: str
    is_test: bool
    urgent: bool
    state: str
    progress: str
    pending: int
    opened_at: datetime
    may_restrict: bool
    items: tuple[ItemPart, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """One item of a workspace."""

    item_id: int
    case_id: int
    subject_name: str
    content_id: str
    is_test: bool
    urgent: bool
    why: str
    state: str


@dataclass(frozen=True, slots=True)
class FoundCase:
    """One case that was looked up."""

    id: int
    address: str
    subject_name: str
    state: str
    by: str


def workspace_row(line: WorkspaceLine) -> WorkspaceRow:
    """An item of a workspace."""
    return WorkspaceRow(
        item_id=line.item_id,
        case_id=line.case_id,
        subject_name=wording.subject(line.subject)[1],
        content_id=line.content_id,
        is_test=line.is_test,
        urgent=line.urgent,
        why=in_short(line.reasons),
        state=wording.ITEM_STATES[line.state],
    )


def case_page(case: CaseView) -> CasePage:
    """A whole case."""
    kind, name = wording.subject(case.subject)
    return CasePage(
        id=case.id,
        subject_kind=kind,
        subject_name=name,
        is_test=case.is_test,
        urgent=case.urgent,
        state=wording.CASE_STATES[case.state],
        progress=_progress(case),
        pending=case.pending,
        opened_at=case.opened_at,
        may_restrict=case.account_id is not None,
        items=tuple(sorted((_item_part(number, item) for number, item in enumerate(case.items, 1)), key=_standing)),
    )


def _standing(item: ItemPart) -> tuple[bool, bool, int]:
    """What was confirmed comes first, since it says most of the account; then what is to decide."""
    return not item.confirmed, not item.open, item.number


def _progress(case: CaseView) -> str:
    items = counted(len(case.items), "item")
    if not case.pending:
        return items
    return f"{items} to decide" if case.pending == len(case.items) else f"{case.pending} of {items} to decide"


def is_conversation(item: ItemView) -> bool:
    """Whether an item is what was said, and not a file."""
    return any(isinstance(finding, ConversationSignal) for finding in item.findings)


def _item_part(number: int, item: ItemView) -> ItemPart:
    conversation = is_conversation(item)
    standings = conversation_wording.STANDINGS if conversation else wording.STANDINGS
    return ItemPart(
        id=item.id,
        number=number,
        content_id=item.content_id,
        standing=standings.get(item.content_state, ""),
        open=item.state is ItemState.PENDING,
        confirmed=item.state is ItemState.CONFIRMED,
        again=_again(item),
        closed=wording.RETRACTED if item.state is ItemState.RETRACTED else "",
        sealed=item.evidence_id is not None,
        conversation=conversation,
        why=_why(item),
        found=(*_found(item.findings), *_found(item.retracted, gone=True)),
        looks=wording.looks(look.user for look in item.reveals if look.shown_at),
        facts=tuple(_facts(item)),
        added_at=item.added_at,
        choices=conversation_wording.CHOICES if conversation else wording.CHOICES,
        decisions=item.decisions,
        waiting=item.waiting,
    )


def _why(item: ItemView) -> tuple[str, ...]:
    """What the policy's rules say, each once. A reason begins with what was found, which is shown on its own."""
    said = [f"{describe(finding)}. " for finding in item.findings]
    told = []
    for reason in item.reasons:
        begun = next((text for text in said if reason.explanation.startswith(text)), "")
        told.append(reason.explanation.removeprefix(begun))
    return tuple(dict.fromkeys(told))


def _again(item: ItemView) -> str:
    """Why it is to be decided once more, where a list took back what it had been confirmed by."""
    confirmed = item.state is ItemState.PENDING and item.content_state is ContentState.REMOVED
    return wording.AGAIN if confirmed else ""


def _found(findings: Iterable[Finding], *, gone: bool = False) -> Iterable[FoundPart]:
    """The nearest match of each list, in the order in which they were found, and what could not be done."""
    by_list: dict[str, list[Match]] = {}
    for finding in findings:
        if isinstance(finding, Match):
            by_list.setdefault(finding.list.name, []).append(finding)
        else:
            about = wording.FOUND[type(finding)]
            yield FoundPart(None, about, False, finding.explanation)
    for matches in by_list.values():
        nearest = min(matches, key=lambda match: match.nearness)
        yield FoundPart(
            nearest.list.name,
            f"{wording.TRUST[nearest.list.trust]}, {wording.HARM_CLASSES[nearest.list.harm_class]}",
            nearest.list.is_test,
            _likeness(nearest, len(matches) - 1),
            gone,
        )


def _likeness(match: Match, more: int) -> str:
    parts = [wording.likeness(match.kind, match.distance, match.hash_kind), wording.turned(match.orientation)]
    parts += [wording.places(match.inliers, match.share)] if match.kind is MatchKind.KEYPOINTS else []
    parts += [wording.IN_PART] if match.in_part else []
    parts += [wording.LOW_INFORMATION] if match.low_information else []
    parts += [wording.of_video(match.query_share, match.entry_share)] if match.of_video else []
    if match.classification is not None:
        parts.append(f"classified {match.classification.code} ({match.classification.scheme})")
    if match.disputed:
        parts.append("a disputed entry")
    said = ", ".join(part for part in parts if part)
    return f"{said}; {counted(more, 'more entry', 'more entries')} of this list" if more else said


def _facts(item: ItemView) -> Iterable[tuple[str, str]]:
    """What is known of the upload. Its hashes stay out: they may be those of a list."""
    yield "Surface", item.surface
    if item.filename:
        yield "File", item.filename
    pixels = f"{item.width} by {item.height} pixels" if item.width and item.height else None
    size = wording.size(item.size) if item.size else None
    if kind := ", ".join(part for part in (item.media_type, pixels, size) if part):
        yield "Kind", kind
    if item.uploader_ip:
        yield "Uploader IP", item.uploader_ip
    if item.uploaded_at:
        yield "Uploaded", wording.exact_time(item.uploaded_at)
    yield "Policy", item.policy_version
