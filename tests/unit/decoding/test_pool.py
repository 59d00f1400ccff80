"""The pool with real children that are stopped, killed, starved and bombed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from seawall.decoding.pool import DecoderPool
from seawall.errors import (
    DecoderCrashed,
    DecoderTimeout,
    DecoderUnavailable,
    MediaCorrupt,
    MediaTooLarge,
    SeawallError,
)
from seawall.settings import Settings
from tests.programs import require_program
from tests.vectors.files import scene, slow_gif, written

PATIENCE_S = 120.0
PICTURE = written(scene(), "JPEG")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which only Linux has")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Real processes take their time; this fails only when something never happens."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ended(pid: int) -> bool:
    """Gone, or a zombie that init has not collected yet."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] == "Z"
    return not exists(pid)


@pytest.fixture
def open_pool(settings: Settings) -> Iterator[Callable[..., DecoderPool]]:
    """Opens pools with changed settings, and afterwards checks that no child of theirs is left."""
    pools: list[DecoderPool] = []

    def opener(**changes: object) -> DecoderPool:
        pool = DecoderPool(settings.model_copy(update=changes))
        pools.append(pool)
        pool.start()
        return pool

    yield opener
    for pool in pools:
        pids = pool.pids
        pool.close()
        assert not any(exists(pid) for pid in pids)


@pytest.fixture(scope="module")
def slow_picture() -> bytes:
    return slow_gif()


def test_many_threads_share_few_children(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool(decoder_processes=2)
    files = [written(scene(seed, 100, 150), "PNG") for seed in range(8)]
    expected = [pool.fingerprint(data) for data in files]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(pool.fingerprint, files * 20))
    assert answers == expected * 20
    wait_until(lambda: pool.ready == 2, "both children ready")


def test_a_child_that_is_too_slow_is_killed_and_replaced(
    open_pool: Callable[..., DecoderPool], slow_picture: bytes
) -> None:
    pool = open_pool(decoder_timeout_s=0.5)
    (pid,) = pool.pids
    with pytest.raises(DecoderTimeout):
        pool.fingerprint(slow_picture)
    assert not exists(pid)
    assert pool.fingerprint(PICTURE).media_type == "image/jpeg"
    assert pool.pids != (pid,)


def test_what_a_stopped_child_was_asked_is_asked_of_another(settings: Settings) -> None:
    failed: list[str] = []
    with DecoderPool(settings.model_copy(update={"decoder_timeout_s": 2.0}), failed.append) as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        assert pool.fingerprint(PICTURE + bytes(100 * len(PICTURE))).width == 320  # more than a pipe holds
        assert not exists(pid)
        assert not failed


def test_whatever_kills_two_children_is_a_crash(settings: Settings, slow_picture: bytes) -> None:
    failed: list[str] = []
    changes = {"decoder_timeout_s": 2 * PATIENCE_S, "decoder_queue_s": PATIENCE_S}
    with DecoderPool(settings.model_copy(update=changes), failed.append) as pool:
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(pool.fingerprint, slow_picture)
            for _ in range(2):
                wait_until(lambda: bool(pool._lent), "a child is at work")
                (pid,) = pool.pids
                time.sleep(0.2)
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda pid=pid: pid not in pool.pids, "the child was given up")
            with pytest.raises(DecoderCrashed):
                answer.result(PATIENCE_S)
        assert failed == ["decoder_crashed"]
        assert pool.fingerprint(PICTURE).width == 320


