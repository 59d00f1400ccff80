"""Where a report stands, and what follows from what came back. Pure; nothing here sends or writes.

```
draft ──file──▶ due ──▶ submitting ──▶ open ──▶ filed
  ▲               ▲         │            │
  │               └─────────┼── start over (after /retract)
  └──retract──┐             ▼            ▼
              stopped   reconcile     stopped
```
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from seawall.reporting.cybertip.codes import Meaning

CYBERTIPLINE = "cybertipline"
NCA = "nca"
AUTHORITIES = {CYBERTIPLINE: "CyberTipline", NCA: "NCA"}
FIRST_PAUSE_S = 30.0
GROWTH = 2.0
LONGEST_PAUSE_S = 3600.0
# A pause is between 80 and 120 per cent of its length, so that many reports do not come back at the same moment.
SPREAD = 0.2


class ReportState(enum.StrEnum):
    """Where a report stands.

    A draft waits for a person to complete and file it. What is due is filed by the worker; `submitting` says that
    /submit went out, or was about to, and nothing is known of it; `open` that the authority has opened it. A stopped
    one waits for a person: the authority will not take it as it is. One to reconcile waits for a person too: /submit
    was not answered. What is filed or set aside is done.
    """

    DRAFT = "draft"
    DUE = "due"
    SUBMITTING = "submitting"
    OPEN = "open"
    STOPPED = "stopped"
    RECONCILE = "reconcile"
    FILED = "filed"
    SET_ASIDE = "set_aside"

    @property
    def is_done(self) -> bool:
        """Whether nothing follows any more."""
        return self in (ReportState.FILED, ReportState.SET_ASIDE)

    @property
    def label(self) -> str:
        """What people call it."""
        return LABELS[self]


LABELS = {
    ReportState.DRAFT: "Draft",
    ReportState.DUE: "To be sent",
    ReportState.SUBMITTING: "Being opened",
    ReportState.OPEN: "Being sent",
    ReportState.STOPPED: "Stopped",
    ReportState.RECONCILE: "Reconcile by hand",
    ReportState.FILED: "Filed",
    ReportState.SET_ASIDE: "Set aside",
}
# What the worker takes up by itself.
WORKED_ON = (ReportState.DUE, ReportState.SUBMITTING, ReportState.OPEN)
# What needs a person before anything more happens.
NEEDS_A_PERSON = (ReportState.STOPPED, ReportState.RECONCILE)


class Step(enum.StrEnum):
    """The calls of a filing, as the API names them."""

    STATUS = "status"
    SUBMIT = "submit"
    UPLOAD = "upload"
    FILEINFO = "fileinfo"
    FINISH = "finish"
    RETRACT = "retract"


class Then(enum.Enum):
    """What follows from an answer."""

    GO_ON = "go on"
    AGAIN = "again later"  # the report stays as it is
    START_OVER = "start over"  # what was open there is no more
    FILED = "filed"
    STOP = "stop"


def after(step: Step, meaning: Meaning) -> Then:
    """What follows from the answer to a call.

    A finished report is filed, whichever call learns of it: only /finish of ours can have finished it. For /retract
    a report that is gone is as good as one that was retracted just now.
    """
    if meaning is Meaning.DONE:
        return Then.FILED if step is Step.FINISH else Then.START_OVER if step is Step.RETRACT else Then.GO_ON
    if meaning is Meaning.AGAIN:
        return Then.AGAIN
    if step in (Step.STATUS, Step.SUBMIT):
        return Then.STOP
    if meaning is Meaning.FINISHED:
        return Then.FILED
    if meaning in (Meaning.UNKNOWN_REPORT, Meaning.RETRACTED):
        return Then.START_OVER
    return Then.STOP


def pause_s(failures: int, chance: float) -> float:
    """Seconds until the next attempt. They grow to an hour, and there is no last attempt: a report is never given up.

    Args:
        failures: attempts in a row that failed, with this one.
        chance: between 0 and 1.
    """
    length = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * GROWTH ** min(failures - 1, 30))
    return length * (1 - SPREAD + 2 * SPREAD * chance)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt to file came to: where the report stands now, and in how many seconds it is tried again."""

    state: ReportState
    says: str = ""
    pause_s: float | None = None
