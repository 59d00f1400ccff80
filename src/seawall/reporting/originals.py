"""The sealed originals of a case that a package may hold: those of confirmed items of abuse material."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.documents import finding_from_json
from seawall.database.tables import Case, CaseItem, Content, Evidence
from seawall.errors import NotFound
from seawall.records import HarmClass, Match
from seawall.reporting.facts import is_abuse_material, is_confirmed
from seawall.reporting.vics import Original


def items_with_originals(session: Session, case_id: int) -> list[int]:
    """The confirmed items of a case whose bytes are sealed, whether they were reported already or not."""
    rows = session.scalars(select(CaseItem).where(CaseItem.case_id == case_id, is_confirmed()).order_by(CaseItem.id))
    return [item.id for item in rows if is_abuse_material(item) and _evidence(session, item) is not None]


def hold_originals(session: Session, case_id: int, items: Sequence[int]) -> str:
    """Holds a case until the transaction ends; a text that differs when these items stand differently.

    Raises:
        NotFound: there is no such case, or one of them is not confirmed any more, or its bytes are gone.
    """
    if session.get(Case, case_id, with_for_update=True, populate_existing=True) is None:
        raise NotFound(f"There is no case {case_id}.")
    digest = hashlib.sha256()
    for item, evidence, _content in _rows(session, case_id, items):
        digest.update(f"{item.id}:{evidence.id}:{evidence.sha256.hex()};".encode())
    return f"{case_id}:{digest.hexdigest()}"


def originals(session: Session, case_id: int, items: Sequence[int]) -> list[Original]:
    """What is on record of them, in the order of their numbers.

    Raises:
        NotFound: as :func:`hold_originals`.
    """
    return [
        Original(
            item_id=item.id,
            evidence_id=evidence.id,
            content_id=content.content_id,
            filename=content.filename,
            media_type=evidence.media_type,
            size=evidence.size,
            md5=content.md5,
            sha1=content.sha1,
            sha256=evidence.sha256,
            pdq=content.pdq,
            pdq_quality=content.pdq_quality,
            uploaded_at=content.uploaded_at,
            classifications=_classifications(item),
        )
        for item, evidence, content in _rows(session, case_id, items)
    ]


def _rows(session: Session, case_id: int, items: Sequence[int]) -> list[tuple[CaseItem, Evidence, Content]]:
    found = session.execute(
        select(CaseItem, Content)
        .join(Content, Content.id == CaseItem.content_row)
        .where(CaseItem.case_id == case_id, CaseItem.id.in_(items), is_confirmed())
        .order_by(CaseItem.id)
        .execution_options(populate_existing=True)
    ).all()
    rows = []
    for item, content in found:
        evidence = _evidence(session, item)
        if evidence is not None:
            rows.append((item, evidence, content))
    if len(rows) != len(set(items)) or not rows:
        raise NotFound("Some of these files are not confirmed any more, or their bytes are gone.")
    return rows


def _evidence(session: Session, item: CaseItem) -> Evidence | None:
    """The sealed bytes of an item, which may be those of the item that it takes up again."""
    numbers = [item.id, *([item.again_of] if item.again_of else [])]
    return session.scalar(select(Evidence).where(Evidence.item_id.in_(numbers)).order_by(Evidence.id.desc()).limit(1))


def _classifications(item: CaseItem) -> tuple[tuple[str, str], ...]:
    """What lists of abuse material say that it shows, each once."""
    findings = map(finding_from_json, (*item.findings, *item.retracted))
    said = (
        (each.classification.scheme, each.classification.code)
        for each in findings
        if isinstance(each, Match) and each.list.harm_class is HarmClass.CSAM and each.classification is not None
    )
    return tuple(sorted(set(said)))
