"""The check's eyes at the console: logs in as a person does, and looks for cases."""

from __future__ import annotations

import re
from types import TracebackType

import httpx

from seawall.errors import Unauthenticated, Unavailable

FORM_TOKEN = re.compile(r'name="csrf"[^>]*value="([^"]+)"')
CASE = re.compile(r"/console/cases/(\d+)")
ITEM = re.compile(r'<article[^>]*id="item-(\d+)".*?<span class="id">([^<]+)</span>', re.DOTALL)


class Reviewer:
    """A person at the console of one Seawall.

    Raises:
        Unauthenticated: the console does not let them in.
    """

    def __init__(self, seawall_url: str, name: str, password: str) -> None:
        self._http = httpx.Client(base_url=seawall_url, timeout=20.0, trust_env=False)
        try:
            self._log_in(name, password)
        except BaseException:
            self._http.close()
            raise

    def case_with(self, account: str, content_id: str) -> int | None:
        """The number of the account's undecided case, if the queue shows it and this content is in it."""
        found = CASE.search(self._page("/console/", {"account": account}))
        if found is None or content_id not in _items(self._page(f"/console/cases/{found.group(1)}")):
            return None
        return int(found.group(1))

    def decide(self, account: str, content_id: str, outcome: str, *, restrict_account: bool = False) -> None:
        """Fills in the form of the item with this content.

        Raises:
            Unavailable: there is no such item, or the console does not take the decision.
        """
        case = self.case_with(account, content_id)
        if case is None:
            raise Unavailable("The console shows no case to decide.")
        page = self._page(f"/console/cases/{case}")
        form = FORM_TOKEN.search(page)
        if form is None:
            raise Unavailable("The case page has no form.")
        fields = {"csrf": form.group(1), "outcome": outcome, "note": "Decided by the demo's check (test data)."}
        if restrict_account:
            fields["restrict_account"] = "yes"
        answer = self._http.post(f"/console/cases/{case}/items/{_items(page)[content_id]}/decide", data=fields)
        if not answer.is_redirect:
            raise Unavailable(f"The console does not take the decision ({answer.status_code}).")

    def _log_in(self, name: str, password: str) -> None:
        form = FORM_TOKEN.search(self._page("/console/login"))
        if form is None:
            raise Unavailable("The console's login page has no form.")
        answer = self._http.post("/console/login", data={"csrf": form.group(1), "name": name, "password": password})
        if not answer.is_redirect:
            raise Unauthenticated(f"The console does not let {name} in ({answer.status_code}).")

    def _page(self, path: str, about: dict[str, str] | None = None) -> str:
        answer = self._http.get(path, params=about)
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"The console answers {answer.status_code} at {path}.")
        return answer.text

    def __enter__(self) -> Reviewer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


def _items(page: str) -> dict[str, str]:
    """The items of a case page: content id to item number."""
    return {content_id: number for number, content_id in ITEM.findall(page)}
