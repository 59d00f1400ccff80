"""What `seawall serve --workers` shares out, and the folder that its processes share."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from seawall.service import _private_folder, shares


@given(total=st.integers(1, 256), among=st.integers(1, 64))
def test_decoders_are_shared_out_evenly_and_everybody_has_one(total: int, among: int) -> None:
    parts = shares(total, among)
    assert len(parts) == among
    assert min(parts) >= 1
    assert max(parts) - min(parts) <= 1
    assert sum(parts) == max(total, among)


def test_the_folder_is_private_and_goes_with_the_service(tmp_path: Path) -> None:
    with _private_folder(tmp_path / "run") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent.stat().st_mode & 0o777 == 0o700
        assert (folder / "metrics").is_dir()
        assert list((folder / "metrics").iterdir()) == []
    assert not folder.exists()


def test_services_on_one_home_have_folders_of_their_own(tmp_path: Path) -> None:
    with _private_folder(tmp_path) as one:
        with _private_folder(tmp_path) as other:
            assert one != other
            assert one.exists()
        assert one.exists()
        assert not other.exists()


def _die_in(parent: Path) -> None:
    with _private_folder(parent) as folder:
        (folder / "metrics" / "counter_api-1.db").write_bytes(b"left")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_service_left_is_taken_away(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_in, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = tmp_path.glob("serve-*")
    with _private_folder(tmp_path) as folder:
        assert not left.exists()
        assert list(tmp_path.glob("serve-*")) == [folder]
