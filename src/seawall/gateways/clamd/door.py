"""Connections that speak clamd's protocol: each hands over bytes and is told whether they may be published."""

from __future__ import annotations

import asyncio
import hashlib

import structlog

from seawall import __version__
from seawall.errors import BodyTooLarge, NotMedia, SeawallError
from seawall.gateways.clamd import protocol
from seawall.gateways.clamd.protocol import Command
from seawall.gateways.doors import Door
from seawall.gateways.http.admission import count
from seawall.gateways.http.ballast import Take
from seawall.gateways.judging import judge_media
from seawall.records import Answer, MediaArrival

log = structlog.get_logger(__name__)

SURFACE = "clamd"


class ClamdDoor(Door):
    """Answers programs that hand bytes to ClamAV."""

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one command, or as many as a session has."""
        await Conversation(self, reader, writer).run()

    def overloaded(self) -> bytes:
        """What is said when there are too many connections."""
        return protocol.failure("overloaded").encode() + b"\n"


class Conversation:
    """What is said on one connection."""

    def __init__(self, door: ClamdDoor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._door = door
        self._hall = door.hall
        self._reader = reader
        self._writer = writer
        self._in_session = False
        self._asked = 0

    async def run(self) -> None:
        """Answers until the connection, or the session, ends.

        Raises:
            OSError, EOFError, TimeoutError: the other side is gone, or silent for too long.
        """
        while (command := await self._command()) is not None:
            if command.name == "END" and self._in_session:
                return
            if self._in_session and not command.prefixed:
                await self._say(protocol.UNKNOWN, command)
                return
            if command.name == "IDSESSION" and command.prefixed:
                self._in_session = True
                continue
            self._asked += 1
            whole = await self._answer(command)
            if not (self._in_session and whole):
                return

    async def _command(self) -> Command | None:
        """The next command; None when the other side has nothing more to say."""
        line = bytearray()
        async with self._door.patience():
            while not line.endswith((b"\n", b"\0")):
                letter = await self._reader.read(1)
                if not letter:
                    return None
                line += letter
                if len(line) > protocol.LONGEST_COMMAND:
                    return Command("", b"\n", prefixed=False)
        return protocol.command_of(bytes(line))

    async def _answer(self, command: Command) -> bool:
        """Replies; whether the connection can go on."""
        match command.name:
            case "PING":
                await self._say(protocol.PONG, command)
            case "VERSION":
                await self._say(self._version(), command)
            case "VERSIONCOMMANDS":
                await self._say(f"{self._version()}| COMMANDS: {' '.join(protocol.ANSWERED)}", command)
            case "INSTREAM":
                return await self._instream(command)
            case name if name in protocol.OF_PATHS:
                await self._say(f"{name}: {protocol.BYTES_ONLY}", command)
            case _:
                await self._say(protocol.UNKNOWN, command)
                return False
        return True

    async def _instream(self, command: Command) -> bool:
        with self._hall.ballast.load() as take:
            try:
                body = await self._body(take)
            except BodyTooLarge:
                await self._say(protocol.TOO_LARGE, command)
                return False
            except SeawallError as error:
                log.warning("clamd.refused", code=error.code)
                await self._say(protocol.failure(error.code), command)
                return False
            await self._say(await self._judged(body), command)
        return True

    async def _body(self, take: Take) -> bytes:
        """All chunks together.

        Raises:
            BodyTooLarge: more than an upload may have.
            Overloaded: there is no room now.
        """
        body, most = bytearray(), self._hall.settings.max_upload_bytes
        while True:
            async with self._door.patience():
                length = int.from_bytes(await self._reader.readexactly(protocol.LENGTH_BYTES), "big")
                if length == 0:
                    return bytes(body)
                if len(body) + length > most:
                    raise BodyTooLarge(f"The upload has more than {most} bytes.")
                take(length)
                body += await self._reader.readexactly(length)

    async def _judged(self, body: bytes) -> str:
        """The reply to some bytes. Bytes that are no media are nothing that Seawall knows, as a text is."""
        if not body:
            return protocol.CLEAN
        try:
            answer = await self._hall.work(lambda: self._judge(body))
        except NotMedia:
            return protocol.CLEAN
        except SeawallError as error:
            log.error("clamd.failed", code=error.code, message=error.message)
            return protocol.failure(error.code)
        lists = self._hall.rooms.index.index.lists
        return protocol.verdict_reply(answer, {info.name: info.harm_class.value for info in lists})

    def _judge(self, body: bytes) -> Answer:
        key = self._door.key()
        count(self._hall, key)
        content_id = f"clamd:{hashlib.sha256(body).hexdigest()}"
        return judge_media(self._hall, key, MediaArrival(content_id, body, surface=SURFACE))

    def _version(self) -> str:
        return protocol.version(__version__, self._hall.rooms.index.generation)

    async def _say(self, text: str, command: Command) -> None:
        number = f"{self._asked}: " if self._in_session else ""
        self._writer.write(number.encode() + text.encode() + command.end)
        await self._writer.drain()
