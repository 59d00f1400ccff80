"""Hash lists and their entries."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Sequence,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Hash, Timestamp, TransactionId
from seawall.records import HarmClass, ListInfo, Trust

# Every change of an entry or of a list takes the next number, under one lock, so that a replica that has seen
# number N has seen all changes up to N.
change_numbers = Sequence("hash_change_numbers", metadata=Base.metadata)
# Where the number of a change is told when it is committed. Writers and replicas live in rooms of their own.
CHANGES_CHANNEL = "seawall_hashes"


class HashList(Base):
    """A set of known-material hashes from one source. `change` moves whenever a replica must look again."""

    __tablename__ = "hash_lists"
    __table_args__ = (CheckConstraint("max_distance BETWEEN 0 AND 31", name="max_distance"),)

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]
    trust: Mapped[str]
    harm_class: Mapped[str]
    max_distance: Mapped[int] = mapped_column(server_default=text("31"))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    is_test: Mapped[bool] = mapped_column(server_default=text("false"))
    quarantined: Mapped[bool] = mapped_column(server_default=text("false"))
    change: Mapped[int] = mapped_column(BigInteger, change_numbers)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]

    def info(self) -> ListInfo:
        """The list as matching and policy see it."""
        return ListInfo(
            list_id=self.id,
            name=self.name,
            source=self.source,
            trust=Trust(self.trust),
            harm_class=HarmClass(self.harm_class),
            max_distance=self.max_distance,
            enabled=self.enabled,
            is_test=self.is_test,
            quarantined=self.quarantined,
        )


class Entry(Base):
    """One known item. `identity` is what makes it the same item in the next file of that list: the upstream id, or
    else its strongest hash. A removed entry stays as a row with `removed_at`, so that replicas learn of it.

    `retracted` is the number of the last change by which it lost something: it was removed, disputed, or one of its
    hashes was taken away or became another. What it alone had held is looked at again. `content_row` is the content
    that it was taken from, on a list of what was confirmed here. `video` is what the entries of one video have in
    common: each frame is one, and its digests are one more."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("list_id", "identity"),
        Index("ix_entries_change", "change"),
        Index("ix_entries_retracted", "retracted", postgresql_where=text("retracted IS NOT NULL")),
        Index("ix_entries_video", "list_id", "video", postgresql_where=text("video IS NOT NULL")),
        Index("ix_entries_content_row", "content_row", postgresql_where=text("content_row IS NOT NULL")),
        CheckConstraint("octet_length(md5) = 16", name="md5_length"),
        CheckConstraint("octet_length(sha1) = 20", name="sha1_length"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
        CheckConstraint("octet_length(pdq) = 32", name="pdq_length"),
        CheckConstraint("num_nonnulls(md5, sha1, sha256, pdq) > 0", name="has_a_hash"),
    )

    id: Mapped[BigId]
    list_id: Mapped[int] = mapped_column(ForeignKey("hash_lists.id", ondelete="CASCADE"))
    identity: Mapped[str]
    md5: Mapped[Hash | None]
    sha1: Mapped[Hash | None]
    sha256: Mapped[Hash | None]
    pdq: Mapped[Hash | None]
    pdq_quality: Mapped[int | None]
    classification_scheme: Mapped[str | None]
    classification_code: Mapped[str | None]
    upstream_id: Mapped[str | None]
    disputed: Mapped[bool] = mapped_column(server_default=text("false"))
    change: Mapped[int] = mapped_column(BigInteger, change_numbers)
    retracted: Mapped[int | None] = mapped_column(BigInteger)
    content_row: Mapped[int | None] = mapped_column(BigInteger)
    video: Mapped[str | None]
    added_at: Mapped[CreatedAt]
    removed_at: Mapped[Timestamp | None]


