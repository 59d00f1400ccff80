"""The vault: evidence is sealed into the object store, and opened only as exactly what was sealed.

Each case has a random key of its own, wrapped by the master key; destroying that one row destroys the evidence of the
case, backups of the object store included. The object is written before the row that names it is committed: whatever
dies in between, no row ever names an object that is not there. What may stay behind is an object without a row, which
`remove_orphans` finds.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

import structlog
from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seawall.database.tables import Appeal, ConversationMessage, Evidence, EvidenceKey, WebhookEndpoint, now
from seawall.engines.objects import ObjectStore
from seawall.errors import Conflict, EvidenceError, EvidenceTampered, MasterKeyMissing, NotFound
from seawall.evidence import audit
from seawall.evidence.key_files import KEY_BYTES
from seawall.evidence.master_key import MasterKey
from seawall.evidence.sealing import open_stream, seal_stream
from seawall.records import SYSTEM

PREFIX = "evidence/"
# A transaction that has written its object and not yet committed looks just like an orphan. None lives this long.
YOUNGEST_ORPHAN = timedelta(hours=1)
USUAL_ORPHANS = 100
LOOKUP = 1000

log = structlog.get_logger(__name__)


class Vault:
    """Seals and opens evidence. Safe to share between threads; the sessions are the caller's.

    Args:
        objects: where the sealed objects lie.
        master_key: what wraps the keys of the cases.
    """

    def __init__(self, objects: ObjectStore, master_key: MasterKey) -> None:
        self._objects = objects
        self._master_key = master_key

    @staticmethod
    def anything_sealed(session: Session) -> bool:
        """Whether something was ever sealed with a master key, so that making a new one would hide a loss."""
        return bool(
            session.scalar(
                select(
                    exists(select(EvidenceKey))
                    | exists(select(WebhookEndpoint))
                    | exists(select(Appeal))
                    | exists(select(ConversationMessage))
                )
            )
        )

    def check_master_key(self, session: Session) -> None:
        """Finds out at start, and not at the first reveal, that evidence was sealed with another master key.

        Raises:
            MasterKeyMissing: names the key that is needed, by its id.
        """
        others = session.scalars(
            select(EvidenceKey.master_key_id).where(EvidenceKey.master_key_id != self._master_key.key_id).limit(1)
        )
        for key_id in others:
            raise self._other_master_key(key_id)

    def seal_words(self, words: str, purpose: str) -> bytes:
        """What somebody wrote, sealed with the master key for one purpose."""
        return self._master_key.seal(words.encode(), purpose.encode())

    def open_words(self, sealed: bytes, purpose: str) -> str:
        """What :meth:`seal_words` was given.

        Raises:
            EvidenceTampered: it was changed, or was sealed for another purpose or with another master key.
        """
        return self._master_key.open(sealed, purpose.encode()).decode()

    def tag(self, words: str, purpose: str) -> bytes:
        """A keyed hash of a text, for one purpose."""
        return self._master_key.tag(words.encode(), purpose.encode())

    def seal(self, session: Session, case_id: int, item_id: int, data: bytes, media_type: str | None) -> Evidence:
        """Seals one item's bytes and returns the flushed row. The same bytes for the same item are sealed once.

        Raises:
            Conflict: other bytes are sealed for this item already.
            ObjectStoreUnavailable: nothing was stored.
            MasterKeyMissing: the case's key was wrapped by another master key.
        """
        digest = hashlib.sha256(data).digest()
        present = session.scalar(select(Evidence).where(Evidence.item_id == item_id))
        if present is not None:
            if present.case_id == case_id and present.sha256 == digest:
                return present
            raise Conflict(f"Other evidence is sealed for item {item_id} already.")
        key = self._case_key(session, case_id, may_create=True)
        sealed = b"".join(seal_stream(key, _binding(case_id, item_id, digest), (data,)))
        name = f"{PREFIX}{secrets.token_hex(1)}/{secrets.token_hex(16)}"
        self._objects.put_new(name, sealed)
        row = Evidence(
            case_id=case_id,
            item_id=item_id,
            object_name=name,
            media_type=media_type,
            size=len(data),
            sha256=digest,
            sealed_sha256=hashlib.sha256(sealed).digest(),
        )
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise Conflict(f"Evidence for item {item_id} of case {case_id} cannot be entered.") from error
        return row

    def open(self, session: Session, evidence_id: int) -> bytes:
        """The original bytes, after everything about them was verified. Who looks is put on record by the caller.

        Raises:
            NotFound: there is no such evidence.
            EvidenceTampered: object, key, row or bytes are not what was sealed.
            MasterKeyMissing: it was sealed under another master key.
        """
        row = session.get(Evidence, evidence_id)
        if row is None:
            raise NotFound(f"There is no evidence {evidence_id}.")
        sealed = self._fetch(row)
        if not secrets.compare_digest(hashlib.sha256(sealed).digest(), row.sealed_sha256):
            raise EvidenceTampered(f"The sealed object of evidence {row.id} was changed.")
        key = self._case_key(session, row.case_id, may_create=False)
        try:
            data = b"".join(open_stream(key, _binding(row.case_id, row.item_id, row.sha256), (sealed,)))
        except EvidenceTampered as error:
            raise EvidenceTampered(f"Evidence {row.id} does not open: {error.message}") from None
        if len(data) != row.size or not secrets.compare_digest(hashlib.sha256(data).digest(), row.sha256):
            raise EvidenceTampered(f"Evidence {row.id} opens to other bytes than were sealed.")
        return data

    def seal_small(self, data: bytes, purpose: bytes) -> bytes:
        """Something small that is kept in the database, sealed as :meth:`MasterKey.seal` does."""
        return self._master_key.seal(data, purpose)

    def seal_document(self, session: Session, case_id: int, data: bytes, name: str) -> bytes:
        """Seals what the database itself keeps of a case (a report's draft, the XML that was sent) under the case's
        key. It opens only under the same name."""
        key = self._case_key(session, case_id, may_create=True)
        return b"".join(seal_stream(key, _named(case_id, name), (data,)))

    def open_document(self, session: Session, case_id: int, sealed: bytes, name: str) -> bytes:
        """What :meth:`seal_document` was given.

        Raises:
            EvidenceTampered: it is not what was sealed under that name.
        """
        key = self._case_key(session, case_id, may_create=False)
        return b"".join(open_stream(key, _named(case_id, name), (sealed,)))

    def find_orphans(self, session: Session, older_than: timedelta) -> Iterator[str]:
        """Names of sealed objects that no row names, streamed.

        Args:
            older_than: at least an hour, so that a transaction in progress is never mistaken for a dead one.
        """
        if older_than < YOUNGEST_ORPHAN:
            raise ValueError("An object younger than an hour may belong to a transaction that is not committed yet.")
        before = now() - older_than
        old = (name for name, modified in self._objects.names(PREFIX) if modified < before)
        while names := list(islice(old, LOOKUP)):
            known = set(session.scalars(select(Evidence.object_name).where(Evidence.object_name.in_(names))))
            yield from (name for name in names if name not in known)

    def remove_orphans(
        self, session: Session, older_than: timedelta = timedelta(days=7), *, at_most: int = USUAL_ORPHANS
    ) -> int:
        """Deletes orphans, puts that on record and returns how many there were.

        Raises:
            EvidenceError: there are more than `at_most`; nothing was deleted. A few come from processes that died,
                many from a database that was restored from an old backup and has forgotten its evidence.
        """
        orphans = list(islice(self.find_orphans(session, older_than), at_most + 1))
        if len(orphans) > at_most:
            raise EvidenceError(
                f"More than {at_most} sealed objects have no row in the database; none was deleted.",
                hint="Was the database restored from an older backup? Then these objects are evidence: keep them.",
            )
        for name in orphans:
            self._objects.delete(name)
        if orphans:
            log.info("evidence.orphans_removed", count=len(orphans))
            audit.append(session, SYSTEM, "evidence.remove_orphans", "vault:objects", {"count": len(orphans)})
        return len(orphans)

    def _fetch(self, row: Evidence) -> bytes:
        try:
            return self._objects.get(row.object_name)
        except NotFound:
            raise EvidenceTampered(f"The sealed object of evidence {row.id} is gone.") from None

    def _case_key(self, session: Session, case_id: int, *, may_create: bool) -> bytes:
        """The case's key, made if it has none. Of several that make one at once, the first committed stays."""
        wanted = select(EvidenceKey.wrapped, EvidenceKey.master_key_id).where(EvidenceKey.case_id == case_id)
        found = session.execute(wanted).one_or_none()
        if found is None and may_create:
            wrapped = self._master_key.wrap(secrets.token_bytes(KEY_BYTES), case_id=case_id)
            values = {"case_id": case_id, "wrapped": wrapped, "master_key_id": self._master_key.key_id}
            session.execute(insert(EvidenceKey).values(values).on_conflict_do_nothing())
            found = session.execute(wanted).one_or_none()
        if found is None:
            raise EvidenceTampered(f"The key of case {case_id} is gone; its evidence cannot be opened.")
        if found.master_key_id != self._master_key.key_id:
            raise self._other_master_key(found.master_key_id)
        return self._master_key.unwrap(found.wrapped, case_id=case_id)

    def _other_master_key(self, key_id: str) -> MasterKeyMissing:
        return MasterKeyMissing(
            f"Evidence was sealed with master key {key_id}, and the one at hand is {self._master_key.key_id}.",
            hint="Every process that shares a database needs the same master key. Restore the key that is named.",
        )


def _binding(case_id: int, item_id: int, sha256: bytes) -> bytes:
    """What a sealed object is bound to, in fixed lengths: 8 + 8 + 32 bytes."""
    return case_id.to_bytes(8) + item_id.to_bytes(8) + sha256


def _named(case_id: int, name: str) -> bytes:
    """What a sealed document is bound to."""
    return b"document" + case_id.to_bytes(8) + name.encode()
