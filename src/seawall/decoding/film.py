"""Which frames of a video are worth hashing, and whether they are seen upright. Runs only in a decoder child."""

from __future__ import annotations

from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from seawall.decoding.colours import Pixels

# Frames are looked at by this many points a side, in grey, to see whether the scene has changed.
_POINTS = 32
# Mean change of grey, of 255, from the last frame taken. Noise and small motion stay below; another scene never does.
_CUT = 8.0
# A little under half a second, so that with any rate of frames at least two are taken each second.
_INTERVAL_S = 0.45
# However slowly the clock of the file goes, after so many frames another one is taken.
_MOST_PASSED_OVER = 60


class Track:
    """One track of a video: takes two frames a second, and every frame that looks different from the last taken."""

    def __init__(self) -> None:
        self._to_points = VideoReformatter()
        self._to_colour = VideoReformatter()
        self._points: NDArray[np.int16] | None = None
        self._taken_at: float | None = None
        self._passed_over = 0
        self._begun_at: float | None = None

    def position(self, frame: VideoFrame) -> float:
        """Seconds from the first frame of this track; 0 where the file does not say."""
        if frame.time is None:
            return 0.0
        if self._begun_at is None:
            self._begun_at = frame.time
        return frame.time - self._begun_at

    def takes(self, frame: VideoFrame) -> bool:
        """Whether this frame is to be hashed. Ask once for each, in the order in which they are shown."""
        points = self._seen_from_far(frame)
        if not self._is_due(frame.time) and not self._is_cut(points):
            self._passed_over += 1
            return False
        self._points, self._taken_at, self._passed_over = points, frame.time, 0
        return True

    def _is_due(self, now: float | None) -> bool:
        """By the clock; where that is missing or goes backwards, every frame is."""
        if self._taken_at is None or now is None or now < self._taken_at:
            return True
        return now - self._taken_at >= _INTERVAL_S or self._passed_over >= _MOST_PASSED_OVER

    def _is_cut(self, points: NDArray[np.int16]) -> bool:
        return self._points is None or float(np.abs(points - self._points).mean()) >= _CUT

    def _seen_from_far(self, frame: VideoFrame) -> NDArray[np.int16]:
        small = self._to_points.reformat(
            frame, _POINTS, _POINTS, "gray", interpolation=Interpolation.FAST_BILINEAR, threads=1
        )
        return _array(small).astype(np.int16)

    def upright(self, frame: VideoFrame) -> Pixels:
        """The frame's pixels (height, width, 3), turned as the file says that they are shown."""
        colour = self._to_colour.reformat(frame, format="rgb24", interpolation=Interpolation.BILINEAR, threads=1)
        return np.ascontiguousarray(np.rot90(_array(colour), round(frame.rotation / 90)))


def _array(frame: VideoFrame) -> NDArray[Any]:
    return frame.to_ndarray()
