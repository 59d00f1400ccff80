"""The steps of a message that `flow.py` strings together, where one step is more than one call into one room."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from seawall.actions import outbox
from seawall.cases import items as cases
from seawall.conversation_records import (
    AgeBand,
    ConversationFacts,
    ConversationJudgement,
    ConversationSignal,
    Intervention,
    MessageAnswer,
    MessageArrival,
    PromptFor,
    SaidReason,
    TacticSeen,
)
from seawall.database.documents import finding_from_json, reason_from_json
from seawall.database.locks import Lock, take
from seawall.database.message_documents import answer_from_json, answer_to_json
from seawall.database.tables import CaseItem
from seawall.evidence import audit
from seawall.grooming import contact_store, message_store, prompts
from seawall.grooming.contact_store import CLOCK_ERROR
from seawall.grooming.contacts import AccountFacts, AgeSource, ContactRisk, Window, contact_risk
from seawall.grooming.ears import Ears
from seawall.grooming.message_store import NewMessage
from seawall.grooming.risk import ADULT
from seawall.grooming.tactics import Noticed
from seawall.grooming.talk import Heard, Talk
from seawall.matching import ledger
from seawall.policy.conversations import judge_conversation
from seawall.policy.decide import describe
from seawall.records import (
    SYSTEM,
    Digests,
    EventType,
    Fingerprint,
    HashArrival,
    ItemState,
    Judged,
    Judgement,
    Reason,
    Verdict,
)
from seawall.rooms import Rooms

# How a conversation is called where contents are: in cases, and in the ledger.
PREFIX = "conversation:"
# A tactic is well seen from here on.
SEEN = 0.4
MOST_TACTICS, MOST_RULES = 8, 8
# The youngest of those whom something is said to; who is unknown may be a child.
_YOUNGEST_FIRST = (
    AgeBand.UNDER_13,
    AgeBand.FROM_13_TO_15,
    AgeBand.FROM_16_TO_17,
    AgeBand.UNKNOWN,
    AgeBand.ADULT,
)


@dataclass(frozen=True, slots=True)
class People:
    """What is known of everybody in some messages: facts by account, and what the days of each author came to."""

    facts: Mapping[str, AccountFacts]
    windows: Mapping[str, Window]


@dataclass(frozen=True, slots=True)
class Understood:
    """A message that was taken up, with what is known and what follows."""

    arrival: MessageArrival
    heard: Heard
    facts: ConversationFacts
    judgement: ConversationJudgement
    answer: MessageAnswer

    @property
    def severity(self) -> int:
        """How grave it is: that of the strictest intervention."""
        return self.judgement.strictest.severity

    def newest_reason(self, *, waits: bool) -> int:
        """Of which message the newest reason is; 0 where there is none.

        Args:
            waits: whether a person is to look at the conversation already. Where nobody is (any more), any sign in
                this message is a reason, also one that is noted no more because it was there often enough.
        """
        noted = max((each.message or 0 for each in self.answer.reasons), default=0)
        return noted if waits or not self.heard.tactics else max(noted, self.heard.number)


def take_up(
    rooms: Rooms,
    session: Session,
    ears: Ears,
    talks: Mapping[str, Talk],
    arrivals: Sequence[MessageArrival],
    noticed: Sequence[Noticed],
) -> dict[tuple[str, str], MessageAnswer]:
    """Takes messages of conversations up that are held, with all that follows: answers by the ids of conversation and
    message. What is known already is answered as before; else risk, contact, policy, then case, webhook and audit,
    then state and sealed text."""
    keys = [(arrival.conversation_id, arrival.message_id) for arrival in arrivals]
    known = message_store.answers(session, keys)
    people = _people_of(session, arrivals)
    understood: dict[tuple[str, str], Understood] = {}
    for key, arrival, cues in zip(keys, arrivals, noticed, strict=True):
        if key not in known and key not in understood:
            understood[key] = _understand(rooms, ears, talks[key[0]], people, arrival, cues)
    answers = {key: answer_from_json(*key, document) for key, document in known.items()}
    if understood:
        case_of = _open_cases(rooms, session, talks, list(understood.values()))
        message_store.write(session, {name: talks[name] for name, _message_id in understood})
        message_store.add(
            session,
            rooms.vault,
            _written(list(understood.values()), case_of),
            keep=rooms.settings.message_keep_count,
            with_texts=rooms.settings.message_keep_days > 0,
        )
        for place, (key, each) in enumerate(understood.items()):
            answers[key] = _with_case(each.answer, case_of.get(place))
    return answers


def not_looked_at(rooms: Rooms, arrival: MessageArrival) -> MessageAnswer:
    """The answer to a private message where nobody said that private messages are read. Nothing is kept of it."""
    return MessageAnswer(
        arrival.conversation_id, arrival.message_id, looked_at=False, policy_version=rooms.policy.version
    )


def may_look(rooms: Rooms, arrival: MessageArrival) -> bool:
    """Whether a message may be read at all."""
    if not arrival.private:
        return True
    return rooms.settings.private_channel(arrival.jurisdiction, arrival.surface) is not None


def _people_of(session: Session, arrivals: Sequence[MessageArrival]) -> People:
    """What platforms told of everybody in these messages."""
    authors = {arrival.author for arrival in arrivals}
    everybody = authors.union(*(arrival.recipients for arrival in arrivals))
    facts = contact_store.facts_of(session, everybody)
    # Of whom nothing is known at all no contact was told either, as a rule; the windows are one query.
    windows = contact_store.windows_of(session, sorted(authors), datetime.now(UTC))
    return People(facts, windows)


def _understand(
    rooms: Rooms, ears: Ears, talk: Talk, people: People, arrival: MessageArrival, noticed: Noticed
) -> Understood:
    """Takes one message up: risk, contact, policy, and the answer, but for the case that it may open."""
    now = datetime.now(UTC)
    heard = talk.take(arrival.author, noticed, min(arrival.at, now + CLOCK_ERROR))
    risk = heard.risk
    others = _others(arrival, risk.toward)
    contact = _contact(people, arrival, others, now)
    seen = tuple(tactic for tactic, strength in risk.tactics if strength >= SEEN)
    facts = ConversationFacts(
        level=ears.level(risk.score),
        score=risk.score,
        financial=risk.financial,
        tactics=seen,
        from_age=_age(people, arrival.author),
        to_age=min(
            (_age_of_other(talk, people, each) for each in others),
            key=_YOUNGEST_FIRST.index,
            default=AgeBand.UNKNOWN,
        ),
        contact_points=contact.points,
        surface=arrival.surface,
    )
    judgement = judge_conversation(rooms.policy.conversations, rooms.policy.version, facts)
    catalogue = ears.noticer.catalogue
    reasons = [SaidReason(reason.code, str(reason), reason.message) for reason in risk.reasons]
    reasons += [SaidReason(sign.code, sign.says) for sign in contact.signs]
    answer = MessageAnswer(
        arrival.conversation_id,
        arrival.message_id,
        looked_at=True,
        policy_version=judgement.policy_version,
        number=heard.number,
        score=round(risk.score, 4),
        financial=risk.financial,
        toward=risk.toward or (others[0] if len(others) == 1 else None),
        interventions=judgement.interventions,
        rules=judgement.rules[:MOST_RULES],
        tactics=tuple(
            TacticSeen(tactic, catalogue.tactics[tactic].says, strength)
            for tactic, strength in risk.tactics[:MOST_TACTICS]
        ),
        reasons=tuple(reasons) if judgement.interventions or noticed.codes else (),
        prompt=_prompt(talk, people, arrival, others, heard, judgement),
    )
    return Understood(arrival, heard, facts, judgement, answer)


def _others(arrival: MessageArrival, toward: str) -> tuple[str, ...]:
    """Whom a message is said to: all recipients that are told, else whoever the author talks to."""
    told = tuple(dict.fromkeys(each for each in arrival.recipients if each != arrival.author))
    return told or ((toward,) if toward else ())


def _age(people: People, account_id: str) -> AgeBand:
    known = people.facts.get(account_id)
    return AgeBand.UNKNOWN if known is None else known.age_band


def _age_of_other(talk: Talk, people: People, account_id: str) -> AgeBand:
    """The age of somebody whom something is said to. Children register as adults: who is one by no proof, and says
    here or elsewhere that they are a child, may be one."""
    known = people.facts.get(account_id)
    if known is None or known.age_band is not AgeBand.ADULT or known.age_source is AgeSource.VERIFIED:
        return _age(people, account_id)
    person = talk.risk.people.get(account_id)
    young_here = person is not None and person.age is not None and person.age < ADULT
    young_elsewhere = known.said_band is not None and known.said_band.is_child
    return AgeBand.UNKNOWN if young_here or young_elsewhere else AgeBand.ADULT


def _contact(people: People, arrival: MessageArrival, others: Sequence[str], at: datetime) -> ContactRisk:
    """The signs of the author's contact with whom of the others they weigh most."""
    author = people.facts[arrival.author]
    window = people.windows.get(arrival.author, Window())
    each = (
        contact_risk(author, people.facts[other], window, mutuals=None, at=at)
        for other in others
        if other in people.facts
    )
    return max(each, key=lambda risk: risk.points, default=ContactRisk(0.0, ()))


