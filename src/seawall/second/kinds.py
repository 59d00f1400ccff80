"""The acts that take two people, each with what it needs: a new one is one more line of `KINDS`.

To add one: a value of `RequestKind`, and here who may answer, how its subject is held and how it then stands, and
what carrying it out means. Only what can be carried out belongs here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from seawall.access.permissions import Act
from seawall.access.requests import Parameters, RequestInfo
from seawall.records import Actor
from seawall.request_records import RequestKind
from seawall.second import appeals, exports, floors, items, lists


@dataclass(frozen=True, slots=True)
class Kind:
    """One act.

    Args:
        title: what it is called where people read of it.
        needs: what a person must be allowed to do to ask for it.
        agrees: what they must be allowed to do to answer; one of these is enough.
        hold: takes the locks of the subject, and says how it stands: a text that differs when it stands differently.
            Raises NotFound when it is gone.
        carry_out: does it, in the session's transaction, with its audit events.
    """

    title: str
    needs: Act
    agrees: tuple[Act, ...]
    hold: Callable[[Session, Parameters], str]
    carry_out: Callable[[Session, RequestInfo, Actor], None]


# Another list manager knows best, and a senior reviewer what it would release.
OF_LISTS = (Act.MANAGE_LISTS, Act.SECOND)
# Another custodian knows whom evidence may go to, and a senior reviewer what is in it.
OF_EVIDENCE = (Act.RELEASE_EVIDENCE, Act.SECOND)

KINDS: Mapping[RequestKind, Kind] = MappingProxyType(
    {
        RequestKind.NOT_A_MATCH: Kind(
            "Not a match, on an exact hit of a trusted list", Act.DECIDE, (Act.SECOND,), items.hold, items.carry_out
        ),
        RequestKind.OVERTURN: Kind(
            "Overturn on appeal, on an exact hit of a trusted list",
            Act.DECIDE,
            (Act.SECOND,),
            appeals.hold,
            appeals.carry_out,
        ),
        RequestKind.LOWER_FLOOR: Kind(
            "Lower the floor of a harm class", Act.RAISE_FLOORS, (Act.LOWER_FLOORS,), floors.hold, floors.carry_out
        ),
        RequestKind.REMOVE_ENTRIES: Kind(
            "Take entries off a hash list", Act.MANAGE_LISTS, OF_LISTS, lists.hold_entries, lists.remove_entries
        ),
        RequestKind.REMOVE_LIST: Kind(
            "Remove a hash list", Act.MANAGE_LISTS, OF_LISTS, lists.hold_list, lists.remove_list
        ),
        RequestKind.EXPORT: Kind(
            "Hand the sealed originals of a case on",
            Act.RELEASE_EVIDENCE,
            OF_EVIDENCE,
            exports.hold,
            exports.carry_out,
        ),
    }
)
