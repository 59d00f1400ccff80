"""Many reviewers at one desk, over HTTP: each logs in, takes the next case, decides it, and so on until none is left.

The small crowd of the tests and the large one of `benchmarks/desk.py` are the same. All of it is test data.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.access import people
from seawall.access.passwords import Passwords
from seawall.database.sessions import Database
from seawall.records import SYSTEM, Role

PASSWORD = "nine quiet herons wade"  # of test people only
FORM_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
DECISION = re.compile(r'action="(/console/cases/(\d+)/items/(\d+)/decide)"')
# Whatever a browser fetches by itself with a page, whether or not anybody asked to see it.
FETCHED = re.compile(
    r'<(?:img|video|audio|source|script|link|iframe|object|embed)\b[^>]*?\b(?:src|href|poster|data)="([^"]+)"'
)

_FILL = (
    "INSERT INTO content (content_id, identity, sha256, account_id, surface, frames, verdict, reasons,"
    " policy_version, state) SELECT 'test-content-' || n, sha256(convert_to('test-' || n, 'UTF8')),"
    " sha256(convert_to('test-' || n, 'UTF8')), 'test-account-' || n, 'upload', '[]', 'hold', '[]', 'test',"
    " 'held'"
    " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n",
    "INSERT INTO cases (subject, account_id, state, urgent, priority, terms, harm_class, is_test, opened_at)"
    " SELECT 'account:' || account_id, account_id, 'open', n % 97 = 0, CASE WHEN n % 97 = 0 THEN 1000 ELSE 0 END"
    " + n % 200, jsonb_build_array(jsonb_build_array('distance ' || n % 31, n % 200, true)),"
    " (ARRAY['csam', 'ncii', 'terrorism', 'other'])[1 + n % 4], true, now() - (n % 5000) * interval '1 minute'"
    " FROM content CROSS JOIN LATERAL (SELECT CAST(substr(content_id, 14) AS bigint) AS n) AS named"
    " WHERE content_id LIKE 'test-content-%' AND n BETWEEN :first AND :last",
    "INSERT INTO case_items (case_id, content_row, state, verdict, findings, reasons, policy_version)"
    " SELECT cases.id, content.id, 'pending', 'hold', jsonb_build_array(jsonb_build_object('finding', 'scan_owed',"
    " 'code', 'media_corrupt', 'explanation', 'Test data.')), jsonb_build_array(jsonb_build_object('code',"
    " 'media_corrupt', 'rule', 'owed', 'explanation', 'Test data.', 'list', 'Test list', 'kind', NULL, 'distance',"
    " NULL, 'orientation', NULL)), 'test'"
    " FROM cases JOIN content ON content.account_id = cases.account_id"
    " CROSS JOIN LATERAL (SELECT CAST(substr(content_id, 14) AS bigint) AS n) AS named"
    " WHERE content_id LIKE 'test-content-%' AND n BETWEEN :first AND :last",
)


def fill(session: Session, first: int, last: int) -> None:
    """Open cases of one item each, with the numbers from `first` to `last` in their accounts' names."""
    for statement in _FILL:
        session.execute(text(statement), {"first": first, "last": last})


def staff(database: Database, number: int) -> list[str]:
    """So many reviewers who can log in; their names."""
    names = [f"reviewer-{each}" for each in range(1, number + 1)]
    passwords = Passwords()
    for name in names:
        with database.transaction() as session:
            people.create_user(session, name, [Role.REVIEWER], SYSTEM)
            token = people.one_time_link(session, name, timedelta(hours=1), SYSTEM)
        with database.transaction() as session:
            people.redeem_link(session, passwords, token, PASSWORD)
    return names


@dataclass
class Worked:
    """What a crowd did: decisions by case, and refusals by what they said."""

    decided: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)