def _prompt(
    talk: Talk,
    people: People,
    arrival: MessageArrival,
    others: Sequence[str],
    heard: Heard,
    judgement: ConversationJudgement,
) -> PromptFor | None:
    """The text for those of the others that may be children, where this message gives cause for one. Extortion is
    answered whatever it says last."""
    risk = heard.risk
    if Intervention.PROMPT not in judgement.interventions or not (heard.tactics or risk.financial):
        return None
    chosen = prompts.choose(heard.tactics, financial=risk.financial, language=arrival.language)
    children = [each for each in others if _age_of_other(talk, people, each) is not AgeBand.ADULT]
    told = tuple(each for each in children if talk.tell(each, chosen.code))
    return PromptFor(told, chosen.code, chosen.language, chosen.text) if told else None


# ------------------------------------------------------------------------------------------ a person is to look


def _open_cases(
    rooms: Rooms, session: Session, talks: Mapping[str, Talk], understood: Sequence[Understood]
) -> dict[int, int]:
    """Puts conversations into the cases of their authors where a person has to look and has not been told yet.
    Webhook and audit go with it. Returns, by the places of those messages, the cases.

    The locks of all are taken first, in their order, the rows of contents before any case, as who decides holds them,
    and the audit chain's last: so that two batches that open several cases, or a batch and a decision, never wait for
    each other in a ring.
    """
    wanted: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, each in enumerate(understood):
        if each.judgement.needs_person:
            wanted[each.arrival.conversation_id, each.arrival.author].append(place)
    if not wanted:
        return {}
    versions = {key: (f"{PREFIX}{key[0]}", _identity(*key)) for key in sorted(wanted)}
    for content_id, identity in versions.values():
        take(session, Lock.CONTENT, of=f"{content_id}:{identity.hex()}")
    waiting = cases.hold_waiting(session, list(versions.values()))
    due = {
        key: [understood[place] for place in places]
        for key, places in wanted.items()
        if _is_due(talks, understood, places, waits=versions[key] in waiting)
    }
    for author in sorted({author for _conversation_id, author in due}):
        take(session, Lock.SUBJECT, of=f"account:{author}")
    opened = [(key, *_open(rooms, session, due[key])) for key in sorted(due)]
    for (conversation_id, author), case_id, details in opened:
        talks[conversation_id].put_case(author, case_id)
        audit.append(session, SYSTEM, "conversation.review", f"case:{case_id}", details)
    case_of = {key: talks[key[0]].case_of(key[1]) for key in wanted}
    return {place: case for key, places in wanted.items() if (case := case_of[key]) for place in places}


