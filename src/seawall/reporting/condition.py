"""How filing stands, for `seawall doctor`: what is configured, what needs a person, what waits too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from seawall.database.sessions import Database
from seawall.database.tables import Report as ReportRow
from seawall.database.tables import now
from seawall.reporting.cybertip.account import account_of, configured
from seawall.reporting.cybertip.reporter_file import read_reporter_file
from seawall.reporting.jurisdictions import chosen, profiles
from seawall.reporting.states import WORKED_ON, ReportState
from seawall.settings import Settings

# A report is owed as soon as can be: a draft that lies for a day, or one that the authority has not taken in a day,
# is somebody's business.
TOO_LONG = timedelta(days=1)


def examine(settings: Settings, database: Database) -> Iterator[tuple[str, str]]:
    """What is found: ``ok``, ``warn`` or ``fail``, and what it says.

    Raises:
        ConfigurationError: filing is configured, and not wholly.
    """
    if configured(settings) and settings.cybertip_reporter_file is not None:
        account = account_of(settings)
        read_reporter_file(settings.cybertip_reporter_file)
        counts = "where reports count" if account.is_production else "where nothing counts"
        yield "ok" if account.is_production else "warn", f"CyberTipline: files with {account.system}, {counts}."
    else:
        yield "ok", "CyberTipline: not configured, so nothing is drafted or filed."
    if settings.jurisdictions_file is not None:
        yours = sorted(each.code for each in profiles(settings.jurisdictions_file).values() if each.own)
        yield "ok", f"Jurisdictions: your file speaks of {', '.join(yours) or 'none'}."
    silent = [
        each.code
        for each in chosen(settings.jurisdictions, settings.jurisdictions_file)
        if not any(call.number for call in each.calls)
    ]
    if silent:
        yield "warn", f"Jurisdictions: nobody can be called by the profile of {', '.join(silent)}; fill a number in."
    with database.transaction() as session:
        rows = session.execute(select(ReportRow.state, func.count()).group_by(ReportRow.state)).all()
        found = {state: int(count) for state, count in rows}
        old = now() - TOO_LONG
        drafts = session.scalar(
            select(func.count())
            .select_from(ReportRow)
            .where(ReportRow.state == ReportState.DRAFT.value, ReportRow.created_at < old)
        )
        slow = session.scalar(
            select(func.count())
            .select_from(ReportRow)
            .where(ReportRow.state.in_(WORKED_ON), ReportRow.begun_at < old)
        )
    if stopped := found.get(ReportState.STOPPED.value):
        yield (
            "fail",
            f"{stopped} stopped: the authority does not take them so. `seawall reports list` says why.",
        )
    if unknown := found.get(ReportState.RECONCILE.value):
        yield "fail", f"{unknown} to reconcile by hand: nobody knows whether the authority opened them."
    if slow:
        yield "fail", f"{slow} could not be filed for over a day; they are tried on, each hour."
    if drafts:
        yield "warn", f"{drafts} drafts wait for over a day for a person to file them."
