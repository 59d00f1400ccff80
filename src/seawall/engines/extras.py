"""Whether the libraries of the extra `scale` are here. They are large, and few installations need them."""

from __future__ import annotations

from importlib.util import find_spec

from seawall.errors import ConfigurationError


def require_scale(*modules: str) -> None:
    """Refuses to go on without these libraries.

    Raises:
        ConfigurationError: names those that are missing and how to get them.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            hint="Install them with: pip install 'seawall[scale]'",
        )
