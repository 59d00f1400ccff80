"""Turns a template and what it shows into an answer."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import jinja2
from fastapi.responses import HTMLResponse

from seawall import __version__
from seawall.access.browsers import browser_name
from seawall.access.permissions import Act, may
from seawall.cases.notes import LONGEST_NOTE
from seawall.console import wording
from seawall.console.browser_files import edition
from seawall.console.views import Draft

if TYPE_CHECKING:
    from seawall.console.visitor import Visitor

# htmx only enhances: it may run nothing that came in an answer, and keeps no page in the browser's storage.
HTMX_CONFIG = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "historyEnabled": False,
        "historyCacheSize": 0,
        "selfRequestsOnly": True,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "[45]..", "swap": True, "error": False},
        ],
    }
)
PLACES = (
    (Act.SEE_CASES, wording.Place("Queue", "/console/", "q")),
    (Act.DECIDE, wording.Place("Workspace", "/console/workspace", "k")),
    (Act.DECIDE, wording.Place("Appeals", "/console/appeals", "e")),
    (Act.SECOND_LOOK, wording.Place("Second look", "/console/second", "s")),
    (Act.SEE_REPORTS, wording.Place("Reports", "/console/reports", "r")),
    (Act.SEE_LISTS, wording.Place("Hash lists", "/console/lists", "l")),
    (Act.SEE_NUMBERS, wording.Place("Numbers", "/console/numbers", "n")),
    (Act.SEE_WEBHOOKS, wording.Place("Webhooks", "/console/webhooks", "w")),
    (Act.READ_AUDIT, wording.Place("Audit", "/console/audit", "a")),
    (Act.SEE_PERMISSIONS, wording.Place("People", "/console/people", "p")),
    (Act.REVEAL, wording.Place("Wellbeing", "/console/wellbeing", "y")),
    (Act.SEE_TEAM, wording.Place("Team", "/console/wellbeing/team", "t")),
)


class Pages:
    """The console's templates. Everything that is put into one is escaped."""

    def __init__(self, *, demo: bool) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("seawall.console"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            age=wording.age,
            exact=wording.exact_time,
            instant=datetime.isoformat,
            words=wording.words,
            counted=wording.counted,
            browser=browser_name,
            capitalize_first=wording.capitalised,
        )
        self._environment.globals.update(
            demo=demo,
            version=__version__,
            files=f"/console/static/{edition()}",
            htmx_config=HTMX_CONFIG,
            message=None,
            shown=None,
            blank_draft=Draft(),
            refusal=None,
            note_draft="",
            out_of_band=False,
            longest_case_note=LONGEST_NOTE,
            outcomes=wording.OUTCOMES,
            trust=wording.TRUST,
            harm_classes=wording.HARM_CLASSES,
            delivery_states=wording.DELIVERY_STATES,
            ways=wording.WAYS,
        )

    def answer(
        self,
        template: str,
        visitor: Visitor,
        *,
        here: str = "",
        exactly: bool = True,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **shown: Any,
    ) -> HTMLResponse:
        """One page or part of a page. `here` is the address that the navigation marks, `exactly` whether it
        is this page's own and not that of the part that it belongs to."""
        text = self._environment.get_template(template).render(
            person=visitor.person,
            csrf=visitor.form_token,
            places=places_of(visitor),
            may_find=visitor.person is not None and may(visitor.person, Act.SEE_CASES),
            here=here,
            exactly=exactly,
            **shown,
        )
        answer = HTMLResponse(text, status_code=status, headers=headers)
        visitor.keep_form_token(answer)
        return answer


def places_of(visitor: Visitor) -> list[wording.Place]:
    """The pages that this person may open, in the order of the navigation."""
    return [place for act, place in PLACES if visitor.person is not None and may(visitor.person, act)]