def _is_due(
    talks: Mapping[str, Talk], understood: Sequence[Understood], places: Sequence[int], *, waits: bool
) -> bool:
    """Whether the reviewer is to be told: asked of each message in turn, since each is remembered."""
    asked = [
        talks[each.arrival.conversation_id].needs_case(
            each.arrival.author, each.severity, each.newest_reason(waits=waits)
        )
        for each in map(understood.__getitem__, places)
    ]
    return any(asked)


def _identity(conversation_id: str, author: str) -> bytes:
    digest = hashlib.sha256(b"seawall conversation 1")
    for part in (conversation_id.encode(), author.encode()):
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()


def _open(rooms: Rooms, session: Session, said: Sequence[Understood]) -> tuple[int, dict[str, object]]:
    """Puts one conversation into the case of its author.

    Args:
        said: the messages that need a person, in their order. The gravest counts; where the newest is milder, what it
            says is added.
    """
    gravest, newest = max(said, key=lambda each: (each.severity, each.heard.number)), said[-1]
    told_of = (gravest,) if gravest is newest else (gravest, newest)
    arrival, judgement = gravest.arrival, gravest.judgement
    identity = _identity(arrival.conversation_id, arrival.author)
    findings = tuple(map(_finding, told_of))
    verdict = Judgement(
        Verdict.HOLD,
        judgement.strictest is Intervention.URGENT,
        tuple(reason for each in told_of for reason in _reasons(each)),
        judgement.policy_version,
    )
    called = HashArrival(f"{PREFIX}{arrival.conversation_id}", account_id=arrival.author, surface=arrival.surface)
    before = ledger.recall(session, called.content_id, identity)
    judged = Judged(called, identity, Fingerprint(Digests()), findings, verdict, rooms.index.generation)
    row = ledger.enter(session, before, judged)
    case, item, created = cases.add_item(
        session,
        subject=f"account:{arrival.author}",
        account_id=arrival.author,
        content_row=row,
        judgement=verdict,
        findings=findings,
        is_test=rooms.settings.demo,
    )
    if not created and item.state == ItemState.PENDING:
        cases.put_findings(item, *_added_to(item, verdict, findings))
        cases.weigh(session, case, urgent=case.urgent or verdict.urgent)
    elif not created:
        cases.reopen_item(session, case, item, verdict, findings)
    row.case_id = case.id
    announced = _announcement(gravest, case.id, is_test=case.is_test)
    outbox.put(session, EventType.CONVERSATION_REVIEW, announced, case_id=case.id)
    details: dict[str, object] = {
        "item": item.id,
        "conversation": arrival.conversation_id,
        "message": gravest.heard.number,
        "intervention": judgement.strictest.value,
        "private": any(each.arrival.private for each in said),
        "policy": judgement.policy_version,
        "test": case.is_test,
    }
    return case.id, details