class Reviewer:
    """One person's browser, as far as it matters here: a session, forms, and where answers lead."""

    def __init__(self, url: str, name: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=300, trust_env=False)
        self._name = name
        self._token = ""

    async def __aenter__(self) -> Reviewer:
        page = await self._page("/console/login")
        answer = await self._http.post(
            "/console/login", data={"csrf": _token(page), "name": self._name, "password": PASSWORD}
        )
        assert answer.is_redirect, answer.status_code
        self._token = _token(await self._page("/console/"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def until_nothing_is_left(self, worked: Worked) -> None:
        """Takes one case after the other and decides it, by "Record, and next"."""
        address = await self._post("/console/next", {})
        while "left=none" not in address:
            form = DECISION.search(await self._page(address))
            if form is None:  # the lease ran out, and another has it: as when somebody comes back late
                address = await self._post("/console/next", {})
                continue
            case, item = int(form[2]), int(form[3])
            outcome = "confirm" if item % 2 else "not_a_match"
            fields = {"outcome": outcome, "note": "Test data.", "then": "next"}
            answer = await self._http.post(form[1], data={**fields, "csrf": self._token})
            if answer.is_redirect:
                worked.decided[case] += 1
                address = answer.headers["location"]
            else:
                assert answer.status_code == httpx.codes.CONFLICT, answer.status_code
                worked.refused[case] += 1
                address = await self._post("/console/next", {})

    async def media_bytes(self, addresses: Sequence[str]) -> tuple[int, int]:
        """Opens pages with all that belongs to them, as a browser does, and reveals nothing. Returns how many bytes
        of pictures and videos came, the console's own icon aside, and how many files beside the pages."""
        found, fetched = 0, set[str]()
        for address in addresses:
            page = await self._page(address)
            for part in sorted(set(FETCHED.findall(page)) - fetched):
                fetched.add(part)
                answer = await self._http.get(part)
                kind = answer.headers.get("content-type", "")
                if kind.startswith(("image/", "video/", "audio/")) and "/console/static/" not in part:
                    found += len(answer.content)
        return found, len(fetched)

    async def timed(self, address: str) -> float:
        """Opens a page and gives the seconds that it took, at this end of the loopback."""
        answer = await self._http.get(address)
        assert answer.status_code == httpx.codes.OK, answer.status_code
        return answer.elapsed.total_seconds()

    async def _page(self, address: str) -> str:
        answer = await self._http.get(address.partition("#")[0])
        assert answer.status_code == httpx.codes.OK, (address, answer.status_code)
        return answer.text

    async def _post(self, address: str, fields: dict[str, str]) -> str:
        answer = await self._http.post(address, data={**fields, "csrf": self._token})
        assert answer.is_redirect, (address, answer.status_code)
        return str(answer.headers["location"])


async def work(url: str, names: Sequence[str]) -> Worked:
    """All of these people at once, until nothing is left."""
    worked = Worked()

    async def one(name: str) -> None:
        async with Reviewer(url, name) as reviewer:
            await reviewer.until_nothing_is_left(worked)

    await asyncio.gather(*map(one, names))
    return worked


@dataclass(frozen=True)
class Outcome:
    """What the database says afterwards. `lost` are cases that nobody decided, `double_decided` items that were
    decided more than once, `claims` those that were left behind."""

    decided: int
    double_decided: int
    lost: int
    claims: int


def outcome(session: Session) -> Outcome:
    """Looks."""

    def number(statement: str) -> int:
        return int(session.execute(text(statement)).scalar_one())

    return Outcome(
        decided=number("SELECT count(*) FROM cases WHERE state = 'decided'"),
        double_decided=number(
            "SELECT count(*) FROM (SELECT FROM decisions WHERE outcome <> 'escalate' GROUP BY item_id"
            " HAVING count(*) > 1) AS twice"
        ),
        lost=number("SELECT count(*) FROM cases WHERE state <> 'decided'"),
        claims=number("SELECT count(*) FROM claims"),
    )


def _token(page: str) -> str:
    found = FORM_TOKEN.search(page)
    assert found is not None, "the page has no form"
    return found[1]
