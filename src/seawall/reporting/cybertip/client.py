"""The wire: one method a call of the CyberTipline's API. It says what came back and decides nothing.

Three things can become of a call: it was answered (`Reply`), it certainly never arrived (`NotSent`), or nobody knows
(`Unanswered`). The last is what filing must be careful with.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from types import TracebackType

import httpx
import structlog
from lxml import etree

from seawall import __version__
from seawall.engines.authorities import trusted
from seawall.errors import NotSent, Unanswered
from seawall.reporting.cybertip.account import Account
from seawall.reporting.cybertip.codes import Code, code_of, of_status

XML = "text/xml; charset=utf-8"
LARGEST_REPLY = 1 << 20
CONNECT_S = 15.0
# Shorter than what servers usually keep: one that closes a connection just when it is used again leaves a call
# unanswered.
KEEP_ALIVE_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `number` is the response code; `report_id`, `file_id`, `md5` and `files` are there where the call
    has them."""

    status: int
    number: int
    request_id: str | None = None
    description: str = ""
    report_id: int | None = None
    file_id: str | None = None
    md5: str | None = None
    files: tuple[str, ...] = ()

    @property
    def code(self) -> Code:
        """What the response code means."""
        return code_of(self.number)


class Client:
    """One account's connection to one CyberTipline. Use it as a context manager; safe to share between threads."""

    def __init__(self, account: Account) -> None:
        # The environment's proxies and .netrc are left out: a report goes where the operator said, and nowhere else.
        self._http = httpx.Client(
            base_url=account.address,
            auth=account.credentials(),
            verify=trusted() if account.address.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            timeout=httpx.Timeout(account.timeout_s, connect=min(CONNECT_S, account.timeout_s)),
            headers={"User-Agent": f"Seawall/{__version__}"},
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def status(self) -> Reply:
        """Whether the service is there and takes the credentials."""
        return self._ask("status", self._http.build_request("GET", "status"))

    def submit(self, report: bytes) -> Reply:
        """Opens a report; the answer has its number."""
        return self._ask("submit", self._xml("submit", report))

    def upload(self, report_id: int, data: bytes, name: str) -> Reply:
        """Adds a file; the answer has its number and the MD5 of what arrived."""
        request = self._http.build_request(
            "POST",
            "upload",
            data={"id": str(report_id)},
            files={"file": (name, data, "application/octet-stream")},
        )
        return self._ask("upload", request)

    def file_info(self, details: bytes) -> Reply:
        """Tells about a file."""
        return self._ask("fileinfo", self._xml("fileinfo", details))

    def finish(self, report_id: int) -> Reply:
        """Files the report: from here on it counts, and cannot be taken back."""
        return self._ask("finish", self._http.build_request("POST", "finish", data={"id": str(report_id)}))

    def retract(self, report_id: int) -> Reply:
        """Takes back a report that is not finished."""
        return self._ask("retract", self._http.build_request("POST", "retract", data={"id": str(report_id)}))

    def _xml(self, call: str, document: bytes) -> httpx.Request:
        return self._http.build_request("POST", call, content=document, headers={"Content-Type": XML})

    def _ask(self, call: str, request: httpx.Request) -> Reply:
        try:
            answer = self._http.send(request, stream=True)
            try:
                body = _body(answer)
            finally:
                answer.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotSent(f"/{call} could not be sent ({type(error).__name__}).") from error
        except httpx.HTTPError as error:
            raise Unanswered(f"/{call} was sent and not answered ({type(error).__name__}).") from error
        reply = _reply(answer, body)
        if reply is None:
            log.warning("cybertip.no_answer", call=call, status=answer.status_code, request_id=_request_id(answer))
            raise Unanswered(f"/{call} was answered with HTTP {answer.status_code} and without a response code.")
        log.info("cybertip.answered", call=call, status=reply.status, code=reply.number, request_id=reply.request_id)
        return reply


def _body(answer: httpx.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > LARGEST_REPLY:
            raise httpx.DecodingError("The answer is larger than any answer of this API.")
    return bytes(body)


def _request_id(answer: httpx.Response) -> str | None:
    told = answer.headers.get("request-id")
    return None if told is None else str(told)[:200].replace("\0", "\ufffd")


def _reply(answer: httpx.Response, body: bytes) -> Reply | None:
    """What an answer says; None where it does not say whether the request was processed."""
    said = _parsed(body)
    number = _number(said, "responseCode")
    if number is None or (number == 0 and not answer.is_success):
        number = of_status(answer.status_code)
    if number is None or said is None:
        return None if number is None else Reply(answer.status_code, number, _request_id(answer))
    return Reply(
        status=answer.status_code,
        number=number,
        request_id=_request_id(answer),
        description=(said.findtext("responseDescription") or "")[:1000].replace("\0", "\ufffd"),
        report_id=_number(said, "reportId"),
        file_id=(said.findtext("fileId") or "").strip() or None,
        md5=(said.findtext("hash") or "").strip().lower() or None,
        files=tuple(text for each in said.findall("files/fileId") if (text := (each.text or "").strip())),
    )


def _parsed(body: bytes) -> etree._Element | None:
    """The answer as XML. No entity is resolved and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root.tag in ("reportResponse", "reportDoneResponse") else None


def _number(said: etree._Element | None, name: str) -> int | None:
    text = "" if said is None else (said.findtext(name) or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
