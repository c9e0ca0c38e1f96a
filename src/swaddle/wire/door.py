"""The line between the SFTP door and the gateway: a Unix socket on one machine (docs/spec/transfer.md section 9).

The door is another process and another user: it never opens a file of the gateway. For each part it gets a descriptor
that it can write and not read; for each part of a report one that it can read. A message is 4 bytes of length, big
endian, and canonical JSON (door_messages.py); at most one descriptor lies beside it. One connection per SFTP session,
one question at a time on it; what was begun on a connection and not finished is dropped when the connection ends.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from swaddle.canonical import JSON_LIMIT_BYTES
from swaddle.envelope.signature import PublicSigningKey, Signed
from swaddle.wire.door_messages import (
    Answers,
    AnswersAnswer,
    AnyQuestion,
    Begin,
    Begun,
    CloseReport,
    DoorAnnounce,
    DoorAnnounced,
    DoorFinish,
    Drop,
    HeldAnswer,
    Hello,
    Keep,
    NewPart,
    Nothing,
    OpenReport,
    OpenReportPart,
    Question,
    Reply,
    ReportAnswer,
)
from swaddle.wire.messages import Garbled, Message, Problem, SignedText, convert, decode, encode
from swaddle.wire.problems import GatewayFault, Unreachable, problem

TIMEOUT_SECONDS = 60
_LENGTH = struct.Struct(">I")
A = TypeVar("A", bound=Message)


def send_message(connection: socket.socket, data: bytes, descriptor: int | None = None) -> None:
    """Send one message, a descriptor beside its first byte.

    Raises:
        OSError: the other side is gone.
    """
    framed = _LENGTH.pack(len(data)) + data
    sent = 0 if descriptor is None else socket.send_fds(connection, [framed[:1]], [descriptor])
    connection.sendall(framed[sent:])


def receive_message(connection: socket.socket) -> bytes | None:
    """The next message, any descriptor with it thrown away; None when the other side has closed between two.

    Raises:
        OSError: it broke off inside a message.
        Garbled: it is longer than allowed.
    """
    first = connection.recv(_LENGTH.size)
    return None if not first else _rest(connection, first)


def ok(answer: Message) -> bytes:
    """An answer as it travels."""
    return encode({"ok": msgspec.to_builtins(answer)})


def no(stated: Problem) -> bytes:
    """A refusal as it travels."""
    return encode({"problem": msgspec.to_builtins(stated)})


def decode_question(data: bytes) -> AnyQuestion:
    """The question that a message is.

    Raises:
        Garbled: unknown or malformed.
    """
    return decode(data, AnyQuestion)  # type: ignore[arg-type]


class DoorLine:
    """The door's end of one connection. Its methods block; any thread may call them.

    Each raises what the gateway refused as an error of wire.problems (`NotThere`, `GatewayBusy`, `GatewayFull`,
    `GatewayNotCollecting`, `TransferRefused` …), and `Unreachable` when the gateway is gone: then everything that was
    begun on this line and not finished is gone too.
    """

    def __init__(self, path: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Connect to the gateway's socket.

        Raises:
            Unreachable: nobody listens there, or not to this user.
        """
        self._turn = threading.Lock()
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.settimeout(timeout_seconds)
        try:
            self._connection.connect(str(path))
        except OSError as error:
            self._connection.close()
            raise Unreachable("the gateway's door socket does not answer") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the gateway drops what was not finished."""
        self._connection.close()

    def is_cut(self) -> bool:
        """Whether the gateway has ended this line, as it does within two seconds of a revocation. Never blocks."""
        if not self._turn.acquire(blocking=False):
            return False  # a question is under way, and will say it
        try:
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            return self._connection.recv(1, flags) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self._turn.release()

    def hello(self, door_key: PublicSigningKey, host_key: str) -> None:
        """Say who the door is; `host_key` is its SSH public key line without comment."""
        self._ask(Hello(door_key=door_key.line, host_key=host_key), Nothing)

    def begin(self, ssh_key: str) -> Begun:
        """Who logged in; `NotThere` for a key that nobody enrolled, or no longer."""
        return self._ask(Begin(ssh_key=ssh_key), Begun)

    def announce(self, reference: str, recipient: str, part_bytes: int) -> DoorAnnounced:
        """A file begins; `GatewayNotCollecting`, `GatewayBusy` (quota) or `GatewayFull` when it may not."""
        return self._ask(DoorAnnounce(reference=reference, recipient=recipient, part_bytes=part_bytes), DoorAnnounced)

    def part(self, transfer: str, number: int) -> int:
        """A write-only descriptor, the caller's to close; write ciphertext from its start, then `keep`."""
        return self._ask_descriptor(NewPart(transfer=transfer, number=number), Nothing)[1]

    def keep(self, transfer: str, number: int, size_bytes: int, sha256: str) -> None:
        """The part survives a power cut once this returns."""
        self._ask(Keep(transfer=transfer, number=number, size_bytes=size_bytes, sha256=sha256), Nothing)

    def finish(self, transfer: str, body_bytes: int, manifest: Signed, header: str, description: str) -> SignedText:
        """The held statement; header and description in base64."""
        stated = SignedText.of(manifest)
        asked = DoorFinish(
            transfer=transfer, body_bytes=body_bytes, manifest=stated, header=header, description=description
        )
        return self._ask(asked, HeldAnswer).held

    def drop(self, transfer: str) -> None:
        """Give a file up."""
        self._ask(Drop(transfer=transfer), Nothing)

    def answers(self) -> AnswersAnswer:
        """What lies under `answers/`."""
        return self._ask(Answers(), AnswersAnswer)

    def report(self, transfer: str) -> ReportAnswer:
        """Begin to read a report; `Leased` while `swaddle get` reads it, `NotThere` once it was read three times."""
        return self._ask(OpenReport(transfer=transfer), ReportAnswer)

    def report_part(self, transfer: str, number: int) -> int:
        """A read-only descriptor, the caller's to close."""
        return self._ask_descriptor(OpenReportPart(transfer=transfer, number=number), Nothing)[1]

    def close_report(self, transfer: str) -> None:
        """Reading is over."""
        self._ask(CloseReport(transfer=transfer), Nothing)

    def _ask(self, question: Question, kind: type[A]) -> A:
        answer, descriptors = self._exchange(question, kind, 0)
        _close_all(descriptors)
        return answer

    def _ask_descriptor(self, question: Question, kind: type[A]) -> tuple[A, int]:
        answer, descriptors = self._exchange(question, kind, 1)
        if len(descriptors) != 1:
            _close_all(descriptors)
            raise GatewayFault("it gave no descriptor")
        return answer, descriptors[0]

    def _exchange(self, question: Question, kind: type[A], most: int) -> tuple[A, list[int]]:
        descriptors: list[int] = []
        try:
            with self._turn:
                send_message(self._connection, encode(question))
                first, descriptors = _receive_first(self._connection, most)
                data = _rest(self._connection, first)
            reply = decode(data, Reply)
            if reply.problem is not None:
                raise problem(msgspec.to_builtins(reply.problem), datetime.now(UTC))  # noqa: TRY301 - descriptors go too
            return convert(reply.ok or {}, kind), descriptors
        except OSError as error:
            self.close()
            _close_all(descriptors)
            raise Unreachable("the gateway ended the door's connection") from error
        except BaseException:
            _close_all(descriptors)
            raise


def _receive_first(connection: socket.socket, most: int) -> tuple[bytes, list[int]]:
    """The first bytes of a message and the descriptors beside them."""
    if not most:
        first, found = connection.recv(_LENGTH.size), list[int]()
    else:
        first, found, _, _ = socket.recv_fds(connection, _LENGTH.size, most, socket.MSG_CMSG_CLOEXEC)
    if not first:
        _close_all(found)
        raise ConnectionResetError
    return first, list(found)


def _rest(connection: socket.socket, first: bytes) -> bytes:
    """The message whose length `first` begins."""
    head = first + _exactly(connection, _LENGTH.size - len(first))
    (length,) = _LENGTH.unpack(head)
    if length > JSON_LIMIT_BYTES:
        raise Garbled("it is longer than allowed")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(size - len(data), 65_536))
        if not piece:
            raise ConnectionResetError
        data += piece
    return bytes(data)


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
