"""Every format in its usual and its unusual forms, and everything that must never get in."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput, ListFormatInvalid
from seawall.hashlists.formats import FORMATS, Reading, read_entries
from seawall.records import BadLine, Classification, EntryDraft

MD5 = hashlib.md5(b"harmless").hexdigest()
SHA1 = hashlib.sha1(b"harmless").hexdigest()
SHA256 = hashlib.sha256(b"harmless").hexdigest()
PDQ = "0f" * 32
Item = EntryDraft | BadLine


def read(data: bytes | str, format: str | None = None, filename: str | None = None, **reading: object) -> list[Item]:
    body = data.encode() if isinstance(data, str) else data
    return list(read_entries(io.BytesIO(body), format, filename, Reading(**reading)))  # type: ignore[arg-type]


def drafts(items: list[Item]) -> list[EntryDraft]:
    return [item for item in items if isinstance(item, EntryDraft)]


def bad(items: list[Item]) -> list[tuple[int, str]]:
    return [(item.line, item.code) for item in items if isinstance(item, BadLine)]


def vics(*media: object, key: str = "@odata.context", **more: object) -> str:
    return json.dumps({key: "http://example.test/2.0.xml#Media", **more, "value": list(media)})


class TestCsv:
    def test_columns_by_name(self) -> None:
        (entry,) = read(
            f"id,md5,sha1,sha256,pdq,pdq_quality,scheme,code\n7,{MD5},{SHA1},{SHA256},{PDQ},80,ncmec,A1\n"
        )
        assert entry == EntryDraft(
            2,
            bytes.fromhex(MD5),
            bytes.fromhex(SHA1),
            bytes.fromhex(SHA256),
            bytes.fromhex(PDQ),
            80,
            Classification("ncmec", "A1"),
            "7",
        )

    @pytest.mark.parametrize("header", ["MD5", " Md5 ", '"md5"', "MD5 Hash", "md5_hash", "MD5-hash", "md5sum"])
    def test_column_names_are_tolerant(self, header: str) -> None:
        assert len(drafts(read(f"{header},note\n{MD5.upper()},x\n", "csv"))) == 1

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_delimiters(self, delimiter: str) -> None:
        assert drafts(read(delimiter.join(("id", "md5")) + "\n" + delimiter.join(("1", MD5))))[0].upstream_id == "1"

    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_endings_bom_blank_lines_and_comments(self, ending: str) -> None:
        text = ending.join(["\ufeff# a comment", "md5", "", MD5, "   ", MD5])
        assert [entry.line for entry in drafts(read(text))] == [4, 6]

    def test_quoted_cells_hold_delimiters_and_line_breaks(self) -> None:
        text = f'id,note,md5\n"a,""b""","two\nlines",{MD5}\n2,x,{MD5}\n'
        entries = read(text)
        assert [(entry.line, entry.upstream_id) for entry in drafts(entries)] == [(2, 'a,"b"'), (4, "2")]
        assert not bad(entries)

    def test_a_quote_that_nobody_closes_costs_its_own_line_only(self) -> None:
        text = f'id,md5\n"1,{MD5}\n' + "".join(f"{number},{MD5}\n" for number in range(2, 300))
        entries = read(text)
        assert bad(entries) == [(2, "quote_open")]
        assert len(drafts(entries)) == 298

    def test_slipped_columns_are_refused_and_missing_last_cells_are_not(self) -> None:
        entries = read(f"id,md5,sha1\n1,x,{MD5},{SHA1}\n2,{MD5}\n3,{MD5},{SHA1},\n")
        assert bad(entries) == [(2, "column_count")]
        assert [entry.upstream_id for entry in drafts(entries)] == ["2", "3"]

    def test_no_column_with_a_hash(self) -> None:
        with pytest.raises(ListFormatInvalid, match="no column"):
            read("name,size\nx,1\n", "csv")

    def test_a_hash_type_column(self) -> None:
        entries = read(f"hash_type,hash,id\nmd5,{MD5},1\npdq,{PDQ},2\nphotodna,abc,3\n")
        assert [(entry.md5, entry.pdq) for entry in drafts(entries)] == [
            (bytes.fromhex(MD5), None),
            (None, bytes.fromhex(PDQ)),
        ]
        assert bad(entries) == [(4, "no_hash")]

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("A1", Classification("ncmec", "A1")),
            ("b", Classification("uk", "b")),
            ("uk:C", Classification("uk", "C")),
            ("vics-us:1", Classification("vics-US", "1")),
            ("INHOPE:baseline", Classification("inhope", "baseline")),
            ("7", Classification("unstated", "7")),
            ("", None),
            ("n/a", None),
        ],
    )
    def test_classifications(self, cell: str, expected: Classification | None) -> None:
        assert drafts(read(f"md5,classification\n{MD5},{cell}\n"))[0].classification == expected

    def test_bare_category_numbers_take_the_country_that_is_given(self) -> None:
        (entry,) = drafts(read(f"md5,category\n{MD5},1\n", country="nl"))
        assert entry.classification == Classification("vics-NL", "1")

    def test_columns_that_mean_the_same(self) -> None:
        other = f"{int(PDQ, 16) ^ 0xFF:064x}"
        text = f"id,pdq,pdq_hash,md5,md5_hash,type,value\n1,,{PDQ},{MD5},{MD5.upper()},sha1,{SHA1}\n"
        text += f"2,{PDQ},{other},,{MD5},pdq,{PDQ}\n"
        first, second, beside = drafts(read(text))
        assert [each.hex() for each in (first.pdq, first.md5, first.sha1) if each] == [PDQ, MD5, SHA1]
        assert [each.hex() for each in (second.pdq, second.md5) if each] == [PDQ, MD5]
        assert (beside.pdq, beside.upstream_id, beside.line) == (bytes.fromhex(other), "2", second.line)


