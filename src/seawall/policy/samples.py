"""Made-up findings, to try a policy on before it meets real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seawall.conversation_records import ConversationSignal
from seawall.errors import BadInput
from seawall.policy.rules import FindingKind
from seawall.records import (
    FARTHEST_DISTANCE,
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
)


class SampleMatch(BaseModel):
    """A match that might be. `source` is the list's own name unless two lists shall not count as independent."""

    model_config = ConfigDict(extra="forbid")

    finding: Literal["match"] = "match"
    kind: MatchKind = MatchKind.PERCEPTUAL
    hash_kind: HashKind | None = None
    distance: Annotated[int, Field(ge=0, le=FARTHEST_DISTANCE)] = 0
    orientation: Orientation = Orientation.UPRIGHT
    list: Annotated[str, Field(min_length=1)] = "sample list"
    source: str | None = None
    trust: Trust = Trust.STANDARD
    harm_class: HarmClass = HarmClass.CSAM
    classification: Annotated[str, Field(pattern="^[^:]+:.+$")] | None = None
    disputed: bool = False
    of_video: bool = False
    query_share: Annotated[int, Field(ge=0, le=100)] | None = None
    entry_share: Annotated[int, Field(ge=0, le=100)] | None = None
    low_information: bool = False

    def as_finding(self) -> Match:
        """The match, with an entry that does not exist."""
        exact, places = self.kind is MatchKind.EXACT, self.kind is MatchKind.KEYPOINTS
        hash_kind = self.hash_kind or (HashKind.SHA256 if exact else HashKind.PDQ)
        if places and (self.hash_kind or self.distance):
            raise BadInput("A match by keypoints has no hash and no distance.")
        if not places and (exact is (hash_kind is HashKind.PDQ) or (exact and self.distance)):
            raise BadInput("An exact match has distance 0 and an exact digest; a perceptual one is of PDQ.")
        source = self.source or self.list
        of_list = ListInfo(0, self.list, source, self.trust, self.harm_class, FARTHEST_DISTANCE, True, True)
        scheme, _colon, code = (self.classification or "").partition(":")
        return Match(
            entry_id=0,
            list=of_list,
            kind=self.kind,
            hash_kind=None if places else hash_kind,
            distance=None if places else self.distance,
            orientation=self.orientation,
            classification=Classification(scheme, code) if self.classification else None,
            disputed=self.disputed,
            of_video=self.of_video,
            low_information=self.low_information,
            query_share=self.query_share,
            entry_share=self.entry_share,
            inliers=40 if places else None,
            share=30 if places else None,
        )


class SampleScanOwed(BaseModel):
    """A step that might not finish."""

    model_config = ConfigDict(extra="forbid")

    finding: Literal["scan_owed"]
    code: Annotated[str, Field(min_length=1)] = "media_corrupt"
    explanation: str = "A sample of a step that did not finish."

    def as_finding(self) -> ScanOwed:
        """The scan that is owed."""
        return ScanOwed(self.code, self.explanation)


class SampleNoted(BaseModel):
    """Something that might be noted about a file."""

    model_config = ConfigDict(extra="forbid")

    finding: Literal["noted"]
    code: NotedKind = NotedKind.TRAILING_DATA
    explanation: str = "A sample of something noted."

    def as_finding(self) -> Noted:
        """What is noted."""
        return Noted(self.code.value, self.explanation)


class SampleConversation(BaseModel):
    """A conversation that a person might be to look at."""

    model_config = ConfigDict(extra="forbid")

    finding: Literal["conversation"]
    code: Annotated[str, Field(pattern="^(review|urgent)$")] = "review"
    explanation: str = "A sample of a conversation."
    score: Annotated[int, Field(ge=0, le=1000)] = 900

    def as_finding(self) -> ConversationSignal:
        """What is to be looked at."""
        return ConversationSignal(self.code, self.explanation, self.score)


def problems_of(error: ValidationError, whole: str) -> str:
    """What is wrong with a sample, field by field, without what was given; `whole` is what the sample is called."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or whole}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )


def sample(text: str) -> Finding:
    """A finding from JSON, as `seawall policy explain --finding` takes it.

    Raises:
        BadInput: names the fields that are wrong.
    """
    try:
        model = _KINDS.get(_kind_of(text), SampleMatch).model_validate_json(text)
    except ValidationError as error:
        raise BadInput(
            f"This is no finding: {problems_of(error, 'finding')}.",
            hint='Write it like {"finding": "match", "kind": "perceptual", "distance": 8, "list": "a"}.',
        ) from None
    return model.as_finding()


_KINDS: Mapping[object, type[SampleMatch | SampleScanOwed | SampleNoted | SampleConversation]] = MappingProxyType(
    {
        FindingKind.SCAN_OWED.value: SampleScanOwed,
        FindingKind.NOTED.value: SampleNoted,
        FindingKind.CONVERSATION.value: SampleConversation,
    }
)


def _kind_of(text: str) -> str | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    kind = document.get("finding") if isinstance(document, dict) else None
    return kind if isinstance(kind, str) else None
