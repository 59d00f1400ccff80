"""What the API's response codes mean for a filing, in one place.

HTTP 200 with a code other than 0 is a failure like any other; a 401 may come without a body.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Meaning(enum.Enum):
    """What follows from an answer."""

    DONE = "done"
    AGAIN = "again"  # the service's own trouble, or the network's: later it may work
    STOP = "stop"  # it will not work later either: a person must do something
    UNKNOWN_REPORT = "unknown report"  # it has expired, or never was
    RETRACTED = "retracted"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Code:
    """One response code."""

    meaning: Meaning
    words: str


CODES: dict[int, Code] = {
    0: Code(Meaning.DONE, "Success."),
    1000: Code(Meaning.AGAIN, "The authority's server has a fault."),
    1100: Code(Meaning.AGAIN, "The authority could not save the report."),
    1110: Code(Meaning.AGAIN, "The authority could not save the file."),
    1111: Code(Meaning.AGAIN, "The authority could not take the upload."),
    1210: Code(Meaning.AGAIN, "The authority does not find the file that it took."),
    1300: Code(Meaning.AGAIN, "The authority could not update the report."),
    2000: Code(Meaning.STOP, "The authority does not accept the credentials."),
    3000: Code(Meaning.STOP, "This account may not do that with the authority."),
    3100: Code(Meaning.STOP, "This account may not send reports."),
    3300: Code(Meaning.STOP, "This account may not touch this report."),
    4000: Code(Meaning.STOP, "The authority calls the request invalid."),
    4100: Code(Meaning.STOP, "The report does not pass the authority's validation."),
    4110: Code(Meaning.STOP, "The authority cannot read the report's XML."),
    4200: Code(Meaning.STOP, "The authority does not take the file."),
    5001: Code(Meaning.UNKNOWN_REPORT, "The authority knows no such report (any more)."),
    5002: Code(Meaning.UNKNOWN_REPORT, "The authority knows no such file (any more)."),
    5101: Code(Meaning.RETRACTED, "The report was retracted."),
    5102: Code(Meaning.FINISHED, "The report was finished."),
}
NOT_AUTHENTICATED, NOT_AUTHORISED, SERVER_FAULT = 2000, 3000, 1000


def code_of(number: int) -> Code:
    """What a code means. One that is not known stops: whoever guesses may file twice."""
    return CODES.get(number, Code(Meaning.STOP, f"The authority answers {number}, which Seawall does not know."))


def of_status(status: int) -> int | None:
    """The code that an HTTP status stands for where the answer carries none; None where it says nothing of whether
    the request was processed."""
    return {401: NOT_AUTHENTICATED, 403: NOT_AUTHORISED, 429: SERVER_FAULT}.get(status)