def _added_to(
    item: CaseItem, verdict: Judgement, findings: tuple[ConversationSignal, ...]
) -> tuple[Judgement, tuple[ConversationSignal, ...]]:
    """What is found now, after what waits already and is graver: that stays until it is decided."""
    gravest = max(Intervention(each.code).severity for each in findings)
    graver = tuple(
        each
        for each in map(finding_from_json, item.findings)
        if isinstance(each, ConversationSignal) and Intervention(each.code).severity > gravest
    )
    codes = {each.code for each in graver}
    reasons = tuple(each for each in map(reason_from_json, item.reasons) if each.code in codes)
    return replace(verdict, reasons=(*reasons, *verdict.reasons)), (*graver, *findings)


def _reasons(understood: Understood) -> tuple[Reason, ...]:
    """By which rules a person has to look."""
    finding = _finding(understood)
    return tuple(
        Reason(finding.code, rule.rule, f"{describe(finding)}. {rule.explanation}")
        for rule in understood.judgement.rules
        if any(each.needs_person for each in rule.interventions)
    )


def _finding(understood: Understood) -> ConversationSignal:
    """What the reviewer reads: of whom toward whom, and everything that was noticed."""
    answer = understood.answer
    said = "; ".join(reason.says for reason in answer.reasons) or "no single reason"
    whom = f" toward {answer.toward}" if answer.toward else ""
    money = "Extortion for money. " if answer.financial else ""
    return ConversationSignal(
        understood.judgement.strictest.value,
        f"{money}{understood.arrival.author}{whom}, risk {answer.score:.2f}: {said}",
        round(answer.score * 1000),
    )


def _announcement(understood: Understood, case_id: int, *, is_test: bool) -> dict[str, object]:
    """The data of the webhook; docs/reference/webhooks.md describes it."""
    arrival, answer = understood.arrival, understood.answer
    return {
        "conversation_id": arrival.conversation_id,
        "account_id": arrival.author,
        "surface": arrival.surface,
        "interventions": [each.value for each in answer.interventions],
        "urgent": understood.judgement.strictest is Intervention.URGENT,
        "reasons": [reason.says for reason in answer.reasons],
        "case_id": case_id,
        "test": is_test,
    }


def _written(understood: Sequence[Understood], case_of: Mapping[int, int]) -> list[NewMessage]:
    """The messages as they are kept, each with its answer."""
    return [
        NewMessage(
            each.arrival.conversation_id,
            each.arrival.message_id,
            each.heard.number,
            each.arrival.author,
            each.arrival.at,
            each.arrival.text,
            answer_to_json(_with_case(each.answer, case_of.get(place))),
        )
        for place, each in enumerate(understood)
    ]


def _with_case(answer: MessageAnswer, case_id: int | None) -> MessageAnswer:
    """The answer with the case that it opened or added to."""
    return answer if case_id is None else replace(answer, case_id=case_id)
