"""`seawall match`: what single files meet on the lists, without a verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.errors import DecodingFailed, ExitStatus, NotMedia

if TYPE_CHECKING:
    from seawall.matching.found import Found
    from seawall.records import Digests, Fingerprint, Match
    from seawall.rooms import Rooms
    from seawall.settings import Settings


@dataclass(frozen=True, slots=True)
class FileMatches:
    """What one file met. `problem` says why it, or a part of it, could not be looked up by what it shows; it is not
    clean then."""

    file: str
    media_type: str | None
    quality: int | None
    matches: tuple[Match, ...]
    truncated: bool = False
    set_aside: int = 0
    problem: str | None = None


def match(
    files: Annotated[
        list[Path], typer.Argument(help="Pictures or other files.", exists=True, dir_okay=False, metavar="FILE...")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file instead of a table.")] = False,
) -> None:
    """Look files up on the enabled lists. There is no verdict, and nothing is stored.

    Exits with 3 when something matched; else with 6 when a file could not be read or decoded.

    Example: seawall match photo.jpg picture.png --json
    """
    from seawall.cli.context import open_runtime, open_settings

    settings = open_settings()
    with open_runtime(settings) as runtime:
        results = [_match(runtime.rooms, settings, file) for file in files]
    _print(results, as_json)
    if any(result.matches for result in results):
        raise typer.Exit(ExitStatus.MATCHED)
    if any(result.problem for result in results):
        raise typer.Exit(DecodingFailed.exit_status)


def _match(rooms: Rooms, settings: Settings, file: Path) -> FileMatches:
    from seawall.fingerprints import exact
    from seawall.records import Digests, Fingerprint

    name = str(file).encode("utf-8", "backslashreplace").decode()
    try:
        size = file.stat().st_size
        if size > settings.max_upload_bytes:
            return FileMatches(name, None, None, (), problem=f"larger than {settings.max_upload_bytes} bytes")
        body = file.read_bytes()
    except OSError as error:
        return FileMatches(name, None, None, (), problem=f"cannot be read ({error.strerror})")
    fingerprint, problem, parts = Fingerprint(exact.digest(body)), None, tuple[Digests, ...]()
    try:
        media = rooms.decoders.fingerprint(body)
    except NotMedia:
        problem = None if body else "empty"
    except DecodingFailed as error:
        problem = error.message
    else:
        fingerprint = Fingerprint(fingerprint.digests, media.media_type, media.width, media.height, media.frames)
        problem, parts = " ".join(owed.explanation for owed in media.owed) or None, media.parts
    found = _found(rooms, fingerprint, parts)
    quality = max((frame.quality or 0 for frame in fingerprint.frames), default=None)
    return FileMatches(
        name, fingerprint.media_type, quality, found.matches, found.truncated, found.set_aside, problem
    )


def _found(rooms: Rooms, fingerprint: Fingerprint, parts: tuple[Digests, ...]) -> Found:
    """What the file meets, and what the files in it meet."""
    from seawall.matching.found import Found, merged
    from seawall.records import Fingerprint

    minimum = rooms.settings.minimum_pdq_quality
    found = rooms.index.find(fingerprint, minimum)
    within = rooms.index.lookup_many([Fingerprint(part) for part in parts], minimum)
    return Found(merged((found.matches, *within)), found.truncated, found.set_aside)


def _print(results: list[FileMatches], as_json: bool) -> None:
    if as_json:
        for result in results:
            typer.echo(json.dumps(_document(result)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seawall.cli.tables import plain

    table = Table("File", "List", "Kind", "Distance", "Orientation", "Says")
    for result in results:
        for cells in _rows(result):
            table.add_row(*(Text(plain(cell)) for cell in cells))
    Console().print(table)


def _rows(result: FileMatches) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if result.problem is not None:
        how = "not looked up by what it shows" if result.quality is None else "not all of it was looked up"
        rows.append((result.file, "", "", "", "", f"{how}: {result.problem}"))
    elif not result.matches:
        what = "no match" if result.media_type else "no match; no media, looked up by digest only"
        rows.append((result.file, "", "", "", "", what))
    for found in result.matches:
        known = found.classification
        says = f"{known.scheme} {known.code}" if known else ""
        video = f"video, {found.query_share} % of this, {found.entry_share} % of it" if found.of_video else ""
        remarks = [says, video, "disputed" if found.disputed else "", "test list" if found.list.is_test else ""]
        distance, turned = str(found.distance), found.orientation.value
        kind = f"{found.kind.value} ({found.hash_kind})"
        rows.append((result.file, found.list.name, kind, distance, turned, ", ".join(filter(None, remarks))))
    if result.truncated:
        rows.append((result.file, "", "", "", "", "and more, none of them nearer"))
    if result.set_aside:
        rows.append((result.file, "", "", "", "", f"and {result.set_aside} by text or a pattern, which do not count"))
    return rows


def _document(result: FileMatches) -> dict[str, object]:
    return {
        "file": result.file,
        "media_type": result.media_type,
        "quality": result.quality,
        "matches": [
            {
                "list": found.list.name,
                "trust": found.list.trust.value,
                "harm_class": found.list.harm_class.value,
                "test": found.list.is_test,
                "kind": found.kind.value,
                "hash_kind": found.hash_kind,
                "distance": found.distance,
                "orientation": found.orientation.value,
                "frame": found.frame,
                "in_part": found.in_part,
                "low_information": found.low_information,
                "of_video": found.of_video,
                "query_share": found.query_share,
                "entry_share": found.entry_share,
                "classification": (
                    {"scheme": found.classification.scheme, "code": found.classification.code}
                    if found.classification
                    else None
                ),
                "disputed": found.disputed,
            }
            for found in result.matches
        ],
        "truncated": result.truncated,
        "set_aside": result.set_aside,
        "problem": result.problem,
    }