class TestNeverAccepted:
    @pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
    def test_digest_of_the_empty_file(self, kind: str) -> None:
        empty = hashlib.new(kind, b"").hexdigest()
        assert bad(read(f"{kind}\n{empty.upper()}\n")) == [(2, "empty_file_digest")]
        # A record that claims it has slipped or lies; its other hashes are not believed either.
        assert not drafts(read(f"{kind},pdq\n{empty},{PDQ}\n"))

    @pytest.mark.parametrize(("bits", "accepted"), [(0, False), (63, False), (64, True), (192, True), (193, False)])
    def test_pdq_with_too_few_or_too_many_bits(self, bits: int, accepted: bool) -> None:
        value = ((1 << bits) - 1).to_bytes(32, "big").hex()
        items = read(f"pdq {value}\n")
        assert bool(drafts(items)) is accepted
        assert bad(items) == ([] if accepted else [(1, "pdq_entropy")])

    @pytest.mark.parametrize(("quality", "accepted"), [("0", False), ("49", False), ("50", True), ("100", True)])
    def test_pdq_of_low_quality(self, quality: str, accepted: bool) -> None:
        for items in (read(f"pdq {PDQ} {quality}\n"), read(f"pdq,quality\n{PDQ},{quality}\n")):
            assert bool(drafts(items)) is accepted
            assert [code for _, code in bad(items)] == ([] if accepted else ["pdq_quality_low"])

    def test_an_unusable_pdq_leaves_the_digests_and_is_reported(self) -> None:
        for pdq, quality, code in ((PDQ, "20", "pdq_quality_low"), ("00" * 32, "90", "pdq_entropy")):
            items = read(f"md5,pdq,quality\n{MD5},{pdq},{quality}\n")
            (entry,) = drafts(items)
            assert entry.md5 is not None
            assert (entry.pdq, entry.pdq_quality) == (None, None)
            assert bad(items) == [(2, code)]

    @pytest.mark.parametrize("quality", ["-1", "101", "nan", "inf", "3.5", "high", "1e400"])
    def test_a_quality_that_is_none(self, quality: str) -> None:
        assert bad(read(f"pdq,quality\n{PDQ},{quality}\n")) == [(2, "quality_invalid")]

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (MD5[:-1], "wrong_length"),
            (MD5 + "0", "wrong_length"),
            ("g" * 32, "not_hex"),
            ("0x" + MD5[2:], "not_hex"),
            ("a " * 16, "wrong_length"),
            ("ab  " * 7 + "abcd", "not_hex"),
            ("٣" * 32, "not_hex"),
        ],
    )
    def test_malformed_hashes(self, value: str, code: str) -> None:
        items = read(f"md5,sha1\n{value},{SHA1}\n")
        assert bad(items) == [(2, code)]
        assert not drafts(items)

    def test_no_reason_repeats_a_hash(self) -> None:
        text = f"md5,pdq,quality\n{MD5}0,,\n{MD5},{PDQ},3\n{'z' * 32},,\n"
        for item in read(text):
            if isinstance(item, BadLine):
                assert MD5[:8] not in item.reason
                assert PDQ[:8] not in item.reason

    @pytest.mark.parametrize("text", ["x\x00y", "x\x1b[31m", "y" * 501])
    def test_ids_that_no_database_or_terminal_should_see(self, text: str) -> None:
        line = json.dumps({"md5": MD5, "id": text})
        assert bad(read(line, "jsonl")) == [(1, "text_invalid")]

    def test_lone_surrogates(self) -> None:
        assert bad(read('{"md5": "' + MD5 + '", "id": "\\ud800"}', "jsonl")) == [(1, "text_invalid")]


