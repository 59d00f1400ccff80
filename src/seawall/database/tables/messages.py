"""Conversations: what was noticed in them, and for a bounded time what was said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, CreatedAt, Timestamp


class Conversation(Base):
    """What the messages of one conversation came to so far. `state` is bounded however many there are, and kept as it
    was written, since the order of its keys counts; `messages` is their number, `last_at` the latest time that one of
    them was sent."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_touched_at", "touched_at"),)

    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    messages: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    last_at: Mapped[Timestamp | None]
    state: Mapped[dict[str, Any]] = mapped_column(JSON, server_default=text("'{}'"))
    touched_at: Mapped[CreatedAt]


class ConversationMessage(Base):
    """One of the newest messages of a conversation: by its id a repeated one is known, and answered as before.
    `number` counts them in the order in which they came, from 1; `sealed` is the text, None where none is kept (any
    more)."""

    __tablename__ = "conversation_messages"
    __table_args__ = (
        PrimaryKeyConstraint("conversation_id", "message_id"),
        Index("uq_conversation_messages_number", "conversation_id", "number", unique=True),
        Index("ix_conversation_messages_sealed", "taken_at", postgresql_where=text("sealed IS NOT NULL")),
    )

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.conversation_id", ondelete="CASCADE"))
    message_id: Mapped[str]
    number: Mapped[int] = mapped_column(BigInteger)
    author: Mapped[str]
    sent_at: Mapped[Timestamp]
    sealed: Mapped[bytes | None]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    taken_at: Mapped[CreatedAt]
