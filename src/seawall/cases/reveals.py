"""Reveals: one deliberate look at one piece of evidence, asked for, shown once, and on record.

Which stages may be asked for is ruled in `stages.py`. The audit events are the caller's.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from seawall.cases import stages
from seawall.cases.stages import Floor
from seawall.database.tables import Evidence, Reveal
from seawall.errors import NotFound
from seawall.records import RevealStage

LIFETIME = timedelta(seconds=60)
# A look is over after so long, whether the browser says so or not.
LONGEST_LOOK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class RedeemedReveal:
    """What a redeemed token entitles to: one look at this evidence, at this stage."""

    evidence_id: int
    stage: RevealStage


def ask(session: Session, evidence_id: int, user_id: int, stage: RevealStage, floor: Floor) -> str:
    """Puts the wish to look on record and returns a token of 256 random bits, for this person, good once and for 60
    seconds. Only its digest is kept.

    Raises:
        NotFound: there is no such evidence.
        Forbidden: the floor is below this stage.
        Conflict: this person has not looked at the stage before it.
    """
    if session.get(Evidence, evidence_id) is None:
        raise NotFound(f"There is no evidence {evidence_id}.")
    stages.check(stage, floor, seen(session, evidence_id, user_id))
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
            Reveal.closed_at.is_(None),
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


def close(session: Session, token: str, user_id: int) -> None:
    """Notes that what the token showed is covered again; one that has shown nothing yet shows nothing any more.

    Only a person's own look can be closed, once. It has lasted as long as the database's clock says, and no longer
    than `LONGEST_LOOK`.
    """
    session.execute(
        update(Reveal)
        .where(
            Reveal.token_hash == _digest(token),
            Reveal.user_id == user_id,
            Reveal.closed_at.is_(None),
        )
        .values(closed_at=func.least(func.clock_timestamp(), Reveal.shown_at + LONGEST_LOOK))
        .execution_options(synchronize_session=False)
    )


def seen(session: Session, evidence_id: int, user_id: int) -> set[RevealStage]:
    """The stages in which this person was shown this evidence."""
    shown = select(Reveal.stage).where(
        Reveal.evidence_id == evidence_id, Reveal.user_id == user_id, Reveal.shown_at.is_not(None)
    )
    return {RevealStage(stage) for stage in session.scalars(shown.distinct())}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
