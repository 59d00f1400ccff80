"""The content ledger: what arrived, its fingerprints and what was answered. Never the bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Hash, Timestamp


class Content(Base):
    """One version of one content: the platform's own id together with the identity of its bytes.

    `identity` is the SHA-256 of the bytes, or of the hashes where only hashes came. `verdict` and `reasons` are
    what was answered first; `state` is where the content stands after decisions.
    """

    __tablename__ = "content"
    __table_args__ = (
        UniqueConstraint("content_id", "identity"),
        Index("ix_content_sha256", "sha256"),
        Index("ix_content_account_id", "account_id"),
    )

    id: Mapped[BigId]
    content_id: Mapped[str]
    identity: Mapped[Hash]
    account_id: Mapped[str | None]
    surface: Mapped[str]
    filename: Mapped[str | None]
    uploader_ip: Mapped[str | None] = mapped_column(INET)
    uploaded_at: Mapped[Timestamp | None]
    md5: Mapped[Hash | None]
    sha1: Mapped[Hash | None]
    sha256: Mapped[Hash | None]
    pdq: Mapped[Hash | None]
    pdq_quality: Mapped[int | None]
    frames: Mapped[list[Any]] = mapped_column(JSONB)
    media_type: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    verdict: Mapped[str]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    policy_version: Mapped[str]
    state: Mapped[str]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    judged_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class PolicyText(Base):
    """Every policy that ever judged something, so that a verdict can be explained years later."""

    __tablename__ = "policies"

    version: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    first_used_at: Mapped[CreatedAt]
