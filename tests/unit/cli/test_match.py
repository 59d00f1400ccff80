"""What `seawall match` says of a file that could be read in part, or not at all."""

from __future__ import annotations

from seawall.cli.match import FileMatches, _rows


def test_what_was_not_read_is_said() -> None:
    whole = FileMatches("a.mp4", "video/mp4", 90, ())
    part = FileMatches("a.mp4", "video/mp4", 90, (), problem="There was no time for the rest of the video.")
    nothing = FileMatches("a.mp4", None, None, (), problem="The video has no frame.")
    assert [_rows(each)[0][-1] for each in (whole, part, nothing)] == [
        "no match",
        "not all of it was looked up: There was no time for the rest of the video.",
        "not looked up by what it shows: The video has no frame.",
    ]
