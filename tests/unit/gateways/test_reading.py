"""The page at /docs: complete, with examples, and asking no other host for anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI

from seawall.gateways.http import reading
from seawall.gateways.http.app import description_only, openapi_document
from seawall.gateways.http.reading import PAGES, operations, shapes
from tests.unit.gateways.asking import ask

DOCUMENT = openapi_document()
OPERATIONS = {f"{each.method} {each.path}": each for each in operations(DOCUMENT)}
each_operation = pytest.mark.parametrize("name", OPERATIONS)


class Tags(HTMLParser):
    """Collects tags with their attributes, and what is said between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return description_only()


@pytest.fixture(scope="module")
def page(app: FastAPI) -> Tags:
    response = ask(app, "/docs")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return Tags(response.text)


def test_no_other_host_is_asked_for_anything(app: FastAPI) -> None:
    """Examples may name addresses, as text. Nothing that a browser follows by itself may: no attribute, style or
    script."""
    for path in ("/docs", "/docs/docs.css", "/docs/docs.js"):
        response = ask(app, path)
        assert response.status_code == 200
        read = re.sub(r"/\*.*?\*/|^//.*$", "", response.text, flags=re.S | re.M)
        if path == "/docs":
            read = "".join(re.findall(r"<[^>]*>|<style.*?</style>|<script.*?</script>", read, flags=re.S))
            read = re.sub(r' placeholder="[^"]*"', "", read)
        assert not re.search(r"(https?:)?//[a-z0-9]", read)
        assert "@import" not in response.text


def test_the_policy_allows_nothing_inline_and_nobody_else(app: FastAPI, page: Tags) -> None:
    policy = ask(app, "/docs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|https?:|\*|data:", policy)
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert tag not in ("style", "img", "iframe", "object", "embed", "base")
        assert tag != "script" or attributes == {"src": "docs/docs.js", "defer": None}


def test_every_link_inside_the_page_leads_somewhere(app: FastAPI, page: Tags) -> None:
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]
    assert [target for target in targets if target.startswith("#") and target[1:] not in anchors] == []
    for target in {target for target in targets if not target.startswith("#")}:
        assert ask(app, f"/{target}").status_code == 200


@each_operation
def test_every_address_is_told_with_examples(page: Tags, name: str) -> None:
    operation = OPERATIONS[name]
    assert operation.summary in page.said
    assert operation.curl in page.said
    assert operation.replies[0].examples or operation.replies[0].status == "204"
    for reply in operation.replies:
        assert reply.words.endswith(".")
        for example in reply.examples:
            assert example.text in page.said
    assert operation.takes != "json" or operation.bodies
    assert all(parameter.example and parameter.words for parameter in operation.parameters)


def test_every_shape_is_told(page: Tags) -> None:
    for shape in shapes(DOCUMENT):
        assert shape.name in page.said
        assert shape.words, f"{shape.name} says nothing of itself"
        assert all(name in page.said for name, _, _ in shape.fields)


def test_what_a_description_says_cannot_become_markup() -> None:
    text = str(reading.prose("<script>alert(1)</script> and `<b>`"))
    assert "<script" not in text
    assert "<code>&lt;b&gt;</code>" in text


def test_only_the_pages_own_files_are_served(app: FastAPI) -> None:
    assert set(reading.FILES) == {path.name for path in PAGES.iterdir()} - {"docs.html"}
    for name in ("docs.html", "..%2fapp.py", "%2e%2e/app.py", "x"):
        assert ask(app, f"/docs/{name}").status_code == 404
