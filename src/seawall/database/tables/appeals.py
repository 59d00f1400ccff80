"""Appeals: what people on the platform say against a decision."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Timestamp


class Appeal(Base):
    """One appeal against what was decided of one item. `appeal_id` is the platform's own id of it.

    `text_sealed` is what the person wrote, sealed with the master key; None once it was forgotten. `request_id` is
    the request by which a second person was asked.
    """

    __tablename__ = "appeals"
    __table_args__ = (Index("ix_appeals_open", "id", postgresql_where=text("state = 'open'")),)

    id: Mapped[BigId]
    appeal_id: Mapped[str] = mapped_column(unique=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), unique=True)
    content_id: Mapped[str]
    account_id: Mapped[str | None]
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str]
    received_at: Mapped[CreatedAt]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]
    decided_at: Mapped[Timestamp | None]
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
