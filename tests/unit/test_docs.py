"""The documents say what the code does: nothing missing, nothing stale, no link into nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seawall import __version__
from seawall.records import EventType, HarmClass, Outcome, RevealStage, Role, Scope, Trust, Verdict
from seawall.settings import Settings
from tools import reference_docs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
CONCEPTS = (DOCS / "concepts.md").read_text("utf-8")
# What examples call what a platform keeps for itself.
NOT_SETTINGS = {"SEAWALL_KEY", "SEAWALL_URL", "SEAWALL_WEBHOOK_SECRET"}
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(text: str) -> Iterator[str]:
    """The anchors that a Markdown page's headings get."""
    for heading in re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


# The reference


@pytest.mark.parametrize("name", reference_docs.PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    path = reference_docs.FOLDER / name
    assert path.exists(), "run `make docs`"
    assert text_of(path) == reference_docs.PAGES[name](), "run `make docs` and commit what it writes"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_reference(name: str) -> None:
    assert f"`SEAWALL_{name.upper()}`" in text_of(DOCS / "reference" / "settings.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_names_a_setting_that_is_none(path: Path) -> None:
    named = set(re.findall(r"SEAWALL_(?!TEST_)[A-Z][A-Z_]*[A-Z]", text_of(path)))
    assert named - NOT_SETTINGS <= {f"SEAWALL_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("error", [error.code for _, error in reference_docs.error_tree()])
def test_every_error_is_in_the_reference(error: str) -> None:
    assert f"`{error}`" in text_of(DOCS / "reference" / "errors.md")


@pytest.mark.parametrize("event", [event.value for event in EventType])
def test_every_webhook_event_is_described(event: str) -> None:
    assert f"`{event}`" in text_of(DOCS / "reference" / "webhooks.md")
    assert f"`{event}`" in CONCEPTS


def test_every_command_has_an_example() -> None:
    lines = text_of(DOCS / "reference" / "cli.md").split("\n## ")[1:]
    commands = [part for section in lines for part in re.split(r"\n### ", section)]
    leaves = [part for part in commands if not re.match(rf"`({'|'.join(groups(commands))})`", part)]
    assert leaves
    assert [part.splitlines()[0] for part in leaves if "Example" not in part] == []


def groups(sections: list[str]) -> set[str]:
    """The commands that only hold other commands: those whose name begins another's."""
    names = [re.escape(section.split("`")[1]) for section in sections]
    return {name for name in names if any(other.startswith(f"{name}\\ ") for other in names)}


# Concepts


@pytest.mark.parametrize("word", [v.value for kind in (Verdict, Outcome, RevealStage) for v in kind])
def test_every_word_that_people_meet_is_explained(word: str) -> None:
    assert re.search(rf"\b{word.replace('_', ' ')}\b", CONCEPTS)


@pytest.mark.parametrize("word", [v.value for kind in (Trust, HarmClass, Role, Scope) for v in kind])
def test_every_name_that_is_written_in_commands_is_explained(word: str) -> None:
    assert re.search(rf"\b{word}\b", CONCEPTS)


def test_words_are_explained_once() -> None:
    words = re.findall(r"^\*\*(.+?)\.\*\*", CONCEPTS, re.MULTILINE)
    assert len(words) == len(set(words)) > 25


# Promises


def promises() -> dict[int, str]:
    """The numbered promises of the attack model: number -> what is written under it."""
    parts = re.split(r"^### (\d+)\. ", text_of(DOCS / "attack-model.md"), flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_promises_are_numbered_in_order() -> None:
    assert list(promises()) == list(range(1, len(promises()) + 1))
    assert len(promises()) >= 10


@pytest.mark.parametrize("number", promises())
def test_every_promise_names_what_shows_it(number: int) -> None:
    assert re.findall(r"`tests/[\w/]+\.py`", promises()[number])


def test_the_tests_that_documents_name_are_there() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"`((?:tests|src|tools|benchmarks)/[\w./-]+)`", text_of(page))
    }
    assert named
    assert sorted(name for name in named if "NAME" not in name and not (ROOT / name).exists()) == []


# All pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target in LINK.findall(without_code(text_of(page))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(text_of(path))):
            lost.append(target)
    assert lost == []


def test_every_design_choice_is_in_the_index() -> None:
    linked = set(LINK.findall(text_of(DOCS / "why" / "README.md")))
    assert {path.name for path in (DOCS / "why").glob("*.md")} - {"README.md"} == linked


def test_every_reference_page_is_in_the_index() -> None:
    linked = set(LINK.findall(text_of(DOCS / "index.md")))
    assert {f"reference/{path.name}" for path in (DOCS / "reference").glob("*.md")} <= linked


def test_this_version_is_in_the_changes() -> None:
    assert f"## [{__version__}]" in text_of(ROOT / "CHANGELOG.md")


@pytest.mark.parametrize("command", ["make demo", "make test", "seawall serve", "seawall doctor"])
def test_the_readme_shows_how_to_begin(command: str) -> None:
    assert command in text_of(ROOT / "README.md")


def test_every_make_target_that_documents_name_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", text_of(page))} - {"bench-"}
    measured = {f"bench-{path.stem.replace('_', '-')}" for path in (ROOT / "benchmarks").glob("*.py")}
    assert named - targets - measured == set()
