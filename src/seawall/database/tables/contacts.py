"""Accounts as far as platforms tell of them, and who sought contact with whom."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, CreatedAt, Timestamp


class Account(Base):
    """What a platform chose to tell of one of its accounts."""

    __tablename__ = "accounts"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    age_band: Mapped[str]
    age_source: Mapped[str | None]
    said_band: Mapped[str | None]
    opened_at: Mapped[Timestamp | None]
    region: Mapped[str | None]
    updated_at: Mapped[CreatedAt]


class Contact(Base):
    """What one account did toward another, and how that one answered: when each first happened. So events may come in
    any order and more than once, and the row is the same. `touched_at` is when it last changed; old ones go."""

    __tablename__ = "contacts"
    __table_args__ = (
        PrimaryKeyConstraint("from_id", "to_id"),
        Index("ix_contacts_touched_at", "touched_at"),
    )

    from_id: Mapped[str]
    to_id: Mapped[str]
    requested_at: Mapped[Timestamp | None]
    accepted_at: Mapped[Timestamp | None]
    declined_at: Mapped[Timestamp | None]
    muted_at: Mapped[Timestamp | None]
    blocked_at: Mapped[Timestamp | None]
    reported_at: Mapped[Timestamp | None]
    touched_at: Mapped[CreatedAt]


class ContactDay(Base):
    """What an account came to on one day (UTC): each other account counts once for each kind."""

    __tablename__ = "contact_days"
    __table_args__ = (PrimaryKeyConstraint("account_id", "day"), Index("ix_contact_days_day", "day"))

    account_id: Mapped[str]
    day: Mapped[date]
    reached: Mapped[int] = mapped_column(server_default=text("0"))
    reached_children: Mapped[int] = mapped_column(server_default=text("0"))
    accepted: Mapped[int] = mapped_column(server_default=text("0"))
    declined: Mapped[int] = mapped_column(server_default=text("0"))
    muted: Mapped[int] = mapped_column(server_default=text("0"))
    blocked: Mapped[int] = mapped_column(server_default=text("0"))
    reported: Mapped[int] = mapped_column(server_default=text("0"))
