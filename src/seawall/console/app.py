"""The console: an application of its own under /console, so that its headers and errors are its own too."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from seawall.access.logins import Logins
from seawall.access.passkeys import Passkeys
from seawall.access.sign_on import sign_on
from seawall.console import browser_files, troubles
from seawall.console.desk import Desk
from seawall.console.guard import Guard
from seawall.console.pages import Pages
from seawall.console.routes import (
    account,
    appeals,
    audit,
    blind,
    cases,
    claims,
    conversations,
    danger,
    door,
    filters,
    find,
    lists,
    notes,
    numbers,
    passing,
    passkeys,
    people,
    prove,
    queue,
    reports,
    reveals,
    second,
    sso,
    tables,
    webhooks,
    wellbeing,
    workspace,
)
from seawall.engines.silence import no_telemetry
from seawall.runtime import Runtime

PATH = "/console"
ROUTERS = tuple(
    each.router
    for each in (
        door,
        queue,
        claims,
        danger,
        filters,
        cases,
        conversations,
        notes,
        passing,
        workspace,
        find,
        reveals,
        second,
        blind,
        appeals,
        reports,
        lists,
        numbers,
        tables,
        webhooks,
        audit,
        people,
        account,
        prove,
        passkeys,
        sso,
        wellbeing,
    )
)


def console(runtime: Runtime) -> FastAPI:
    """The console over one runtime, to be mounted under `PATH`."""
    app = FastAPI(
        title="Seawall console",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # The framework's redirects for a slash would lead to whatever host the request names, and out of TLS.
        redirect_slashes=False,
        telemetry=no_telemetry(),
    )
    app.state.desk = Desk(
        settings=runtime.settings,
        database=runtime.database,
        rooms=runtime.rooms,
        logins=Logins(runtime.database, runtime.settings),
        passkeys=Passkeys(runtime.database, runtime.settings),
        sign_on=sign_on(runtime.database, runtime.settings),
        pages=Pages(demo=runtime.settings.demo),
    )
    for router in ROUTERS:
        app.include_router(router)
    browser_files.mount(app)
    troubles.install(app)
    return app


def mount(app: FastAPI, runtime: Runtime) -> None:
    """Puts the console under /console of the whole application."""

    @app.get(PATH, include_in_schema=False)
    def to_the_console() -> RedirectResponse:
        """The address that people type."""
        return RedirectResponse(f"{PATH}/", status_code=308)

    # The guard stands outside of the whole console, so that its last-resort error page is guarded too.
    app.mount(PATH, Guard(console(runtime)), name="console")