class TestJsonLines:
    def test_names_and_forms(self) -> None:
        items = read(
            "\n".join(
                (
                    json.dumps({"MD5": MD5.upper(), "id": 12, "classification": "ncmec:B2"}),
                    json.dumps({"pdq": PDQ, "quality": 77, "classification": {"scheme": "UK", "code": "A"}}),
                    json.dumps({"type": "sha256", "value": SHA256, "other": {"deep": [1]}}),
                )
            )
        )
        first, second, third = drafts(items)
        assert (first.upstream_id, first.classification) == ("12", Classification("ncmec", "B2"))
        assert (second.pdq_quality, second.classification) == (77, Classification("uk", "A"))
        assert third.sha256 == bytes.fromhex(SHA256)

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("{", "not_json"),
            ("[" * 100_000, "not_json"),
            ('{"md5": 5}', "wrong_length"),
            ('{"md5": ["x"]}', "not_a_text"),
            ('{"md5": true}', "not_a_text"),
            ("{}", "no_hash"),
            ("[1]", "not_a_record"),
            ("NaN", "not_a_record"),
            ('{"pdq": "' + PDQ + '", "quality": NaN}', "quality_invalid"),
            ('{"pdq": "' + PDQ + '", "quality": 1' + "0" * 5000 + "}", "not_json"),
        ],
    )
    def test_bad_lines_and_the_rest_goes_in(self, line: str, code: str) -> None:
        good = json.dumps({"md5": MD5})
        items = read(f"{good}\n{line}\n{good}\n")
        assert bad(items) == [(2, code)]
        assert [entry.line for entry in drafts(items)] == [1, 3]


class TestTypeValue:
    def test_lines(self) -> None:
        items = read(
            f"# harmless test hashes\nmd5 {MD5}\nSHA-1\t{SHA1.upper()}\npdq: {PDQ} 64\n\n sha256  {SHA256} \n"
        )
        assert not bad(items)
        assert [entry.line for entry in drafts(items)] == [2, 3, 4, 6]
        assert drafts(items)[2].pdq_quality == 64

    def test_bad_lines(self) -> None:
        items = read(f"photodna AAAA\nmd5 {MD5} 9\nmd5\nmd5 {MD5}\nid {MD5}\n", "lines")
        assert bad(items) == [(1, "unknown_type"), (2, "column_count"), (3, "column_count"), (5, "unknown_type")]
        assert len(drafts(items)) == 1


