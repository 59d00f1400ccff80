"""Bring the OpenID provider that tests of single sign-on log in at: npm's `oidc-provider`, as its lock pins it.

It is installed beside `tests/provider/package.json`, never committed, and never part of what is shipped.

    python tools/test_provider.py          fetch what the lock pins
    python tools/test_provider.py --lock   write its lock anew, without addresses
"""

from __future__ import annotations

import argparse
import json

from browser_files import ROOT, npm

FOLDER = ROOT / "tests" / "provider"


def without_addresses() -> None:
    """Takes out of the lock where packages ask for money: it holds hashes and no addresses."""
    path = FOLDER / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description="Bring the OpenID provider that tests of single sign-on log in at.")
    parser.add_argument("--lock", action="store_true", help="write its lock anew and stop")
    if parser.parse_args().lock:
        npm("install", "--package-lock-only", folder=FOLDER)
        without_addresses()
        return
    npm("ci", folder=FOLDER)


if __name__ == "__main__":
    main()
