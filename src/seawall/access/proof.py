"""Whether a person has shown lately who they are, which some acts demand beyond an open session."""

from __future__ import annotations

from datetime import datetime, timedelta

from seawall.access.people import PersonSession
from seawall.database.tables import now
from seawall.errors import ProofNeeded
from seawall.settings import Settings


def idle_limit(settings: Settings) -> timedelta | None:
    """How long a session may lie unused before its proof lapses; None: for ever."""
    return timedelta(minutes=settings.proof_idle_minutes) if settings.proof_idle_minutes else None


def is_proven(person: PersonSession, settings: Settings, at: datetime | None = None) -> bool:
    """Whether the person's last proof is as young as the settings want it. The session's idle time was looked at when
    the session was: see :func:`seawall.access.sessions.session_from_token`."""
    if settings.proof_minutes == 0:
        return True
    lasts = timedelta(minutes=settings.proof_minutes)
    return person.proven_at is not None and (at or now()) - person.proven_at < lasts


def require_proof(person: PersonSession, settings: Settings) -> None:
    """Raises ProofNeeded unless the person has shown lately who they are."""
    if not is_proven(person, settings):
        raise ProofNeeded("Show first that it is you.", hint="Your password or a passkey does.")
