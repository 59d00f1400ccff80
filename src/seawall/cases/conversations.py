"""Items that are conversations: what was said in them lies with the messages, not in the vault."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.tables import CaseItem, Content
from seawall.errors import NotFound


def conversation_of(session: Session, case_id: int, item_id: int) -> tuple[str, str]:
    """The platform's id of the conversation that an item of a case is, and of whom the case is.

    Raises:
        NotFound: the case has no such item, or it is no conversation.
    """
    row = session.execute(
        select(CaseItem.findings, Content.content_id, Content.account_id)
        .join(Content, Content.id == CaseItem.content_row)
        .where(CaseItem.id == item_id, CaseItem.case_id == case_id)
    ).one_or_none()
    if row is None or not any(finding["finding"] == "conversation" for finding in row.findings):
        raise NotFound(f"Item {item_id} of case {case_id} is no conversation.")
    return row.content_id.partition(":")[2], row.account_id or ""
