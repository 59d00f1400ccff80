"""Findings and policies, made by hand and by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from seawall.policy.load import parse_policy
from seawall.policy.rules import Policy
from seawall.records import (
    Classification,
    Finding,
    HarmClass,
    HashKind,
    ListInfo,
    Match,
    MatchKind,
    Noted,
    NotedKind,
    Orientation,
    ScanOwed,
    Trust,
    Verdict,
)


def hash_list(name: str, *, trust: Trust = Trust.STANDARD, source: str | None = None) -> ListInfo:
    return ListInfo(hash(name) % 1000, name, source or name, trust, HarmClass.CSAM, 31, True, True)


def exact(name: str, trust: Trust = Trust.STANDARD, *, disputed: bool = False) -> Match:
    return Match(1, hash_list(name, trust=trust), MatchKind.EXACT, HashKind.SHA256, 0, disputed=disputed)


def perceptual(
    name: str,
    distance: int,
    *,
    trust: Trust = Trust.STANDARD,
    source: str | None = None,
    disputed: bool = False,
    entry: int = 1,
    orientation: Orientation = Orientation.UPRIGHT,
) -> Match:
    of_list = hash_list(name, trust=trust, source=source)
    return Match(
        entry, of_list, MatchKind.PERCEPTUAL, HashKind.PDQ, distance, orientation, disputed=disputed, quality=90
    )


SURFACES = ("upload", "avatar", "message")
NAMES = st.sampled_from(["alpha", "beta", "gamma"])
TRUSTS = st.sampled_from(list(Trust))


@st.composite
def matches(draw: st.DrawFn) -> Match:
    kind = draw(st.sampled_from(list(MatchKind)))
    of_pdq, places = kind is MatchKind.PERCEPTUAL, kind is MatchKind.KEYPOINTS
    digest = draw(st.sampled_from([HashKind.MD5, HashKind.SHA1, HashKind.SHA256]))
    name = draw(NAMES)
    source = draw(st.sampled_from(["one", "two", name]))
    of_list = ListInfo(1, name, source, draw(TRUSTS), draw(st.sampled_from(list(HarmClass))), 31, True, True)
    return Match(
        entry_id=draw(st.integers(1, 5)),
        list=of_list,
        kind=kind,
        hash_kind=HashKind.PDQ if of_pdq else None if places else digest,
        distance=draw(st.integers(0, 31)) if of_pdq else None if places else 0,
        orientation=draw(st.sampled_from(list(Orientation))) if of_pdq else Orientation.UPRIGHT,
        frame=draw(st.integers(0, 2)),
        quality=draw(st.none() | st.integers(0, 100)),
        classification=draw(st.none() | st.just(Classification("ncmec", "A1"))),
        disputed=draw(st.booleans()),
        inliers=draw(st.integers(15, 900)) if places else None,
        share=draw(st.integers(1, 100)) if places else None,
    )


OWED = st.builds(ScanOwed, st.sampled_from(["media_corrupt", "decoder_timeout"]), st.just("It did not finish."))
NOTED = st.builds(Noted, st.sampled_from([kind.value for kind in NotedKind]), st.just("It is unusual."))
FINDINGS: st.SearchStrategy[Finding] = matches() | OWED | NOTED


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that passes the check."""
    rules = []
    for number in range(draw(st.integers(1, 5))):
        verdict = draw(st.sampled_from(list(Verdict)))
        finding = draw(st.sampled_from(["match", "scan_owed", "noted"]))
        when = {"finding": f'"{finding}"'}
        permissive = verdict in (Verdict.ALLOW, Verdict.WARN)
        if draw(st.booleans()) or (finding == "scan_owed" and permissive):
            when["surface"] = f'"{draw(st.sampled_from(SURFACES))}"'
        if finding == "match":
            when |= draw(_conditions_of_match(permissive))
        conditions = ", ".join(f"{key} = {value}" for key, value in when.items())
        rules.append(
            f'[[rule]]\nname = "rule-{number}"\nexplanation = "A test."\nwhen = {{ {conditions} }}\n'
            f'verdict = "{verdict}"\n'
        )
    return parse_policy("version = 1\n" + "\n".join(rules), "test.toml")


@st.composite
def _conditions_of_match(draw: st.DrawFn, permissive: bool) -> dict[str, str]:
    possible = {
        "kind": draw(
            st.sampled_from(['"exact"', '"perceptual"', '["exact", "keypoints"]', '["exact", "perceptual"]'])
        ),
        "max_distance": str(draw(st.integers(0, 31))),
        "trust": f'"{draw(TRUSTS)}"',
        "list": f'"{draw(NAMES)}"',
        "disputed": draw(st.sampled_from(["true", "false"])),
    }
    keys = draw(st.sets(st.sampled_from(sorted(possible)), max_size=3))
    if not permissive and "list" not in keys and draw(st.booleans()):
        possible["min_independent_lists"] = str(draw(st.integers(2, 3)))
        keys.add("min_independent_lists")
    return {key: possible[key] for key in sorted(keys)}
