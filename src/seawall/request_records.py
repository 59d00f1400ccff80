"""What passes between rooms of acts that take two people."""

from __future__ import annotations

import enum


class RequestKind(enum.StrEnum):
    """What takes two people. The value is the name of the act in the audit chain and on the command line."""

    NOT_A_MATCH = "item.not_a_match"
    REMOVE_ENTRIES = "list.remove_entries"
    REMOVE_LIST = "list.remove"
    OVERTURN = "appeal.overturn"
    EXPORT = "evidence.export"
    LOWER_FLOOR = "floor.lower"


class RequestState(enum.StrEnum):
    """Where a request stands. A void one was overtaken: what it had been asked for is not as it was."""

    WAITING = "waiting"
    CARRIED_OUT = "carried_out"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    VOID = "void"
