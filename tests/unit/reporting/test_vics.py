"""What is written as VICS is what our own reader of VICS reads. Hashes are generated; nothing is real."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.errors import BadInput
from seawall.hashlists.formats import Reading, read_entries
from seawall.records import BadLine, EntryDraft
from seawall.reporting import vics
from seawall.reporting.vics import CaseToTell, Original

OPENED = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)
CASE = CaseToTell(7, OPENED, True, "Test platform", "safety@test.example", "US")


def original(number: int, **other: object) -> Original:
    seed = f"test file {number}".encode()
    known: dict[str, object] = {
        "item_id": number,
        "evidence_id": number,
        "content_id": f"test-content-{number}",
        "filename": "test.png",
        "media_type": "image/png",
        "size": 100 + number,
        "md5": hashlib.md5(seed).digest(),
        "sha1": hashlib.sha1(seed).digest(),
        "sha256": hashlib.sha256(seed).digest(),
        "pdq": hashlib.sha256(b"pdq" + seed).digest(),
        "pdq_quality": 90,
        "uploaded_at": OPENED,
        "classifications": (("vics-US", "2"),),
    }
    return Original(**(known | other))  # type: ignore[arg-type]


def read(case: CaseToTell, originals: list[Original]) -> list[EntryDraft | BadLine]:
    source = io.BytesIO(vics.document(case, originals))
    return list(read_entries(source, "vics", reading=Reading(country=case.country or None)))


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@st.composite
def some_originals(draw: st.DrawFn) -> list[Original]:
    numbers = draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=8, unique=True))
    return [
        original(
            number,
            content_id=draw(texts),
            filename=draw(st.none() | texts),
            media_type=draw(st.sampled_from([None, "image/png", "video/mp4", "text/odd"])),
            md5=draw(st.none() | st.just(hashlib.md5(str(number).encode()).digest())),
            sha1=draw(st.none() | st.just(hashlib.sha1(str(number).encode()).digest())),
            pdq=draw(st.none() | st.just(hashlib.sha256(b"p%d" % number).digest())),
            pdq_quality=draw(st.none() | st.integers(0, 100)),
            uploaded_at=draw(st.none() | st.just(OPENED)),
            classifications=draw(
                st.sampled_from([(), (("vics-US", "1"),), (("ncmec", "A1"), ("vics-US", "3")), (("vics-CA", "1"),)])
            ),
        )
        for number in numbers
    ]


@settings(max_examples=60, deadline=None)
@given(some_originals())
def test_what_is_written_is_read_again(originals: list[Original]) -> None:
    case_id = vics.case_uuid(CASE, originals)
    found = read(CASE, originals)
    entries = [each for each in found if isinstance(each, EntryDraft)]
    left_out = [each for each in found if isinstance(each, BadLine)]
    known = [each for each in originals if vics.category_of(each, "US")]
    assert [bad.code for bad in left_out] == ["not_categorised"] * (len(originals) - len(known))
    assert len(entries) == len(known)
    for entry, one in zip(entries, known, strict=True):
        assert (entry.md5, entry.sha1, entry.sha256) == (one.md5, one.sha1, one.sha256)
        assert entry.pdq == (one.pdq if (one.pdq_quality or 0) >= 50 else None)
        assert entry.classification is not None
        assert (entry.classification.scheme, entry.classification.code) == (
            "vics-US",
            str(vics.category_of(one, "US")),
        )
        assert entry.upstream_id == f"{case_id}:{originals.index(one) + 1}"


def test_the_shape_that_other_tools_write() -> None:
    document = json.loads(vics.document(CASE, [original(1), original(2, media_type="video/mp4", filename=None)]))
    assert document["@odata.context"].endswith("DataModels/2.0.xml/US/$metadata#Cases")
    (case,) = document["value"]
    assert case["CaseNumber"] == "TEST DATA 7"
    first, second = case["Media"]
    assert first["RelativeFilePath"] == "Media\\1.png"
    assert first["MediaFiles"] == [{"MD5": first["MD5"], "FileName": "test.png", "FilePath": "Media\\1.png"}]
    assert second["MediaFiles"][0]["FileName"] == "2.mp4"
    assert first["MD5"] == first["MD5"].upper()
    assert {hash["HashName"] for hash in first["AlternativeHashes"]} == {"SHA256", "PDQ"}
    assert first["Exifs"] == []
    # Nobody here knows the times of a file system, so none is claimed.
    assert not {"Created", "Written", "Accessed"} & set(first["MediaFiles"][0])


@pytest.mark.parametrize(
    ("said", "country", "category"),
    [
        ([("vics-US", "1")], "US", 1),
        ([("vics-US", "1")], "CA", 0),
        ([("ncmec", "A1")], "US", 0),
        ([("vics-US", "1"), ("vics-US", "2")], "US", 0),
        ([("vics-US", "one")], "US", 0),
        ([("vics", "2")], "", 2),
    ],
)
def test_a_category_is_what_a_list_says_in_that_scheme(
    said: list[tuple[str, str]], country: str, category: int
) -> None:
    assert vics.category_of(original(1, classifications=tuple(said)), country) == category


def test_the_model_of_a_country() -> None:
    assert [vics.checked_country(each) for each in ("us ", "GB", "")] == ["US", "GB", ""]
    for wrong in ("USA", "U1", "../x"):
        with pytest.raises(BadInput):
            vics.checked_country(wrong)
    british = CaseToTell(7, OPENED, False, "", "", "GB")
    assert json.loads(vics.document(british, []))["@odata.context"].endswith("2.0.xml/UK/$metadata#Cases")
