"""What every route of the console works with: the opened rooms, the door and the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from seawall.access.logins import Logins
from seawall.access.passkeys import Passkeys
from seawall.access.sign_on import SignOn
from seawall.cases.clocks import Clocks
from seawall.console.pages import Pages
from seawall.database.sessions import Database
from seawall.rooms import Rooms
from seawall.settings import Settings


@dataclass(frozen=True)
class Desk:
    """One console over one runtime."""

    settings: Settings
    database: Database
    rooms: Rooms
    logins: Logins
    passkeys: Passkeys
    sign_on: SignOn | None
    pages: Pages

    @property
    def clocks(self) -> Clocks:
        """By when cases ought to be decided."""
        return Clocks(self.settings.hours_to_decide)


def desk_of(request: Request) -> Desk:
    """The console that this request came to."""
    return cast("Desk", request.app.state.desk)
