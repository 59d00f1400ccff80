"""Hash lists and their entries."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt, Hash, Timestamp
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
        )


class Entry(Base):
    """One known item. `identity` is what makes it the same item in the next file of that list: the upstream id, or
    else its strongest hash. A removed entry stays as a row with `removed_at`, so that replicas learn of it."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("list_id", "identity"),
        Index("ix_entries_change", "change"),
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
    added_at: Mapped[CreatedAt]
    removed_at: Mapped[Timestamp | None]


class ListRemoval(Base):
    """A removed list, so that replicas which still hold it learn that it went."""

    __tablename__ = "list_removals"

    list_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    change: Mapped[int] = mapped_column(BigInteger, change_numbers, index=True)
    removed_at: Mapped[CreatedAt]
