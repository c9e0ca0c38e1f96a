"""Reading what lies under `answers/`: the gateway is asked each time, and nothing of a report is kept here."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass

from swaddle.errors import SwaddleError
from swaddle.gateway import sftp_answers
from swaddle.gateway import sftp_packets as packets
from swaddle.gateway.sftp_answers import Answer
from swaddle.gateway.sftp_files import Refused
from swaddle.gateway.sftp_packets import Attributes, Status
from swaddle.gateway.sftp_shelf import Keeper, Shelf
from swaddle.wire.door import DoorLine
from swaddle.wire.door_messages import report_head


class OpenAnswer:
    """An answer being read. Its methods block; nothing of a report is kept but what is asked for."""

    def __init__(self, answer: Answer, line: DoorLine) -> None:
        """Begin; of a report, a reading of the gateway's.

        Raises:
            SwaddleError: `swaddle get` reads it just now, or it is gone.
        """
        self._line = line
        self._report = answer.report
        self._head = answer.text or b""
        self._parts: tuple[int, ...] = ()
        self._open: tuple[int, int] | None = None  # number and descriptor of the part read last
        if answer.text is None:
            report = line.report(answer.report)
            self._head = report_head(report)
            self._parts = report.part_sizes
        self.size_bytes = len(self._head) + sum(self._parts)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`; fewer at the end of a part, none behind the end.

        Raises:
            Refused: it can no longer be read.
            SwaddleError: the gateway says no.
        """
        if offset < len(self._head):
            return self._head[offset : offset + length]
        at = len(self._head)
        for number, size in enumerate(self._parts):
            if offset < at + size:
                found = os.pread(self._descriptor(number), min(length, at + size - offset), offset - at)
                if not found:
                    raise Refused("this report is no longer there", Status.NO_SUCH_FILE)
                return found
            at += size
        return b""

    def close(self) -> None:
        """Reading is over."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None
        if self._report:
            self._line.close_report(self._report)

    def _descriptor(self, number: int) -> int:
        if self._open is None or self._open[0] != number:
            fresh = self._line.report_part(self._report, number)
            if self._open is not None:
                os.close(self._open[1])
            self._open = (number, fresh)
        return self._open[1]


@dataclass(eq=False)
class AnswerHandle:
    """An answer being read."""

    answer: Answer
    opened: OpenAnswer


class AnswersFolder:
    """The folder as one session sees it."""

    def __init__(self, keeper: Keeper, shelf: Shelf) -> None:
        """Ask for the key of `shelf`; nothing is asked before a client looks."""
        self._keeper = keeper
        self._shelf = shelf
        self._line: DoorLine | None = None

    async def entries(self) -> list[tuple[bytes, bytes, Attributes]]:
        """The folder as it is now, for a listing."""
        found = (await self._look()).values()
        return [(answer.name.encode(), _long(answer), answer.attributes) for answer in found]

    async def open(self, path: str) -> AnswerHandle:
        """Begin to read an answer.

        Raises:
            Refused: there is none of that name.
            SwaddleError: the gateway says no.
        """
        answer, line = await self._find(path), self._line
        assert line is not None
        return AnswerHandle(answer, await self._keeper.run(lambda: OpenAnswer(answer, line)))

    async def stat(self, number: int, path: str) -> bytes:
        """The attributes of an answer."""
        return packets.attributes(number, (await self._find(path)).attributes)

    async def read(self, number: int, handle: AnswerHandle, offset: int, length: int) -> bytes:
        """A piece of an answer."""
        found = await self._keeper.run(lambda: handle.opened.read(offset, length))
        return packets.data(number, found) if found else packets.status(number, Status.EOF)

    async def close(self, number: int, handle: AnswerHandle) -> bytes:
        """Reading is over."""
        await self._keeper.run(handle.opened.close)
        return packets.status(number, Status.OK)

    async def hang_up(self, readings: list[AnswerHandle]) -> None:
        """The session is over."""

        def hang_up() -> None:
            for reading in readings:
                try:
                    reading.opened.close()
                except (SwaddleError, OSError):
                    break  # the line is gone, and with it every reading
            if self._line is not None:
                self._line.close()

        await self._keeper.run(hang_up)

    async def _find(self, path: str) -> Answer:
        answer = (await self._look()).get(path)
        if answer is None:
            raise Refused("there is no such answer", Status.NO_SUCH_FILE)
        return answer

    async def _look(self) -> dict[str, Answer]:
        """The folder as it is now; who was revoked meanwhile sees nothing."""

        def look() -> dict[str, Answer]:
            gateway = self._keeper.gateway
            line, begun = gateway.line(self._shelf.ssh_key)
            try:
                found = sftp_answers.folder(line.answers(), gateway.intake(begun))
            except BaseException:
                line.close()
                raise
            if self._line is None:
                self._line = line
            else:
                line.close()
            return found

        return await self._keeper.run(look)


def _long(answer: Answer) -> bytes:
    """A name as `ls -l` shows it."""
    mode = stat.filemode(answer.attributes.mode or 0)
    day = time.strftime("%b %d  %Y", time.gmtime(answer.modified))
    return f"{mode} 1 swaddle swaddle {answer.attributes.size_bytes:>12} {day} {answer.name}".encode()
