"""Objects are created once, read whole, and never overwritten."""

from __future__ import annotations

import os
import stat

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


@pytest.mark.parametrize("by_address", [False, True])
def test_the_folder_is_private_also_when_it_was_there(settings: Settings, by_address: bool) -> None:
    folder = settings.home / "else where" if by_address else settings.objects_folder
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    open_objects(settings.model_copy(update={"objects_url": folder.as_uri()}) if by_address else settings)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_wrong_address_names_the_setting(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_OBJECTS_URL"):
        open_objects(Settings(home=settings.home, objects_url="nowhere"))


def test_a_folder_by_address_is_kept_like_the_usual_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), sync(handle))[1])
    elsewhere = settings.home / "else where"
    objects = open_objects(settings.model_copy(update={"objects_url": elsewhere.as_uri()}))
    objects.put_new("evidence/one", b"sealed")
    assert (elsewhere / "evidence" / "one").read_bytes() == b"sealed"
    assert objects.get("evidence/one") == b"sealed"
    assert len(synced) == 3, "the file and both folders"
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    with pytest.raises(Conflict):
        objects.put_new("evidence/one", b"other")