class TestIcse:
    def test_named_columns(self) -> None:
        items = read(f'"ICSE ID";"MD5";"SHA1";"Category"\n"41";"{MD5.upper()}";"{SHA1}";"Baseline"\n')
        (entry,) = drafts(items)
        assert (entry.upstream_id, entry.classification) == ("41", Classification("interpol", "Baseline"))

    def test_without_names_digests_are_known_by_length(self) -> None:
        text = f"41;{MD5};{SHA1};x\n42;{MD5};;\n"
        for items in (read(text), read(text, "icse")):
            assert [entry.line for entry in drafts(items)] == [1, 2]
            assert drafts(items)[0].sha1 == bytes.fromhex(SHA1)

    def test_the_file_name_tells_the_scheme(self) -> None:
        text = f"md5;category\n{MD5};1\n"
        assert drafts(read(text, filename="2024-ICSE.csv"))[0].classification == Classification("interpol", "1")
        assert drafts(read(text))[0].classification == Classification("unstated", "1")


class TestVics:
    MEDIA: ClassVar[dict[str, object]] = {
        "MediaID": 5,
        "Category": 1,
        "MD5": MD5.upper(),
        "SHA1": SHA1.upper(),
        "IsPrecategorized": "True",
        "VictimIdentified": False,
        "AlternativeHashes": [
            {"HashName": "PhotoDNA", "HashValue": "AAAA"},
            {"HashName": "SHA-256", "HashValue": SHA256.upper()},
            {"HashName": "PDQ", "HashValue": PDQ},
        ],
        "MediaFiles": [{"MD5": "ignored", "FileName": "a.jpg"}],
        "Exifs": None,
    }

    @pytest.mark.parametrize("key", ["@odata.context", "odata.metadata"])
    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    def test_both_versions(self, key: str, indent: int | None, bom: str) -> None:
        document = {key: "http://example.test/$metadata#Media", "value": [self.MEDIA, self.MEDIA | {"MediaID": "6"}]}
        items = read(bom + json.dumps(document, indent=indent), country="us")
        first, second = drafts(items)
        assert not bad(items)
        assert first == EntryDraft(
            1,
            bytes.fromhex(MD5),
            bytes.fromhex(SHA1),
            bytes.fromhex(SHA256),
            bytes.fromhex(PDQ),
            None,
            Classification("vics-US", "1"),
            "5",
        )
        assert (second.line, second.upstream_id) == (2, "6")

    def test_several_hashes_of_one_kind_are_entries_beside(self) -> None:
        other, third = f"{int(PDQ, 16) ^ 0xFF:064x}", "e5" * 20
        more: list[object] = [
            {"HashName": "PDQ", "HashValue": ""},
            {"HashName": "PDQ", "HashValue": PDQ},
            {"HashName": "PDQ", "HashValue": PDQ.upper()},
            {"HashName": "PDQ", "HashValue": other},
            {"HashName": "SHA1", "HashValue": third},
        ]
        items = read(vics(self.MEDIA | {"AlternativeHashes": more, "SHA1": ""}))
        assert not bad(items)
        first, second = drafts(items)
        assert (first.pdq, first.sha1, first.md5) == tuple(map(bytes.fromhex, (PDQ, third, MD5)))
        assert (second.pdq, second.md5, second.pdq_quality) == (bytes.fromhex(other), None, None)
        assert (second.line, second.upstream_id, second.classification) == (1, "5", first.classification)

    def test_more_hashes_than_anybody_has_are_told(self) -> None:
        many = [{"HashName": "SHA1", "HashValue": f"{number:040x}"} for number in range(2005)]
        items = read(vics(self.MEDIA | {"AlternativeHashes": many}))
        assert bad(items) == [(1, "too_many_hashes")]
        assert len(drafts(items)) == 2001

    def test_media_of_different_cases_are_different(self) -> None:
        def case(**more: object) -> dict[str, object]:
            return {**more, "Media": [self.MEDIA]}

        cases = [case(CaseID="c"), case(CaseNumber=7), case(), case(CaseID="c")]
        found = drafts(read(json.dumps({"@odata.context": "x", "value": cases})))
        assert [draft.upstream_id for draft in found] == ["c:5", "7:5", None, "c:5"]

    def test_case_export(self) -> None:
        document = {
            "@odata.context": "x#Cases",
            "value": [{"CaseID": "c", "Media": [self.MEDIA, 3, self.MEDIA], "ID": 9}, {"CaseID": "d", "Media": []}],
        }
        items = read(json.dumps(document))
        assert [entry.line for entry in drafts(items)] == [1, 3]
        assert bad(items) == [(2, "not_a_record")]

    def test_country_from_option_then_file_then_none(self) -> None:
        media = {"MD5": MD5, "Category": "2"}
        assert drafts(read(vics(media)))[0].classification == Classification("vics", "2")
        assert drafts(read(vics(media, Country="gb")))[0].classification == Classification("vics-GB", "2")
        assert drafts(read(vics(media, Country="gb"), country="CA"))[0].classification == Classification(
            "vics-CA", "2"
        )

    def test_bad_records_and_the_rest_goes_in(self) -> None:
        items = read(vics({"MD5": MD5}, 7, {"MD5": "x"}, [1, {"MD5": MD5}], {}, None, {"SHA1": SHA1, "MD5": ""}))
        assert bad(items) == [
            (2, "not_a_record"),
            (3, "wrong_length"),
            (4, "not_a_record"),
            (5, "no_hash"),
            (6, "not_a_record"),
        ]
        assert [entry.line for entry in drafts(items)] == [1, 7]

    @pytest.mark.parametrize("category", [0, "0"])
    def test_what_nobody_has_categorised_is_no_known_material(self, category: object) -> None:
        assert bad(read(vics({"MD5": MD5, "Category": category}))) == [(1, "not_categorised")]

    @pytest.mark.parametrize(
        "text",
        [
            vics({"MD5": MD5})[:-1],
            vics({"MD5": MD5})[:-20],
            vics({"MD5": MD5}) + "}",
            '{"@odata.context": "x", "value": [{"MD5": ' + "[" * 200_000,
            '{"@odata.context": "x", "value": [{"MD5": "\x00"}]}',
            '{"@odata.context": "x"}',
            '{"@odata.context": "x", "value": {"MD5": "x"}}',
            '{"@odata.context": "x", "value": [{"MediaID": 1' + "0" * 6000 + "}]}",
        ],
    )
    def test_broken_json_refuses_the_file(self, text: str) -> None:
        with pytest.raises(ListFormatInvalid):
            read(text)

    def test_invalid_utf8_in_a_comment_does_no_harm(self) -> None:
        body = vics({"Comments": "harmless", "MD5": MD5}, {"MD5": "hash"}).encode()
        items = read(body.replace(b"harmless", b"\xff\xc3").replace(b'"hash"', b'"\xff' + b"0" * 31 + b'"'))
        assert [entry.line for entry in drafts(items)] == [1]
        assert bad(items) == [(2, "not_hex")]

    def test_an_empty_list_has_no_entries(self) -> None:
        assert read(vics()) == []


