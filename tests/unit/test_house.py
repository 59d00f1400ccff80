"""The rules of the house: how the source lies, what may be committed, what the locks hold, what is imported when."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.programs import require_program
from tools import browser_files

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "seawall"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 500

DRAWERS = {"utils", "util", "lib", "common", "helpers", "misc", "shared"}
"""Names that say nothing of what is inside."""

ROOMS = (
    "decoding",
    "fingerprints",
    "hashlists",
    "matching",
    "grooming",
    "imagery",
    "links",
    "policy",
    "actions",
    "cases",
    "reporting",
    "evidence",
    "database",
    "engines",
    "gateways",
    "console",
    "cli",
    "access",
)

REGISTRY_HOSTS = [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))]
"""Joined here, so that this file does not name them either."""

HEAVY = ("numba", "numpy", "sqlalchemy", "fastapi", "PIL", "cryptography", "uvicorn", "procrastinate", "obstore")
MODEL_RUNTIMES = ("onnxruntime", "torch", "tensorflow", "jax")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def named(paths: Iterator[Path] | list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.fixture(scope="session")
def committed() -> list[Path]:
    """Every file that git knows of, as it lies in the work tree."""
    git = require_program("git", hint="sudo apt-get install git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """The files among these that are text, with what they say."""
    for path in paths:
        content = path.read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


# How the source lies


def test_no_file_is_two_ideas() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert named([path for path, length in lengths.items() if length > LONGEST_FILE]) == []


def test_nothing_is_called_by_a_name_that_says_nothing() -> None:
    assert named([path for path in PACKAGE.rglob("*") if path.stem in DRAWERS]) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_lives_there(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "say it in a docstring at the top"


def test_every_room_that_is_there_is_a_package() -> None:
    there = [PACKAGE / room for room in ROOMS if (PACKAGE / room).is_dir()]
    assert there
    assert named([room for room in there if not (room / "__init__.py").exists()]) == []


def test_errors_are_defined_in_one_place() -> None:
    """Every error that leaves a room stands in errors.py, where its code is found and documented."""
    errors = {node.name for node in tree_of(PACKAGE / "errors.py").body if isinstance(node, ast.ClassDef)}
    elsewhere = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in SOURCES
        if path.name != "errors.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and errors & {ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases}
    ]
    assert elsewhere == []


def test_no_module_keeps_state() -> None:
    """A module-level list, dict or set is a constant, and named like one; nothing is rebound from inside."""
    mutable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    found = []
    for path in SOURCES:
        tree = tree_of(path)
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, mutable):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                name = ast.unparse(target)
                if not (name.isupper() or name.strip("_").isupper() or re.fullmatch(r"__\w+__", name)):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
        found += [f"{path.relative_to(ROOT)}:{n.lineno} global" for n in ast.walk(tree) if isinstance(n, ast.Global)]
    assert found == []


def test_contributing_tells_the_order_in_which_imports_go() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    held = [[name.strip().removeprefix("seawall.") for name in layer.split("|")] for layer in layers]
    told = re.search(r"Imports go one way: (.+?)\. ", " ".join((ROOT / "CONTRIBUTING.md").read_text("utf-8").split()))
    assert told is not None
    assert [re.findall(r"`([a-z_]+)`", layer) for layer in told[1].split("→")] == held


def test_nothing_unfinished_is_dressed_as_done() -> None:
    marks = re.compile(r"raise NotImplementedError|\b(TODO|FIXME|XXX)\b")
    assert named([path for path in SOURCES if marks.search(path.read_text("utf-8"))]) == []


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


# What may be committed


def test_no_committed_file_names_a_registry(committed: list[Path]) -> None:
    assert named([path for path, text in texts(committed) if any(host in text for host in REGISTRY_HOSTS)]) == []


def test_no_committed_file_names_a_path_of_one_machine(committed: list[Path]) -> None:
    paths = re.compile(
        r"(?<![\w.])/(" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+", "Us" + "ers"]) + ")/"
    )
    assert named([path for path, text in texts(committed) if paths.search(text)]) == []


def test_browser_files_are_never_committed(committed: list[Path]) -> None:
    assert named([path for path in committed if path.is_relative_to(browser_files.VENDOR)]) == []
    git = require_program("git", hint="sudo apt-get install git")
    for name in browser_files.COPIES.values():
        ignored = subprocess.run([git, "check-ignore", "-q", str(browser_files.VENDOR / name)], cwd=ROOT, check=False)
        assert ignored.returncode == 0, f"{name} is not ignored by git"


def test_pages_ask_only_for_browser_files_that_setup_brings() -> None:
    asked = {
        name
        for path in (PACKAGE / "console").rglob("*")
        if path.suffix in {".html", ".j2", ".py"}
        for name in re.findall(r"vendor/([\w.-]+\.(?:js|css))", path.read_text("utf-8"))
    }
    assert asked <= set(browser_files.COPIES.values())


def test_every_browser_file_comes_with_its_licence() -> None:
    """Each npm package that a file is taken from also gives its licence."""
    packages = {source.split("/", 1)[0] for source in browser_files.COPIES}
    licensed = {source.split("/", 1)[0] for source in browser_files.COPIES if "LICENSE" in source}
    assert packages == licensed == set(json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"])


# What the locks hold


def pins(name: str) -> dict[str, str]:
    """Package -> version, as a lock pins them. A package may stand there twice, for different systems."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "package-lock.json"])
