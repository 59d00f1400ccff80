"""Looking at a picture as a person does: choose how clearly, hold the button, let it go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect


@contextmanager
def held(page: Page, stage: str = "Blurred") -> Iterator[bytes]:
    """Holds the button of the first item; within, the picture is on the page. Gives the bytes that came."""
    choose(page, stage)
    button = page.get_by_role("button", name="Hold to look").first
    button.scroll_into_view_if_needed()
    button.hover()
    with page.expect_response(lambda answer: "/reveals/" in answer.url) as answered:
        page.mouse.down()
    assert answered.value.status == 200
    assert answered.value.headers["cache-control"] == "no-store"
    expect(page.locator("figure.shown img")).to_be_visible()
    yield answered.value.body()
    let_go(page)


def let_go(page: Page) -> None:
    """Releases the button, and waits until the look is on record as over and the next stage is open."""
    with page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/picture")):
        page.mouse.up()
    expect(page.locator("figure.shown")).to_have_count(0)


def choose(page: Page, stage: str) -> None:
    """Chooses how clearly to see it."""
    page.locator("[data-look]").first.get_by_text(stage, exact=True).click()
    expect(page.get_by_role("radio", name=stage, exact=True).first).to_be_checked()


def look(page: Page, stage: str = "Blurred") -> bytes:
    """One look, held until the picture is there; its bytes."""
    with held(page, stage) as shown:
        return shown


def saturation(body: bytes) -> int:
    """The strongest colour in a picture; 0 where it is grey."""
    pixels = Image.open(BytesIO(body)).convert("HSV").getchannel("S").getextrema()
    return int(pixels[1])


def sharpness(body: bytes) -> int:
    """The strongest step between neighbouring pixels, in a grey rendering of one size."""
    grey = np.asarray(Image.open(BytesIO(body)).convert("L").resize((160, 120)), dtype=np.int16)
    return int(np.abs(np.diff(grey, axis=1)).max())