def frame(number: int) -> str:
    """A PDQ as other as can be for each number."""
    return hashlib.sha256(b"frame %d" % number).hexdigest()


FRAMES = [frame(number) for number in range(3)]


class TestVpdq:
    """Frames of a video are entries of their own that say of which video they are."""

    @pytest.mark.parametrize(
        ("body", "format"),
        [
            (json.dumps([f"{pdq},80,{number}.5" for number, pdq in enumerate(FRAMES)]), "vpdq"),
            (json.dumps([f"{pdq},80,{number}.5" for number, pdq in enumerate(FRAMES)], indent=2), "vpdq"),
            ("".join(f"{number},80,{pdq},{number}.5\n" for number, pdq in enumerate(FRAMES)), "vpdq"),
            ("".join(f"{number},{pdq},80,{number}\n" for number, pdq in enumerate(FRAMES)), "vpdq"),
            (json.dumps({"vpdq": [f"{pdq},80,1.5" for pdq in FRAMES]}), "jsonl"),
            (json.dumps({"vpdq": json.dumps([f"{pdq},80,1.5" for pdq in FRAMES])}), "jsonl"),
            (json.dumps({"vpdq": [{"hash": pdq, "quality": 80, "timestamp": 1} for pdq in FRAMES]}), "jsonl"),
            (json.dumps({"vpdq": {str(n): {"hash": pdq, "quality": 80} for n, pdq in enumerate(FRAMES)}}), "jsonl"),
            (
                "type;value\nvpdq;" + json.dumps([f"{pdq},80,1.5" for pdq in FRAMES]).replace('"', '""').join('""'),
                "csv",
            ),
        ],
    )
    def test_forms(self, body: str, format: str) -> None:
        for items in (read(body), read(body, format)):
            entries = drafts(items)
            assert len(entries) == len(items) == 3
            assert [(entry.pdq, entry.pdq_quality) for entry in entries] == [
                (bytes.fromhex(pdq), 80) for pdq in FRAMES
            ]
            assert len({entry.video for entry in entries}) == 1
            assert entries[0].video is not None

    def test_digests_are_an_entry_beside_and_the_id_says_which_video(self) -> None:
        record = {"id": "v7", "sha1": SHA1, "code": "A1", "vpdq": [f"{pdq},80,1" for pdq in FRAMES]}
        whole, *frames = drafts(read(json.dumps(record)))
        assert (whole.sha1, whole.pdq, whole.video, whole.upstream_id) == (bytes.fromhex(SHA1), None, "id:v7", "v7")
        assert {(each.video, each.upstream_id, each.sha1) for each in frames} == {("id:v7", "v7", None)}
        assert {each.classification for each in frames} == {whole.classification}
        del record["id"]
        assert drafts(read(json.dumps(record)))[1].video == f"sha1:{SHA1}"

    def test_frames_of_no_use_are_left_out(self) -> None:
        lines = [f"{FRAMES[0]},80,1", f"{FRAMES[0]},90,2", f"{FRAMES[1]},49,3", f"{'00' * 32},80,4"]
        (entry,) = read(json.dumps({"vpdq": lines}))
        assert isinstance(entry, EntryDraft)
        assert entry.pdq == bytes.fromhex(FRAMES[0])
        assert bad(read(json.dumps({"vpdq": lines[2:]}))) == [(1, "no_frame")]
        problem, whole = read(json.dumps({"md5": MD5, "vpdq": lines[2:]}))
        assert isinstance(problem, BadLine)
        assert "without them" in problem.reason
        assert isinstance(whole, EntryDraft)

    @pytest.mark.parametrize(
        ("vpdq", "code"),
        [
            ("nothing", "not_vpdq"),
            ("7", "not_vpdq"),
            (7, "not_vpdq"),
            ([7], "not_vpdq"),
            ([{"quality": 80}], "not_vpdq"),
            ([f"{FRAMES[0]},{FRAMES[1]},1"], "not_vpdq"),
            (["a,b,c"], "not_vpdq"),
            ([f"1,2,3,{FRAMES[0]},5"], "not_vpdq"),
            ([f"{FRAMES[0]},101,1"], "quality_invalid"),
            ([{"hash": FRAMES[0][:-1]}], "wrong_length"),
            ([FRAMES[0]] * 20_001, "line_too_long"),
            ("[" * 100_000, "not_vpdq"),
        ],
    )
    def test_what_is_no_vpdq(self, vpdq: object, code: str) -> None:
        assert bad(read(json.dumps({"vpdq": vpdq}), "jsonl")) == [(1, code)]

    def test_a_file_that_is_too_large_or_no_vpdq(self) -> None:
        assert bad(read(json.dumps([f"{FRAMES[0]},80,1"] * 60_000), "vpdq")) == [(1, "too_many_frames")]
        assert bad(read(json.dumps([f"{FRAMES[0]},80,1"] * 21_000), "vpdq")) == [(1, "too_many_frames")]
        assert bad(read("not,this", "vpdq")) == [(1, "not_vpdq")]

    def test_in_vics(self) -> None:
        text = json.dumps([f"{pdq},80,1.5" for pdq in FRAMES])
        media = {
            "MediaID": 4,
            "MD5": MD5,
            "Category": 1,
            "AlternativeHashes": [{"HashName": "vPDQ", "HashValue": text}],
        }
        whole, *frames = drafts(read(vics(media)))
        assert (whole.md5, [each.video for each in frames]) == (bytes.fromhex(MD5), ["id:4"] * 3)

    def test_hashes_beside_the_frames_are_not_lost(self) -> None:
        first, second = frame(8), frame(9)
        record = {"id": "v7", "pdq": first, "pdq_quality": 70, "pdq_hash": second, "vpdq": [f"{FRAMES[0]},80,1"]}
        whole, of_video, further = drafts(read(json.dumps(record)))
        assert (whole.pdq, whole.pdq_quality, whole.video) == (bytes.fromhex(first), 70, "id:v7")
        assert (of_video.pdq, of_video.video) == (bytes.fromhex(FRAMES[0]), "id:v7")
        assert (further.pdq, further.video) == (bytes.fromhex(second), None)

    @pytest.mark.parametrize("nothing", ["", "-", "null"])
    def test_nothing_said_is_nothing(self, nothing: str) -> None:
        (entry,) = drafts(read(json.dumps({"md5": MD5, "vpdq": nothing})))
        assert entry.video is None

    def test_in_a_column(self) -> None:
        cell = json.dumps([f"{pdq},80,1" for pdq in FRAMES]).replace('"', '""')
        entries = drafts(read(f'id,vpdq\nv7,"{cell}"\n'))
        assert [(entry.pdq, entry.video) for entry in entries] == [(bytes.fromhex(pdq), "id:v7") for pdq in FRAMES]


