"""SEAWALL_OBJECTS_URL with a real S3 server: objects are created once, and nobody waits for a server that is away."""

from __future__ import annotations

import itertools
import shutil
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from pydantic import SecretStr
from sqlalchemy import func, select

from seawall import flow
from seawall.database.sessions import Database
from seawall.database.tables import Case, Content, Evidence
from seawall.engines.objects import CLIENT_DEFAULTS, RETRIES, Objects, open_objects
from seawall.errors import ConfigurationError, Conflict, NotFound, ObjectStoreUnavailable
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.records import SYSTEM, EntryDraft, HarmClass, MediaArrival, Trust, Verdict
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.integration.engines.s3_server import BUCKET, KEY_ID, SECRET, S3Server, client_environment, free_ports
from tests.vectors.files import scene, written

PREFIXES = itertools.count(1)
PICTURE = written(scene(), "JPEG")


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """One S3 server for this file."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-s3-"))
    try:
        with S3Server(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def in_bucket(server: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a place of their own in the bucket, and the environment by which it is reached."""
    point_at(server.url, monkeypatch)
    return settings.model_copy(update={"objects_url": f"s3://{BUCKET}/test/{next(PREFIXES)}"})


@pytest.fixture
def objects(in_bucket: Settings) -> Objects:
    return open_objects(in_bucket)


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables that a person would set, and none of the shell's own."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in client_environment(url).items():
        monkeypatch.setenv(name, value)


def whole_bucket(server: S3Server) -> dict[str, bytes]:
    """What anybody with the keys of the bucket sees in it, without any part of Seawall."""
    bucket = S3Store(
        BUCKET,
        endpoint=server.url,
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    names = [found["path"] for page in obstore.list(bucket) for found in page]
    return {name: bytes(obstore.get(bucket, name).bytes()) for name in names}


# -------------------------------------------------------------------------------------------------- one object


def test_an_object_comes_back_and_lies_below_the_prefix(
    objects: Objects, in_bucket: Settings, server: S3Server
) -> None:
    objects.put_new("evidence/one", b"sealed")
    assert objects.get("evidence/one") == b"sealed"
    place = str(in_bucket.objects_url).removeprefix(f"s3://{BUCKET}/")
    assert whole_bucket(server)[f"{place}/evidence/one"] == b"sealed"


@pytest.mark.parametrize("second", [b"other", b"sealed"], ids=["other bytes", "the same bytes"])
def test_nothing_is_overwritten(objects: Objects, second: bytes) -> None:
    objects.put_new("evidence/one", b"sealed")
    with pytest.raises(Conflict):
        objects.put_new("evidence/one", second)
    assert objects.get("evidence/one") == b"sealed"


def test_a_large_object_is_not_overwritten_either(objects: Objects) -> None:
    large = bytes(range(256)) * 4096 * 20  # 20 MiB, which clients like to send in parts
    objects.put_new("evidence/large", large)
    with pytest.raises(Conflict):
        objects.put_new("evidence/large", large[::-1])
    assert objects.get("evidence/large") == large


def test_of_many_at_once_one_wins(objects: Objects) -> None:
    def put(number: int) -> int | None:
        try:
            objects.put_new("evidence/one", b"%d" % number)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(16) as threads:
        winners = [number for number in threads.map(put, range(16)) if number is not None]
    assert len(winners) == 1
    assert objects.get("evidence/one") == b"%d" % winners[0]


def test_a_deleted_object_is_gone_and_deleting_again_is_fine(objects: Objects) -> None:
    objects.put_new("evidence/one", b"sealed")
    objects.delete("evidence/one")
    objects.delete("evidence/one")
    with pytest.raises(NotFound):
        objects.get("evidence/one")
    objects.put_new("evidence/one", b"anew")


def test_an_absent_object_is_not_found(objects: Objects) -> None:
    with pytest.raises(NotFound):
        objects.get("evidence/none")


def test_names_below_a_prefix(objects: Objects) -> None:
    for name in ("evidence/aa/one", "evidence/bb/two", "doctor/three"):
        objects.put_new(name, b"sealed")
    found = dict(objects.names("evidence/"))
    assert sorted(found) == ["evidence/aa/one", "evidence/bb/two"]
    assert all(modified.tzinfo is not None for modified in found.values())
    assert len(list(objects.names())) == 3
    assert list(objects.names("nothing/")) == []


def test_more_names_than_one_answer_of_s3_holds(objects: Objects) -> None:
    expected = {f"evidence/{number:04}" for number in range(1100)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: objects.put_new(name, b""), expected))
    assert {name for name, _ in objects.names("evidence/")} == expected


# --------------------------------------------------------------------------------------- what is wrong with it