@linux_only
def test_the_second_try_has_half_the_memory(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool(decoder_memory_bytes=3 << 29, decoder_timeout_s=PATIENCE_S)
    big = written(Image.new("RGB", (9000, 9000)), "PNG")
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(pool.fingerprint, big)
        wait_until(lambda: bool(pool._lent), "the stopped child is at work")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(MediaTooLarge):
            answer.result(2 * PATIENCE_S)
    assert pool.fingerprint(big).width == 9000


def test_without_another_child_the_first_failure_counts(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool(decoder_timeout_s=0.5, decoder_queue_s=0.01)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(DecoderTimeout):
        pool.fingerprint(PICTURE)


def test_an_idle_child_that_was_killed_is_noticed(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool()
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: ended(pid), "the child ended")
    assert pool.fingerprint(PICTURE).width == 320


def test_children_are_recycled_without_a_gap(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool(decoder_recycle_after=3)
    (first,) = pool.pids
    for _ in range(5):
        pool.fingerprint(PICTURE)
    wait_until(lambda: pool.ready == 1 and first not in pool.pids, "the worn child was replaced")
    wait_until(lambda: not exists(first), "the worn child ended")
    assert pool.fingerprint(PICTURE).width == 320


def test_memory_is_limited(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool(decoder_memory_bytes=512 * 1024 * 1024)
    big = written(Image.new("RGB", (9000, 9000)), "PNG")
    with pytest.raises((MediaTooLarge, MediaCorrupt, DecoderCrashed)):
        pool.fingerprint(big)
    assert pool.fingerprint(PICTURE).width == 320


def test_a_picture_at_the_limit_fits_into_memory(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool(decoder_timeout_s=PATIENCE_S)
    big = Image.new("RGBA", (10_000, 10_000), (200, 30, 90, 128))
    big.paste(scene(3, 4000, 4000), (3000, 2000))
    data = written(big, "PNG", compress_level=1)
    assert len(data) < 64 * 1024 * 1024
    assert pool.fingerprint(data).width == 10_000


def test_waiting_for_a_free_child_ends(open_pool: Callable[..., DecoderPool], slow_picture: bytes) -> None:
    pool = open_pool(decoder_timeout_s=8.0, decoder_queue_s=0.3)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(pool.fingerprint, slow_picture)
        time.sleep(0.3)
        with pytest.raises(DecoderUnavailable, match="became free"):
            pool.fingerprint(PICTURE)
        pool.close()
        with pytest.raises(DecoderCrashed):
            slow.result(PATIENCE_S)


def test_a_closed_pool_says_so(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool()
    pool.close()
    with pytest.raises(DecoderUnavailable, match="closed"):
        pool.fingerprint(PICTURE)
    pool.close()


def test_closing_while_children_warm_up(settings: Settings) -> None:
    pool = DecoderPool(settings.model_copy(update={"decoder_processes": 3}))
    pool.start()
    before = threading.active_count()
    pool.close()
    assert threading.active_count() < before


def test_a_pool_that_cannot_start_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    obstacle = settings.home / "obstacle"
    obstacle.write_text("a file where a folder is wanted")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(obstacle / "cache"))
    with pytest.raises(DecoderUnavailable):
        DecoderPool(settings).start()


def test_replacements_are_tried_again_after_a_failure(
    open_pool: Callable[..., DecoderPool], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = open_pool(decoder_queue_s=PATIENCE_S)
    (pid,) = pool.pids
    working = os.environ["NUMBA_CACHE_DIR"]
    obstacle = settings.home / "obstacle"
    obstacle.write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(obstacle / "cache"))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: ended(pid), "the child ended")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(pool.fingerprint, PICTURE)
        time.sleep(0.5)
        monkeypatch.setenv("NUMBA_CACHE_DIR", working)
        assert answer.result(PATIENCE_S).width == 320


@linux_only
def test_a_child_has_given_up_what_it_does_not_need(
    open_pool: Callable[..., DecoderPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWALL_MASTER_KEY", "a secret of the parent")
    pool = open_pool(decoder_memory_bytes=1 << 30)
    (pid,) = pool.pids
    limits = Path(f"/proc/{pid}/limits").read_text()
    rows = {line[:26].strip(): line[26:].split() for line in limits.splitlines()[1:]}
    assert rows["Max address space"][1] == str(1 << 30)
    assert rows["Max file size"][1] == "0"
    assert rows["Max core file size"][1] == "0"
    assert rows["Max processes"][1] == "0"
    assert rows["Max open files"][:2] == ["0", "0"]
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert status["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert status["Uid"].split() == ["65534"] * 4
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"secret" not in environment
        assert b"HOME" not in environment
        open_files = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
        assert open_files
        assert all(name == "/dev/null" or name.startswith("pipe:") for name in open_files)


PARENT = """
import os
import sys
from pathlib import Path
from seawall.decoding.pool import DecoderPool
from seawall.settings import Settings
pool = DecoderPool(Settings(home=Path(sys.argv[1]), decoder_processes=1))
pool.start()
print(*pool.pids, flush=True)
print(os.geteuid(), flush=True)
data = Path(sys.argv[2]).read_bytes()
try:
    print(pool.fingerprint(data).width, flush=True)
finally:
    pool.close()
"""


def parent(settings: Settings, data: bytes, before: Sequence[str] = (), **options: object) -> subprocess.Popen[str]:
    file = settings.home / "picture"
    file.write_bytes(data)
    command = [*before, sys.executable, "-c", PARENT, str(settings.home), str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("busy", [False, True], ids=["done", "at work"])
def test_children_die_with_a_parent_that_is_killed(settings: Settings, slow_picture: bytes, busy: bool) -> None:
    if busy and sys.platform != "linux":
        pytest.skip("only Linux tells a busy child at once; elsewhere it sees it when its item is done")
    with parent(settings, slow_picture if busy else PICTURE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        if busy:
            time.sleep(0.3)
        process.kill()
        wait_until(lambda: ended(pid), "the orphan ended")


def test_an_interrupt_from_the_terminal_does_not_reach_the_children(
    open_pool: Callable[..., DecoderPool],
) -> None:
    pool = open_pool()
    assert all(os.getsid(pid) == pid for pid in pool.pids)


def test_works_for_an_ordinary_user(settings: Settings) -> None:
    if os.geteuid() != 0:
        pytest.skip("this whole run is already that of an ordinary user")
    home = settings.home
    home.chmod(0o777)
    (home / "cache").mkdir()
    (home / "cache").chmod(0o777)
    environment = {"PATH": os.defpath, "NUMBA_CACHE_DIR": str(home / "cache")}
    ids: dict[str, object] = {"user": 65_534, "group": 65_534, "extra_groups": []}
    try:
        process = parent(settings, PICTURE, **ids, env=environment, cwd="/")
    except PermissionError:
        process = parent(settings, PICTURE, ordinary_but_may_look(), env=environment, cwd="/")
    output, _ = process.communicate(timeout=PATIENCE_S * 2)
    assert process.returncode == 0
    _, user, width = output.splitlines()
    assert (user, width) == ("65534", "320")


def ordinary_but_may_look() -> list[str]:
    """What to write before a command of root so that an ordinary user runs an interpreter in root's private folder.

    Of all that root may do, the user keeps looking into the folders of others, without which it could not even start.
    Whatever else the pool could need root for is missing all the same.
    """
    setpriv = require_program("setpriv", hint="sudo apt-get install util-linux")
    # A container may lack the first, which lets its holder read; the second lets it write too.
    for capability in ("dac_read_search", "dac_override"):
        kept = f"-all,+{capability}"
        command = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={kept}"]
        command.append(f"--ambient-caps={kept}")
        if subprocess.run([*command, sys.executable, "-c", ""], check=False, capture_output=True).returncode == 0:
            return command
    pytest.fail("there is no way for an ordinary user to run this interpreter, which lies in a private folder")


def test_every_refusal_is_an_error_of_seawall(open_pool: Callable[..., DecoderPool]) -> None:
    pool = open_pool()
    for data in (b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP", b"II*\x00"):
        with pytest.raises(SeawallError) as caught:
            pool.fingerprint(data)
        assert caught.value.message
        assert "Too many open files" not in caught.value.message
    assert pool.fingerprint(PICTURE).width == 320
