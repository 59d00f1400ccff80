"""What a policy is made of, once it was read: rules, each with the conditions under which it fires."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from seawall.conversation_records import ConversationSignal
from seawall.policy.conversations import ConversationRule
from seawall.records import Finding, HarmClass, HashKind, Match, MatchKind, Noted, ScanOwed, Trust, Verdict

PERMISSIVE = (Verdict.ALLOW, Verdict.WARN)


class FindingKind(enum.StrEnum):
    """What a rule speaks of."""

    MATCH = "match"
    SCAN_OWED = "scan_owed"
    NOTED = "noted"
    CONVERSATION = "conversation"


_KINDS = MappingProxyType(
    {
        FindingKind.MATCH: "a match",
        FindingKind.SCAN_OWED: "a scan that is owed",
        FindingKind.NOTED: "something noted",
        FindingKind.CONVERSATION: "a conversation",
    }
)


def kind_of(finding: Finding) -> FindingKind:
    """What kind a finding is of."""
    if isinstance(finding, Match):
        return FindingKind.MATCH
    if isinstance(finding, ConversationSignal):
        return FindingKind.CONVERSATION
    return FindingKind.SCAN_OWED if isinstance(finding, ScanOwed) else FindingKind.NOTED


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a rule fires. What is empty or None is not asked; of several values one must fit.

    All but ``min_independent_lists`` are asked of one finding at a time; that one is asked of all matches together
    that fit the rest: they must come from so many different sources.
    """

    finding: FindingKind
    kind: tuple[MatchKind, ...] = ()
    hash_kind: tuple[HashKind, ...] = ()
    min_distance: int | None = None
    max_distance: int | None = None
    trust: tuple[Trust, ...] = ()
    harm_class: tuple[HarmClass, ...] = ()
    list: tuple[str, ...] = ()
    classification: tuple[str, ...] = ()
    disputed: bool | None = None
    low_information: bool | None = None
    video: bool | None = None
    min_query_share: int | None = None
    min_entry_share: int | None = None
    code: tuple[str, ...] = ()
    surface: tuple[str, ...] = ()
    except_surface: tuple[str, ...] = ()
    min_independent_lists: int | None = None

    def misfits(self, finding: Finding, surface: str) -> Iterator[str]:
        """Why one finding does not fit, in words; nothing when it does."""
        if self.surface and surface not in self.surface:
            yield f"the surface is {surface}, not {either(self.surface)}"
        if surface in self.except_surface:
            yield f"the surface {surface} is excepted"
        if isinstance(finding, Match):
            yield from self._misfits_of_match(finding)
        else:
            yield from self._misfits_of_the_rest(finding)

    def fits(self, finding: Finding, surface: str) -> bool:
        """Whether one finding meets every condition that is asked of one."""
        return next(self.misfits(finding, surface), None) is None

    def _misfits_of_the_rest(self, finding: ScanOwed | Noted | ConversationSignal) -> Iterator[str]:
        kind = kind_of(finding)
        if self.finding is not kind:
            yield f"the finding is {_KINDS[kind]}, not {_KINDS[self.finding]}"
            return
        if self.code and finding.code not in self.code:
            yield f"the code is {finding.code}, not {either(self.code)}"

    def _misfits_of_match(self, match: Match) -> Iterator[str]:
        if self.finding is not FindingKind.MATCH:
            yield f"the finding is a match, not {_KINDS[self.finding]}"
            return
        of_list = match.list
        classification = (
            f"{match.classification.scheme}:{match.classification.code}" if match.classification else "none"
        )
        asked: tuple[tuple[str, tuple[str, ...], str], ...] = (
            ("match", self.kind, match.kind),
            ("hash", self.hash_kind, match.hash_kind or "none"),
            ("list's trust", self.trust, of_list.trust),
            ("list's harm class", self.harm_class, of_list.harm_class),
            ("list", self.list, of_list.name),
            ("classification", self.classification, classification),
        )
        for noun, wanted, actual in asked:
            if wanted and actual not in wanted:
                yield f"the {noun} is {actual}, not {either(wanted)}"
        yield from self._misfits_of_distance(match.distance)
        if self.disputed is not None and match.disputed is not self.disputed:
            yield "the entry is disputed" if match.disputed else "the entry is not disputed"
        if self.low_information is not None and match.low_information is not self.low_information:
            yield "the hash tells little" if match.low_information else "the hash tells enough"
        yield from self._misfits_of_video(match)

    def _misfits_of_distance(self, distance: int | None) -> Iterator[str]:
        if distance is None:
            if self.min_distance is not None or self.max_distance is not None:
                yield "it was found by keypoints, which have no distance"
            return
        if self.min_distance is not None and distance < self.min_distance:
            yield f"the distance {distance} is below {self.min_distance}"
        if self.max_distance is not None and distance > self.max_distance:
            yield f"the distance {distance} is above {self.max_distance}"

    def _misfits_of_video(self, match: Match) -> Iterator[str]:
        if self.video is not None and match.of_video is not self.video:
            yield "the entry is a frame of a video" if match.of_video else "the entry is no frame of a video"
        shares = (
            (self.min_query_share, match.query_share, "of what arrived"),
            (self.min_entry_share, match.entry_share, "of the listed video"),
        )
        for wanted, share, of_what in shares:
            if wanted is not None and (share is None or share < wanted):
                said = "nothing" if share is None else f"{share} %"
                yield f"{said} {of_what} is known to be the same, less than {wanted} %"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `line` is where it stands in its file, from 1."""

    name: str
    explanation: str
    when: Conditions
    verdict: Verdict
    urgent: bool = False
    line: int = 0

    def fitting(self, findings: tuple[Finding, ...], surface: str) -> tuple[Finding, ...]:
        """The findings that meet the conditions asked of one. Whatever else is written, a scan that is owed may only
        be let through by a rule that names the surface, and what keypoints found is only blocked by one that names
        that kind."""
        if self.when.finding is FindingKind.SCAN_OWED and self.verdict in PERMISSIVE and not self.when.surface:
            return ()
        fitting = (finding for finding in findings if self.when.fits(finding, surface))
        if self.verdict is Verdict.BLOCK and MatchKind.KEYPOINTS not in self.when.kind:
            return tuple(finding for finding in fitting if not _by_keypoints(finding))
        return tuple(fitting)

    def fires(self, fitting: tuple[Finding, ...]) -> bool:
        """Whether these findings, which all fit, are enough."""
        needed = self.when.min_independent_lists
        return bool(fitting) and (needed is None or sources(fitting) >= needed)


# At this distance lies what was compressed again, resized or saved in another format, and hardly any other picture.
CAUTIOUS_DISTANCE = 10


@dataclass(frozen=True, slots=True)
class Copies:
    """What counts as a copy of something that a reviewer confirmed: the same digest, and PDQ within `pdq_distance`
    bits (None: no PDQ counts). Keypoints count wherever they are looked at: the settings say where."""

    digest: bool = True
    pdq_distance: int | None = CAUTIOUS_DISTANCE

    @property
    def off(self) -> bool:
        """Whether nothing counts as one."""
        return not self.digest and self.pdq_distance is None

    def count(self, finding: Finding) -> bool:
        """Whether a finding says something: anything but a likeness to what was confirmed here that is no copy."""
        if not isinstance(finding, Match) or not finding.list.is_own:
            return True
        if finding.kind is MatchKind.EXACT:
            return self.digest
        if finding.distance is None:
            return True
        return self.pdq_distance is not None and finding.distance <= self.pdq_distance


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. `version` is a digest of its text, so that a verdict names exactly the rules it came from."""

    version: str
    text: str
    rules: tuple[Rule, ...]
    origin: str
    copies: Copies = Copies()
    conversations: tuple[ConversationRule, ...] = ()


def _by_keypoints(finding: Finding) -> bool:
    return isinstance(finding, Match) and finding.kind is MatchKind.KEYPOINTS


def sources(findings: tuple[Finding, ...]) -> int:
    """From how many sources that do not depend on each other these matches come. What was confirmed here is none: it
    may have been confirmed by the very list that is counted beside it."""
    return len(
        {finding.list.source for finding in findings if isinstance(finding, Match) and not finding.list.is_own}
    )


def either(values: tuple[str, ...]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
