"""What a person has put together to decide at once, and what they decided so."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Timestamp


class WorkspaceItem(Base):
    """An item in the workspace of a person."""

    __tablename__ = "workspace_items"
    __table_args__ = (PrimaryKeyConstraint("user_id", "item_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), index=True)
    added_at: Mapped[CreatedAt]


class Bulk(Base):
    """One decision on many items, in a `state` of :class:`seawall.cases.bulks.BulkState`. It waits until `due_at`;
    until it has begun it can be taken back."""

    __tablename__ = "bulks"
    __table_args__ = (
        Index("ix_bulks_user_id", "user_id", "id"),
        Index("ix_bulks_due_at", "due_at", postgresql_where=text("state IN ('waiting', 'running')")),
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    asked_at: Mapped[CreatedAt]
    due_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp | None]


class BulkItem(Base):
    """An item of a bulk decision. `decided` is None until it was its turn, `refusal` why it was not decided then."""

    __tablename__ = "bulk_items"
    __table_args__ = (PrimaryKeyConstraint("bulk_id", "item_id"),)

    bulk_id: Mapped[int] = mapped_column(ForeignKey("bulks.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), index=True)
    decided: Mapped[bool | None]
    refusal: Mapped[str | None]
