"""Keypoint signatures of what reviewers confirmed here."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from seawall.database.tables.base import Base, BigId, CreatedAt


class KeptKeypoints(Base):
    """One signature of a picture that an entry was taken from. `words` finds it, `sealed` is the signature itself
    under the master key: descriptors with their places tell more of a picture than a hash does. Both are None for an
    entry that has none, so that it is not looked at again."""

    __tablename__ = "kept_keypoints"

    id: Mapped[BigId]
    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), index=True)
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[CreatedAt]
