"""The master key is made once, kept private, and opens only what it sealed for the same purpose."""

from __future__ import annotations

import base64
import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from seawall.errors import ConfigurationError, EvidenceTampered, MasterKeyMissing
from seawall.evidence.master_key import MasterKey, load_master_key
from seawall.settings import Settings

KEY = MasterKey(bytes(range(32)))
OTHER = MasterKey(bytes(range(1, 33)))


def in_home(home: Path, **more: object) -> Settings:
    return Settings(home=home, **more)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def test_first_start_makes_a_private_key_and_warns(tmp_path: Path) -> None:
    settings = in_home(tmp_path / "home")
    with capture_logs() as logs:
        made = load_master_key(settings, may_create=True)
    file = settings.resolved_master_key_file
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("master_key.created", "warning")]
    assert file.read_text().strip() not in str(logs)
    assert os.listdir(file.parent) == ["master.key"]
    with capture_logs() as logs:
        assert load_master_key(settings, may_create=False).key_id == made.key_id
    assert logs == []


def load_and_tell(home: Path, barrier: object, answers: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    answers.put(load_master_key(in_home(home), may_create=True).key_id)  # type: ignore[attr-defined]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(5):
        home = tmp_path / str(attempt)
        barrier, answers = context.Barrier(8), context.Queue()
        processes = [context.Process(target=load_and_tell, args=(home, barrier, answers)) for _ in range(8)]
        for process in processes:
            process.start()
        told = {answers.get(timeout=120) for _ in processes}
        for process in processes:
            process.join()
        assert told == {load_master_key(in_home(home), may_create=False).key_id}
        assert os.listdir(home / "keys") == ["master.key"]


def test_a_key_that_went_missing_is_not_replaced(tmp_path: Path) -> None:
    settings = in_home(tmp_path)
    with pytest.raises(MasterKeyMissing) as caught:
        load_master_key(settings, may_create=False)
    assert str(settings.resolved_master_key_file) in caught.value.message
    assert "backup" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    settings = in_home(tmp_path)
    load_master_key(settings, may_create=True)
    settings.resolved_master_key_file.chmod(mode)
    with pytest.raises(ConfigurationError, match="read by others") as caught:
        load_master_key(settings, may_create=True)
    assert "chmod 600" in caught.value.hint


def test_a_folder_that_others_can_write_to_gets_no_key(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigurationError, match="can write"):
        load_master_key(in_home(tmp_path, master_key_file=folder / "key"), may_create=True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"\n", b"not base64!", base64.b64encode(bytes(range(31))), b"A" * 5000])
def test_a_malformed_key_file_is_an_error_that_does_not_show_it(tmp_path: Path, text: bytes) -> None:
    settings = in_home(tmp_path)
    load_master_key(settings, may_create=True)
    settings.resolved_master_key_file.write_bytes(text)
    with pytest.raises(ConfigurationError, match="no master key") as caught:
        load_master_key(settings, may_create=True)
    assert not text.strip() or text.decode() not in caught.value.message + caught.value.hint


def test_a_folder_in_the_place_of_the_key_is_an_error(tmp_path: Path) -> None:
    settings = in_home(tmp_path)
    settings.resolved_master_key_file.mkdir(parents=True)
    with pytest.raises(ConfigurationError):
        load_master_key(settings, may_create=True)


@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_key_from_the_environment(tmp_path: Path, alphabet: object) -> None:
    text = alphabet(bytes(range(224, 256))).decode() + "\n"  # type: ignore[operator]
    key = load_master_key(in_home(tmp_path, master_key=SecretStr(text)), may_create=False)
    assert key.key_id == MasterKey(bytes(range(224, 256))).key_id
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_in_the_environment_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SEAWALL_MASTER_KEY") as caught:
        load_master_key(in_home(tmp_path, master_key=SecretStr("c2VjcmV0")), may_create=True)
    assert "c2VjcmV0" not in caught.value.message


def test_a_key_that_nobody_drew_by_lot_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="random"):
        MasterKey(bytes(32))


def test_two_keys_are_a_contradiction(tmp_path: Path) -> None:
    settings = in_home(tmp_path, master_key=SecretStr("x"), master_key_file=tmp_path / "key")
    with pytest.raises(ConfigurationError, match="Both"):
        load_master_key(settings, may_create=True)


def test_the_key_never_shows_itself() -> None:
    assert repr(KEY) == f"MasterKey(key_id='{KEY.key_id}')"
    assert KEY.key_id not in bytes(range(32)).hex()
    assert KEY.key_id != OTHER.key_id


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_sealing_comes_back(data: bytes, purpose: bytes) -> None:
    sealed = KEY.seal(data, purpose)
    assert KEY.open(sealed, purpose) == data
    assert KEY.seal(data, purpose) != sealed
    assert len(data) < 4 or data not in sealed


@given(st.integers(0, 8 * 61 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    with pytest.raises(EvidenceTampered):
        KEY.open(flipped(KEY.seal(bytes(32), b"webhook"), bit), b"webhook")
    with pytest.raises(EvidenceTampered):
        KEY.unwrap(flipped(KEY.wrap(bytes(32), case_id=7), bit), case_id=7)


@given(st.integers(0, 60))
def test_every_shorter_text_is_noticed(length: int) -> None:
    with pytest.raises(EvidenceTampered):
        KEY.open(KEY.seal(bytes(32), b"webhook")[:length], b"webhook")


def test_another_purpose_case_or_key_does_not_open() -> None:
    sealed, wrapped = KEY.seal(b"data", b"webhook"), KEY.wrap(bytes(32), case_id=7)
    attempts = (
        lambda: KEY.open(sealed, b"other"),
        lambda: OTHER.open(sealed, b"webhook"),
        lambda: KEY.unwrap(wrapped, case_id=8),
        lambda: OTHER.unwrap(wrapped, case_id=7),
        lambda: KEY.open(wrapped, b"case-key"),
        lambda: KEY.unwrap(sealed, case_id=7),
    )
    for attempt in attempts:
        with pytest.raises(EvidenceTampered):
            attempt()
