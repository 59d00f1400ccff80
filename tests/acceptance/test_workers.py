"""`seawall serve --workers`: several real processes on one socket, and what happens when one of them is killed."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent, Content, OutboxMessage
from seawall.engines import postgres
from seawall.matching import memory_files
from seawall.matching.keeper import FEWEST_ROWS
from seawall.matching.sealed_files import is_sealed
from seawall.settings import Settings
from tests.acceptance.server import ServerProcess, make_key, seawall
from tests.acceptance.service import Service
from tests.processes import gone

LIMIT_S = 150


def wait_until(condition: Callable[[], object], what: str) -> None:
    limit = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < limit, f"waited in vain for: {what}"
        time.sleep(0.05)


def hashes(client: httpx.Client, key: str, content_id: str) -> httpx.Response:
    """A judgement of one made-up hash."""
    item = {"content_id": content_id, "md5": f"{abs(hash(content_id)):032x}"[-32:]}
    return client.post("/v1/hashes", json=item, headers={"Authorization": f"Bearer {key}"})


def picture(seed: int) -> bytes:
    """A benign picture: coloured blocks."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(blocks).resize((320, 240), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def scrape(service: Service, key: str) -> dict[str, float]:
    """Metrics without labels, by name; those with labels summed."""
    answer = httpx.get(f"{service.url}/metrics", headers={"Authorization": f"Bearer {key}"}, timeout=120)
    assert answer.status_code == 200, answer.text
    told: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            told[sample.name] = told.get(sample.name, 0) + sample.value
    return told


def wait_for_another(service: Service, key: str, name: str, killed: psutil.Process) -> None:
    """Returns when another process is in the place of the killed one, and all of them serve."""
    wait_until(lambda: service.parts().get(name, killed) != killed, f"another {name}")
    wait_until(lambda: scrape(service, key).get("seawall_api_processes") == 2, "both processes")


@pytest.fixture
def key(home: Path) -> str:
    return make_key(home, "test-platform", "judge", "metrics")


@pytest.fixture
def service(home: Path, key: str) -> Iterator[Service]:
    """A running service; whatever is left of it afterwards is ended."""
    with Service(home) as service:
        everything = service.everything()
        yield service
        print(service.output)  # shown when the test fails
    for process in everything:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture
def database(service: Service) -> Iterator[Database]:
    database = Database(postgres.embedded(Settings(home=service.home)))
    yield database
    database.close()
    postgres.stop(Settings(home=service.home))


def test_two_processes_serve_one_port_and_count_together(service: Service, key: str, database: Database) -> None:
    assert set(service.parts()) == {"api-1", "api-2", "jobs"}
    assert service.output.count("Seawall is ready") == 1
    assert service.output.count("/console/welcome/") == 1
    with contextlib.ExitStack() as stack:
        asked = 0
        while not (service.connections("api-1") and service.connections("api-2")):
            assert asked < 1000, "one process takes all connections"
            client = stack.enter_context(httpx.Client(base_url=service.url, timeout=120))
            assert hashes(client, key, f"content-{asked}").status_code == 200
            asked += 1
        assert not service.connections("jobs")
    told = scrape(service, key)
    assert told["seawall_lookups_total"] >= asked
    assert told["seawall_judgements_total"] == asked
    assert told["seawall_api_processes"] == 2
    with database.transaction() as session:
        starts = session.scalars(select(AuditEvent).where(AuditEvent.act == "service.start")).all()
    assert [start.details["workers"] for start in starts] == [2]


def test_a_key_has_one_rate_for_all_processes(service: Service) -> None:
    made = seawall(service.home, "keys", "create", "slow", "--scope", "judge", "--rate", "30")
    key = made.stdout.split()[-1]
    began = time.monotonic()
    statuses = []
    for number in range(120):
        with httpx.Client(base_url=service.url, timeout=120) as client:  # a new connection may meet either process
            statuses.append(hashes(client, key, f"limited-{number}").status_code)
    allowed = 30 * (1 + (time.monotonic() - began) / 60)
    assert 30 <= statuses.count(200) <= allowed
    assert set(statuses) == {200, 429}


def uploads_go_on(acknowledged: list[str]) -> None:
    before = len(acknowledged)
    wait_until(lambda: len(acknowledged) > before + 20, "uploads while one process is missing")


