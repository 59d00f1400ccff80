"""Who works on which case, who only looks at it, and the parts of the queue that people keep by a name."""

from __future__ import annotations

from sqlalchemy import ForeignKey, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Timestamp


class Claim(Base):
    """Who works on an undecided case, and until when. A case has one row at most, so that nobody shares it; once
    `expires_at` has passed, whoever comes next takes the row over.

    `assigned` says that somebody else gave it to this person, who has not taken it up yet; `within` is the filter of
    the queue that the case was taken from, as its address has it: the next one is taken from there too.
    """

    __tablename__ = "claims"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    taken_at: Mapped[CreatedAt]
    expires_at: Mapped[Timestamp]
    within: Mapped[str] = mapped_column(server_default=text("''"))
    assigned: Mapped[bool] = mapped_column(server_default=text("false"))


class Presence(Base):
    """Who had a case open when. What is older than a minute or two says nothing, and is cleared away."""

    __tablename__ = "presences"
    __table_args__ = (PrimaryKeyConstraint("case_id", "user_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    seen_at: Mapped[CreatedAt] = mapped_column(index=True)


class SavedFilter(Base):
    """A part of the queue by a name of its own. `query` is what the queue's address has after the question mark;
    `shared` says that everybody at the desk is shown it."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]


class PassedOn(Base):
    """A case that somebody passed on, without a reason: for a day it is not offered to them again."""

    __tablename__ = "passed_on"
    __table_args__ = (PrimaryKeyConstraint("case_id", "user_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    passed_at: Mapped[CreatedAt]
