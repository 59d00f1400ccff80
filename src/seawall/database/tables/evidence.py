"""Sealed evidence and the audit chain."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, BigInteger, ForeignKey, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Hash, Timestamp


class EvidenceKey(Base):
    """The key of one case, wrapped by the master key. Destroying it destroys all evidence of the case."""

    __tablename__ = "evidence_keys"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    wrapped: Mapped[bytes]
    master_key_id: Mapped[str]
    created_at: Mapped[CreatedAt]


class Evidence(Base):
    """One sealed object. `sha256` and `size` are of the original bytes, `sealed_sha256` of what lies in the store."""

    __tablename__ = "evidence"

    id: Mapped[BigId]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), unique=True)
    object_name: Mapped[str] = mapped_column(unique=True)
    media_type: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Hash]
    sealed_sha256: Mapped[Hash]
    sealed_at: Mapped[CreatedAt]


class AuditEvent(Base):
    """One link of the audit chain. `hash` covers everything in the row and the hash of the link before."""

    __tablename__ = "audit_events"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Timestamp]
    actor: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    previous: Mapped[Hash]
    hash: Mapped[Hash]


# The chain grows and never changes: the database itself refuses anything else, whoever asks. A superuser can switch
# the trigger off; what that person changes then breaks the hashes.
_APPEND_ONLY = """
CREATE OR REPLACE FUNCTION seawall_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$body$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION seawall_refuse_audit_change();
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER append_only;
"""

event.listen(AuditEvent.__table__, "after_create", DDL(_APPEND_ONLY.replace("%", "%%")))  # type: ignore[no-untyped-call]
