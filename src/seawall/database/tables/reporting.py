"""Reports to authorities, what they are about, and every request that was sent for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Timestamp


class Report(Base):
    """One report of one case to one authority. `state` is one of `seawall.reporting.states.ReportState`.

    `document` is the draft, sealed with the case's key. `authority_number` is the authority's number of the report
    that is open there, or was filed; it is written as soon as it is known. `attempts` counts how often a worker took
    the report up: what an earlier one still says after that is not written. `system` names which of the authority's
    systems it was filed with. `reference` is what an authority calls it that gives no number, such as the NCA.
    """

    __tablename__ = "reports"
    __table_args__ = (
        # A case has one report under way at a time, whoever makes one.
        Index("uq_reports_live", "case_id", "authority", unique=True, postgresql_where=text("live")),
        Index("ix_reports_due", "next_attempt_at", postgresql_where=text("state IN ('due', 'submitting', 'open')")),
        Index("ix_reports_state", "state"),
        Index(
            "uq_reports_reference",
            "authority",
            "reference",
            unique=True,
            postgresql_where=text("reference IS NOT NULL"),
        ),
    )

    id: Mapped[BigId]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    authority: Mapped[str]
    state: Mapped[str]
    live: Mapped[bool] = mapped_column(server_default=text("true"))
    is_test: Mapped[bool]
    document: Mapped[bytes]
    system: Mapped[str | None]
    authority_number: Mapped[int | None] = mapped_column(BigInteger, index=True)
    reference: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[Timestamp | None]
    code: Mapped[int | None]
    says: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    begun_at: Mapped[Timestamp | None]
    filed_at: Mapped[Timestamp | None]


class ReportItem(Base):
    """One confirmed item of the case that a report tells of. An item is in one report that counts, and no more."""

    __tablename__ = "report_items"
    __table_args__ = (Index("uq_report_items_live", "item_id", unique=True, postgresql_where=text("live")),)

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), primary_key=True, autoincrement=False)
    live: Mapped[bool] = mapped_column(server_default=text("true"))


class ReportSend(Base):
    """One request to an authority, written before it goes out. `sealed` is its exact XML, sealed with the case's key;
    of an upload it is none, since `item_id` names the evidence. What came back is there once it came."""

    __tablename__ = "report_sends"
    __table_args__ = (UniqueConstraint("report_id", "number"),)

    id: Mapped[BigId]
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    number: Mapped[int]
    call: Mapped[str]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("case_items.id"))
    sealed: Mapped[bytes | None]
    system: Mapped[str]
    sent_at: Mapped[Timestamp]
    answered_at: Mapped[Timestamp | None]
    status: Mapped[int | None]
    code: Mapped[int | None]
    request_id: Mapped[str | None]
    authority_number: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None]
