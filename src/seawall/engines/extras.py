"""Whether the libraries of extras are here. They are large, and few installations need them."""

from __future__ import annotations

from importlib.util import find_spec

from seawall.errors import ConfigurationError


def require_scale(*modules: str) -> None:
    """Refuses to go on without these libraries.

    Raises:
        ConfigurationError: names those that are missing and how to get them.
    """
    _require("scale", modules)


def require_keypoints() -> None:
    """Refuses to go on without OpenCV.

    Raises:
        ConfigurationError: says how to get it.
    """
    _require("keypoints", ("cv2",))


def require_grooming() -> None:
    """Refuses to go on without what training takes.

    Raises:
        ConfigurationError: names what is missing and how to get it.
    """
    _require("grooming", ("sklearn", "scipy"))


def _require(extra: str, modules: tuple[str, ...]) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            hint=f"Install the extra with: pip install 'seawall[{extra}]'",
        )
