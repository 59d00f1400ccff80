"""The content ledger: what arrived, its fingerprints and what was answered. Never the bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Sequence, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, CreatedAt, Hash, Timestamp, TransactionId
from seawall.records import ContentState

# The last part of a content's id. It never starts anew; a day uses 2^36 numbers before one could come twice.
content_numbers = Sequence("content_numbers", metadata=Base.metadata)
# Bits of a content's id below the day.
DAY_SHIFT = 36
# Where the content id is told of what may not be shown any more, or may again, when that is committed: a trigger of
# the database does it, so that no writer can forget. An empty text stands for an id that is too long to be told.
STANDINGS_CHANNEL = "seawall_standings"
# What a platform shows, and what a new entry may therefore take away.
SHOWN_STATES = (ContentState.PUBLISHED.value, ContentState.RELEASED.value)
# What may not be shown: few rows of very many. A look for it must use these very words, so that PostgreSQL sees that
# the indexes which lead there hold all that is asked for.
REFUSED_STATES = (ContentState.HELD.value, ContentState.BLOCKED.value, ContentState.REMOVED.value)
REFUSED = text("state IN ('held', 'blocked', 'removed')")


class Content(Base):
    """One version of one content: the platform's own id together with the identity of its bytes.

    `identity` is the SHA-256 of the bytes, or of the hashes where only hashes came. `verdict` and `reasons` are
    what was answered first; `state` is where the content stands after decisions.

    The ledger is partitioned by time, through the id: its upper bits are the day (since 1970, UTC) on which the row
    was made, so that a month is a range of ids and the id alone is a primary key. That a content version has one row
    is upheld by `Lock.CONTENT`, which every writer holds: no index over all partitions could.

    `generation` is that of the index it was judged with, and `written_in` the transaction that last wrote its
    fingerprint: with both, a new entry meets every row, also one whose upload was on its way meanwhile. `url_hash` is
    the SHA-256 of the address under which the platform serves it, in canonical form.
    """

    __tablename__ = "content"
    __table_args__ = (
        Index("ix_content_content_id_identity", "content_id", "identity"),
        Index("ix_content_sha256", "sha256"),
        Index("ix_content_account_id", "account_id"),
        Index("ix_content_written_in", "written_in"),
        Index("ix_content_refused_md5", "md5", postgresql_where=REFUSED),
        Index("ix_content_refused_sha1", "sha1", postgresql_where=REFUSED),
        Index("ix_content_refused_sha256", "sha256", postgresql_where=REFUSED),
        Index("ix_content_url_hash", "url_hash", postgresql_where=text("url_hash IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, server_default=text("seawall_content_id()")
    )
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
    url_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    generation: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    written_in: Mapped[int] = mapped_column(TransactionId, server_default=text("pg_current_xact_id()"))
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
