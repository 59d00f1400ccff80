"""Objects are created once, read whole, and never overwritten."""

from __future__ import annotations

import pytest

from seawall.engines.objects import open_objects
from seawall.errors import ConfigurationError, Conflict, NotFound
from seawall.settings import Settings


def test_an_object_is_never_overwritten(settings: Settings) -> None:
    objects = open_objects(settings)
    objects.put_new("a/b", b"first")
    with pytest.raises(Conflict):
        objects.put_new("a/b", b"second")
    assert objects.get("a/b") == b"first"
    assert [name for name, _ in objects.names("a")] == ["a/b"]


def test_an_absent_object_is_not_found_and_deleting_it_is_fine(settings: Settings) -> None:
    objects = open_objects(settings)
    objects.delete("a/b")
    with pytest.raises(NotFound):
        objects.get("a/b")


def test_the_folder_is_private(settings: Settings) -> None:
    open_objects(settings)
    assert settings.objects_folder.stat().st_mode & 0o777 == 0o700


def test_a_wrong_address_names_the_setting(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_OBJECTS_URL"):
        open_objects(Settings(home=settings.home, objects_url="nowhere"))
