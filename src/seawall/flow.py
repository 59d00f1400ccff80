"""Where a newcomer starts: for each kind of arrival, the ordered steps.

A room never calls the next room. It takes records and returns records, and the functions here carry them on. Nothing
is answered before what the answer obliges us to (ledger, case, sealed evidence, outbox, audit) is committed, all in
one transaction. A step that is more than one call stands in `steps.py`.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from seawall import copies, likewise, messages, steps
from seawall.access.people import PersonSession
from seawall.access.permissions import ALLOWED, Act
from seawall.access.requests import RequestInfo
from seawall.cases import appeals, blind, claims, exposure, floors, lookups, mixing, notes, reveals
from seawall.cases.appeals import AppealArrival, AppealView
from seawall.cases.conversations import conversation_of
from seawall.cases.lookups import Hit
from seawall.cases.stages import Floor
from seawall.cases.store import DecisionResult
from seawall.conversation_records import MessageAnswer, MessageArrival
from seawall.database.locks import Lock, take
from seawall.errors import Conflict, DatabaseUnavailable
from seawall.evidence import audit
from seawall.fingerprints import exact
from seawall.grooming import contact_store, message_store
from seawall.grooming.contacts import ContactAct, ContactEvent, ContactRisk, contact_risk
from seawall.grooming.ears import Ears
from seawall.grooming.message_store import Context
from seawall.grooming.tactics import Noticed
from seawall.matching import entering, ledger
from seawall.matching.entering import Entering
from seawall.policy.decide import decide
from seawall.records import (
    Actor,
    Answer,
    Digests,
    Finding,
    Fingerprint,
    HarmClass,
    HashArrival,
    Judged,
    Judgement,
    MediaArrival,
    Outcome,
    RevealStage,
    ShareArrival,
)
from seawall.reporting import drafting as reports
from seawall.rooms import Rooms
from seawall.second import deciding

# Messages of a batch that are taken up in one transaction, and how often that is tried while conversations begin.
MESSAGES_AT_ONCE, ATTEMPTS = 250, 4

# ---------------------------------------------------------------------------------------------- something arrives


def judge_media(rooms: Rooms, arrival: MediaArrival) -> Answer:
    """Bytes -> fingerprint -> findings -> verdict -> case, evidence, webhook -> answer.

    Raises:
        NotMedia: the bytes are no media, and on no list either; nothing was stored.
        Unavailable: a part is out of reach; nothing was stored, and the platform must not publish.
    """
    started = time.perf_counter()
    digests = exact.digest(arrival.body)
    identity = exact.identity(digests)
    answer, _known = steps.earlier(rooms, arrival.content_id, identity, with_bytes=True)
    if answer is None:
        generation = rooms.index.generation
        fingerprint, findings = steps.understand(rooms, arrival.body, digests, arrival.surface)
        judgement = decide(rooms.policy, findings, surface=arrival.surface)
        answer = steps.act(rooms, Judged(arrival, identity, fingerprint, findings, judgement, generation))
    return _timed(answer, started)


def judge_hashes(rooms: Rooms, arrival: HashArrival) -> Answer:
    """Hashes alone -> findings -> verdict -> case, webhook -> answer. There are no bytes to seal.

    Nearly all hashes are new and on no list; `judge_new_hashes` has a shorter way for those.
    """
    started = time.perf_counter()
    identity = ledger.identity_of_hashes(arrival)
    answer, known = steps.earlier(rooms, arrival.content_id, identity, with_bytes=False)
    if answer is None:
        generation = rooms.index.generation
        fingerprint, findings = steps.look_up_hashes(rooms, arrival, known)
        judgement = decide(rooms.policy, findings, surface=arrival.surface)
        answer = steps.act(rooms, Judged(arrival, identity, fingerprint, findings, judgement, generation))
    return _timed(answer, started)


def judge_new_hashes(rooms: Rooms, arrivals: Sequence[HashArrival]) -> dict[int, Answer]:
    """What most hashes are, many at once: hashes alone -> no findings -> ledger, one statement for all -> answers.

    Returns the answers of those that are new to the ledger and on no list, by their places. The others go through
    `judge_hashes`, one by one in their order, and after these; so each is answered as if all had gone that way.
    """
    started = time.perf_counter()
    clean = steps.without_findings(rooms, arrivals)
    return _entered(clean, entering.enter_new(rooms.database, list(clean.values())), started)


async def judge_few_new_hashes(rooms: Rooms, enter: Entering, arrivals: Sequence[HashArrival]) -> dict[int, Answer]:
    """`judge_new_hashes` of a few, in an event loop: no thread is woken for what takes so little."""
    started = time.perf_counter()
    clean = steps.without_findings(rooms, arrivals)
    return _entered(clean, await enter.enter_new(list(clean.values())), started)


def _entered(clean: Mapping[int, Judged], entered: Set[int], started: float) -> dict[int, Answer]:
    """The answers to those of the clean ones, in their order, that were entered."""
    return {
        place: _timed(steps.answer_of(judged), started)
        for number, (place, judged) in enumerate(clean.items())
        if number in entered
    }


def judge_share(rooms: Rooms, share: ShareArrival) -> Answer:
    """What is passed on. By content id or address -> what the ledger says of it. By hashes -> findings -> verdict, or
    that of the same bytes or the same content id where they were refused, whichever is strictest -> case, webhook ->
    answer.

    Hashes without a content id that nothing is found of leave nothing behind.
    """
    started = time.perf_counter()
    referred = steps.known_by_reference(rooms, share)
    if share.hashes is None:
        return _timed(referred or steps.not_screened(rooms, share), started)
    identity = ledger.identity_of_hashes(share.hashes)
    answer, known = steps.earlier(rooms, share.hashes.content_id, identity, with_bytes=False)
    if answer is None:
        generation = rooms.index.generation
        fingerprint, findings = steps.look_up_hashes(rooms, share.hashes, known)
        judgement = decide(rooms.policy, findings, surface=share.surface)
        judged = Judged(share.hashes, identity, fingerprint, findings, judgement, generation)
        copy = steps.refused_copy(rooms, fingerprint.digests)
        refused = copy is not None or (referred is not None and referred.verdict.refuses)
        # Shown as published it would contradict what is refused.
        kept = judgement.verdict.refuses or (share.content_id is not None and not refused)
        answer = steps.act(rooms, judged) if kept else steps.unkept(fingerprint, judgement)
        answer = steps.stricter(answer, copy)
    return _timed(steps.stricter(answer, referred), started)


def examine(
    rooms: Rooms, body: bytes, digests: Digests, *, surface: str
) -> tuple[Fingerprint, tuple[Finding, ...], Judgement]:
    """Bytes and their digests -> fingerprint -> findings -> verdict, with nothing kept: for the operator's own files.

    Raises:
        NotMedia: the bytes are no media, and on no list either.
    """
    fingerprint, findings = steps.understand(rooms, body, digests, surface)
    return fingerprint, findings, decide(rooms.policy, findings, surface=surface)


def judge_contact(rooms: Rooms, event: ContactEvent) -> ContactRisk:
    """Who did what toward whom -> the window of who sought the contact -> what its signs come to. No message is read.

    What is told twice, or late, changes nothing that it did not change before.
    """
    with rooms.database.transaction() as session:
        facts = contact_store.facts_of(session, (event.account_id, event.other_id))
        contact_store.note(session, event, facts[event.other_id])
        seeker, sought = event.account_id, event.other_id
        if event.act is not ContactAct.REQUEST:
            seeker, sought = sought, seeker
        window = contact_store.window_of(session, seeker, event.at)
    return contact_risk(facts[seeker], facts[sought], window, mutuals=event.mutuals, at=event.at)


def judge_messages(rooms: Rooms, arrivals: Sequence[MessageArrival]) -> list[MessageAnswer]:
    """Messages, in the order in which they came -> those that may be read at all -> cues -> under the lock of their
    conversations: what is known already is answered as before, else risk, contact, policy -> case, webhook, audit ->
    state and sealed text -> answers, all in one transaction.

    What is told late counts when it comes, and what is told twice changes nothing.

    Raises:
        Unavailable: a part is out of reach; nothing was taken up.
    """
    looked = [arrival for arrival in arrivals if messages.may_look(rooms, arrival)]
    ears = rooms.listening.ears()
    noticed = [ears.noticer.notice(arrival.text) for arrival in looked]
    answers: dict[tuple[str, str], MessageAnswer] = {}
    for start in range(0, len(looked), MESSAGES_AT_ONCE):
        part = slice(start, start + MESSAGES_AT_ONCE)
        answers |= _take_up(rooms, ears, looked[part], noticed[part])
    return [
        answers.get((arrival.conversation_id, arrival.message_id)) or messages.not_looked_at(rooms, arrival)
        for arrival in arrivals
    ]


def _take_up(
    rooms: Rooms, ears: Ears, arrivals: Sequence[MessageArrival], noticed: Sequence[Noticed]
) -> dict[tuple[str, str], MessageAnswer]:
    """The answers by the ids of conversation and message. Conversations that begin are entered first, in a
    transaction of their own, so that all can be locked in one order."""
    wanted = {arrival.conversation_id for arrival in arrivals}
    for _attempt in range(ATTEMPTS):
        with rooms.database.transaction() as session:
            talks = message_store.lock(session, ears.noticer.catalogue, wanted)
            if len(talks) == len(wanted):
                return messages.take_up(rooms, session, ears, talks, arrivals, noticed)
        with rooms.database.transaction() as session:
            message_store.enter(session, wanted - talks.keys())
    raise Conflict("A conversation is being forgotten just now.", hint="Send the message again.")


# --------------------------------------------------------------------------------------------- a reviewer decides


def decide_item(
    rooms: Rooms,
    person: PersonSession,
    item_id: int,
    outcome: Outcome,
    reason: str,
    *,
    restrict_account: bool = False,
) -> DecisionResult:
    """Decision -> webhooks to the platform -> audit -> draft of a report, in one transaction; then -> exact copies
    that wait are decided too -> known to the platform's own lists.
    Or, where it takes two people: a request that waits, and nothing else.

    Raises:
        CaseClaimed: someone else works on the case.
        Conflict: someone else has decided it already, or it waits for a second person.
        BadInput: no reason was given, or there is no account to restrict.
    """
    lasts = timedelta(days=rooms.settings.second_person_days)
    with rooms.database.transaction() as session:
        result = deciding.decide(
            session, person, item_id, outcome, reason, restrict_account=restrict_account, lasts=lasts
        )
        claims.renew(session, result.case_id, person.user_id, timedelta(minutes=rooms.settings.claim_minutes))
        reports.keep_up(session, rooms.vault, rooms.settings, result.case_id)
        if result.waits is None:
            tag = functools.partial(rooms.vault.tag, purpose="blind review")
            blind.draw(session, item_id, rooms.settings.percent_reviewed, tag, ALLOWED[Act.DECIDE])
    if result.waits is None:
        _settle_copies(rooms)
    return result


def answer_request(
    rooms: Rooms, person: PersonSession, request_id: int, *, approved: bool, words: str
) -> RequestInfo:
    """A second person's answer -> where they approve: what was asked for, done -> audit, in one transaction.

    Raises:
        Conflict: it was answered already, or they are one of two who disagree about its item.
        Forbidden: it is their own request, or they may not do such acts.
    """
    with rooms.database.transaction() as session:
        answered = deciding.answer(session, person, request_id, approved=approved, words=words)
    _settle_copies(rooms)
    return answered


def receive_appeal(rooms: Rooms, actor: Actor, appeal: AppealArrival) -> AppealView:
    """What somebody says against a refusal -> sealed -> audit, in one transaction. The same appeal again changes
    nothing.

    Raises:
        NotFound: nothing of that content id is refused.
        BadInput: the content is another account's.
        Conflict: there is another appeal of that id, or against the same decision.
    """
    purpose = f"appeal:{appeal.appeal_id}"
    with rooms.database.transaction() as session:
        take(session, Lock.SUBJECT, of=purpose)
        known = appeals.find(session, appeal.appeal_id)
        if known is not None:
            said = appeal.text if known.sealed is None else rooms.vault.open_words(known.sealed, purpose)
            if (known.content_id, known.account_id, said) != (appeal.content_id, appeal.account_id, appeal.text):
                raise Conflict(
                    "There is another appeal of this appeal_id.", hint="Give each appeal an id of its own."
                )
            return known
        item = appeals.item_against(session, appeal.content_id, appeal.account_id)
        sealed = rooms.vault.seal_words(appeal.text, purpose)
        taken = appeals.receive(session, appeal.appeal_id, appeal.content_id, appeal.account_id, item, sealed)
        details = {"item": item, "case": taken.case_id}
        audit.append(session, actor, "appeal.receive", f"appeal:{taken.id}", details)
    return taken


def decide_appeal(rooms: Rooms, person: PersonSession, number: int, *, overturned: bool, reason: str) -> int | None:
    """Decision on an appeal -> webhooks -> audit, in one transaction; then -> known to the platform's own lists.
    Returns the number of the request that waits, where overturning takes two people.

    Raises:
        Forbidden: this person decided what it is against.
        Conflict: there is nothing to decide, or a request about it waits.
        BadInput: no reason was given.
    """
    lasts = timedelta(days=rooms.settings.second_person_days)
    with rooms.database.transaction() as session:
        waits = deciding.decide_appeal(session, person, number, overturned=overturned, reason=reason, lasts=lasts)
    _settle_copies(rooms)
    return waits


def _settle_copies(rooms: Rooms) -> None:
    with contextlib.suppress(DatabaseUnavailable):  # the decision stands; the worker does what is left
        likewise.settle(rooms, likewise.RIGHT_AWAY)
        copies.settle(rooms)


def look_up(rooms: Rooms, person: PersonSession, words: str) -> tuple[Hit, ...]:
    """Whatever names a case -> the cases -> audit, of what kind it was and how much was found, never what it was."""
    with rooms.database.transaction() as session:
        hits = lookups.find(session, words)
        kinds: list[audit.Json] = [*sorted({hit.by.value for hit in hits})]
        audit.append(session, person.actor, "case.look_up", "cases", {"by": kinds, "found": len(hits)})
    return hits


def write_note(rooms: Rooms, person: PersonSession, case_id: int, text: str) -> int:
    """What the next person should know -> the case's notes -> audit, without its words; returns its number.

    Raises:
        BadInput: it cannot be a note.
        Conflict: the case has as many as there may be.
        NotFound: there is no such case.
    """
    with rooms.database.transaction() as session:
        note = notes.add(session, case_id, person.user_id, text)
        audit.append(session, person.actor, "case.note", f"case:{case_id}", {"note": note})
    return note


def ask_to_reveal(
    rooms: Rooms, person: PersonSession, evidence_id: int, stage: RevealStage, aim: reveals.Aim = reveals.FIRST
) -> str:
    """One deliberate wish to look -> what floor and budget allow -> a one-time token, on record in the audit chain.

    Raises:
        NotFound: there is no such evidence, or no such still was shown to this person.
        BadInput: stills are not shown so clearly together.
        Forbidden: it may not be shown so clearly.
        Conflict: this person has not looked at the stage before it.
        ExposureSpent: they have looked enough today.
    """
    with rooms.database.transaction() as session:
        exposure.check(session, rooms.settings, person.user_id)
        floor = floors.of_evidence(session, rooms.settings, evidence_id, person.user_id)
        token = reveals.ask(session, evidence_id, person.user_id, stage, floor, aim)
        audit.append(
            session,
            person.actor,
            "reveal.ask",
            f"evidence:{evidence_id}",
            _told_look(stage, aim),
        )
    return token


def reveal(rooms: Rooms, person: PersonSession, token: str, longest_side: int) -> bytes:
    """Token -> look on record -> evidence opened -> picture made in a child process.

    The look counts before anything is shown: whatever fails afterwards, the record says that it was opened.

    Raises:
        NotFound: the token is unknown, used, expired or another person's.
        ExposureSpent: this person has looked enough today.
        EvidenceTampered: the sealed bytes are not what was sealed.
    """
    with rooms.database.transaction() as session:
        exposure.check_alone(session, rooms.settings, person.user_id)
        look = reveals.redeem(session, token, person.user_id)
        audit.append(
            session,
            person.actor,
            "reveal.show",
            f"evidence:{look.evidence_id}",
            _told_look(look.stage, look.aim),
        )
    with rooms.database.transaction() as session:
        original = rooms.vault.open(session, look.evidence_id)
    return _picture(rooms, look, original, longest_side)


def _told_look(stage: RevealStage, aim: reveals.Aim) -> dict[str, object]:
    """A look as the audit chain tells it."""
    told: dict[str, object] = {"stage": stage.value}
    if aim.strip:
        return told | {"stills_from": aim.place, "step": aim.step}
    return told if aim.place is None else told | {"millisecond" if aim.moving else "frame": aim.place}


def _picture(rooms: Rooms, look: reveals.RedeemedReveal, original: bytes, longest_side: int) -> bytes:
    """The one picture of a look, and of a strip what stills are on it."""
    aim = look.aim
    if aim.strip:
        strip, sheet = rooms.decoders.strip(original, look.stage, aim.place or 0, aim.step)
        with rooms.database.transaction() as session:
            reveals.note_strip(session, look.reveal_id, strip)
        return sheet
    if aim.place is not None and aim.moving:
        return rooms.decoders.still(original, look.stage, longest_side, aim.place)
    return rooms.decoders.thumbnail(original, look.stage, longest_side, aim.place or 0)


def cover(rooms: Rooms, person: PersonSession, token: str) -> None:
    """What the token showed is covered again: the time for which it was seen ends."""
    with rooms.database.transaction() as session:
        reveals.close(session, token, person.user_id)


def read_conversation(rooms: Rooms, person: PersonSession, case_id: int, item_id: int) -> Context:
    """One deliberate wish to read what was said -> the newest messages, as far as they are kept -> audit, in one
    transaction.

    Raises:
        NotFound: the case has no such item, or it is no conversation.
        EvidenceTampered: a text is not what was sealed.
    """
    with rooms.database.transaction() as session:
        conversation_id, author = conversation_of(session, case_id, item_id)
        most = rooms.settings.message_keep_count
        context = message_store.context(session, rooms.vault, conversation_id, author=author, most=most)
        details: dict[str, audit.Json] = {"item": item_id, "messages": len(context.messages)}
        audit.append(session, person.actor, "conversation.read", f"case:{case_id}", details)
    return context


def pass_on(rooms: Rooms, person: PersonSession, case_id: int) -> None:
    """A case that somebody would rather not work on -> free for others, not offered to them for a day -> audit.

    Raises:
        NotFound: there is no such case.
        Conflict: it is decided.
    """
    with rooms.database.transaction() as session:
        mixing.pass_on(session, case_id, person.user_id)
        claims.release(session, case_id, person.user_id)
        audit.append(session, person.actor, "case.pass", f"case:{case_id}", {})


def set_own_floor(rooms: Rooms, person: PersonSession, harm_class: HarmClass, wanted: Floor) -> None:
    """How clearly somebody wants to be shown a class at most -> audit.

    Raises:
        Conflict: it would show more than the organisation's floor does.
    """
    with rooms.database.transaction() as session:
        before = floors.set_own(session, rooms.settings, person.user_id, harm_class, wanted)
        _tell_floor(session, person, "floor.own", harm_class, before, wanted)


def raise_floor(rooms: Rooms, person: PersonSession, harm_class: HarmClass, wanted: Floor) -> None:
    """How clearly everybody is shown a class at most -> audit.

    Raises:
        Conflict: it would show more than before.
    """
    with rooms.database.transaction() as session:
        before = floors.raise_for_all(session, rooms.settings, harm_class, wanted)
        _tell_floor(session, person, "floor.raise", harm_class, before, wanted)


def _tell_floor(
    session: Session, person: PersonSession, act: str, harm_class: HarmClass, before: Floor, after: Floor
) -> None:
    told = {"before": f"{before.first}-{before.clearest}", "after": f"{after.first}-{after.clearest}"}
    audit.append(session, person.actor, act, f"harm-class:{harm_class}", told)


def grant_exposure(rooms: Rooms, person: PersonSession, name: str, looks: int, minutes: int, reason: str) -> None:
    """A senior's word -> more looks for one person today -> audit.

    Raises:
        BadInput, NotFound, Forbidden: as :func:`seawall.cases.exposure.grant`.
    """
    with rooms.database.transaction() as session:
        exposure.grant(session, person.user_id, name, looks, minutes, reason)
        details = {"looks": looks, "minutes": minutes, "reason": reason.strip()}
        audit.append(session, person.actor, "exposure.grant", f"user:{name}", details)


def _timed(answer: Answer, started: float) -> Answer:
    return replace(answer, elapsed_ms=round((time.perf_counter() - started) * 1000, 3))
