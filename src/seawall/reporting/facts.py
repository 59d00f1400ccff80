"""What is on record about the items that a report tells of. Nothing is concluded here that nobody established."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from seawall.database.documents import finding_from_json
from seawall.database.tables import Case, CaseItem, Content, Evidence, ReportItem, Reveal
from seawall.database.tables import Report as ReportRow
from seawall.records import HarmClass, ItemState, Match, RevealStage
from seawall.reporting.states import CYBERTIPLINE, ReportState

# A blurred picture shows that there is one, and not what it is of.
SHOWS = (RevealStage.GREY.value, RevealStage.COLOUR.value, RevealStage.ORIGINAL.value)
PICTURE = "image/"
# The item that an item takes up again, or itself.
_FIRST = func.coalesce(CaseItem.again_of, CaseItem.id)


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One confirmed item. `evidence_id` is there where its bytes are sealed; `viewed` says that a reveal on record
    has shown this very file, whole: a still picture, in grey or colour."""

    item_id: int
    content_id: str
    surface: str
    filename: str | None
    uploader_ip: str | None
    uploaded_at: datetime | None
    judged_at: datetime
    hashes: tuple[tuple[str, bytes], ...]
    evidence_id: int | None
    viewed: bool


def confirmed_items(session: Session, case_id: int, except_for: int | None = None) -> list[ItemFacts]:
    """The items of a case that a report owes: confirmed, of abuse material, and in no other report that counts.

    Args:
        except_for: a report whose own items count as free.
    """
    rows = session.execute(
        select(CaseItem, Content)
        .join(Content, Content.id == CaseItem.content_row)
        .where(CaseItem.case_id == case_id, is_confirmed(), ~_is_elsewhere(except_for))
        .order_by(CaseItem.id)
        .execution_options(populate_existing=True)
    ).all()
    return [_facts(session, item, content) for item, content in rows if is_abuse_material(item)]


def is_confirmed() -> ColumnElement[bool]:
    """Whether an item is, and no newer one takes it up again: of those the newest alone says where it stands."""
    newer = aliased(CaseItem)
    taken_up = exists().where(newer.again_of == _FIRST, newer.id > CaseItem.id)
    return and_(CaseItem.state == ItemState.CONFIRMED.value, ~taken_up)


def _is_elsewhere(except_for: int | None) -> ColumnElement[bool]:
    """Whether an item is in another report that counts, or one is that it takes up again. A draft to the CyberTipline
    is without what is taken up again before it is filed, so that it counts for its own items alone."""
    told = aliased(CaseItem)
    same = or_(told.id == _FIRST, told.again_of == _FIRST)
    binds = or_(
        told.id == CaseItem.id, ReportRow.state != ReportState.DRAFT.value, ReportRow.authority != CYBERTIPLINE
    )
    wanted = (
        select(ReportItem.item_id)
        .join(told, told.id == ReportItem.item_id)
        .join(ReportRow, ReportRow.id == ReportItem.report_id)
        .where(same, binds, ReportItem.live)
    )
    if except_for is not None:
        wanted = wanted.where(ReportItem.report_id != except_for)
    return wanted.correlate(CaseItem).exists()


def facts_of(session: Session, report_id: int) -> list[ItemFacts]:
    """What is known now of the items of a report."""
    rows = session.execute(
        select(CaseItem, Content)
        .join(ReportItem, ReportItem.item_id == CaseItem.id)
        .join(Content, Content.id == CaseItem.content_row)
        .where(ReportItem.report_id == report_id)
        .order_by(CaseItem.id)
    ).all()
    return [_facts(session, item, content) for item, content in rows]


def is_abuse_material(item: CaseItem) -> bool:
    """Whether an entry of a list of abuse material is among what the item met, taken back or not: a person has
    confirmed it since."""
    findings = map(finding_from_json, (*item.findings, *item.retracted))
    return any(isinstance(each, Match) and each.list.harm_class is HarmClass.CSAM for each in findings)


def prior_reports(session: Session, account_id: str | None, system: str) -> tuple[int, ...]:
    """The authority's numbers of what was filed on this account with the same system, oldest first."""
    if account_id is None:
        return ()
    earlier = (
        select(ReportRow.authority_number)
        .join(Case, Case.id == ReportRow.case_id)
        .where(
            Case.account_id == account_id,
            ReportRow.state == ReportState.FILED.value,
            ReportRow.system == system,
            ReportRow.authority_number.is_not(None),
        )
        .order_by(ReportRow.filed_at)
    )
    return tuple(number for number in session.scalars(earlier) if number is not None)


def viewed(session: Session, evidence: Evidence, content: Content) -> bool:
    """Whether a reveal on record has shown this very file. A video, an animation or a document is shown by one frame,
    which is not the file; and another copy of the same bytes is another file."""
    numbers = {frame.get("number", 0) for frame in content.frames if isinstance(frame, dict)}
    if not (evidence.media_type or "").startswith(PICTURE) or len(numbers) > 1:
        return False
    shown = exists().where(Reveal.evidence_id == evidence.id, Reveal.shown_at.is_not(None), Reveal.stage.in_(SHOWS))
    return session.scalar(select(shown)) is True


def _facts(session: Session, item: CaseItem, content: Content) -> ItemFacts:
    earlier = aliased(Evidence)
    evidence = session.scalar(
        select(earlier).where(earlier.item_id.in_([item.id, *([item.again_of] if item.again_of else [])])).limit(1)
    )
    known: Sequence[tuple[str, bytes | None]] = (
        ("MD5", content.md5),
        ("SHA1", content.sha1),
        ("SHA256", content.sha256),
    )
    return ItemFacts(
        item_id=item.id,
        content_id=content.content_id,
        surface=content.surface,
        filename=content.filename,
        uploader_ip=None if content.uploader_ip is None else str(content.uploader_ip),
        uploaded_at=content.uploaded_at,
        judged_at=content.judged_at,
        hashes=tuple((kind, bytes(value)) for kind, value in known if value is not None),
        evidence_id=None if evidence is None else evidence.id,
        viewed=evidence is not None and viewed(session, evidence, content),
    )
