"""The gate for servers that ask before they serve: by its status alone, and with a real nginx."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from seawall import late
from seawall.gateways.http.app import create_app
from seawall.gateways.http.showing import Showing
from seawall.records import EntryDraft, Scope
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import refused
from tests.integration.gateways.test_content import eventually, published
from tests.programs import require_program
from tests.unit.gateways.asking import ask


def listed(api: Api, content_id: str) -> None:
    """A list learns of it, and the ledger has been walked."""
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(content_id.encode()).digest()), "Test list G")
    late.walk(api.runtime.rooms)


def test_what_may_be_shown_passes_until_a_list_learns_of_it(api: Api) -> None:
    published(api, "gate-1")
    for _ in range(2):
        answer = api.client.get("/v1/gate/gate-1")
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Cache-Control"] == "no-store"
    listed(api, "gate-1")
    eventually(lambda: api.client.get("/v1/gate/gate-1").status_code == 403)
    for query in ("", "?unknown=pass", "?unknown=refuse"):
        assert "is blocked" in refused(api.client.get(f"/v1/gate/gate-1{query}"), 403, "content_refused")


def test_what_is_not_known_is_refused_unless_that_is_asked_for(api: Api) -> None:
    refused(api.client.get("/v1/gate/never"), 403, "content_refused")
    refused(api.client.get("/v1/gate/never?unknown=refuse"), 403, "content_refused")
    assert api.client.get("/v1/gate/never?unknown=pass").status_code == 204


@pytest.mark.parametrize("query", ["unknown=perhaps", "unknown=pass&unknown=pass", "other=1", "unknown="])
def test_no_other_question_is_answered(api: Api, query: str) -> None:
    published(api, "gate-2")
    refused(api.client.get(f"/v1/gate/gate-2?{query}"), 422, "bad_input")


def test_it_needs_a_key(api: Api) -> None:
    published(api, "gate-3")
    assert api.client.get("/v1/gate/gate-3").status_code == 204
    refused(httpx.get(f"{api.url}/v1/gate/gate-3"), 401, "unauthenticated")
    other = {"Authorization": f"Bearer {api.key('gate-lists', Scope.LISTS)}"}
    refused(httpx.get(f"{api.url}/v1/gate/gate-3", headers=other), 403, "forbidden")


def test_from_memory_it_is_the_same_answer(api: Api) -> None:
    published(api, "gate-4")
    framework = create_app(api.runtime)
    framework.user_middleware = [each for each in framework.user_middleware if each.cls is not Showing]
    headers = {"Authorization": api.client.headers["Authorization"], "X-Request-ID": "same"}
    for query in ("", "?unknown=pass"):
        quick = httpx.get(f"{api.url}/v1/gate/gate-4{query}", headers=headers)
        assert api.hall.standings.remembered("gate-4") is not None
        quick = httpx.get(f"{api.url}/v1/gate/gate-4{query}", headers=headers)
        slow = ask(framework, f"/v1/gate/gate-4{query}", "GET", headers=headers)
        left_out = {"date", "server"}
        told = [{(n, v) for n, v in each.headers.items() if n not in left_out} for each in (quick, slow)]
        assert (quick.status_code, quick.content, told[0]) == (slow.status_code, slow.content, told[1])


@pytest.mark.parametrize(
    ("asked_for", "status"),
    [
        ("/media/by-address", 204),
        ("/media/by-address?size=2", 204),
        ("/media/never", 403),
        ("/media/by%2Daddress", 403),
        ("/media/by-address/", 403),
        ("/media//by-address", 403),
        ("/media/../media/by-address", 403),
        ("/media/..", 403),
        ("/media/", 403),
        ("/Media/by-address", 403),
        ("/other/by-address", 403),
        ("", 403),
        ("https://example.org/media/by-address", 403),
    ],
)
def test_what_was_asked_for_may_stand_in_a_header(api: Api, asked_for: str, status: int) -> None:
    published(api, "by-address")
    answer = api.client.get("/v1/gate?prefix=/media/", headers={"X-Forwarded-Uri": asked_for})
    assert answer.status_code == status
    if status == 403:
        refused(answer, 403, "content_refused")


def test_a_header_that_says_nothing_or_two_things_is_no_question(api: Api) -> None:
    refused(api.client.get("/v1/gate?prefix=/media/"), 422, "bad_input")
    twice = [("X-Forwarded-Uri", "/media/a"), ("X-Forwarded-Uri", "/media/b")]
    refused(api.client.get("/v1/gate?prefix=/media/", headers=twice), 422, "bad_input")
    one = {"X-Forwarded-Uri": "/media/a"}
    for query in ("", "?prefix=media", "?prefix=/media", "?prefix=/media/&prefix=/", "?prefix=/media/&other=1"):
        refused(api.client.get(f"/v1/gate{query}", headers=one), 422, "bad_input")
    assert api.client.get("/v1/gate?prefix=/media/&unknown=pass", headers=one).status_code == 204
    refused(httpx.get(f"{api.url}/v1/gate?prefix=/media/", headers=one), 401, "unauthenticated")


# As docs/doors.md says it.
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}/storage
}}
http://127.0.0.1:{port} {{
    @media path_regexp id ^/media/([A-Za-z0-9._~-]+)$
    handle @media {{
        forward_auth {seawall} {{
            uri {question}
            header_up Authorization "Bearer {{$SEAWALL_KEY}}"
        }}
        root * {folder}
        file_server
    }}
    handle {{
        respond 404
    }}
}}
"""


