"""The wire to the CyberTipline, against the double over loopback HTTP."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from seawall.errors import ConfigurationError, NotSent, Unanswered
from seawall.reporting.cybertip.account import PRODUCTION, TEST, Account, account_of
from seawall.reporting.cybertip.client import Client
from seawall.reporting.cybertip.codes import CODES, Meaning, code_of
from seawall.reporting.cybertip.report import FileDetails
from seawall.reporting.cybertip.xml import build
from seawall.reporting.double.books import Books, End
from seawall.reporting.double.faults import Fault, FaultKind
from seawall.reporting.double.server import Double, serving
from seawall.settings import Settings
from tests.unit.reporting.test_model import a_report

XML = build(a_report()).xml


@pytest.fixture
def double() -> Iterator[Double]:
    with serving(Books()) as made:
        yield made


def account(double: Double, password: str = "test", timeout_s: float = 30) -> Account:
    return Account(double.address + "/", "double", timeout_s, SecretStr("test"), SecretStr(password))


@pytest.fixture
def client(double: Double) -> Iterator[Client]:
    with Client(account(double)) as made:
        yield made


def opened(client: Client) -> int:
    number = client.submit(XML).report_id
    assert number is not None
    return number


# -------------------------------------------------------------------------------------------------------- the calls


def test_a_report_goes_its_way(double: Double, client: Client) -> None:
    assert client.status().number == 0
    number = opened(client)
    data = os.urandom(100_000) + b"\r\n--boundary\r\n\r\n"
    uploaded = client.upload(number, data, "file-1")
    assert uploaded.md5 == hashlib.md5(data).hexdigest()
    assert uploaded.file_id is not None
    told = client.file_info(build(FileDetails(number, uploaded.file_id, file_viewed_by_esp=False)).xml)
    assert (told.number, told.report_id) == (0, number)
    done = client.finish(number)
    assert (done.number, done.report_id, done.files) == (0, number, (uploaded.file_id,))
    (report,) = double.books.reports()
    assert (report.end, report.xml) == (End.FINISHED, XML)
    assert b"<fileViewedByEsp>false<" in (report.files[uploaded.file_id].details or b"")


def test_what_is_finished_or_retracted_stays_so(client: Client) -> None:
    finished, retracted = opened(client), opened(client)
    client.finish(finished)
    assert client.retract(retracted).number == 0
    assert [client.retract(finished).number, client.finish(finished).number] == [5102, 5102]
    assert [client.retract(retracted).number, client.finish(retracted).number] == [5101, 5101]
    assert client.upload(77, b"x", "x").number == client.retract(77).number == 5001


def test_an_unfinished_report_lives_a_day_or_an_hour_after_its_last_change(double: Double, client: Client) -> None:
    left, changed = opened(client), opened(client)
    double.books.advance(timedelta(hours=23, minutes=50))
    client.upload(changed, b"test", "test")
    double.books.advance(timedelta(minutes=20))
    assert client.retract(left).code.meaning is Meaning.UNKNOWN_REPORT
    double.books.advance(timedelta(minutes=39))
    assert client.upload(changed, b"test", "test").number == 0
    double.books.advance(timedelta(minutes=60))
    assert client.finish(changed).code.meaning is Meaning.UNKNOWN_REPORT


@pytest.mark.parametrize(
    ("document", "number"), [(b"<report", 4110), (b"<report/>", 4100), (b"<fileDetails/>", 4100), (b"", 4110)]
)
def test_what_does_not_validate_is_refused(client: Client, document: bytes, number: int) -> None:
    assert client.submit(document).number == number


# ------------------------------------------------------------------------------------------------- what may go wrong


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (FaultKind.DROP_BEFORE, False),
        (FaultKind.DROP_AFTER, True),
        (FaultKind.HTTP_500, False),
        (FaultKind.HTTP_500_AFTER, True),
    ],
)
def test_where_nobody_knows_it_is_said_so(double: Double, client: Client, kind: FaultKind, done: bool) -> None:
    double.faults.add(Fault("submit", kind))
    with pytest.raises(Unanswered):
        client.submit(XML)
    assert len(double.books.reports()) == done


def test_a_late_answer_is_none(double: Double) -> None:
    double.faults.add(Fault("submit", FaultKind.HOLD_AFTER))
    with Client(account(double, timeout_s=0.3)) as client, pytest.raises(Unanswered, match="ReadTimeout"):
        client.submit(XML)


def test_who_cannot_be_reached_has_received_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nobody = Account(f"http://127.0.0.1:{port}/", "nobody", 5, SecretStr("a"), SecretStr("b"))
    with Client(nobody) as client, pytest.raises(NotSent):
        client.submit(XML)


def test_a_success_of_http_is_no_success(double: Double, client: Client) -> None:
    double.faults.add(Fault("submit", FaultKind.FAULT_1000))
    reply = client.submit(XML)
    assert (reply.status, reply.number, reply.code.meaning) == (200, 1000, Meaning.AGAIN)


def test_wrong_credentials_are_told_without_a_body(double: Double) -> None:
    with Client(account(double, "wrong")) as client:
        reply = client.status()
    assert (reply.status, reply.number, reply.code.meaning) == (401, 2000, Meaning.STOP)


def test_a_wrong_digest_is_handed_on(double: Double, client: Client) -> None:
    double.faults.add(Fault("upload", FaultKind.WRONG_MD5))
    assert client.upload(opened(client), b"test", "test").md5 == "0" * 32


def test_what_a_code_means_is_known_for_each() -> None:
    assert {number for number, code in CODES.items() if code.meaning is Meaning.STOP} == {
        *(2000, 3000, 3100, 3300, 4000, 4100, 4110, 4200),
    }
    assert code_of(9999).meaning is Meaning.STOP, "who guesses may file twice"


# ------------------------------------------------------------------------------------------ what nobody may learn of


def test_credentials_show_nowhere(double: Double) -> None:
    secret = "very-secret-word"
    made = account(double, secret)
    with capture_logs() as logs, Client(made) as client:
        client.status()
        shown = repr((made, client, logs))
    assert secret not in shown
    assert "request_id" in logs[0]
    assert secret not in repr(Settings(cybertip_password=SecretStr(secret)))


def settings_with(**given: object) -> Settings:
    return Settings(cybertip_reporter_file="reporter.toml", cybertip_username="u", cybertip_password="p", **given)  # type: ignore[arg-type]


def test_the_test_system_is_meant_unless_production_is_named() -> None:
    assert account_of(settings_with()).address == TEST
    production = account_of(settings_with(cybertip_production=True))
    assert (production.address, production.is_production) == (PRODUCTION, True)
    double = account_of(settings_with(cybertip_url="http://127.0.0.1:8430/ispws"))
    assert (double.address, double.system) == ("http://127.0.0.1:8430/ispws/", "127.0.0.1:8430")


@pytest.mark.parametrize(
    "given",
    [
        {"cybertip_url": PRODUCTION},
        {"cybertip_url": "http://tips.test.example/ispws"},
        {"cybertip_url": "ftp://127.0.0.1/"},
        {"cybertip_url": "http://user:pw@127.0.0.1/"},
        {"cybertip_url": "http://127.0.0.1/ispws", "cybertip_production": True},
        {"cybertip_username": None},
        {"cybertip_password": None},
        {"cybertip_reporter_file": None},
    ],
)
def test_an_account_that_is_not_whole_or_not_safe_is_refused(given: dict[str, object]) -> None:
    base = {"cybertip_reporter_file": "r", "cybertip_username": "u", "cybertip_password": "p"}
    with pytest.raises(ConfigurationError):
        account_of(Settings(**{**base, **given}))  # type: ignore[arg-type]


def test_the_levers_of_the_double_say_what_they_take(double: Double) -> None:
    base = double.address.removesuffix("/ispws")
    assert httpx.post(f"{base}/double/faults", json={"call": "submit", "kind": "drop-after"}).status_code == 200
    wrong = httpx.post(f"{base}/double/faults", json={"call": "submit", "kind": "explode"})
    assert wrong.status_code == 400
    assert "drop-after" in wrong.json()["error"]
    assert httpx.get(f"{base}/double/reports").json() == []
