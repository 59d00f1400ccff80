"""How much of a platform's contacts are worth a closer look, and how many of the predatory ones are among them.

    make bench-contacts                            1,000,000 accounts
    make bench-contacts ARGS="--accounts 100000"

A platform is simulated for a week: accounts with ages (some unknown, some wrong), circles of friends, popular
children, new accounts, adults who work with children; and one contact in ten thousand is of an account that seeks
out children: some by the dozen, some only a few, some who say to be children themselves, some patient ones in old
accounts. Every contact is judged as `seawall.grooming.contacts` judges it, with what the week came to, as it stands
when the two write to each other. It shows what the rules do on this platform, and proves nothing of any real one.

Prints a table and writes benchmarks/results/contacts.json {accounts, contacts, predatory, gate_traffic, gate_kept,
kept_by_kind, us_per_contact}.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from seawall.conversation_records import AgeBand
from seawall.grooming.contacts import AccountFacts, AgeSource, Window, contact_risk

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
BANDS = (AgeBand.UNDER_13, AgeBand.FROM_13_TO_15, AgeBand.FROM_16_TO_17, AgeBand.ADULT, AgeBand.UNKNOWN)
ADULT, UNKNOWN = 3, 4
PREDATORY = 1e-4
# Of the accounts that seek out children: how many they reach in a week, how they are taken (band, share), how often
# they are refused or blocked by whom they reach, and how often the account is new.
KINDS = {
    "many": (0.5, (8, 60), ((ADULT, 0.7), (UNKNOWN, 0.3)), 0.55, 0.12, 0.6),
    "says to be a child": (0.2, (8, 40), ((1, 0.5), (2, 0.5)), 0.5, 0.15, 0.7),
    "few": (0.2, (3, 7), ((ADULT, 0.8), (UNKNOWN, 0.2)), 0.4, 0.1, 0.5),
    "patient": (0.1, (4, 12), ((ADULT, 1.0),), 0.25, 0.03, 0.0),
}


@dataclass(slots=True)
class Person:
    """An account and what its week came to. `truth` is the band that it is of, whatever it is taken for."""

    facts: AccountFacts
    truth: int
    kind: str
    reached: int = 0
    children: int = 0
    accepted: int = 0
    declined: int = 0
    blocked: int = 0
    reported: int = 0

    def window(self) -> Window:
        """The week."""
        return Window(self.reached, self.children, self.accepted, self.declined, 0, self.blocked, self.reported)


def people(count: int, chance: np.random.Generator) -> list[Person]:
    """Ordinary accounts: a fifth children, a tenth of unknown age, a few taken for the wrong age."""
    truths = chance.choice(4, count, p=(0.04, 0.09, 0.07, 0.80))
    unknown, wrong, days = chance.random(count) < 0.1, chance.random(count) < 0.03, chance.exponential(500, count)
    regions = chance.integers(0, 12, count)
    found = []
    for number, truth in enumerate(truths.tolist()):
        band = UNKNOWN if unknown[number] else (truth + 1) % 4 if wrong[number] else truth
        found.append(Person(_facts(number, band, float(days[number]), int(regions[number])), truth, ""))
    return found


def _facts(number: int, band: int, days: float, region: int) -> AccountFacts:
    return AccountFacts(
        str(number), BANDS[band], AgeSource.DECLARED, None, AT - timedelta(days=days), f"region-{region}"
    )


def ordinary(everyone: list[Person], chance: np.random.Generator) -> Iterator[tuple[Person, Person, int]]:
    """Who asks whom in a week, and how many they have in common."""
    by_band = [[person for person in everyone if person.truth == band] for band in range(4)]
    asks = chance.geometric(0.45, len(everyone)) - 1
    for person, number in zip(everyone, asks.tolist(), strict=True):
        eager = 12 if person.truth < ADULT and chance.random() < 0.01 else 1
        works_with_children = person.truth == ADULT and chance.random() < 0.004
        for _ in range(number * eager):
            band = _whom(person.truth, works_with_children, chance)
            other = by_band[band][int(chance.integers(len(by_band[band])))]
            if other is not person:
                known = chance.random() < (0.9 if works_with_children else 0.75 if band == person.truth else 0.6)
                yield person, other, int(chance.integers(1, 9)) if known else 0


def _whom(band: int, works_with_children: bool, chance: np.random.Generator) -> int:
    if works_with_children:
        return int(chance.integers(0, 3))
    roll = chance.random()
    if band == ADULT:
        return ADULT if roll < 0.985 else int(chance.integers(0, 3))
    return band if roll < 0.8 else int(np.clip(band + chance.choice((-1, 1)), 0, ADULT))


def predatory(
    everyone: list[Person], wanted: int, chance: np.random.Generator
) -> Iterator[tuple[Person, Person, int]]:
    """Accounts that seek out children, until there are so many contacts of theirs."""
    children = [person for person in everyone if person.truth < ADULT]
    names, shares = list(KINDS), [kind[0] for kind in KINDS.values()]
    made = 0
    while made < wanted:
        name = str(chance.choice(names, p=shares))
        _share, (least, most), bands, _refused, _blocked, new = KINDS[name]
        band = int(chance.choice([band for band, _ in bands], p=[share for _, share in bands]))
        days = float(chance.uniform(0, 13)) if chance.random() < new else float(chance.uniform(20, 900))
        person = Person(_facts(10**9 + made, band, days, int(chance.integers(0, 12))), ADULT, name)
        for _ in range(min(int(chance.integers(least, most + 1)), wanted - made)):
            yield person, children[int(chance.integers(len(children)))], 0
            made += 1


def answer(person: Person, other: Person, mutuals: int, chance: np.random.Generator) -> None:
    """What the other does, and what the week comes to by it."""
    person.reached += 1
    person.children += int(other.facts.age_band.is_child and not mutuals)
    refused, blocked = KINDS[person.kind][3:5] if person.kind else ((0.08, 0.001) if mutuals else (0.3, 0.01))
    roll = chance.random()
    if roll < blocked:
        person.blocked += 1
        person.reported += int(chance.random() < 0.25)
    elif roll < blocked + refused:
        person.declined += int(chance.random() < 0.6)  # the others do not answer at all
    else:
        person.accepted += 1


def measure(accounts: int, seed: int) -> dict[str, object]:
    """One week."""
    chance = np.random.default_rng(seed)
    everyone = people(accounts, chance)
    contacts = list(ordinary(everyone, chance))
    contacts += predatory(everyone, max(1, round(len(contacts) * PREDATORY)), chance)
    for person, other, mutuals in contacts:
        answer(person, other, mutuals, chance)
    looked, of_kind, kept = 0, Counter[str](), Counter[str]()
    started = time.process_time()
    for person, other, mutuals in contacts:
        risk = contact_risk(person.facts, other.facts, person.window(), mutuals=mutuals, at=AT)
        looked += risk.look
        if person.kind:
            of_kind[person.kind] += 1
            kept[person.kind] += risk.look
    seconds = time.process_time() - started
    return {
        "accounts": accounts,
        "contacts": len(contacts),
        "predatory": of_kind.total(),
        "gate_traffic": round(looked / len(contacts), 5),
        "gate_kept": round(kept.total() / of_kind.total(), 4),
        "kept_by_kind": {kind: [kept[kind], of_kind[kind]] for kind in KINDS},
        "us_per_contact": round(seconds * 1e6 / len(contacts), 2),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    figures = measure(wanted.accounts, wanted.seed)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("Figure", "Value", title=f"Contacts worth a closer look ({machine})")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "contacts.json").write_text(json.dumps({**figures, "machine": machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
