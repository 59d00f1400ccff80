"""What a decoder child can be asked to do."""

from __future__ import annotations

from typing import Any

from seawall.decoding.limits import Limits
from seawall.decoding.pictures import views
from seawall.decoding.sniff import Kind, sniff, videos_behind
from seawall.decoding.thumbnails import make_thumbnail
from seawall.decoding.videos import AVAILABLE, Video
from seawall.errors import DecodingFailed, MediaTooLarge, MediaUnsupported
from seawall.fingerprints.pdq import PdqResult, hash_picture
from seawall.records import RevealStage

# A frame of a video that is so near to the last kept is not kept: it would be looked up, and stored, for nothing.
_SAME_SCENE = 4
_GOOD_QUALITY = 50


def takes_long(data: bytes) -> bool:
    """Whether the bytes are a video or carry one, so that they may take the time of a video."""
    if not AVAILABLE:
        return False
    kind = sniff(data)
    return kind.demuxer is not None or (kind.opener == "JPEG" and bool(videos_behind(data)))


def fingerprint(data: bytes, limits: Limits) -> dict[str, Any]:
    """Sniffs, decodes and hashes every distinct view of every frame; a :class:`seawall.records.DecodedMedia` as JSON.

    Args:
        data: the whole file.
        limits: what it may cost.

    Raises:
        NotMedia, MediaUnsupported, MediaCorrupt, MediaTooLarge: as :func:`seawall.decoding.pictures.views` and
            :meth:`seawall.decoding.videos.Video.views`.
    """
    kind = sniff(data)
    if kind.demuxer is not None and AVAILABLE:
        return _fingerprint_video(data, kind, limits)
    document = _fingerprint_picture(data, kind, limits)
    for kind_behind, part in videos_behind(data) if kind.opener == "JPEG" else ():
        _add_video(document, part, kind_behind, limits)
    return document


def _fingerprint_picture(data: bytes, kind: Kind, limits: Limits) -> dict[str, Any]:
    _, seen = views(data, limits)
    results: dict[tuple[bytes, ...], tuple[int, PdqResult]] = {}
    width = height = 0
    for view in seen:
        if not results:
            height, width = view.pixels.shape[:2]
        result = hash_picture(view.pixels)
        results.setdefault(result.orientations, (view.number, result))
    return _document(kind, width, height, list(results.values()), {})


def _add_video(document: dict[str, Any], data: bytes, kind: Kind, limits: Limits) -> None:
    """Puts the frames of a video behind those of the picture that carries it. What cannot be read of it is owed."""
    try:
        if not AVAILABLE:
            raise MediaUnsupported("It carries a video, and the extra `video` that reads it is not installed.")
        video = _fingerprint_video(data, kind, limits)
    except DecodingFailed as problem:
        document["owed"].setdefault(problem.code, problem.message)
        return
    first = document["frames"][-1]["number"] + 1
    document["frames"] += [{**frame, "number": first + frame["number"]} for frame in video["frames"]]
    document["owed"] = {**video["owed"], **document["owed"]}


def _fingerprint_video(data: bytes, kind: Kind, limits: Limits) -> dict[str, Any]:
    video = Video(data, kind, limits)
    kept: list[tuple[int, PdqResult]] = []
    width = height = 0
    for view in video.views():
        if not kept:
            height, width = view.pixels.shape[:2]
        result = hash_picture(view.pixels)
        if kept and _same_scene(kept[-1][1], result):
            continue
        if len(kept) >= limits.max_video_frames:
            video.owe(MediaTooLarge(f"Only the first {len(kept)} frames that differ were read."))
            break
        kept.append((view.number, result))
    return _document(kind, width, height, kept, video.owed)


def _same_scene(last: PdqResult, result: PdqResult) -> bool:
    """Whether the later of two frames tells nothing new. One that is good enough to match is kept after one that is
    not."""
    if last.quality < _GOOD_QUALITY <= result.quality:
        return False
    return (int.from_bytes(last.orientations[0]) ^ int.from_bytes(result.orientations[0])).bit_count() <= _SAME_SCENE


def _document(
    kind: Kind, width: int, height: int, frames: list[tuple[int, PdqResult]], owed: dict[str, str]
) -> dict[str, Any]:
    return {
        "media_type": kind.media_type,
        "width": width,
        "height": height,
        "frames": [
            {"number": number, "quality": result.quality, "hashes": b"".join(result.orientations).hex()}
            for number, result in frames
        ],
        "owed": owed,
    }


def thumbnail(data: bytes, request: dict[str, Any], limits: Limits) -> bytes:
    """A JPEG of one frame at one stage."""
    return make_thumbnail(data, RevealStage(request["stage"]), request["longest_side"], request["frame"], limits)
