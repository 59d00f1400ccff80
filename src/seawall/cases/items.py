"""Adding an item: to the undecided case of its subject, or to a new one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import Session

from seawall.cases import priority
from seawall.cases.priority import HARM, Term, Terms
from seawall.database.documents import finding_from_json, finding_to_json, reason_to_json
from seawall.database.locks import Lock, take
from seawall.database.tables import Case, CaseItem, Content, Entry, now
from seawall.records import CaseState, Finding, HarmClass, ItemState, Judgement

DECIDED_BY_PEOPLE = (ItemState.CONFIRMED.value, ItemState.NOT_A_MATCH.value)


def add_item(
    session: Session,
    *,
    subject: str,
    account_id: str | None,
    content_row: Content,
    judgement: Judgement,
    findings: Sequence[Finding],
    is_test: bool,
) -> tuple[Case, CaseItem, bool]:
    """Puts a content into the undecided case of its subject, which is opened if there is none.

    Returns case, item and whether the item is new: the same content is in an undecided case once, as it was first
    found. Urgency and priority of the case only rise. The caller appends the audit event.

    Args:
        subject: ``account:<id>``, or ``content:<id>`` where no account was given.
        is_test: whether it comes of test data alone. One item that does not makes the whole case a real one.
    """
    take(session, Lock.SUBJECT, of=subject)
    case = _undecided(session, subject) or _opened(session, subject, account_id, is_test)
    wanted = select(CaseItem).where(CaseItem.case_id == case.id, CaseItem.content_row == content_row.id)
    present = session.scalar(wanted)
    if present is not None:
        return case, present, False
    _raise(session, case, judgement, findings, is_test)
    item = CaseItem(
        case_id=case.id,
        content_row=content_row.id,
        state=ItemState.PENDING.value,
        verdict=judgement.verdict.value,
        findings=[finding_to_json(finding) for finding in findings],
        reasons=[reason_to_json(reason) for reason in judgement.reasons],
        policy_version=judgement.policy_version,
    )
    session.add(item)
    session.flush()
    return case, item, True


def was_released(session: Session, content_row: int) -> bool:
    """Whether a reviewer has ever decided that a content is not a match."""
    decided = exists().where(CaseItem.content_row == content_row, CaseItem.state == ItemState.NOT_A_MATCH.value)
    return session.scalar(select(decided)) is True


def hold_waiting(session: Session, versions: Collection[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Holds the ledger's rows of content versions until the transaction ends, before any case is: so does whoever
    decides. Returns those that wait for a decision.

    Args:
        versions: content ids with what identifies each version.
    """
    version = tuple_(Content.content_id, Content.identity)
    meant = version.in_(list(versions))
    session.execute(select(Content.id).where(meant).order_by(Content.id).with_for_update()).all()
    # Asked once they are held: nothing of them is decided meanwhile.
    pending = exists().where(CaseItem.content_row == Content.id, CaseItem.state == ItemState.PENDING.value)
    found = session.execute(select(Content.content_id, Content.identity).where(meant, pending))
    return {(row.content_id, bytes(row.identity)) for row in found}


def _undecided(session: Session, subject: str) -> Case | None:
    """Held until the transaction ends, so that it is not closed while an item is added. Should it be decided while
    this waits, PostgreSQL looks at the condition again and gives no row."""
    return session.scalar(
        select(Case)
        .where(Case.subject == subject, Case.state != CaseState.DECIDED.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def entries_reviewed(session: Session, content_row: int) -> set[int]:
    """The entries that a content had met when a reviewer decided it, by their numbers; and those that were taken from
    this very content, which say nothing of it that its reviewer had not seen."""
    decided = select(CaseItem.findings).where(
        CaseItem.content_row == content_row, CaseItem.state.in_(DECIDED_BY_PEOPLE)
    )
    met = {
        document["entry_id"]
        for findings in session.scalars(decided)
        for document in findings
        if document.get("entry_id") is not None
    }
    return met | set(session.scalars(select(Entry.id).where(Entry.content_row == content_row)))


def _opened(session: Session, subject: str, account_id: str | None, is_test: bool) -> Case:
    case = Case(
        subject=subject,
        account_id=account_id,
        state=CaseState.OPEN.value,
        urgent=False,
        priority=0,
        terms=[],
        harm_class=HarmClass.OTHER.value,
        at_risk=False,
        is_test=is_test,
    )
    session.add(case)
    session.flush()
    return case


def reopen_item(
    session: Session, case: Case, item: CaseItem, judgement: Judgement, findings: Sequence[Finding]
) -> None:
    """Lets an item of an undecided case be decided again, by what is found now; its decisions stay on record. The
    caller holds the case and appends the audit event."""
    item.state, item.decided_at = ItemState.PENDING.value, None
    put_findings(item, judgement, findings)
    weigh(session, case, urgent=case.urgent or judgement.urgent)


def put_findings(item: CaseItem, judgement: Judgement, findings: Sequence[Finding]) -> None:
    """Writes what is found now, and what the policy makes of it, over what was found before."""
    item.verdict, item.policy_version = judgement.verdict.value, judgement.policy_version
    item.findings = [finding_to_json(finding) for finding in findings]
    item.reasons = [reason_to_json(reason) for reason in judgement.reasons]
    item.written_in = func.pg_current_xact_id()


def weigh(session: Session, case: Case, *, urgent: bool) -> None:
    """Weighs a case anew by the findings of all its items. The caller holds the case."""
    session.flush()
    of_items = session.scalars(select(CaseItem.findings).where(CaseItem.case_id == case.id)).all()
    weighed = [[finding_from_json(document) for document in documents] for documents in of_items]
    case.urgent, case.updated_at = urgent or case.at_risk, now()
    harm_class = priority.harm_of(finding for findings in weighed for finding in findings)
    _write(case, priority.of_case(case.urgent, weighed, at_risk=case.at_risk), harm_class)
    session.flush()


def _raise(session: Session, case: Case, judgement: Judgement, findings: Sequence[Finding], is_test: bool) -> None:
    items = session.scalar(select(func.count()).where(CaseItem.case_id == case.id)) or 0
    case.urgent = case.urgent or judgement.urgent
    before = terms_from_json(case.terms)
    terms = priority.raised(before, items, case.urgent, findings, at_risk=case.at_risk)
    _write(case, terms, max(HarmClass(case.harm_class), priority.harm_of(findings), key=lambda each: HARM[each]))
    case.is_test = case.is_test and is_test
    case.updated_at = now()


def _write(case: Case, terms: Terms, harm_class: HarmClass) -> None:
    case.terms, case.priority = terms_to_json(terms), priority.total(terms)
    case.harm_class = harm_class.value


def terms_to_json(terms: Terms) -> list[Any]:
    """``[name, points, whether it is of the most pressing item]`` each, as the table keeps them."""
    return [[term.name, term.points, term.of_item] for term in terms]


def terms_from_json(documents: Sequence[Any]) -> Terms:
    """The terms that :func:`terms_to_json` wrote."""
    return tuple(Term(*document) for document in documents)
