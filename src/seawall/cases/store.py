"""All that other layers do with cases in the database, in one place to import from."""

from seawall.cases.conditions import QueueFilter
from seawall.cases.decisions import DecisionResult, decide
from seawall.cases.items import add_item, entries_reviewed, reopen_item
from seawall.cases.queue import QueueRow, counts, queue
from seawall.cases.views import CaseView, DecisionView, ItemView, RevealView, WaitingView, get_case

__all__ = [
    "CaseView",
    "DecisionResult",
    "DecisionView",
    "ItemView",
    "QueueFilter",
    "QueueRow",
    "RevealView",
    "WaitingView",
    "add_item",
    "counts",
    "decide",
    "entries_reviewed",
    "get_case",
    "queue",
    "reopen_item",
]
