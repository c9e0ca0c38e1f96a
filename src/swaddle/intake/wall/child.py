"""The reading process: `python -I -m swaddle.intake.wall.child SOURCE SOCKET`, two descriptors and nothing else.

It is told how to read, loads that one reader, shuts itself in, reads, and hands its sheets over as memory files.
Nothing that it meets is printed. It holds no key: it is a program of its own, started with an empty environment.
"""

from __future__ import annotations

import codecs
import errno
import os
import socket
import struct
import sys

import msgspec

from swaddle.errors import OurBug, SwaddleError
from swaddle.intake import opened
from swaddle.intake.faults import TooLarge
from swaddle.intake.mapping import ENCODINGS
from swaddle.intake.readers.kinds import needs_of, reader_of
from swaddle.intake.sheet import Sheet
from swaddle.intake.wall import shut
from swaddle.intake.wall.answer import LIMIT_SHEETS, Answer, Question, counted

PROBE = "probe"  # a kind that reads nothing and says which walls stand
_SLACK_SECONDS = 5
_NO_ROOM = {errno.EFBIG, errno.ENOSPC, errno.ENOMEM}
_CODECS = (*ENCODINGS, "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii", "latin-1", "cp850", "cp437")


def main(arguments: list[str]) -> int:
    """Read one file for whoever holds the other end of the socket."""
    source_fd, socket_fd = int(arguments[0]), int(arguments[1])
    with socket.socket(fileno=socket_fd) as line:
        question = _question(line)
        answer, sheets = _answer(source_fd, question)
        _hand_over(line, answer, sheets)
    return 0


def _answer(source_fd: int, question: Question) -> tuple[Answer, list[Sheet]]:
    walls: list[str] = []
    code, facts = OurBug.code, dict[str, str]()
    try:
        sheets = _read(source_fd, question, walls)
        return Answer(tuple(walls), tuple(counted(each) for each in sheets)), sheets
    except SwaddleError as error:
        code, facts = error.code, {name: str(fact) for name, fact in error.facts.items()}
    except MemoryError:
        code, facts = TooLarge.code, {"reason": "it needs more memory than reading a file may take"}
    except OSError as error:
        if error.errno in _NO_ROOM:
            code, facts = TooLarge.code, {"reason": "its rows are more than can be held in memory"}
        else:
            facts = {"reason": place_of(error)}
    except RecursionError:
        facts = {"reason": "a reader went too deep"}
    except Exception as error:  # noqa: BLE001  whatever it is: the other side is told where, and nothing of the file
        facts = {"reason": place_of(error)}
    return Answer(tuple(walls), (), code, facts), []


def _question(line: socket.socket) -> Question:
    size = struct.unpack(">I", _exactly(line, 4))[0]
    return msgspec.json.decode(_exactly(line, size), type=Question)


def _exactly(line: socket.socket, size: int) -> bytes:
    held = bytearray()
    while len(held) < size:
        piece = line.recv(min(size - len(held), 1024 * 1024))
        if not piece:
            raise EOFError
        held += piece
    return bytes(held)


def _read(source_fd: int, question: Question, walls: list[str]) -> list[Sheet]:
    how, limits = question.how, question.how.limits
    load_codecs()
    probed = how.kind == PROBE
    reader, needs = (None, None) if probed else (reader_of(how.kind), needs_of(how.kind))
    seconds = int(limits.seconds(question.size_bytes)) + _SLACK_SECONDS
    walls += shut.limit(memory_bytes=limits.memory_bytes, cpu_seconds=seconds, file_bytes=limits.sheet_bytes)
    if needs is not None:
        needs()
    walls += shut.become_nobody()
    walls += shut.forbid_files()
    walls += shut.forbid_calls(opens_to_read=needs is not None)
    if reader is None:
        return []
    sheets = reader(source_fd, question.size_bytes, how)
    if not sheets:
        raise OurBug("a reader gave neither a sheet nor a reason")
    if len(sheets) > LIMIT_SHEETS:
        raise TooLarge(f"it holds more than {LIMIT_SHEETS} tables")
    return sheets


def load_codecs() -> None:
    """Load every encoding that a reader may need; later nothing can be loaded."""
    for name in _CODECS:
        codecs.lookup(name)


def place_of(error: Exception) -> str:
    """What failed and on which line of ours; never its text, which may hold a value."""
    place, at = "", error.__traceback__
    while at is not None:
        name = str(at.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("swaddle."):
            place = f", {name.rpartition('.')[2]} line {at.tb_lineno}"
        at = at.tb_next
    return f"a reader failed ({type(error).__name__}{place})"


def _hand_over(line: socket.socket, answer: Answer, sheets: list[Sheet]) -> None:
    told = opened.memory_file(0)
    opened.write_all(told, msgspec.json.encode(answer))
    descriptors = [told, *(fd for each in sheets for fd in (each.rows_fd, each.broken_fd))]
    socket.send_fds(line, [b"."], descriptors)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status)  # nothing is left to tidy, and tidying needs calls that are shut