def test_a_server_that_is_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    point_at(f"http://127.0.0.1:{port}", monkeypatch)
    all_fail(open_objects(settings.model_copy(update={"objects_url": f"s3://{BUCKET}"})))


@pytest.mark.timeout(60)
def test_a_server_that_takes_requests_and_never_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        point_at(f"http://127.0.0.1:{mute.getsockname()[1]}", monkeypatch)
        monkeypatch.setenv("AWS_TIMEOUT", "1s")
        all_fail(open_objects(settings.model_copy(update={"objects_url": f"s3://{BUCKET}"})))


def all_fail(objects: Objects) -> None:
    with pytest.raises(ObjectStoreUnavailable):
        objects.put_new("evidence/one", b"sealed")
    with pytest.raises(ObjectStoreUnavailable):
        objects.get("evidence/one")
    with pytest.raises(ObjectStoreUnavailable):
        objects.delete("evidence/one")
    with pytest.raises(ObjectStoreUnavailable):
        list(objects.names())


def test_nothing_waits_for_minutes() -> None:
    """The limits themselves: no assertion on the clock could hold them on a busy machine."""
    assert CLIENT_DEFAULTS == {"connect_timeout": "2s", "timeout": "20s"}
    assert RETRIES["max_retries"] == 2
    assert RETRIES["retry_timeout"].total_seconds() <= 5


def test_a_wrong_secret_is_no_absent_object(in_bucket: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-test-secret")
    all_fail(open_objects(in_bucket))


def test_plain_http_must_be_allowed(in_bucket: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    all_fail(open_objects(in_bucket))


@pytest.mark.parametrize("address", ["memory:///", "http://127.0.0.1/bucket", "https://127.0.0.1/bucket", "s3:"])
def test_no_store_that_forgets_or_overwrites(settings: Settings, address: str) -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_OBJECTS_URL"):
        open_objects(settings.model_copy(update={"objects_url": address}))


def test_a_wrong_variable_of_the_store_is_named(in_bucket: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_TIMEOUT", "soon")
    with pytest.raises(ConfigurationError, match="soon") as caught:
        open_objects(in_bucket)
    assert "Debug" not in caught.value.message


# ----------------------------------------------------------------------------------------- the whole way there


@pytest.fixture
def runtime(database: Database, in_bucket: Settings) -> Iterator[Runtime]:
    """All rooms, with evidence in the bucket and one picture on a trusted test list."""
    with Runtime(in_bucket.model_copy(update={"database_url": SecretStr(database.url)})) as runtime:
        frame = runtime.rooms.decoders.fingerprint(PICTURE).frames[0]
        definition = ListDefinition(source="Test list", trust=Trust.TRUSTED, harm_class=HarmClass.CSAM, is_test=True)
        with runtime.database.transaction() as session:
            draft = EntryDraft(1, pdq=frame.pdq, pdq_quality=frame.quality)
            store.import_entries(session, "Test list", [draft], actor=SYSTEM, definition=definition)
        runtime.rooms.index.catch_up()
        yield runtime


def test_a_held_picture_is_sealed_into_the_bucket_and_opened_again(runtime: Runtime, server: S3Server) -> None:
    before = whole_bucket(server)
    answer = flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE, account_id="test-account"))
    assert answer.verdict is Verdict.HOLD
    new = {name: data for name, data in whole_bucket(server).items() if name not in before}
    ((name, sealed),) = new.items()
    with runtime.database.transaction() as session:
        row = session.scalars(select(Evidence)).one()
        assert name.endswith(f"/{row.object_name}")
        assert runtime.rooms.vault.open(session, row.id) == PICTURE
    assert not any(piece in sealed for piece in pieces(PICTURE))
    assert not runtime.settings.objects_folder.exists()


def test_a_held_picture_that_cannot_be_sealed_is_no_case(
    runtime: Runtime, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket is away when the picture arrives: the platform hears of it, and nothing half done stays."""
    (port,) = free_ports(1)
    point_at(f"http://127.0.0.1:{port}", monkeypatch)
    with (
        Runtime(runtime.settings) as cut_off,
        pytest.raises(ObjectStoreUnavailable) as caught,
    ):
        flow.judge_media(cut_off.rooms, MediaArrival("c1", PICTURE, account_id="test-account"))
    assert str(port) not in caught.value.message
    with runtime.database.transaction() as session:
        for table in (Content, Case, Evidence):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert flow.judge_media(runtime.rooms, MediaArrival("c1", PICTURE)).verdict is Verdict.HOLD


def pieces(data: bytes) -> Iterator[bytes]:
    """Every run of 16 bytes at a distance of 16; one of them in what was sealed would be plain to see."""
    return (data[start : start + 16] for start in range(0, len(data) - 16, 16))
