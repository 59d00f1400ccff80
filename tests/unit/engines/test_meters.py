"""What is counted, in one process and in several."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from seawall.engines.meters import OTHER, SURFACES, IndexState, Meters, Place, forget, surface_class

STATE = IndexState(ready=True, generation=7, staleness_s=2.0, entries=5, segments=2, delta=3, dead=1)
# Each of these programs is one process of a service: it counts what the test says and then waits to be killed.
PROGRAM = """
import sys
from pathlib import Path
from seawall.engines.meters import IndexState, Meters, Place
meters = Meters(Place(Path(sys.argv[1]), sys.argv[2]))
exec(sys.argv[3])
print("done", flush=True)
sys.stdin.read()
"""


def values_of(text: bytes) -> dict[str, float]:
    """Each sample by its name and labels, as they are written."""
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def process(folder: Path, name: str, does: str) -> subprocess.Popen[bytes]:
    """A process that has counted, and lives."""
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), name, does], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"done\n"
    return started


def kill(*processes: subprocess.Popen[bytes]) -> None:
    for each in processes:
        each.kill()
        each.communicate()


def summed(folder: Path) -> dict[str, float]:
    """What a scrape of one more process tells, which has counted nothing itself."""
    told = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, str(folder), "asks"),
            "sys.stdout.buffer.write(meters.text(webhooks_pending=None))",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return values_of(told.stdout.removesuffix(b"done\n"))


def test_one_process_counts_for_itself() -> None:
    meters = Meters()
    meters.looked_up(1, 0.00008, 12)
    meters.looked_up(10, 0.010, 100)
    meters.judged("hold", "avatar:large")
    meters.answered("GET", "/v1/cases/{case_id}", 404)
    meters.answered("BREW", "(none)", 405)
    meters.decoder_failed("media_corrupt")
    told = values_of(meters.text(webhooks_pending=4))
    assert told["seawall_lookups_total"] == 11
    assert told["seawall_lookup_candidates_total"] == 112
    assert told["seawall_lookup_seconds_bucket 5e-05"] == 0
    assert told["seawall_lookup_seconds_bucket 0.0001"] == 1
    assert told["seawall_lookup_seconds_bucket 0.001"] == 2
    assert told["seawall_lookup_seconds_count"] == 2
    assert told["seawall_judgements_total avatar hold"] == 1
    assert told["seawall_requests_total GET /v1/cases/{case_id} 404"] == 1
    assert told["seawall_requests_total other (none) 405"] == 1
    assert told["seawall_decoder_failures_total media_corrupt"] == 1
    assert told["seawall_webhooks_pending"] == 4
    assert not [name for name in told if name.startswith("seawall_index")], "there is no index yet"


def test_the_state_of_the_index() -> None:
    meters = Meters()
    meters.index_is(STATE)
    told = values_of(meters.text(webhooks_pending=None))
    assert told["seawall_index_ready"] == 1
    assert told["seawall_index_generation"] == 7
    assert told["seawall_index_entries"] == 5
    assert told["seawall_index_segments"] == 2
    assert told["seawall_index_delta_entries"] == 3
    assert told["seawall_index_dead_rows"] == 1
    assert told["seawall_index_staleness_seconds"] >= 2.0
    assert "seawall_webhooks_pending" not in told
    assert not [name for name in told if "checked" in name]


def test_staleness_grows_by_itself() -> None:
    meters = Meters()
    meters.index_is(STATE)
    first, second = (
        values_of(meters.text(webhooks_pending=None))["seawall_index_staleness_seconds"] for _ in range(2)
    )
    assert second > first


def test_what_one_service_counts_another_does_not() -> None:
    one, other = Meters(), Meters()
    one.looked_up(1, 0.001, 0)
    assert values_of(other.text(webhooks_pending=None))["seawall_lookups_total"] == 0


def test_several_processes_are_summed_up_and_the_last_one_is_told_of(tmp_path: Path) -> None:
    state = "meters.index_is(IndexState({}, {}, {}, {}, segments=1, delta=0, dead=0))"
    first = process(tmp_path, "api-1", "meters.looked_up(3, 0.001, 5);" + state.format(True, 9, 0.1, 100))
    second = process(
        tmp_path,
        "api-2",
        "meters.looked_up(4, 0.1, 6); meters.judged('hold', 'share');" + state.format(False, 8, 60, 99),
    )
    told = summed(tmp_path)
    kill(first, second)
    assert told["seawall_lookups_total"] == 7
    assert told["seawall_lookup_candidates_total"] == 11
    assert told["seawall_lookup_seconds_count"] == 2
    assert told["seawall_lookup_seconds_bucket 0.005"] == 1
    assert told["seawall_judgements_total share hold"] == 1
    assert told["seawall_api_processes"] == 2
    assert told["seawall_index_ready"] == 0
    assert told["seawall_index_generation"] == 8
    assert told["seawall_index_entries"] == 100
    assert told["seawall_index_staleness_seconds"] >= 60


def test_what_a_killed_process_counted_stays_and_its_state_goes(tmp_path: Path) -> None:
    counts = "meters.looked_up(3, 0.001, 5);"
    states = (
        "meters.index_is(IndexState(ready=True, generation=9, staleness_s=0, entries=1, segments=1, delta=0, dead=0))"
    )
    kill(process(tmp_path, "api-1", counts + states))
    forget(Place(tmp_path, "api-1"))
    told = summed(tmp_path)
    assert told["seawall_lookups_total"] == 3
    assert "seawall_api_processes" not in told
    again = process(tmp_path, "api-1", counts)
    told = summed(tmp_path)
    kill(again)
    assert told["seawall_lookups_total"] == 6, "the process in its place goes on from there"
    assert "seawall_api_processes" not in told, "it has no index yet"
    assert len(list((tmp_path / "metrics").glob("counter_api-1*"))) == 1


def test_what_is_counted_lies_in_a_private_folder(tmp_path: Path) -> None:
    kill(process(tmp_path, "api-1", "pass"))
    assert (tmp_path / "metrics").stat().st_mode & 0o777 == 0o700


def test_an_environment_from_elsewhere_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    meters = Meters()
    meters.looked_up(1, 0.1, 1)
    assert values_of(meters.text(webhooks_pending=None))["seawall_lookups_total"] == 1
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=80))
def test_surfaces_count_under_few_names(surface: str) -> None:
    assert surface_class(surface) in SURFACES | {OTHER}


def test_a_surface_counts_under_its_first_word() -> None:
    assert surface_class("upload") == "upload"
    assert surface_class("Link-preview") == "link"
    assert surface_class("uploaded") == OTHER
    assert surface_class("") == OTHER
