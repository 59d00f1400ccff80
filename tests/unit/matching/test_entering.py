"""What is told of a content for its row: nothing that arrives with it is left out."""

from __future__ import annotations

from dataclasses import fields

from seawall.matching.entering import HASHES, TOLD, first_of_each
from seawall.records import HashArrival


def test_every_field_of_an_arrival_is_told() -> None:
    assert {field.name for field in fields(HashArrival)} == {*TOLD, *HASHES, "uploaded_at"}


def test_the_first_of_each_content_version_counts() -> None:
    same, other = HashArrival("c1", sha256=b"\x01" * 32), HashArrival("c1", sha256=b"\x02" * 32)
    again = HashArrival("c1", sha256=b"\x01" * 32, pdq=b"\x03" * 32, pdq_quality=100)
    elsewhere = HashArrival("c2", sha256=b"\x01" * 32)
    assert [place for place, _, _ in first_of_each([same, other, again, same, elsewhere])] == [0, 1, 4]
