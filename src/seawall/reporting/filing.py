"""One attempt to file one report, by whichever worker holds its lease.

What is about to be sent is written down before it goes out, and what came back before anything else is done:

- the authority's number is stored right after /submit;
- whoever finds a number asks /retract first: done, and all starts over; finished, and it was filed; unknown, and it
  has expired, so that all starts over too;
- a /submit of which nobody knows what became is never repeated by itself: a person reconciles it.

So each report is finished at most once, whatever dies in between. docs/why/filing.md tells it at length.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from seawall.database.leases import Leases
from seawall.database.locks import Lock
from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.errors import ConfigurationError, EvidenceError, MasterKeyMissing, NotSent, ReportInvalid, Unanswered
from seawall.evidence.vault import Vault
from seawall.reporting.cybertip.account import Account, account_of
from seawall.reporting.cybertip.client import Client, Reply
from seawall.reporting.cybertip.codes import Meaning
from seawall.reporting.cybertip.xml import build
from seawall.reporting.draft import numbered
from seawall.reporting.journal import FilePart, Journal, Superseded, Work
from seawall.reporting.states import Outcome, ReportState, Step, Then, after, pause_s
from seawall.settings import Settings

log = structlog.get_logger(__name__)


class Filer:
    """Files reports. Safe to share between threads.

    Args:
        chance: between 0 and 1, spreads the pauses between attempts.
        clock: what it takes for the present.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        settings: Settings,
        *,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._settings = settings
        self._journal = Journal(database, vault, settings, clock)
        self._chance = chance
        self._leases = Leases(database.url, Lock.FILING)

    def close(self) -> None:
        """Gives the leases back."""
        self._leases.close()

    def file(self, report_id: int) -> Outcome | None:
        """Makes one attempt. None when there is nothing to do: the report is done, waits for a person, is not due
        yet, or another worker is at it.

        Raises:
            Unavailable: the database or the evidence store is out of reach; the report stays due.
        """
        return self._leased(report_id, self._file)

    def withdraw(self, report_id: int) -> Outcome | None:
        """Asks the authority to forget what is open there of a report, so that it can be a draft again. None when
        another worker is at it."""
        return self._leased(report_id, self._withdraw)

    def _leased(self, report_id: int, work: Callable[[int], Outcome | None]) -> Outcome | None:
        if not self._leases.take(str(report_id)):
            return None
        try:
            return work(report_id)
        except Superseded:
            log.warning("report.superseded", report=report_id, advice="Another worker has taken it over.")
            return None
        finally:
            self._leases.give_back(str(report_id))

    def _file(self, report_id: int) -> Outcome | None:
        work = self._journal.take_up(report_id)
        return None if work is None else self._conclude(work, self._with_client(work, _Attempt.run))

    def _withdraw(self, report_id: int) -> Outcome | None:
        work = self._journal.take_up(report_id, to_withdraw=True)
        if work is None:
            return None
        outcome = self._with_client(work, _Attempt.retract_alone)
        if outcome.state is ReportState.DUE and outcome.pause_s is None:
            outcome = Outcome(ReportState.DRAFT, "Taken back.")
        return self._conclude(work, outcome)

    def _with_client(self, work: Work, run: Callable[[_Attempt], Outcome]) -> Outcome:
        try:
            account = self._account(work)
            with Client(account) as client:
                return run(_Attempt(self._journal, client, work))
        except (ConfigurationError, ReportInvalid, EvidenceError, MasterKeyMissing) as error:
            return Outcome(ReportState.STOPPED, error.message)

    def _account(self, work: Work) -> Account:
        account = account_of(self._settings)
        if account.system != work.system:
            raise ConfigurationError(f"It is to be filed with {work.system}, and the settings name {account.system}.")
        if work.is_test and account.is_production:
            raise ConfigurationError("It is of test data, which is never filed with the production system.")
        return account

    def _conclude(self, work: Work, outcome: Outcome) -> Outcome:
        if outcome.pause_s is not None:
            outcome = Outcome(outcome.state, outcome.says, pause_s(work.failures + 1, self._chance()))
        pause = None if outcome.pause_s is None else timedelta(seconds=outcome.pause_s)
        self._journal.conclude(work, outcome, pause)
        return outcome


