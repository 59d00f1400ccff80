"""Hashes that come one by one: those that come while others are being judged are judged together next.

So a hash alone waits for nobody, and many at once share one look-up, one statement and one commit.
"""

from __future__ import annotations

import asyncio

from seawall import flow
from seawall.matching.entering import Entering
from seawall.records import Answer, HashArrival
from seawall.rooms import Rooms

# More would let those wait long that came first, and whoever else the loop serves.
MOST = 32
Waiting = tuple[HashArrival, "asyncio.Future[Answer | None]"]


class Gathering:
    """Judges hashes that are new and on no list, in the event loop: a look-up takes less than a thread takes to wake,
    and the ledger is awaited."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._enter = Entering(rooms.database)
        self._waiting: list[Waiting] = []
        self._judging: asyncio.Task[dict[int, Answer]] | None = None

    async def judge(self, arrival: HashArrival) -> Answer | None:
        """`flow.judge_new_hashes`: the answer, or None where it has to go the long way. It is finished even if the
        client goes away meanwhile."""
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, answer))
        if self._judging is None:
            self._begin()
        return await answer

    async def close(self) -> None:
        """Waits for what is being judged."""
        while self._judging is not None:
            await asyncio.wait((self._judging,))
        self._enter.close()

    def _begin(self) -> None:
        group: list[Waiting] = []
        self._judging = asyncio.create_task(self._judge(group))
        self._judging.add_done_callback(lambda done: self._end(group, done))

    async def _judge(self, group: list[Waiting]) -> dict[int, Answer]:
        """Judges those that wait when the loop comes to this, and puts them into the group."""
        group[:], self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        arrivals = [arrival for arrival, _answer in group]
        return await flow.judge_few_new_hashes(self._rooms, self._enter, arrivals)

    def _end(self, group: list[Waiting], judged: asyncio.Task[dict[int, Answer]]) -> None:
        self._judging = None
        if self._waiting:
            self._begin()
        error = asyncio.CancelledError() if judged.cancelled() else judged.exception()
        for place, (_arrival, answer) in enumerate(group):
            if answer.done():
                continue  # the service is stopping
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(judged.result().get(place))
