"""Lines of the log: those for people look as structlog writes them, and no value looks like a line of its own."""

from __future__ import annotations

import structlog

from seawall.cli.logs import plain


def as_structlog(event: dict[str, object]) -> str:
    return str(structlog.dev.ConsoleRenderer(colors=False)(None, "info", dict(event)))


def test_a_line_looks_as_structlog_writes_it() -> None:
    common = {"timestamp": "2026-05-04T03:02:01.000001Z", "level": "info"}
    for event in (
        {**common, "event": "http.answered", "route": "/v1/hashes", "status": 200, "elapsed_ms": 1.5, "a": None},
        {**common, "level": "warning", "event": "index.not_built", "reason": "It needs 3 bytes; see SETTING=1."},
        {**common, "event": "a.name.that.is.longer.than.what.is.kept.for.it", "none": None, "many": ["a", 1]},
        {**common, "event": "index.changed", "quoted": "it's", "double": 'a"b', "empty": "", "line": "a\nb\t"},
    ):
        before = dict(event)
        assert plain(None, "info", event) == as_structlog(event)
        assert event == before


def test_what_failed_follows_on_lines_of_its_own() -> None:
    line = plain(None, "error", {"event": "worker.stopped", "level": "error", "exception": "Traceback\n  ..."})
    assert line.endswith("\nTraceback\n  ...")


def test_no_value_looks_like_a_line_of_its_own() -> None:
    for value in ("a\nb", "a\r\nb", "\x1b[2J", "a\u2028b", "\x00", "\x85"):
        line = plain(None, "info", {"event": "x", "level": "info", "reason": value})
        assert len(line.splitlines()) == 1
        assert line.isprintable()
