"""The reading process of a scan: `python -I -m swaddle.incident.scan_child SOCKET`, a socket, some files, nothing else.

It loads what it may need, shuts itself in (intake/wall/shut.py), then looks through one file after the other. It gets
no name of a file and no environment, prints nothing, and can open nothing.
"""

from __future__ import annotations

import gc
import os
import socket
import struct
import sys
from collections.abc import Mapping
from time import monotonic

import msgspec

from swaddle.errors import SwaddleError
from swaddle.incident.columns_persons import Known
from swaddle.incident.scan_file import Looking, TableSaid, Trouble
from swaddle.incident.scan_frames import DONE, PROGRESS, Asked, Question, Said, frame, frames_of
from swaddle.incident.scan_sheets import prepare
from swaddle.intake.mapping import load_builtin
from swaddle.intake.opened import write_all
from swaddle.intake.wall import child as reading
from swaddle.intake.wall import shut

MEMORY_BYTES = 3 * 1024**3  # address space; what is resident stays far below
FILE_BYTES = 512 * 1024**2
_LIMIT_SAID_BYTES = 4 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """Look through files for whoever holds the other end of the socket."""
    line = int(arguments[0])
    with socket.socket(fileno=line) as asked:
        size = struct.unpack(">I", asked.recv(4, socket.MSG_WAITALL))[0]
        question = msgspec.json.decode(asked.recv(size, socket.MSG_WAITALL), type=Question)
        _shut_in(question)
        gc.disable()  # rows are lists that come and go by the million, and none is part of a cycle
        gc.freeze()
        for each in question.files:
            _look(line, each, bytes.fromhex(question.secret))
    return 0


def _shut_in(question: Question) -> None:
    reading.load_codecs()
    load_builtin()
    seconds = sum(60 + each.size_bytes // (512 * 1024) for each in question.files)
    shut.limit(memory_bytes=MEMORY_BYTES, cpu_seconds=seconds, file_bytes=FILE_BYTES)
    if question.engine:
        prepare()
    shut.become_nobody()
    shut.forbid_files()
    shut.forbid_calls(opens_to_read=question.engine)


def _look(line: int, asked: Asked, secret: bytes) -> None:
    began = monotonic()

    def give(found: Mapping[Known, tuple[int, int]]) -> None:
        nonlocal began
        for each in frames_of(found, asked.number):
            write_all(line, each)
        if monotonic() - began > 1:
            began = monotonic()
            write_all(line, frame(PROGRESS, asked.number, 0, b""))

    looking = Looking(secret, bytes.fromhex(asked.scope), asked.today, give)
    try:
        looking.look(asked.fd, asked.size_bytes, asked.begin, asked.stop)
    except SwaddleError as error:
        looking.troubles.append(Trouble("", error.lines()[1][:400]))
    except MemoryError:
        looking.troubles.append(Trouble("", "it needs more memory than a scan may take"))
    except Exception as error:  # noqa: BLE001  whatever it is: said by its kind and place, never by its text
        looking.troubles.append(Trouble("", reading.place_of(error)))
    os.close(asked.fd)
    gc.collect()
    write_all(line, frame(DONE, asked.number, 0, _said(looking)))


def _said(looking: Looking) -> bytes:
    said = msgspec.json.encode(Said(tuple(looking.tables), tuple(looking.troubles)))
    if len(said) <= _LIMIT_SAID_BYTES:
        return said
    short = [
        TableSaid(e.member, e.kind, e.records, e.spoilt, e.unknown, e.headed, e.columns[:20])
        for e in looking.tables[:500]
    ]
    left = Trouble("", "it holds so much that not all of it is listed")
    return msgspec.json.encode(Said(tuple(short), (*looking.troubles[:500], left)))


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status)  # nothing is left to tidy, and tidying needs calls that are shut
