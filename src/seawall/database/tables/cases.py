"""Cases, their items, decisions and reveals."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Timestamp, TransactionId


class Case(Base):
    """Everything about one account (or one content where no account was given) that a human must decide.

    `subject` is ``account:<id>`` or ``content:<id>``; at most one case of a subject is undecided at a time.
    `priority` is the sum of `terms`, and `rank` the place in the queue that follows of it and of the case's age: the
    second at which it was opened, an hour earlier for each point. `at_risk` is what a person said of it: that a child
    may be in danger now.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("uq_cases_undecided_subject", "subject", unique=True, postgresql_where=text("state <> 'decided'")),
        # All ascending, so that a place in the queue is one comparison of rows.
        Index("ix_cases_subject", "subject", "id"),
        Index("ix_cases_queue", "state", text("(NOT urgent)"), "rank", "id"),
        Index("ix_cases_clock", "state", "urgent", "harm_class", "opened_at", "id"),
    )

    id: Mapped[BigId]
    subject: Mapped[str]
    account_id: Mapped[str | None]
    state: Mapped[str]
    urgent: Mapped[bool] = mapped_column(server_default=text("false"))
    priority: Mapped[int] = mapped_column(server_default=text("0"))
    terms: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    harm_class: Mapped[str] = mapped_column(server_default=text("'other'"))
    at_risk: Mapped[bool] = mapped_column(server_default=text("false"))
    rank: Mapped[int] = mapped_column(
        BigInteger,
        Computed(
            "CAST(extract(epoch FROM opened_at AT TIME ZONE 'UTC') AS bigint) - priority * 3600", persisted=True
        ),
    )
    is_test: Mapped[bool] = mapped_column(server_default=text("false"))
    opened_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    decided_at: Mapped[Timestamp | None]


class CaseItem(Base):
    """One content version within a case. `findings` is what the screening noticed, as it was then; `late` says that
    the content was on the platform already when a list learnt of it.

    `retracted` is what was found once and is no more, since entries were taken off their lists. `again_of` is the
    item of an earlier, decided case that is taken up again here. `written_in` is the transaction that last wrote the
    findings, so that retractions meet every item, also one that was on its way meanwhile. `copies_due` says that its
    last decision is not yet told to the list of what was confirmed here, `generation` with which lists it was looked
    up again while it was pending.
    """

    __tablename__ = "case_items"
    __table_args__ = (
        UniqueConstraint("case_id", "content_row"),
        Index(
            "ix_case_items_findings",
            "findings",
            postgresql_using="gin",
            postgresql_ops={"findings": "jsonb_path_ops"},
        ),
        Index("ix_case_items_written_in", "written_in"),
        Index("ix_case_items_pending", "generation", "id", postgresql_where=text("state = 'pending'")),
        Index("ix_case_items_copies_due", "id", postgresql_where=text("copies_due")),
        Index("ix_case_items_spread_due", "id", postgresql_where=text("spread_due")),
    )

    id: Mapped[BigId]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    content_row: Mapped[int] = mapped_column(ForeignKey("content.id"), index=True)
    state: Mapped[str]
    verdict: Mapped[str]
    findings: Mapped[list[Any]] = mapped_column(JSONB)
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    policy_version: Mapped[str]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    retracted: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    again_of: Mapped[int | None] = mapped_column(ForeignKey("case_items.id"), index=True)
    generation: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    copies_due: Mapped[bool] = mapped_column(server_default=text("false"))
    spread_due: Mapped[bool] = mapped_column(server_default=text("false"))
    written_in: Mapped[int] = mapped_column(TransactionId, server_default=text("pg_current_xact_id()"))
    added_at: Mapped[CreatedAt]
    decided_at: Mapped[Timestamp | None]


class Decision(Base):
    """What a reviewer concluded of one item, and why. Rows are only ever added. `copy_of` is the decision on an item
    of the same bytes that this one followed, `request_id` the request by which a second person was asked, where one
    was needed."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_viewed", "user_id", "id", postgresql_where=text("viewed")),)

    id: Mapped[BigId]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str]
    reason: Mapped[str]
    restrict_account: Mapped[bool] = mapped_column(server_default=text("false"))
    viewed: Mapped[bool]
    copy_of: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("requests.id"))
    decided_at: Mapped[CreatedAt]


class BlindReview(Base):
    """A decision that was drawn to be decided once more, by somebody who does not see it. `user_id` has taken it
    until `taken_until`, or has answered; `passed_by` are those who left it to others. `state` is waiting, agreed or
    disagreed."""

    __tablename__ = "blind_reviews"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'agreed', 'disagreed')", name="state"),
        Index("ix_blind_reviews_waiting", "id", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("case_items.id"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), unique=True)
    state: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    taken_until: Mapped[Timestamp | None]
    passed_by: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    viewed: Mapped[bool | None]
    drawn_at: Mapped[CreatedAt]
    answered_at: Mapped[Timestamp | None]


class Reveal(Base):
    """One deliberate look at one piece of evidence. The address that shows it works once, for a short time.
    `closed_at` is when the browser said that the picture was covered again.

    `strip` is a look at small stills of a film, or of all that a file holds, from `place` on and `step` apart; `told`
    is what it showed (a :class:`seawall.strips.Strip`). Of any other look `place` is that of a still, which such a
    strip had shown, `moving` whether it is one of a film; without it the look is at the first picture.
    """

    __tablename__ = "reveals"
    __table_args__ = (
        Index("ix_reveals_shown_at", "user_id", "shown_at", postgresql_where=text("shown_at IS NOT NULL")),
        Index("ix_reveals_shown_at_all", "shown_at", postgresql_where=text("shown_at IS NOT NULL")),
    )

    id: Mapped[BigId]
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    stage: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[Timestamp]
    asked_at: Mapped[CreatedAt]
    shown_at: Mapped[Timestamp | None]
    closed_at: Mapped[Timestamp | None]
    strip: Mapped[bool] = mapped_column(server_default=text("false"))
    place: Mapped[int | None]
    step: Mapped[int] = mapped_column(server_default=text("0"))
    moving: Mapped[bool] = mapped_column(server_default=text("false"))
    told: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class ExposureGrant(Base):
    """More looks and minutes for one person, on the day in which they were granted."""

    __tablename__ = "exposure_grants"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    granted_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    looks: Mapped[int]
    minutes: Mapped[int]
    reason: Mapped[str]
    granted_at: Mapped[CreatedAt]


class RevealFloor(Base):
    """How clearly material of a harm class may be shown at most, and how the first look starts. `user_id` is the
    person who wants it so for themself; without one it holds for everybody."""

    __tablename__ = "reveal_floors"
    __table_args__ = (UniqueConstraint("user_id", "harm_class", postgresql_nulls_not_distinct=True),)

    id: Mapped[BigId]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    harm_class: Mapped[str]
    first: Mapped[str]
    clearest: Mapped[str]
    set_at: Mapped[CreatedAt]


class CaseNote(Base):
    """What a person wants the next one to know of a case. Rows are only ever added."""

    __tablename__ = "case_notes"

    id: Mapped[BigId]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    written_at: Mapped[CreatedAt]