class _Attempt:
    """The calls of one attempt, in their order."""

    def __init__(self, journal: Journal, client: Client, work: Work) -> None:
        self._journal = journal
        self._client = client
        self._work = work
        self._number = work.number

    def run(self) -> Outcome:
        """From where the report stands as far as it goes."""
        if self._number is not None:
            retracted = self.retract_alone()
            if retracted.state is not ReportState.DUE or retracted.pause_s is not None:
                return retracted
        return self._asked() or self._opened() or self._files_sent() or self._finished()

    def retract_alone(self) -> Outcome:
        """Sees to it that nothing of the report is open with the authority: then it is due again."""
        number = self._number
        if number is None:
            return Outcome(ReportState.DUE)
        failed, then = self._call(Step.RETRACT, lambda: self._client.retract(number))
        if then is Then.START_OVER:
            self._number = None
            return Outcome(ReportState.DUE)
        return failed or Outcome(ReportState.OPEN, "No answer to /retract.", 0.0)

    def _asked(self) -> Outcome | None:
        """/status, which changes nothing: better that it finds out what keeps a report from being opened."""
        try:
            reply = self._client.status()
        except (NotSent, Unanswered) as error:
            return Outcome(ReportState.DUE, error.message, 0.0)
        return self._outcome(after(Step.STATUS, reply.code.meaning), reply, ReportState.DUE)

    def _opened(self) -> Outcome | None:
        """/submit. Only here can it be that nobody knows."""
        built = build(self._work.draft.report)
        send = self._journal.about_to_submit(self._work, built.xml)
        try:
            reply = self._client.submit(built.xml)
        except NotSent as error:
            self._journal.not_answered(send, error.message)
            return Outcome(ReportState.DUE, error.message, 0.0)
        except Unanswered as error:
            self._journal.not_answered(send, error.message)
            return Outcome(ReportState.RECONCILE, error.message)
        if reply.code.meaning is Meaning.DONE and reply.report_id is not None:
            self._journal.opened(self._work, send, reply)
            self._number = reply.report_id
            return None
        self._journal.answered(send, reply)
        if reply.code.meaning is Meaning.DONE:
            return Outcome(ReportState.RECONCILE, "The authority took the report and did not say under which number.")
        return self._outcome(after(Step.SUBMIT, reply.code.meaning), reply, ReportState.DUE)

    def _files_sent(self) -> Outcome | None:
        for part in self._work.parts:
            if failed := self._file_sent(part):
                return failed
        return None

    def _file_sent(self, part: FilePart) -> Outcome | None:
        """/upload and /fileinfo of one file."""
        number = self._open_number()
        data = self._journal.evidence(part)
        replies: list[Reply] = []

        def upload() -> Reply:
            replies.append(self._client.upload(number, data, part.name))
            return replies[-1]

        failed, _ = self._call(Step.UPLOAD, upload, item_id=part.item_id)
        if failed:
            return failed
        file_id, md5 = replies[-1].file_id, replies[-1].md5
        if file_id is None or md5 != hashlib.md5(data, usedforsecurity=False).hexdigest():
            return Outcome(ReportState.OPEN, "The authority received other bytes than were sent.", 0.0)
        xml = build(numbered(self._journal.as_viewed(part), number, file_id)).xml
        failed, _ = self._call(Step.FILEINFO, lambda: self._client.file_info(xml), xml, part.item_id)
        return failed

    def _finished(self) -> Outcome:
        number = self._open_number()
        failed, then = self._call(Step.FINISH, lambda: self._client.finish(number))
        if then is Then.FILED:
            return Outcome(ReportState.FILED)
        return failed or Outcome(ReportState.OPEN, "No answer to /finish.", 0.0)

    def _open_number(self) -> int:
        if self._number is None:
            raise Superseded
        return self._number

    def _call(
        self, step: Step, ask: Callable[[], Reply], xml: bytes | None = None, item_id: int | None = None
    ) -> tuple[Outcome | None, Then]:
        """One call for an open report, with its record before and after. Should nobody know what became of it, the
        next attempt asks /retract first, and learns."""
        send = self._journal.about_to_send(self._work, step, xml, item_id)
        try:
            reply = ask()
        except (NotSent, Unanswered) as error:
            self._journal.not_answered(send, error.message)
            return Outcome(ReportState.OPEN, error.message, 0.0), Then.AGAIN
        self._journal.answered(send, reply)
        then = after(step, reply.code.meaning)
        return self._outcome(then, reply, ReportState.OPEN), then

    def _outcome(self, then: Then, reply: Reply, stays: ReportState) -> Outcome | None:
        says = f"{reply.code.words} (code {reply.number}, HTTP {reply.status})"
        if then is Then.GO_ON:
            return None
        if then is Then.FILED:
            return Outcome(ReportState.FILED)
        if then is Then.AGAIN:
            return Outcome(stays, says, 0.0)
        if then is Then.START_OVER:
            return Outcome(ReportState.DUE, says, 0.0)
        return Outcome(ReportState.STOPPED, says)