# What of a listed video is a frame of it: its digests are an entry beside.
IS_FRAME = and_(
    Entry.video.is_not(None),
    Entry.pdq.is_not(None),
    Entry.md5.is_(None),
    Entry.sha1.is_(None),
    Entry.sha256.is_(None),
)


class Quarantine(Base):
    """An entry that was marked as disputed by itself, or (without `entry_id`) a whole list: when people looked, too
    much of what it had met was no match (`why` is review), or an appeal was right (appeal). `refused` of `decided`
    contents were no match. Rows stay when the quarantine is lifted."""

    __tablename__ = "quarantines"
    __table_args__ = (
        CheckConstraint("why IN ('review', 'appeal')", name="why"),
        Index("ix_quarantines_entry_id", "entry_id"),
        Index("ix_quarantines_open", "list_id", postgresql_where=text("lifted_at IS NULL")),
    )

    id: Mapped[BigId]
    list_id: Mapped[int] = mapped_column(ForeignKey("hash_lists.id", ondelete="CASCADE"))
    entry_id: Mapped[int | None] = mapped_column(BigInteger)  # no foreign key: entries go with their list alone
    why: Mapped[str]
    decided: Mapped[int]
    refused: Mapped[int]
    began_at: Mapped[CreatedAt]
    lifted_at: Mapped[Timestamp | None]
    lifted_by: Mapped[str | None]
    reason: Mapped[str | None]


class ListRemoval(Base):
    """A removed list, so that replicas which still hold it learn that it went."""

    __tablename__ = "list_removals"

    list_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    change: Mapped[int] = mapped_column(BigInteger, change_numbers, index=True)
    removed_at: Mapped[CreatedAt]


class ListWalk(Base):
    """How far a list has walked back through the ledger: every entry of it that changed up to `generation`, as far as
    `reach` (Hamming bits; -1 while it did not bind), has been compared with all that was judged before."""

    __tablename__ = "list_walks"

    list_id: Mapped[int] = mapped_column(
        ForeignKey("hash_lists.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    generation: Mapped[int] = mapped_column(BigInteger)
    reach: Mapped[int]


class Walk(Base):
    """One walk through the ledger, for a person to follow and for the next process to resume. `lists` names what
    walks, `done` which shards are finished; `candidates` may be late matches, `matches` were."""

    __tablename__ = "walks"

    id: Mapped[BigId]
    reason: Mapped[str]
    lists: Mapped[list[Any]] = mapped_column(JSONB)
    generation: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    entries: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rows_total: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rows_done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    candidates: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    matches: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    done: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    error: Mapped[str | None]
    started_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    finished_at: Mapped[Timestamp | None]


class Retractions(Base):
    """How far retractions have gone, in one row: all that entries lost up to `generation` was taken back where it had
    held something. Case items written by transactions from `horizon` on may not have been looked at. Every undecided
    item that there was has been compared with what the lists knew at `news`."""

    __tablename__ = "retractions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    horizon: Mapped[int] = mapped_column(TransactionId, server_default=text("'0'"))
    news: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    updated_at: Mapped[CreatedAt]


class IndexBuild(Base):
    """A set of index or ledger files that was made from this database as it was. Files whose token is not here were
    made from another, or from a state that a restored backup does not know: they are made anew."""

    __tablename__ = "index_builds"

    token: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[CreatedAt]


class ListCount(Base):
    """How large a list is now, counted where entries change, so that nobody has to count millions to know."""

    __tablename__ = "list_counts"

    list_id: Mapped[int] = mapped_column(
        ForeignKey("hash_lists.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    entries: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    disputed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    md5: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    sha1: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    sha256: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    pdq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class ListDay(Base):
    """A list on one day (UTC): how many entries it had at the day's end, and how often it was met when something
    arrived, and by late matches."""

    __tablename__ = "list_days"

    list_id: Mapped[int] = mapped_column(
        ForeignKey("hash_lists.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    entries: Mapped[int | None] = mapped_column(BigInteger)
    matches: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    late_matches: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
