"""Single sign-on against a real provider, and against one that lies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select, update

from seawall.access import identities, people, sessions
from seawall.access.people import PersonSession
from seawall.access.proof import is_proven
from seawall.access.sessions import Way
from seawall.access.sign_on import SignOn, sign_on
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, ProviderRequest, now
from seawall.errors import BadInput, ConfigurationError, Conflict, NotFound, ProviderUnavailable, Unauthenticated
from seawall.records import Actor, Role
from seawall.settings import Settings
from tests.integration.access import provider_process
from tests.integration.access.provider_process import CLIENT_ID, CLIENT_SECRET, log_in_there
from tests.integration.access.test_people import add

BOSS = Actor("user", "boss")
BROWSER, OTHER_BROWSER = b"b" * 32, b"o" * 32
ADDRESS = "http://localhost:8420"
CASE = "/console/cases/7"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider_process.provider(f"{ADDRESS}/console/sso/callback") as address:
        yield address


@pytest.fixture
def jar() -> Iterator[httpx.Client]:
    """The cookies that one browser has of the provider."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def chosen(settings: Settings, issuer: str) -> Settings:
    changes = {"oidc_issuer": issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": SecretStr(CLIENT_SECRET)}
    return settings.model_copy(update={"public_url": ADDRESS, **changes})


def door_of(database: Database, chosen: Settings, **more: object) -> SignOn:
    door = sign_on(database, chosen.model_copy(update=more))
    assert door is not None
    return door


@pytest.fixture
def door(database: Database, chosen: Settings) -> SignOn:
    return door_of(database, chosen)


def back(door: SignOn, jar: httpx.Client, name: str, person: PersonSession | None = None) -> dict[str, str]:
    """Goes to the provider and logs in; gives what it sends back."""
    address = log_in_there(door.begin(BROWSER, CASE, person), name, jar)
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}


def come_in(door: SignOn, jar: httpx.Client, name: str) -> str:
    given = back(door, jar, name)
    came = door.finish(BROWSER, given["state"], given["code"], given["iss"])
    assert came.next == CASE
    assert came.login is not None
    return came.login.token


def who(database: Database, token: str) -> PersonSession:
    with database.transaction() as session:
        found = sessions.session_from_token(session, token)
    assert found is not None
    return found


def tie(database: Database, issuer: str, name: str, **by: str) -> None:
    with database.transaction() as session:
        identities.tie(session, name, issuer, actor=BOSS, **by)


