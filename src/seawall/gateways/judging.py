"""A verdict together with what is noted of it, the same for every door."""

from __future__ import annotations

from collections.abc import Sequence

from seawall import flow
from seawall.access.keys import KeyInfo
from seawall.gateways.http.hall import Hall
from seawall.records import Answer, HashArrival, MediaArrival, ShareArrival


def judge_media(hall: Hall, key: KeyInfo, arrival: MediaArrival) -> Answer:
    """`flow.judge_media`, noted in the trail of the key, the tally of the lists and the metrics. Call it in a
    thread, since it takes its time."""
    answer = flow.judge_media(hall.rooms, arrival)
    note(hall, key, arrival, answer)
    return answer


def judge_hashes(hall: Hall, key: KeyInfo, arrivals: Sequence[HashArrival]) -> list[Answer]:
    """The answers in the order of the arrivals. Each is noted as soon as it stands: if a later one fails, it was
    asked all the same. Call it in a thread."""
    answers = flow.judge_new_hashes(hall.rooms, arrivals)
    for place, answer in answers.items():
        note(hall, key, arrivals[place], answer)
    for place, arrival in enumerate(arrivals):
        if place not in answers:
            answers[place] = judge_known_hashes(hall, key, arrival)
    return [answers[place] for place in range(len(arrivals))]


def judge_known_hashes(hall: Hall, key: KeyInfo, arrival: HashArrival) -> Answer:
    """The answer to hashes that are known already or listed, noted. Call it in a thread."""
    answer = flow.judge_hashes(hall.rooms, arrival)
    note(hall, key, arrival, answer)
    return answer


def note(hall: Hall, key: KeyInfo, arrival: MediaArrival | HashArrival, answer: Answer) -> None:
    """Puts an answer that stands into the trail of the key, the tally of the lists and the metrics."""
    hall.trail.record(key.id, matches=int(is_match(answer)))
    hall.tally.record(reason.list for reason in answer.reasons)
    hall.rooms.meters.judged(answer.verdict, arrival.surface)


def judge_share(hall: Hall, key: KeyInfo, share: ShareArrival) -> Answer:
    """`flow.judge_share`, noted likewise. What the ledger refused before counts as a match: who asks learns that."""
    answer = flow.judge_share(hall.rooms, share)
    learned = is_match(answer) or (answer.replayed and answer.verdict.refuses)
    hall.trail.record(key.id, matches=int(learned))
    hall.tally.record(reason.list for reason in answer.reasons)
    hall.rooms.meters.judged(answer.verdict, share.surface)
    return answer


def is_match(answer: Answer) -> bool:
    """Whether the asker learned that something is listed."""
    return any(reason.list is not None for reason in answer.reasons)
