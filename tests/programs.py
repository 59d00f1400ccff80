"""Programs of the system that only tests need, and what happens when one is not there.

On a person's machine the test is skipped, with the line that brings the program; where ``CI=true`` it fails, since
CI runs everything.
"""

from __future__ import annotations

import os
import shutil

import pytest

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
CHROMIUM_HINT = "sudo apt-get install chromium  (or SEAWALL_TEST_CHROMIUM=/path/to/chrome)"


def require_program(*names: str, hint: str) -> str:
    """The path of the first of these programs that is there.

    Skips the test (fails it where ``CI=true``) when none is; `hint` is the line that brings it.
    """
    for name in names:
        if path := shutil.which(name):
            return path
    message = f"{names[0]} is not there. This brings it:  {hint}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require_chromium() -> str:
    """The path of a Chromium: the one that SEAWALL_TEST_CHROMIUM names, or the system's own."""
    named = os.environ.get("SEAWALL_TEST_CHROMIUM")
    return require_program(*((named,) if named else CHROMIUM), hint=CHROMIUM_HINT)
