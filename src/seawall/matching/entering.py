"""What is new and on no list: into the ledger with one statement, which is one commit for all that it enters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from seawall.database.sessions import Database
from seawall.database.statements import AwaitedStatements, Row
from seawall.matching.ledger import STATE_OF, identity_of_hashes
from seawall.records import HashArrival, HashKind, Judged, Verdict

# Rows of one statement. Each holds an advisory lock until it is committed; PostgreSQL has some thousands of them.
STRETCH = 100
ENTER = "SELECT seawall_enter_new($1, $2, $3, $4, $5)"
HASHES = (*(kind.value for kind in HashKind), "url_hash")
TOLD = ("content_id", "account_id", "surface", "filename", "uploader_ip", "pdq_quality")


def first_of_each(arrivals: Sequence[HashArrival]) -> Iterator[tuple[int, HashArrival, bytes]]:
    """Place, arrival and identity of the first arrival of each content version."""
    seen: set[tuple[str, bytes]] = set()
    for place, arrival in enumerate(arrivals):
        identity = identity_of_hashes(arrival)
        if (arrival.content_id, identity) not in seen:
            seen.add((arrival.content_id, identity))
            yield place, arrival, identity


def enter_new(database: Database, clean: Sequence[Judged]) -> set[int]:
    """Enters those of which the ledger has no row; returns the places of those that it entered.

    What is left out has a row, or somebody else is just entering one: it goes the long way, in which that is waited
    for. Each content version may be there once only.

    Args:
        clean: hashes that met no entry, all judged by one policy and generation.

    Raises:
        DatabaseUnavailable: PostgreSQL is out of reach. What was entered before stays.
    """
    entered: set[int] = set()
    for start in range(0, len(clean), STRETCH):
        known = database.statement(ENTER, _values(start, clean[start : start + STRETCH]))
        entered.update(range(start, min(start + STRETCH, len(clean))))
        entered.difference_update(map(_number, known))
    return entered


class Entering:
    """`enter_new` in an event loop, which it does not stop. For one call at a time."""

    def __init__(self, database: Database) -> None:
        self._statements = AwaitedStatements(database.url, ENTER.encode())

    async def enter_new(self, clean: Sequence[Judged]) -> set[int]:
        """The same, of `STRETCH` at most."""
        if not clean:
            return set()
        known = await self._statements.run([value.encode() for value in _values(0, clean)])
        return set(range(len(clean))) - set(map(_number, known))

    def close(self) -> None:
        """Lets go of the connection. In the thread of the loop."""
        self._statements.close()


def _values(first: int, clean: Sequence[Judged]) -> tuple[str, ...]:
    """What `ENTER` is told: of rows that are numbered from `first`."""
    one, state = clean[0], STATE_OF[Verdict.ALLOW].value
    rows = json.dumps([_row(number, judged) for number, judged in enumerate(clean, first)])
    return rows, str(one.generation), Verdict.ALLOW.value, one.judgement.policy_version, state


def _number(row: Row) -> int:
    (number,) = row
    assert number is not None
    return int(number)


def _row(number: int, judged: Judged) -> dict[str, object]:
    """As `seawall_enter_new` reads it; what is not there is left out."""
    arrival = judged.arrival
    assert isinstance(arrival, HashArrival)
    row: dict[str, object] = {"number": number, "identity": judged.identity.hex()}
    for name in TOLD:
        if (said := getattr(arrival, name)) is not None:
            row[name] = said
    for name in HASHES:
        value: bytes | None = getattr(arrival, name)
        if value is not None:
            row[name] = value.hex()
    if arrival.uploaded_at is not None:
        row["uploaded_at"] = arrival.uploaded_at.isoformat()
    return row
