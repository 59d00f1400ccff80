"""What lies in the JSONB columns: reasons and findings as JSON documents, and back.

A reason's document is also how the API and webhooks tell it. A finding's document holds the list as it was at that
time and the entry's number, never a hash.
"""

from __future__ import annotations

from typing import Any

from seawall.conversation_records import ConversationSignal
from seawall.records import (
    Classification,
    Finding,
    HarmClass,
    HashKind,
    ListInfo,
    Match,
    MatchKind,
    Noted,
    Orientation,
    Reason,
    ScanOwed,
    Trust,
)

Document = dict[str, Any]


def reason_to_json(reason: Reason) -> Document:
    """``{code, rule, list, kind, distance, orientation, explanation}``; what does not apply is null."""
    return {
        "code": reason.code,
        "rule": reason.rule,
        "list": reason.list,
        "kind": None if reason.kind is None else reason.kind.value,
        "distance": reason.distance,
        "orientation": None if reason.orientation is None else reason.orientation.value,
        "explanation": reason.explanation,
    }


def reason_from_json(document: Document) -> Reason:
    """The reason that :func:`reason_to_json` wrote."""
    kind, orientation = document["kind"], document["orientation"]
    return Reason(
        code=document["code"],
        rule=document["rule"],
        explanation=document["explanation"],
        list=document["list"],
        kind=None if kind is None else MatchKind(kind),
        distance=document["distance"],
        orientation=None if orientation is None else Orientation(orientation),
    )


def finding_to_json(finding: Finding) -> Document:
    """A match, an owed scan, something noted or a conversation, told apart by ``finding``."""
    if isinstance(finding, ConversationSignal):
        told = {"code": finding.code, "explanation": finding.explanation, "score": finding.score}
        return {"finding": "conversation", **told}
    if not isinstance(finding, Match):
        kind = "scan_owed" if isinstance(finding, ScanOwed) else "noted"
        return {"finding": kind, "code": finding.code, "explanation": finding.explanation}
    classification = finding.classification
    return {
        "finding": "match",
        "entry_id": finding.entry_id,
        "list": _list_to_json(finding.list),
        "kind": finding.kind.value,
        "hash_kind": None if finding.hash_kind is None else finding.hash_kind.value,
        "distance": finding.distance,
        "orientation": finding.orientation.value,
        "frame": finding.frame,
        "quality": finding.quality,
        "classification": None
        if classification is None
        else {"scheme": classification.scheme, "code": classification.code},
        "disputed": finding.disputed,
        "in_part": finding.in_part,
        "low_information": finding.low_information,
        "of_video": finding.of_video,
        "query_share": finding.query_share,
        "entry_share": finding.entry_share,
        "inliers": finding.inliers,
        "share": finding.share,
    }


def finding_from_json(document: Document) -> Finding:
    """The finding that :func:`finding_to_json` wrote."""
    if document["finding"] == "scan_owed":
        return ScanOwed(document["code"], document["explanation"])
    if document["finding"] == "noted":
        return Noted(document["code"], document["explanation"])
    if document["finding"] == "conversation":
        return ConversationSignal(document["code"], document["explanation"], document["score"])
    classification = document["classification"]
    return Match(
        entry_id=document["entry_id"],
        list=_list_from_json(document["list"]),
        kind=MatchKind(document["kind"]),
        hash_kind=None if document["hash_kind"] is None else HashKind(document["hash_kind"]),
        distance=document["distance"],
        orientation=Orientation(document["orientation"]),
        frame=document["frame"],
        quality=document["quality"],
        classification=None if classification is None else Classification(**classification),
        disputed=document["disputed"],
        in_part=document.get("in_part", False),
        low_information=document.get("low_information", False),
        of_video=document.get("of_video", False),
        query_share=document.get("query_share"),
        entry_share=document.get("entry_share"),
        inliers=document.get("inliers"),
        share=document.get("share"),
    )


def _list_to_json(found: ListInfo) -> Document:
    return {
        "list_id": found.list_id,
        "name": found.name,
        "source": found.source,
        "trust": found.trust.value,
        "harm_class": found.harm_class.value,
        "max_distance": found.max_distance,
        "enabled": found.enabled,
        "is_test": found.is_test,
        **({"quarantined": True} if found.quarantined else {}),
    }


def _list_from_json(document: Document) -> ListInfo:
    return ListInfo(
        **{**document, "trust": Trust(document["trust"]), "harm_class": HarmClass(document["harm_class"])}
    )
