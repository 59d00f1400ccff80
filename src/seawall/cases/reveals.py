"""Reveals: one deliberate look at one piece of evidence, asked for, shown once, and on record.

Which stages may be asked for is ruled in `stages.py`. The audit events are the caller's.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from seawall.cases import stages
from seawall.cases.stages import Floor
from seawall.database.tables import Evidence, Reveal
from seawall.errors import BadInput, NotFound
from seawall.records import RevealStage
from seawall.strips import Strip

LIFETIME = timedelta(seconds=60)
# A look is over after so long, whether the browser says so or not.
LONGEST_LOOK = timedelta(seconds=60)
STRIP_STAGES = (RevealStage.BLURRED, RevealStage.GREY)


@dataclass(frozen=True, slots=True)
class Aim:
    """What of a piece of evidence is looked at: without a place its first picture, else a still that a strip showed.
    Of a `strip`, place and step say from where on and how far apart (:class:`seawall.database.tables.Reveal`)."""

    place: int | None = None
    moving: bool = False
    strip: bool = False
    step: int = 0


FIRST = Aim()


@dataclass(frozen=True, slots=True)
class RedeemedReveal:
    """What a redeemed token entitles to: one look at this evidence, at this stage."""

    reveal_id: int
    evidence_id: int
    stage: RevealStage
    aim: Aim = FIRST


def ask(session: Session, evidence_id: int, user_id: int, stage: RevealStage, floor: Floor, aim: Aim = FIRST) -> str:
    """Puts the wish to look on record and returns a token of 256 random bits, for this person, good once and for 60
    seconds. Only its digest is kept.

    Raises:
        NotFound: there is no such evidence, or no strip has shown this person that still.
        Forbidden: the floor is below this stage.
        Conflict: this person has not looked at the stage before it.
        BadInput: a strip is shown blurred or grey, not so clearly.
    """
    if session.get(Evidence, evidence_id) is None:
        raise NotFound(f"There is no evidence {evidence_id}.")
    if aim.strip and stage not in STRIP_STAGES:
        raise BadInput("Stills are shown together blurred or in grey.", hint="Choose one of them to see it clearer.")
    if aim.place is not None and not aim.strip and not _was_on_a_strip(session, evidence_id, user_id, aim):
        raise NotFound("That still was not among those that you were shown.", hint="Look at the stills first.")
    stages.check(stage, floor, seen(session, evidence_id, user_id, aim))
    token = secrets.token_urlsafe(32)
    session.add(
        Reveal(
            evidence_id=evidence_id,
            user_id=user_id,
            stage=stage.value,
            token_hash=_digest(token),
            expires_at=func.clock_timestamp() + LIFETIME,
            strip=aim.strip,
            place=aim.place,
            moving=aim.moving,
            step=aim.step,
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
        .returning(
            Reveal.id, Reveal.evidence_id, Reveal.stage, Reveal.place, Reveal.moving, Reveal.strip, Reveal.step
        )
        .execution_options(synchronize_session=False)
    )
    row = session.execute(used).one_or_none()
    if row is None:
        raise NotFound(
            "This look is not possible (any more).", hint="Ask for the picture again; each look works once."
        )
    aim = Aim(row.place, row.moving, row.strip, row.step)
    return RedeemedReveal(row.id, row.evidence_id, RevealStage(row.stage), aim)


def note_strip(session: Session, reveal_id: int, strip: Strip) -> None:
    """Keeps what stills a look has shown: only these can be looked at on their own."""
    told = {"places": list(strip.places), "more": strip.more, "moving": strip.moving, "length": strip.length}
    session.execute(update(Reveal).where(Reveal.id == reveal_id).values(told=told))


def last_strip(session: Session, evidence_id: int, user_id: int) -> Strip | None:
    """The stills that this person was shown last of this evidence."""
    told = session.scalar(
        _shown(select(Reveal.told), evidence_id, user_id)
        .where(Reveal.strip, Reveal.told.is_not(None))
        .order_by(Reveal.shown_at.desc())
        .limit(1)
    )
    if told is None:
        return None
    return Strip(tuple(told["places"]), told["more"], told["moving"], told["length"])


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


def seen(session: Session, evidence_id: int, user_id: int, aim: Aim = FIRST) -> set[RevealStage]:
    """The stages in which this person was shown that part of this evidence. A still counts as seen as its strip was;
    a strip as anything of the evidence was."""
    shown = _shown(select(Reveal.stage), evidence_id, user_id)
    if not aim.strip:
        itself = ~Reveal.strip & Reveal.place.is_not_distinct_from(aim.place)
        on_strip = Reveal.strip & Reveal.told.contains(_told(aim))
        shown = shown.where(itself if aim.place is None else (itself & (Reveal.moving == aim.moving)) | on_strip)
    return {RevealStage(stage) for stage in session.scalars(shown.distinct())}


def _was_on_a_strip(session: Session, evidence_id: int, user_id: int, aim: Aim) -> bool:
    strips = _shown(select(Reveal.id), evidence_id, user_id).where(Reveal.strip, Reveal.told.contains(_told(aim)))
    return session.scalar(strips.limit(1)) is not None


def _told(aim: Aim) -> dict[str, object]:
    return {"places": [aim.place], "moving": aim.moving}


def _shown(query: Select[Any], evidence_id: int, user_id: int) -> Select[Any]:
    return query.where(Reveal.evidence_id == evidence_id, Reveal.user_id == user_id, Reveal.shown_at.is_not(None))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