@pytest.mark.skipif(not memory_files.possible(), reason="Linux has memory-backed files")
def test_a_sealed_index_lies_in_memory_once(home: Path) -> None:
    key = make_key(home)
    listed = home / "listed.csv"
    listed.write_text("md5\n" + "".join(f"{number:032x}\n" for number in range(FEWEST_ROWS + 1)))
    seawall(home, "lists", "import", "--name", "Test list", "--test", str(listed))
    sealed = {"SEAWALL_INDEX_SEALED": "true", "SEAWALL_DATABASE_POOL_SIZE": "4"}
    with Service(home, workers=2, **sealed) as service:

        def mapped() -> dict[str, set[str]]:
            named = {name: part for name, part in service.parts().items() if name.startswith("api-")}
            return {name: sealed_files_in(part) for name, part in named.items()}

        wait_until(lambda: len(mapped()) == 2 and all(mapped().values()), "the index in every process")
        first, second = mapped().values()
        assert first == second, "each has a copy of its own"
        assert len(first) == 1
        answer = httpx.post(
            f"{service.url}/v1/hashes",
            json={"content_id": "c1", "md5": f"{FEWEST_ROWS // 2:032x}"},
            headers={"Authorization": f"Bearer {key}"},
            timeout=240,
        )
        assert answer.json()["verdict"] != "allow"
    files = [path for path in (home / "index").glob("*.segment") if path.stat().st_size]
    assert files
    assert all(is_sealed(path) for path in files)


def sealed_files_in(process: psutil.Process) -> set[str]:
    """The memory-backed index files that a process has mapped, by device and inode."""
    lines = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    return {" ".join(line.split()[3:5]) for line in lines if f"memfd:{memory_files.NAME}entries-" in line}