def test_a_lock_names_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_has_a_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text("utf-8").strip())
    assert [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []


def test_every_npm_package_has_a_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert {name for name, package in packages.items() if name and not package.get("integrity")} == set()


def test_the_npm_lock_fits_what_package_json_asks_for() -> None:
    asked = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_locks_agree_with_each_other() -> None:
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: version for name, version in runtime.items() if development.get(name) != version} == {}


def asked_for(*groups: str) -> list[Requirement]:
    """What pyproject.toml asks for: to run, and in these groups."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lists = [document["project"]["dependencies"], *(document["dependency-groups"][group] for group in groups)]
    return [Requirement(text) for listed in lists for text in listed]


@pytest.mark.parametrize(
    ("lock", "groups"), [("requirements.lock", ("build",)), ("requirements-dev.lock", ("build", "dev"))]
)
def test_a_lock_holds_what_is_asked_for(lock: str, groups: tuple[str, ...]) -> None:
    locked = pins(lock)
    unmet = [
        str(requirement)
        for requirement in asked_for(*groups)
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert unmet == [], "run `make lock`"


# What is imported when


def imported_by(code: str, names: tuple[str, ...]) -> list[str]:
    """Which of these packages a fresh Python has imported after running the code."""
    report = f"import sys; print('\\n'.join(set({names!r}) & set(sys.modules)))"
    probe = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{report}"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return sorted(set(ran.stdout.splitlines()) & set(names))


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["scan", "--help"]], ids=" ".join)
def test_help_comes_before_anything_heavy_is_imported(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = {['seawall', *arguments]!r}; from seawall.cli.main import run; run()"
    # Typer itself needs pydantic for the options of one command; the list of commands does without.
    heavy = HEAVY if len(arguments) > 1 else (*HEAVY, "pydantic")
    assert imported_by(code, heavy) == []


def test_the_core_knows_no_model_runtime() -> None:
    imports = {
        alias.split(".")[0]
        for path in SOURCES
        for node in tree_of(path).body
        for alias in (
            [name.name for name in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imports & set(MODEL_RUNTIMES) == set()


# How the outside works


def test_make_explains_every_target() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (\S+)", text, re.MULTILINE))
    explained = set(re.findall(r"^([a-z%-]+):.*## \S.*\.$", text, re.MULTILINE))
    assert {"help", "setup", "setup-dev", "demo", "test", "check", "lock", "docs", "clean"} <= targets
    assert targets <= explained


def test_make_help_shows_what_is_explained() -> None:
    make = require_program("make", hint="sudo apt-get install make")
    shown = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "make demo " in shown
    assert "make bench-%" in shown


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_setup_says_what_to_do_without_a_usable_python(tmp_path: Path, python: str) -> None:
    """`false` answers as a Python does that is too old: with status 1 when asked whether it is new enough."""
    ran = subprocess.run(
        [shutil.which("sh") or "sh", str(ROOT / "tools" / "make-venv.sh"), str(tmp_path / "venv"), python],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "Python 3.11" in ran.stderr
    assert "make setup PYTHON=" in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_checks_before_it_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert script.index(" check\n") < script.index(" test\n")
    assert script.rstrip().endswith(" test"), "the test runner's own counts come last"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_every_benchmark_can_be_loaded() -> None:
    """They run by hand alone, so that nothing else would tell when what they call has changed its form."""
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))
    assert names
    program = "import importlib, sys; [importlib.import_module('benchmarks.' + name) for name in sys.argv[1:]]"
    done = subprocess.run(
        [sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
