"""Notes on a case: what a person wants the next one to know. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seawall.database.tables import Case, CaseNote, User
from seawall.errors import BadInput, Conflict, NotFound

LONGEST_NOTE = 2000
# More would make a page of a case too long to read, and would be for a program to write, not for a person.
MOST_NOTES = 500


@dataclass(frozen=True, slots=True)
class NoteView:
    """One note, with who wrote it."""

    id: int
    user: str
    text: str
    written_at: datetime


def add(session: Session, case_id: int, user_id: int, text: str) -> int:
    """Adds a note; returns its number. The caller appends the audit event.

    Raises:
        BadInput: it is empty, longer than `LONGEST_NOTE` characters, or no text.
        Conflict: the case has `MOST_NOTES` already.
        NotFound: there is no such case.
    """
    words = text.replace("\r\n", "\n").strip()
    if not words:
        raise BadInput("The note is empty.", hint="Write what the next person should know.")
    if len(words) > LONGEST_NOTE or "\0" in words:
        raise BadInput(f"A note is text of at most {LONGEST_NOTE} characters.", hint="Shorten it.")
    # Held, so that many at once cannot write more than there may be.
    if session.scalar(select(Case.id).where(Case.id == case_id).with_for_update(key_share=True)) is None:
        raise NotFound(f"There is no case {case_id}.")
    if (session.scalar(select(func.count()).where(CaseNote.case_id == case_id)) or 0) >= MOST_NOTES:
        raise Conflict(f"Case {case_id} has {MOST_NOTES} notes already.", hint="No more can be added to this case.")
    note = CaseNote(case_id=case_id, user_id=user_id, text=words)
    session.add(note)
    session.flush()
    return note.id


def of_case(session: Session, case_id: int) -> tuple[NoteView, ...]:
    """All notes of a case, the oldest first."""
    rows = session.execute(
        select(CaseNote.id, User.name, CaseNote.text, CaseNote.written_at)
        .join(User, User.id == CaseNote.user_id)
        .where(CaseNote.case_id == case_id)
        .order_by(CaseNote.id)
    )
    return tuple(NoteView(*row) for row in rows)