def test_a_killed_process_is_replaced_and_nothing_acknowledged_is_lost(
    service: Service, key: str, database: Database
) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []
    stop = threading.Event()

    def upload(thread: int) -> None:
        number = 0
        while not stop.is_set():
            content_id = f"upload-{thread}-{number}"
            number += 1
            try:
                answer = httpx.post(
                    f"{service.url}/v1/media",
                    params={"content_id": content_id},
                    content=picture(number),
                    headers={"Authorization": f"Bearer {key}"},
                    timeout=240,
                )
            except httpx.TransportError:
                refused.append(content_id)
                continue
            if answer.status_code == 200:
                acknowledged.append(content_id)

    threads = [threading.Thread(target=upload, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(acknowledged) > 20, "some uploads")
        counted = scrape(service, key)["seawall_judgements_total"]
        for name in ("api-1", "api-2"):
            killed = service.parts()[name]
            killed.kill()
            uploads_go_on(acknowledged)
            wait_for_another(service, key, name, killed)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    told = scrape(service, key)
    assert told["seawall_judgements_total"] >= counted, "a sum never goes backwards"
    with database.transaction() as session:
        kept = set(session.scalars(select(Content.content_id)))
    assert set(acknowledged) <= kept
    assert service.output.count("Seawall is ready") == 1


def test_the_jobs_go_on_in_another_process(service: Service, key: str, database: Database) -> None:
    killed = service.parts()["jobs"]
    killed.kill()
    wait_until(lambda: service.parts().get("jobs", killed) != killed, "another process for the jobs")
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.settimeout(LIMIT_S)
        seawall(service.home, "webhooks", "add", f"http://127.0.0.1:{receiver.getsockname()[1]}/hooks")
        listed = service.home / "list.csv"
        listed.write_text("md5\n" + "ab" * 16 + "\n")
        seawall(service.home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
        headers = {"Authorization": f"Bearer {key}"}

        def blocked() -> bool:
            item = {"content_id": f"content-{time.monotonic()}", "md5": "ab" * 16}
            answer = httpx.post(f"{service.url}/v1/hashes", json=item, headers=headers, timeout=120)
            return bool(answer.json()["verdict"] == "block")

        wait_until(blocked, "the new list to bind")
        connection, _ = receiver.accept()
        with connection:
            connection.settimeout(LIMIT_S)
            assert connection.recv(4096).startswith(b"POST /hooks")
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def delivered() -> bool:
        with database.transaction() as session:
            return "delivered" in session.scalars(select(OutboxMessage.state)).all()

    wait_until(delivered, "the delivery")


def test_another_process_judges_by_the_policy_of_the_start(service: Service, key: str) -> None:
    def versions() -> set[str]:
        found = set()
        for number in range(30):
            with httpx.Client(base_url=service.url, timeout=120) as client:
                found.add(hashes(client, key, f"policy-{time.monotonic()}-{number}").json()["policy_version"])
        return found

    before = versions()
    policy = service.home / "policy.toml"
    policy.write_text("# This is no policy at all.\nnonsense = 1\n")
    killed = service.parts()["api-1"]
    killed.kill()
    wait_for_another(service, key, "api-1", killed)
    assert versions() == before
    policy.unlink()


def test_told_to_stop_it_finishes_what_has_begun_and_all_of_it_ends(service: Service, key: str) -> None:
    everything = service.everything()
    body = picture(7)
    head = (
        f"POST /v1/media?content_id=begun HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=240) as connection:
        connection.sendall(head.encode() + body[:1000])
        wait_until(lambda: service.connections("api-1") | service.connections("api-2"), "the upload to begin")
        time.sleep(0.5)  # so that its head has been read
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(service.port), "new connections to be refused")
        connection.sendall(body[1000:])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
    assert b'"allow"' in answer
    assert service.process.wait(240) == 0
    wait_until(lambda: all(map(gone, everything)), "all processes to end")
    assert not (service.home / "postgresql" / "postmaster.pid").exists(), "its PostgreSQL was left running"
    assert list((service.home / "run").glob("serve-*")) == []


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def test_when_the_supervisor_is_killed_all_others_end(service: Service) -> None:
    everything = service.everything()
    left = set((service.home / "run").glob("serve-*"))
    assert len(left) == 1
    service.kill()
    wait_until(lambda: all(map(gone, everything)), "all processes to end")
    wait_until(
        lambda: not (service.home / "postgresql" / "postmaster.pid").exists(), "the embedded PostgreSQL to stop"
    )
    with Service(service.home) as again:
        now = set((again.home / "run").glob("serve-*"))
        assert len(now) == 1, "what the killed one left is taken away"
        assert now != left


def test_two_services_on_one_home(service: Service, key: str) -> None:
    """They share database and files, and each has a port of its own; a taken port is refused in words."""
    refused = seawall(service.home, "serve", "--workers", "2", "--port", str(service.port), check=False)
    assert refused.returncode == 4
    assert str(service.port) in refused.stderr
    assert "Traceback" not in refused.stderr
    with ServerProcess(service.home) as other:
        for url in (service.url, other.url):
            with httpx.Client(base_url=url, timeout=120) as client:
                assert hashes(client, key, f"of {url}".replace(":", "").replace("/", "")).status_code == 200
        assert len(list((service.home / "run").glob("serve-*"))) == 1
    with httpx.Client(base_url=service.url, timeout=120) as client:
        assert hashes(client, key, "after-the-other-has-gone").status_code == 200


def test_more_connections_than_postgresql_takes_are_refused_at_the_start(home: Path) -> None:
    for workers, advice in (("10", "SEAWALL_DATABASE_POOL_SIZE"), ("20", "Start fewer API processes")):
        refused = seawall(home, "serve", "--workers", workers, "--port", "0", check=False)
        assert refused.returncode == 4
        assert advice in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_wrong_policy_ends_the_start(home: Path) -> None:
    (home / "policy.toml").write_text("nonsense = 1\n")
    refused = seawall(home, "serve", "--workers", "2", "--port", "0", check=False)
    assert refused.returncode == 4
    assert "policy.toml" in refused.stderr


def test_processes_that_cannot_start_end_the_service(home: Path) -> None:
    """A key that is not the one that sealed the evidence: only a process that opens all rooms can see that."""
    key = make_key(home)
    seal_something(home, key)
    (home / "keys" / "master.key").unlink()
    other = home / "other"
    other.mkdir()
    seawall(other, "doctor", check=False)
    failed = seawall(
        home,
        *("serve", "--workers", "2", "--port", "0"),
        check=False,
        SEAWALL_MASTER_KEY_FILE=str(other / "keys" / "master.key"),
    )
    assert failed.returncode != 0
    assert "master" in failed.stderr.lower()
    assert "Seawall is ready" not in failed.stdout
    left = [each for each in psutil.process_iter(["cmdline"]) if str(home) in " ".join(each.info["cmdline"] or ())]
    named = [" ".join(each.info["cmdline"] or ())[:200] for each in left]
    wait_until(lambda: all(map(gone, left)), f"all of these to end: {named}")


def seal_something(home: Path, key: str) -> None:
    """An upload that cannot be decoded is held, and its bytes are sealed."""
    with ServerProcess(home) as server:
        body = picture(3)
        answer = httpx.post(
            f"{server.url}/v1/media",
            params={"content_id": "broken"},
            content=body[: len(body) // 2],
            headers={"Authorization": f"Bearer {key}"},
            timeout=240,
        )
        assert answer.json()["verdict"] == "hold"