def acts(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(session.scalars(select(AuditEvent.act).order_by(AuditEvent.number)))


def test_a_verified_address_is_tied_once_and_afterwards_the_subject_counts(
    database: Database, door: SignOn, issuer: str, jar: httpx.Client, chosen: Settings
) -> None:
    add(database, password=None)
    tie(database, issuer, "reviewer-1", email="Robin@example.test")
    person = who(database, come_in(door, jar, "robin"))
    assert (person.name, person.roles) == ("reviewer-1", {Role.REVIEWER})
    assert is_proven(person, chosen)
    with database.transaction() as session:
        (opened,) = sessions.open_sessions(session, "reviewer-1")
        assert opened.way is Way.PROVIDER
        (account,) = session.scalars(select(identities.ProviderAccount))
        assert account.subject == "robin"
        account.email = "an-address-that@changed.test"
    assert who(database, come_in(door, jar, "robin")).name == "reviewer-1"
    with database.transaction() as session:
        identities.untie(session, "reviewer-1", BOSS)
    with pytest.raises(Unauthenticated, match="nobody's here"):
        come_in(door, jar, "robin")
    assert acts(database)[-1] == "user.untie"


def test_what_is_not_tied_or_not_verified_or_disabled_stays_outside(
    database: Database, door: SignOn, issuer: str
) -> None:
    add(database, "boss", Role.ADMIN)
    add(database, "chief-1", Role.ADMIN)
    add(database, "reviewer-1", password=None)
    tie(database, issuer, "reviewer-1", email="unverified-1@example.test")
    # A name that is somebody's here says nothing there.
    for name in ("unverified-1", "chief-1", "boss"):
        with httpx.Client(trust_env=False, timeout=30) as jar, pytest.raises(Unauthenticated):
            come_in(door, jar, name)
    with database.transaction() as session:
        identities.untie(session, "reviewer-1", BOSS)
    tie(database, issuer, "reviewer-1", subject="robin")
    with database.transaction() as session:
        people.disable(session, "reviewer-1", BOSS)
    with httpx.Client(trust_env=False, timeout=30) as jar, pytest.raises(Unauthenticated):
        come_in(door, jar, "robin")
    assert "user.login" not in acts(database)


def test_a_claim_lets_people_in_with_its_roles_and_never_as_administrators(
    database: Database, chosen: Settings
) -> None:
    add(database, "boss", Role.ADMIN)
    rule = {"oidc_roles_claim": "groups", "oidc_roles": "moderators=reviewer, leads=senior"}
    door = door_of(database, chosen, **rule)
    with httpx.Client(trust_env=False, timeout=30) as jar:
        person = who(database, come_in(door, jar, "mod-kim"))
        assert (person.name, person.roles) == ("mod-kim", {Role.REVIEWER})
        # What is given by hand stays; what the claim gives follows it.
        with database.transaction() as session:
            people.set_roles(session, "mod-kim", [Role.AUDITOR, Role.SENIOR], BOSS)
        assert who(database, come_in(door, jar, "mod-kim")).roles == {Role.AUDITOR, Role.REVIEWER}
        # Without the rule, who was let in by it stays outside.
        with pytest.raises(Unauthenticated):
            come_in(door_of(database, chosen), jar, "mod-kim")
    for name in ("chief-lee", "somebody"):
        with httpx.Client(trust_env=False, timeout=30) as jar, pytest.raises(Unauthenticated):
            come_in(door, jar, name)
    with database.transaction() as session:
        assert [each.name for each in people.list_people(session)] == ["boss", "mod-kim"]
    for told in ("leads=admin", "leads", "=reviewer", "leads=everything"):
        with pytest.raises(ValidationError):
            Settings(oidc_roles=told)


def test_a_name_that_is_somebodys_is_not_taken_over_by_a_claim(
    database: Database, chosen: Settings, jar: httpx.Client
) -> None:
    add(database, "mod-kim", Role.ADMIN)
    door = door_of(database, chosen, oidc_roles_claim="groups", oidc_roles="moderators=reviewer")
    with pytest.raises(Unauthenticated):
        come_in(door, jar, "mod-kim")


def test_a_way_back_is_for_one_browser_once_and_for_a_short_time(
    database: Database, door: SignOn, issuer: str, jar: httpx.Client
) -> None:
    add(database, password=None)
    tie(database, issuer, "reviewer-1", subject="robin")
    given = back(door, jar, "robin")
    with pytest.raises(Unauthenticated):
        door.finish(OTHER_BROWSER, given["state"], given["code"])
    door.finish(BROWSER, given["state"], given["code"], given["iss"])
    with pytest.raises(Unauthenticated):
        door.finish(BROWSER, given["state"], given["code"])
    for spoilt in ({"code": "made up"}, {"code": ""}, {"iss": "https://other.test"}, {"state": "made up"}):
        given = back(door, jar, "robin") | spoilt
        with pytest.raises(Unauthenticated):
            door.finish(BROWSER, given["state"], given["code"], given["iss"])
    late = back(door, jar, "robin")
    with database.transaction() as session:
        session.execute(update(ProviderRequest).values(expires_at=now() - timedelta(seconds=1)))
    with pytest.raises(Unauthenticated):
        door.finish(BROWSER, late["state"], late["code"])


def test_a_code_of_one_try_is_of_no_use_to_another(
    database: Database, door: SignOn, issuer: str, jar: httpx.Client
) -> None:
    add(database, password=None)
    tie(database, issuer, "reviewer-1", subject="robin")
    one, other = back(door, jar, "robin"), back(door, jar, "robin")
    with pytest.raises(Unauthenticated):
        door.finish(BROWSER, one["state"], other["code"])


def test_the_provider_asks_again_for_a_proof_and_only_the_person_themselves_gives_it(
    database: Database, door: SignOn, issuer: str, jar: httpx.Client, chosen: Settings
) -> None:
    add(database, "reviewer-1", password=None)
    add(database, "reviewer-2", password=None)
    tie(database, issuer, "reviewer-1", subject="robin")
    tie(database, issuer, "reviewer-2", subject="alex")
    person = who(database, come_in(door, jar, "robin"))
    for name, good in (("robin", True), ("alex", False)):
        before = acts(database).count("user.prove")
        given = back(door, jar, name, person)
        if good:
            came = door.finish(BROWSER, given["state"], given["code"], given["iss"], person=person)
            assert came.login is None
        else:
            with pytest.raises(Unauthenticated):
                door.finish(BROWSER, given["state"], given["code"], given["iss"], person=person)
        assert acts(database).count("user.prove") - before == good
    elsewhere = dataclasses.replace(person, session_id=person.session_id + 1)
    given = back(door, jar, "robin", person)
    with pytest.raises(Unauthenticated):
        door.finish(BROWSER, given["state"], given["code"], given["iss"], person=elsewhere)


def test_an_account_is_one_persons(database: Database, issuer: str) -> None:
    add(database, "reviewer-1", password=None)
    add(database, "reviewer-2", password=None)
    tie(database, issuer, "reviewer-1", email="robin@example.test")
    for name, by in (("reviewer-1", {"subject": "x"}), ("reviewer-2", {"email": "ROBIN@example.test"})):
        with pytest.raises(Conflict):
            tie(database, issuer, name, **by)
    for by in ({}, {"subject": "x", "email": "x@example.test"}, {"email": "no address"}, {"subject": ""}):
        with pytest.raises(BadInput):
            tie(database, issuer, "reviewer-2", **by)
    with pytest.raises(NotFound), database.transaction() as session:
        identities.untie(session, "reviewer-2", BOSS)


def test_settings_that_are_not_enough_are_told_at_start(database: Database, chosen: Settings) -> None:
    with pytest.raises(ConfigurationError):
        sign_on(database, chosen.model_copy(update={"oidc_client_id": None}))
    with pytest.raises(ConfigurationError):
        sign_on(
            database,
            chosen.model_copy(
                update={"oidc_client_secret": None, "oidc_client_secret_file": chosen.home / "not-there"}
            ),
        )
    assert sign_on(database, chosen.model_copy(update={"oidc_issuer": None})) is None
    for issuer in (
        "http://example.test",
        "ftp://example.test",
        "https://example.test/?x=1",
        "https://a:b@example.test",
    ):
        with pytest.raises(ValidationError):
            Settings(oidc_issuer=issuer)


def test_a_secret_from_a_file_does_as_well_and_a_provider_that_is_gone_is_told(
    database: Database, chosen: Settings, issuer: str, jar: httpx.Client
) -> None:
    add(database, password=None)
    tie(database, issuer, "reviewer-1", subject="robin")
    path = chosen.home / "client-secret"
    path.write_text(CLIENT_SECRET + "\n")
    door = door_of(database, chosen, oidc_client_secret=None, oidc_client_secret_file=path)
    assert who(database, come_in(door, jar, "robin")).name == "reviewer-1"
    with pytest.raises(Unauthenticated):
        come_in(door_of(database, chosen, oidc_client_secret=SecretStr("another")), jar, "robin")
    gone = door_of(database, chosen, oidc_issuer=f"http://127.0.0.1:{provider_process.free_port()}")
    with pytest.raises(ProviderUnavailable):
        gone.begin(BROWSER, CASE)
    other = door_of(database, chosen, oidc_issuer=issuer + "/")
    with pytest.raises(ProviderUnavailable, match="does not describe itself"):
        other.begin(BROWSER, CASE)
