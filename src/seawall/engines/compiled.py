"""Where numba keeps compiled code. It must be said before the first import of numba, and only here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from seawall.errors import ConfigurationError

VARIABLE = "NUMBA_CACHE_DIR"


def use_cache(folder: Path) -> None:
    """Makes the folder (mode 0700) and points numba at it, unless the operator has pointed it elsewhere.

    Cached machine code is loaded and run, so that nobody else may write to the folder. Child processes inherit the
    choice through the environment.

    Raises:
        ConfigurationError: the folder cannot be made or belongs to someone else.
    """
    if os.environ.get(VARIABLE):
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The folder for compiled code cannot be used ({error.strerror}).",
            hint="Give SEAWALL_HOME to the user that Seawall runs as.",
        ) from error
    os.environ[VARIABLE] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
