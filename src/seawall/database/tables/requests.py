"""Requests for a second person, and where that person is switched off."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Hash, Timestamp


class Request(Base):
    """An act that one person asked for and another answers. `digest` is the SHA-256 of what was asked for: the act,
    its subject and `parameters`, who asked and why, and how the subject stood then.

    `asked_by` and `answered_by` are actors as the audit chain names them; `asker_id` is None where a command asked.
    `switched_off` is the text by which the second person was switched off, where nobody else was asked.
    """

    __tablename__ = "requests"
    __table_args__ = (
        Index("uq_requests_waiting_subject", "subject", unique=True, postgresql_where=text("state = 'waiting'")),
        # Whatever the code does: nothing is carried out by one person alone unless that was switched off in writing.
        CheckConstraint(
            "state <> 'carried_out' OR coalesce(switched_off <> '', answered_by <> asked_by, false)",
            name="two_people",
        ),
    )

    id: Mapped[BigId]
    kind: Mapped[str]
    subject: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[Hash]
    asked_by: Mapped[str]
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    asked_at: Mapped[CreatedAt]
    lapses_at: Mapped[Timestamp]
    state: Mapped[str]
    answered_by: Mapped[str | None]
    words: Mapped[str | None]
    answered_at: Mapped[Timestamp | None]
    switched_off: Mapped[str | None]


class SecondPersonOff(Base):
    """An act that one person may do alone here, and the text that says why."""

    __tablename__ = "second_person_off"

    kind: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    switched_by: Mapped[str]
    switched_at: Mapped[CreatedAt]
