"""What case tests are made of: content, findings, judgements, people. All of it is test data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.cases import store
from seawall.database.tables import Case, CaseItem, Content, Evidence, User
from seawall.records import (
    ContentState,
    Finding,
    HarmClass,
    HashKind,
    Judgement,
    ListInfo,
    Match,
    MatchKind,
    Reason,
    Role,
    ScanOwed,
    Trust,
    Verdict,
)


def match(
    trust: Trust = Trust.STANDARD,
    harm_class: HarmClass = HarmClass.CSAM,
    distance: int = 4,
    list_name: str = "Test list",
    is_test: bool = True,
) -> Match:
    info = ListInfo(1, list_name, list_name, trust, harm_class, 31, True, is_test)
    kind = MatchKind.PERCEPTUAL if distance else MatchKind.EXACT
    return Match(7, info, kind, HashKind.PDQ if distance else HashKind.SHA256, distance)


def scan_owed() -> ScanOwed:
    return ScanOwed("media_corrupt", "The picture ends too early.")


def judgement(findings: Sequence[Finding], *, urgent: bool = False, verdict: Verdict = Verdict.HOLD) -> Judgement:
    reasons = tuple(
        Reason(f"{finding.kind}_match", "near", "Words.", finding.list.name, finding.kind, finding.distance)
        if isinstance(finding, Match)
        else Reason(finding.code, "owed", finding.explanation)
        for finding in findings
    )
    return Judgement(verdict, urgent, reasons, "policy-1")


def content(session: Session, content_id: str, account_id: str | None = None) -> Content:
    """The ledger's row of a content, made on first use."""
    identity = hashlib.sha256(content_id.encode()).digest()
    row = session.scalar(select(Content).where(Content.content_id == content_id, Content.identity == identity))
    if row is None:
        row = Content(
            content_id=content_id,
            identity=identity,
            sha256=identity,
            account_id=account_id,
            surface="upload",
            frames=[],
            verdict=Verdict.HOLD.value,
            reasons=[],
            policy_version="policy-1",
            state=ContentState.HELD.value,
        )
        session.add(row)
        session.flush()
    return row


def add(
    session: Session,
    content_id: str,
    account_id: str | None = None,
    *,
    findings: Sequence[Finding] | None = None,
    urgent: bool = False,
    verdict: Verdict = Verdict.HOLD,
    is_test: bool = True,
) -> tuple[Case, CaseItem, bool]:
    """Adds an item as the flow does."""
    found = [match()] if findings is None else findings
    return store.add_item(
        session,
        subject=f"content:{content_id}" if account_id is None else f"account:{account_id}",
        account_id=account_id,
        content_row=content(session, content_id, account_id),
        judgement=judgement(found, urgent=urgent, verdict=verdict),
        findings=found,
        is_test=is_test,
    )


def person(session: Session, name: str = "test reviewer") -> int:
    row = User(name=name, roles=[Role.REVIEWER.value])
    session.add(row)
    session.flush()
    return row.id


def sealed(session: Session, item: CaseItem) -> int:
    """A row of evidence, without its object."""
    row = Evidence(
        case_id=item.case_id,
        item_id=item.id,
        object_name=f"evidence/test/{item.id}",
        media_type="image/png",
        size=1,
        sha256=bytes(32),
        sealed_sha256=bytes(32),
    )
    session.add(row)
    session.flush()
    return row.id
