"""Connections of proxies: each hands over what somebody uploads or fetches, and is told whether it may pass."""

from __future__ import annotations

import asyncio
import hashlib

import structlog

from seawall.errors import BodyMalformed, BodyTooLarge, NotMedia, Overloaded, SeawallError
from seawall.gateways.doors import Door
from seawall.gateways.http.admission import count
from seawall.gateways.http.ballast import Take
from seawall.gateways.icap import protocol
from seawall.gateways.icap.bodies import size_of, uploads_of
from seawall.gateways.icap.heads import HttpHead, http_head
from seawall.gateways.icap.protocol import Request
from seawall.gateways.judging import judge_media
from seawall.records import MediaArrival, Verdict

log = structlog.get_logger(__name__)

SURFACE = "icap"
REFUSED = "This was not let through."
OWED = "This could not be checked, and so was not let through."


class IcapDoor(Door):
    """Answers proxies: REQMOD for what is uploaded, RESPMOD for what is fetched."""

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as many requests as it brings."""
        while await Exchange(self, reader, writer).run():
            pass

    def overloaded(self) -> bytes:
        """What is said when there are too many connections."""
        return protocol.answer(503, {"Connection": "close"})

    @property
    def tag(self) -> str:
        """Changes with the lists, so that proxies do not go by older answers (RFC 3507, 4.7)."""
        return f'"seawall-{self.hall.rooms.index.generation}"'


class Exchange:
    """One request and its answer."""

    def __init__(self, door: IcapDoor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._door = door
        self._reader = reader
        self._writer = writer

    async def run(self) -> bool:
        """Answers one request; whether the connection can go on.

        Raises:
            OSError, EOFError, TimeoutError: the other side is gone, or silent for too long.
        """
        try:
            head = await self._head()
            if head is None:
                return False
            request = protocol.request_of(head)
            if request.method == "OPTIONS":
                return await self._options(request)
            if protocol.SERVICES.get(request.method) is None:
                return await self._say(405)
            return await self._modify(request)
        except (BodyMalformed, asyncio.LimitOverrunError):
            return await self._say(400)
        except Overloaded:
            return await self._say(503)
        except SeawallError as error:
            log.error("icap.failed", code=error.code, message=error.message)
            return await self._say(500)

    async def _head(self) -> bytes | None:
        async with self._door.patience():
            try:
                return await self._reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
                return None

    async def _options(self, request: Request) -> bool:
        methods = [method for method, path in protocol.SERVICES.items() if path == request.path]
        if not methods or request.has_body:
            return await self._say(404)
        said = protocol.options(methods[0], self._door.tag, self._door.most_connections)
        await self._write(protocol.answer(200, said))
        return not request.closes

    async def _modify(self, request: Request) -> bool:
        with self._door.hall.ballast.load() as take:
            take(request.heads_bytes)
            async with self._door.patience():
                heads = await self._reader.readexactly(request.heads_bytes)
            try:
                body = await self._body(request, take)
            except BodyTooLarge:
                await self._refuse(OWED, Verdict.HOLD)
                return False  # the rest of the body is still to come
            verdict = await self._verdict(request, heads, body, take)
            if verdict is None:
                await self._refuse(OWED, Verdict.HOLD)
            elif verdict in (Verdict.ALLOW, Verdict.WARN):
                await self._pass_on(request, heads, body)
            else:
                await self._refuse(REFUSED, verdict)
        return not request.closes

    async def _verdict(self, request: Request, heads: bytes, body: bytes, take: Take) -> Verdict | None:
        """The strictest verdict on all that is in the body; None when it cannot be taken apart."""
        if not body:
            return Verdict.ALLOW
        hall = self._door.hall
        try:
            head = http_head(request.head("req-hdr" if request.method == "REQMOD" else "res-hdr", heads))
            if head.coding:
                take(await hall.work(lambda: size_of(head, body, hall.settings.max_upload_bytes)))
        except (BodyMalformed, BodyTooLarge):
            return None
        return await hall.work(lambda: self._judged(head, body))

    async def _body(self, request: Request, take: Take) -> bytes:
        if not request.has_body:
            return b""
        body = bytearray()
        whole = await self._chunks(body, take)
        if request.preview is not None and not whole:
            await self._write(protocol.answer(100, {}))
            await self._chunks(body, take)
        return bytes(body)

    async def _chunks(self, body: bytearray, take: Take) -> bool:
        """Reads to the chunk that ends; whether it says that nothing more comes after a preview."""
        most = self._door.hall.settings.max_upload_bytes
        while True:
            async with self._door.patience():
                length, whole = protocol.chunk_of(await self._reader.readuntil(b"\r\n"))
                if len(body) + length > most:
                    raise BodyTooLarge(f"The upload has more than {most} bytes.")
                take(length)
                body += await self._reader.readexactly(length)
                # After the last chunk trailers may stand; nobody needs them.
                while (line := await self._reader.readuntil(b"\r\n")) != b"\r\n":
                    if length or len(line) > protocol.LONGEST_CHUNK_LINE:
                        raise BodyMalformed("A chunk of the body is longer than it says.")
            if length == 0:
                return whole

    def _judged(self, head: HttpHead, body: bytes) -> Verdict | None:
        key = self._door.key()
        try:
            files = uploads_of(head, body, self._door.hall.settings.max_upload_bytes)
        except (BodyMalformed, BodyTooLarge):
            count(self._door.hall, key)
            return None
        count(self._door.hall, key, max(1, len(files)))
        verdicts = [Verdict.ALLOW]
        for file in files:
            content_id = f"icap:{hashlib.sha256(file).hexdigest()}"
            try:
                arrival = MediaArrival(content_id, file, surface=SURFACE)
                verdicts.append(judge_media(self._door.hall, key, arrival).verdict)
            except NotMedia:
                continue  # a field of a form, a text: nothing that Seawall knows
        return max(verdicts, key=lambda verdict: verdict.severity)

    async def _pass_on(self, request: Request, heads: bytes, body: bytes) -> None:
        if request.allows_204:
            await self._write(protocol.answer(204, {"ISTag": self._door.tag}))
            return
        name = "req" if request.method == "REQMOD" else "res"
        head = request.head(f"{name}-hdr", heads)
        kind = f"{name}-body" if request.has_body else "null-body"
        said = {"ISTag": self._door.tag, "Encapsulated": f"{name}-hdr=0, {kind}={len(head)}"}
        await self._write(protocol.answer(200, said) + head)
        if request.has_body:
            await self._write(protocol.chunked(body))

    async def _refuse(self, text: str, verdict: Verdict) -> None:
        head, body = protocol.refusal(text, verdict.value)
        said = {"ISTag": self._door.tag, "Encapsulated": f"res-hdr=0, res-body={len(head)}"}
        await self._write(protocol.answer(200, said) + head + protocol.chunked(body))

    async def _say(self, status: int) -> bool:
        await self._write(protocol.answer(status, {"ISTag": self._door.tag, "Connection": "close"}))
        return False

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
