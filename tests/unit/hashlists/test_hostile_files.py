"""Files that break the parser beneath: read in a process of their own, since it would take this one with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from seawall.errors import ListFormatInvalid
from seawall.hashlists.formats import read_entries
try:
    list(read_entries(sys.stdin.buffer, "vics"))
except ListFormatInvalid:
    print("refused")
"""


@pytest.mark.parametrize(
    "number",
    ["9" * 23, "9" * 5_000, "9" * 100_000, "1e999", "1e99999999999999999999"],
    ids=["23 digits", "5,000 digits", "100,000 digits", "1e999", "1e99999999999999999999"],
)
def test_numbers_that_no_machine_holds_are_refused(number: str) -> None:
    text = f'{{"@odata.context": "test", "value": [{{"MediaID": {number}, "MD5": "{"a" * 32}"}}]}}'
    found = subprocess.run([sys.executable, "-c", PROGRAM], input=text.encode(), capture_output=True, check=False)
    assert (found.returncode, found.stdout) == (0, b"refused\n")
