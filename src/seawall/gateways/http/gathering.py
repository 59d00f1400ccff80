"""Hashes that come one by one: those that come while others are being judged are judged together next.

So a hash alone waits for nobody, and many at once share one look-up, one statement and one commit.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from seawall import flow
from seawall.records import Answer, HashArrival
from seawall.rooms import Rooms

# More would let those wait long that came first.
MOST = 64
Waiting = tuple[HashArrival, "asyncio.Future[Answer | None]"]


class Gathering:
    """Judges hashes that are new and on no list, in a thread of its own, so that they wait behind no upload. All else
    happens in the thread of the event loop."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._thread = ThreadPoolExecutor(1, "hashes")
        self._waiting: list[Waiting] = []
        self._busy = False

    async def judge(self, arrival: HashArrival) -> Answer | None:
        """`flow.judge_new_hashes`: the answer, or None where it has to go the long way. It is finished even if the
        client goes away meanwhile."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer | None] = loop.create_future()
        self._waiting.append((arrival, answer))
        if not self._busy:
            self._begin(loop)
        return await answer

    def close(self) -> None:
        """Waits for what is being judged."""
        self._thread.shutdown()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        arrivals = [arrival for arrival, _answer in group]
        judged = loop.run_in_executor(self._thread, flow.judge_new_hashes, self._rooms, arrivals)
        judged.add_done_callback(lambda done: self._end(loop, group, done))
        self._busy = True

    def _end(
        self, loop: asyncio.AbstractEventLoop, group: list[Waiting], judged: asyncio.Future[dict[int, Answer]]
    ) -> None:
        self._busy = False
        if self._waiting:
            self._begin(loop)
        error = judged.exception()
        for place, (_arrival, answer) in enumerate(group):
            if answer.done():
                continue  # the service is stopping
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(judged.result().get(place))