@pytest.fixture(params=["/v1/gate/{re.id.1}?unknown=refuse", "/v1/gate?prefix=/media/"])
def caddy(api: Api, request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """The address of a Caddy that asks, in either way, and the folder that it serves."""
    program = require_program("caddy", hint="sudo apt-get install caddy")
    folder = Path(tempfile.mkdtemp(prefix="seawall-caddy-"))
    (folder / "media").mkdir()
    port = _free_port()
    said = CADDY.format(folder=folder, port=port, seawall=api.url, question=request.param)
    (folder / "Caddyfile").write_text(said)
    key = api.client.headers["Authorization"].removeprefix("Bearer ")
    own = {"PATH": os.defpath, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "SEAWALL_KEY": key}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], env=own, stderr=log
        )
    yield from _served(process, port, folder)


def test_caddy_serves_what_may_be_shown_and_nothing_else(api: Api, caddy: tuple[str, Path]) -> None:
    url, media = caddy
    port = url.rpartition(":")[2]
    one, other = f"caddy-shown-{port}.jpg", f"caddy-listed-{port}.jpg"
    for name in (one, other, "caddy-unknown.jpg"):
        (media / name).write_bytes(name.encode())
    published(api, one, other)
    assert httpx.get(f"{url}/media/{one}").content == one.encode()
    assert httpx.get(f"{url}/media/{other}").status_code == 200
    for query in ("", "?unknown=pass", "?prefix=/&unknown=pass"):
        assert httpx.get(f"{url}/media/caddy-unknown.jpg{query}").status_code == 403
    assert httpx.get(f"{url}/media/{one}?size=2").content == one.encode()
    listed(api, other)
    eventually(lambda: httpx.get(f"{url}/media/{other}").status_code == 403)
    # However it is written, it is the same file, and is not served.
    spelled = (f"/media/%63{other[1:]}", f"/media/./{other}", f"//media//{other}", f"/x/../media/{other}?a")
    for path in spelled:
        answer = httpx.get(httpx.URL(url).copy_with(raw_path=path.encode()))
        assert answer.status_code in (403, 404), path
    # Whoever asks cannot say what was asked for.
    sent = httpx.get(f"{url}/media/{other}", headers={"X-Forwarded-Uri": f"/media/{one}"})
    assert sent.status_code == 403


# As docs/doors.md says it.
NGINX = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location ~ "^/media/(?<content_id>[A-Za-z0-9._-]+)$" {{
            auth_request /seawall;
            root {folder};
        }}
        location = /seawall {{
            internal;
            proxy_pass {seawall}/v1/gate/$content_id;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Authorization "Bearer {key}";
        }}
    }}
}}
"""


@pytest.fixture
def nginx(api: Api) -> Iterator[tuple[str, Path]]:
    """The address of an nginx that asks, and the folder that it serves."""
    program = require_program("nginx", hint="sudo apt-get install nginx-light")
    folder = Path(tempfile.mkdtemp(prefix="seawall-nginx-"))
    (folder / "media").mkdir()
    port = _free_port()
    key = api.client.headers["Authorization"].removeprefix("Bearer ")
    said = NGINX.format(folder=folder, user=folder.owner(), port=port, seawall=api.url, key=key)
    (folder / "nginx.conf").write_text(said)
    process = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    yield from _served(process, port, folder)


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
    return port


def _served(process: subprocess.Popen[bytes], port: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Its address and what it serves, once it listens; ends it, and removes the folder."""
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}", folder / "media"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _wait_for(port: int) -> None:
    limit = time.monotonic() + 30
    while True:
        with contextlib.closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < limit, "nginx does not listen"
        time.sleep(0.05)


def test_nginx_serves_what_may_be_shown_and_nothing_else(api: Api, nginx: tuple[str, Path]) -> None:
    url, media = nginx
    for name in ("shown.jpg", "listed.jpg", "unknown.jpg"):
        (media / name).write_bytes(name.encode())
    published(api, "shown.jpg", "listed.jpg")
    assert httpx.get(f"{url}/media/shown.jpg").content == b"shown.jpg"
    assert httpx.get(f"{url}/media/listed.jpg").status_code == 200
    assert httpx.get(f"{url}/media/unknown.jpg").status_code == 403
    listed(api, "listed.jpg")
    eventually(lambda: httpx.get(f"{url}/media/listed.jpg").status_code == 403)
    # However it is written, it is the same file and the same content.
    for path in (b"/media/%6Cisted.jpg", b"/media/./listed.jpg", b"//media//listed.jpg", b"/x/../media/listed.jpg?a"):
        target = httpx.URL(url).copy_with(raw_path=path)
        assert httpx.get(target).status_code == 403, path
    assert httpx.get(f"{url}/media/shown.jpg", headers={"Range": "bytes=0-1"}).content == b"sh"


def test_nginx_serves_nothing_while_nobody_answers(api: Api, nginx: tuple[str, Path]) -> None:
    url, media = nginx
    (media / "gate-5").write_bytes(b"x")
    published(api, "gate-5")
    assert httpx.get(f"{url}/media/gate-5").status_code == 200
    conf = media.parent / "nginx.conf"
    conf.write_text(conf.read_text().replace(api.url, "http://127.0.0.1:1"))
    subprocess.run([shutil.which("nginx") or "", "-p", conf.parent, "-c", conf, "-s", "reload"], check=True)
    eventually(lambda: httpx.get(f"{url}/media/gate-5").status_code == 500)
