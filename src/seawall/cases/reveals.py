"""Reveals: one deliberate look at one piece of evidence, asked for, shown once, and on record.

The first look of a person at a piece of evidence is always the mildest. The audit events are the caller's.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from seawall.database.tables import Evidence, Reveal
from seawall.errors import Conflict, NotFound
from seawall.records import RevealStage

LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class RedeemedReveal:
    """What a redeemed token entitles to: one look at this evidence, at this stage."""

    evidence_id: int
    stage: RevealStage


def ask(session: Session, evidence_id: int, user_id: int, stage: RevealStage) -> str:
    """Puts the wish to look on record and returns a token of 256 random bits, for this person, good once and for 60
    seconds. Only its digest is kept.

    Raises:
        NotFound: there is no such evidence.
        Conflict: this person has not looked at the mildest stage yet.
    """
    if session.get(Evidence, evidence_id) is None:
        raise NotFound(f"There is no evidence {evidence_id}.")
    if stage is not RevealStage.BLURRED and not _has_looked(session, evidence_id, user_id):
        raise Conflict("The first look is a blurred one.", hint="Ask for the blurred picture first.")
    token = secrets.token_urlsafe(32)
    session.add(
        Reveal(
            evidence_id=evidence_id,
            user_id=user_id,
            stage=stage.value,
            token_hash=_digest(token),
            expires_at=func.clock_timestamp() + LIFETIME,
        )
    )
    session.flush()
    return token


def redeem(session: Session, token: str, user_id: int) -> RedeemedReveal:
    """Uses the token up. Of several that try at once, one succeeds.

    Raises:
        NotFound: it is unknown, used, expired or another person's; which of these is not told.
    """
    used = (
        update(Reveal)
        .where(
            Reveal.token_hash == _digest(token),
            Reveal.user_id == user_id,
            Reveal.shown_at.is_(None),
            Reveal.expires_at > func.clock_timestamp(),
        )
        .values(shown_at=func.clock_timestamp())
        .returning(Reveal.evidence_id, Reveal.stage)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(used).one_or_none()
    if row is None:
        raise NotFound(
            "This look is not possible (any more).", hint="Ask for the picture again; each look works once."
        )
    return RedeemedReveal(row.evidence_id, RevealStage(row.stage))


def _has_looked(session: Session, evidence_id: int, user_id: int) -> bool:
    looked = exists().where(
        Reveal.evidence_id == evidence_id, Reveal.user_id == user_id, Reveal.shown_at.is_not(None)
    )
    return bool(session.scalar(select(looked)))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
