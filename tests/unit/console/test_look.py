"""What the templates and static files must be: nothing inline, nothing from elsewhere, readable in light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import seawall.console

CONSOLE = Path(seawall.console.__file__).parent
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
STYLE = (CONSOLE / "static" / "console.css").read_text("utf-8")
OWN_STATIC = [path for path in (CONSOLE / "static").iterdir() if path.suffix in {".js", ".css", ".svg"}]
LEAST_CONTRAST = 4.5
"""What WCAG AA asks of text."""

TEXT_ON_GROUND = [
    (text, ground)
    for ground in ("ground", "surface", "sunken", "selected")
    for text in ("ink", "muted", "accent", "urgent", "good")
] + [("on-accent", "accent"), ("on-accent", "accent-hover"), ("test-ink", "test-ground")]


def colours(scheme: str) -> dict[str, str]:
    """The style sheet's colours as one scheme has them."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[0]))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[1]))
    return found


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    shown = colours(scheme)
    assert contrast(shown[text], shown[ground]) >= LEAST_CONTRAST


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_nothing_that_the_content_policy_refuses(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle\s*=|<style", text)
    assert not re.search(r"\son[a-z]+\s*=|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_switches_no_escaping_off(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup", path.read_text("utf-8"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_posts_carries_the_form_token(path: Path) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text("utf-8"), re.DOTALL):
        assert "csrf_field(csrf)" in form or 'name="csrf"' in form


@pytest.mark.parametrize("path", [*TEMPLATES, *OWN_STATIC], ids=lambda path: path.name)
def test_no_page_asks_another_host(path: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+", path.read_text("utf-8").replace("http://www.w3.org", ""))
    assert [address for address in addresses if not address.startswith("// ")] == []


def test_the_style_sheet_stays_one_idea() -> None:
    assert len(STYLE.splitlines()) < 500