class TestDetection:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xef\xbb\xbf",
            b"   \n\n",
            b"# only a comment\n",
            b"hello world\n",
            b"\x1f\x8b\x08abc",
            b"PK\x03\x04",
            "md5\nx".encode("utf-16"),
            b"[1, 2]",
            b"[{}]",
            b"{broken",
            b"\xff\xd8\xff\xe0 a picture",
            b"\x00" * 100,
        ],
    )
    def test_what_is_no_list(self, body: bytes) -> None:
        with pytest.raises(ListFormatInvalid):
            read(body)

    def test_unknown_format_name(self) -> None:
        with pytest.raises(ListFormatInvalid, match="no list format"):
            read("md5\n", "xml")

    @pytest.mark.parametrize("name", ["CSV", "VICS 2.0", "vics-1.3", "json-lines", "ndjson", "type-value"])
    def test_other_spellings(self, name: str) -> None:
        iterator = read_entries(io.BytesIO(b""), name)
        assert isinstance(iterator, Iterator)

    @pytest.mark.parametrize("country", ["", "USA", "1A", "é"])
    def test_a_country_is_two_letters(self, country: str) -> None:
        with pytest.raises(BadInput):
            Reading(country=country)

    def test_a_stream_that_gives_little_at_a_time(self) -> None:
        class Slow(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return super().read(min(size or 0, 7))

        text = vics({"MD5": MD5, "Category": 1}, {"SHA1": SHA1})
        assert len(list(read_entries(Slow(text.encode())))) == 2
        assert len(list(read_entries(Slow(f"md5\n{MD5}\n{MD5}\n".encode())))) == 2


class Endless:
    """A file of `size` bytes that are never all there at once."""

    def __init__(self, start: bytes, filler: bytes, size: int, end: bytes = b"") -> None:
        self.start, self.filler, self.left, self.end = start, filler, size, end
        self.offset = 0

    def read(self, size: int, /) -> bytes:
        if self.start:
            part, self.start = self.start, b""
            return part
        if self.left > 0:
            size = min(size, self.left)
            part = (self.filler * (size // len(self.filler) + 2))[self.offset : self.offset + size]
            self.offset = (self.offset + size) % len(self.filler)
            self.left -= size
            return part
        part, self.end = self.end, b""
        return part


def peak_of(source: Endless, format: str) -> tuple[int, int]:
    """Bytes at the peak, and items read (until the file is refused, if it is)."""
    tracemalloc.start()
    count = 0
    try:
        for _ in read_entries(source, format):
            count += 1
    except ListFormatInvalid:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak, count


class TestMemory:
    @pytest.mark.parametrize("format", ["csv", "jsonl", "lines", "icse"])
    def test_endless_line(self, format: str) -> None:
        peak, count = peak_of(Endless(b"md5;x\n", b'"a', 60 << 20, f"\n{MD5};\n".encode()), format)
        assert peak < 16 << 20
        assert count > 0

    def test_endless_string_in_json(self) -> None:
        peak, _ = peak_of(Endless(b'{"@odata.context":"x","value":[{"MD5":"', b'a\\"', 60 << 20), "vics")
        assert peak < 24 << 20

    @pytest.mark.parametrize(("format", "start"), [("csv", b"md5\n"), ("vics", b'{"@odata.context":"x","value":[')])
    def test_many_records(self, format: str, start: bytes) -> None:
        record = f"{MD5}\n" if format == "csv" else json.dumps(TestVics.MEDIA) + ","
        peak, count = peak_of(Endless(start, record.encode(), 3 << 20), format)
        assert count > 4_000
        assert peak < 8 << 20

    @pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"a":['])
    def test_endless_nesting(self, opening: bytes) -> None:
        peak, _ = peak_of(Endless(b'{"@odata.context":"x","value":[', opening, 20 << 20), "vics")
        assert peak < 64 << 20

    def test_a_record_of_many_fields(self) -> None:
        many = b'{"HashName":"PDQ","HashValue":"x"},'
        peak, _ = peak_of(Endless(b'{"@odata.context":"x","value":[{"AlternativeHashes":[', many, 3 << 20), "vics")
        assert peak < 8 << 20


@given(st.binary(max_size=300), st.sampled_from([None, *FORMATS]))
def test_any_bytes_give_items_or_a_refusal(data: bytes, format: str | None) -> None:
    try:
        items = read(data, format)
    except ListFormatInvalid:
        return
    assert all(isinstance(item, EntryDraft | BadLine) for item in items)


@given(
    st.sampled_from([f"md5,id\n{MD5},1\n", f"sha1 {SHA1}\n", vics({"MD5": MD5}), json.dumps({"md5": MD5}) + "\n"]),
    st.integers(0, 60),
    st.integers(0, 60),
    st.binary(max_size=4),
)
def test_damaged_files_give_items_or_a_refusal(text: str, start: int, length: int, splice: bytes) -> None:
    body = text.encode()
    try:
        items = read(body[:start] + splice + body[start + length :])
    except ListFormatInvalid:
        return
    for entry in drafts(items):
        assert any((entry.md5, entry.sha1, entry.sha256, entry.pdq))
