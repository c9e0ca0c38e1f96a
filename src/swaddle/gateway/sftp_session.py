"""One SFTP session: requests in, answers out, one after another, in the order in which they came.

Writes go straight into the sealing as their bytes arrive. What must wait for the gateway is awaited, and what comes
meanwhile waits behind it; the channel is paused long before that is much.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncssh

from swaddle.errors import SwaddleError
from swaddle.gateway import sftp_packets as packets
from swaddle.gateway.sftp_files import Refused
from swaddle.gateway.sftp_names import NameRefused
from swaddle.gateway.sftp_packets import BadPacket, Kind, Reader, Request, Status, WriteBegins, WriteData
from swaddle.gateway.sftp_requests import FileHandle, Requests
from swaddle.gateway.sftp_shelf import refused

MOST_WAITING_BYTES = 1024 * 1024
_MOST_WORDS = 64  # sentences on a session's error stream, so that it never fills a client that does not read it


@dataclass
class _Write:
    """The write whose data is coming."""

    number: int
    file: FileHandle | None
    offset: int
    refusal: Refused | None = None


class Session(asyncssh.SSHServerSession[bytes]):
    """The `sftp` subsystem on one channel."""

    def __init__(self, requests: Requests) -> None:
        """Serve with `requests`, which knows whose session it is."""
        self._requests = requests
        requests.on_room = self._room
        self._reader = Reader()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._rest: Iterator[Request | WriteBegins | WriteData] = iter(())
        self._write: _Write | None = None
        self._out = bytearray()
        self._is_busy = self._is_paused = self._is_over = self.has_ended = self._is_choked = False
        self._words = 0
        self._chan: asyncssh.SSHServerChannel[bytes] | None = None
        self.last_at = time.monotonic()
        self.came_bytes = 0

    # --- what asyncssh calls

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is open."""
        self._chan = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        """Nothing but `sftp`; no shell, no command, no terminal (asyncssh denies what is not answered here)."""
        return subsystem == "sftp"

    def data_received(self, data: bytes, _datatype: int | None = None) -> None:
        """Bytes of the client."""
        self.last_at = time.monotonic()
        self.came_bytes += len(data)
        if self._is_busy:
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            self._pause_or_not()
            return
        self._rest = self._reader.feed(data)
        self._go_on()

    def eof_received(self) -> bool:
        """The client sends no more; what it asked is answered first."""
        self._is_over = True
        if not self._is_busy:
            self._end()
        return True

    def connection_lost(self, _exception: Exception | None) -> None:
        """The channel is gone: files that are open are broken, files that lie under a script's name are taken."""
        self._chan = None
        self._finish()

    def pause_writing(self) -> None:
        """The client does not read its answers: it is asked for nothing more until it does."""
        self._is_choked = True
        self._pause_or_not()

    def resume_writing(self) -> None:
        """It reads again."""
        self._is_choked = False
        self._pause_or_not()

    # --- one request after another

    def _go_on(self) -> None:
        """Do what has come, until something must be awaited."""
        try:
            while True:
                for event in self._rest:
                    if isinstance(event, WriteData):
                        self._data(event)
                    elif isinstance(event, WriteBegins):
                        self._begin_write(event)
                    elif (work := self._request(event)) is not None:
                        self._await(event.number, work)
                        return
                if not self._waiting:
                    break
                data = self._waiting.popleft()
                self._waiting_bytes -= len(data)
                self._rest = self._reader.feed(data)
        except BadPacket:
            self._end()
            return
        finally:
            self._flush()
        if self._is_over:
            self._end()
        else:
            self._pause_or_not()

    def _request(self, request: Request) -> Coroutine[Any, Any, bytes] | None:
        """Answer at once, or give what must be awaited."""
        if request.kind == Kind.INIT:
            self._out += packets.version()
            return None
        try:
            answer = self._requests.answer(request)
        except (Refused, NameRefused) as error:
            self._refuse(request.number, error)
            return None
        if isinstance(answer, bytes):
            self._out += answer
            return None
        return answer

    def _await(self, number: int, work: Coroutine[Any, Any, bytes]) -> None:
        self._is_busy = True
        task = asyncio.ensure_future(self._serve(number, work))
        self._requests.keep_task(task)

    async def _serve(self, number: int, work: Coroutine[Any, Any, bytes]) -> None:
        try:
            self._out += await work
        except (Refused, NameRefused) as error:
            self._refuse(number, error)
        except (SwaddleError, OSError) as error:
            self._refuse(number, refused(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours: the client must not wait for ever, nor read of it
            self._requests.report_bug(error)
            self._refuse(number, Refused("the door has a fault"))
        self._is_busy = False
        self.last_at = time.monotonic()
        self._go_on()

    def _begin_write(self, begins: WriteBegins) -> None:
        try:
            file = self._requests.writable(begins.handle)
        except Refused as error:
            self._write = _Write(begins.number, None, begins.offset, error)
        else:
            self._write = _Write(begins.number, file, begins.offset)

    def _data(self, piece: WriteData) -> None:
        write = self._write
        assert write is not None
        if write.file is not None and write.refusal is None and piece.data:
            try:
                write.file.file.write(write.offset, piece.data)
                write.offset += len(piece.data)
            except Refused as error:
                write.refusal = error
                self._requests.fail(write.file)
        if piece.is_last:
            self._write = None
            if write.refusal is not None:
                self._refuse(write.number, write.refusal)
            else:
                self._out += packets.status(write.number, Status.OK)
        if write.file is not None and write.file.file.upload.sealing.is_full:
            self._pause_or_not()

    # --- the channel

    def _refuse(self, number: int, error: Refused | NameRefused) -> None:
        """Answer with the reason; OpenSSH's client does not show it, so it also goes where `ssh` prints it."""
        code = error.code if isinstance(error, Refused) else Status.FAILURE
        self._out += packets.status(number, code, str(error))
        if code is Status.FAILURE and self._chan is not None and self._words < _MOST_WORDS:
            self._words += 1
            with suppress(OSError, asyncssh.Error):
                self._chan.write_stderr(f"swaddle: {error}\n".encode())

    def _flush(self) -> None:
        if self._out and self._chan is not None:
            with suppress(OSError, asyncssh.Error):
                self._chan.write(bytes(self._out))
        self._out.clear()

    def _room(self) -> None:
        """The sealing has room again (called from the event loop)."""
        if self._is_paused:
            self._pause_or_not()

    def _pause_or_not(self) -> None:
        """Let the client send, or let it wait."""
        if self._chan is None:
            return
        wait = self._is_choked or self._waiting_bytes > MOST_WAITING_BYTES or self._requests.is_full
        if wait and not self._is_paused:
            self._is_paused = True
            self._chan.pause_reading()
        elif not wait and self._is_paused:
            self._is_paused = False
            self._chan.resume_reading()

    def _end(self) -> None:
        """The session ends in order."""
        self._flush()
        self._finish()
        if self._chan is not None:
            with suppress(OSError, asyncssh.Error):
                self._chan.exit(0)

    def _finish(self) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._requests.finish()
