"""A hostile file that takes the reading process over: it finds no file, no network, no key, and cannot harm what it hands over."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from swaddle.errors import OurBug, SwaddleError
from swaddle.intake import opened
from swaddle.intake.faults import ReadingStopped, TooLarge
from swaddle.intake.readers.how import How, Limits
from swaddle.intake.sheet import Sheet, SheetWriter
from swaddle.intake.wall import apart, shut
from swaddle.intake.wall.answer import Answer, Counted, Said, Unfit, fault_of, sheet_of
from swaddle.intake.wall.prescan import look_through

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the full wall is of Linux; elsewhere doctor says less")
HEADER = b"local_record_id,event_date,outcome\n"
TAKEN_OVER = """
import ctypes, mmap, os, socket, subprocess, sys, threading
import _posixsubprocess, resource, select
from swaddle.intake.wall import shut
outside = int(sys.argv[1])
shut.limit(memory_bytes=2**31, cpu_seconds=20, file_bytes=2**20)
shut.become_nobody()
libc = ctypes.CDLL(None, use_errno=True)
shut.forbid_files()
stood = shut.forbid_calls(opens_to_read={opens})
def tried():
{attempt}
try:
    tried()
except Exception:
    os.write(1, b"refused")
    os._exit(0)
os.write(1, b"DONE")
os._exit(0)
"""
ATTEMPTS = {
    "read a file": "open('/etc/hostname').read()",
    "read the registry's keys": "os.open('/root', os.O_RDONLY)",
    "write a file": "open('/tmp/wall-attack', 'w')",
    "list a folder": "os.listdir('/')",
    "make a folder": "os.mkdir('/tmp/wall-attack')",
    "remove a file": "os.unlink('/tmp/wall-attack')",
    "read another process": "open(f'/proc/{outside}/environ').read()",
    "look at another's descriptors": "os.listdir(f'/proc/{outside}/fd')",
    "call out": "socket.socket().connect(('127.0.0.1', 9))",
    "listen": "socket.socket().bind(('127.0.0.1', 0))",
    "talk to a local service": "socket.socket(socket.AF_UNIX)",
    "start a program": "subprocess.run(['/bin/true'])",
    "become two": "os.fork()",
    "start a thread": "threading.Thread(target=print).start()",
    "end another": "os.kill(outside, 9)",
    "memory that runs": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "lift its limits": "resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))",
    "beyond its memory": "bytearray(3 * 2**30)",
    "the x32 calls": "libc.syscall(0x40000000 + 2, b'/etc/hostname', 0) >= 0 or os.close(-1)",
}


@contextmanager
def memory(data):
    fd = opened.memory_file(0)
    try:
        opened.write_all(fd, data)
        yield fd
    finally:
        os.close(fd)


def running_child():
    """The reading process that this process has started, if one runs."""
    for each in Path("/proc").iterdir():
        if not each.name.isdigit():
            continue
        try:
            if (
                b"swaddle.intake.wall.child" in (each / "cmdline").read_bytes()
                and int((each / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
            ):
                return each
        except OSError:
            continue
    return None


@pytest.mark.parametrize("opens", [False, True])
@pytest.mark.parametrize("name", ATTEMPTS)
def test_code_that_runs_inside_cannot(name, opens):
    assert shut.LANDLOCK in apart.standing(), "this kernel has no landlock: the wall is lower here"
    script = TAKEN_OVER.replace("{opens}", str(opens)).replace("{attempt}", "    " + ATTEMPTS[name])
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(os.getpid())], capture_output=True, timeout=60, check=False
    )
    assert b"DONE" not in done.stdout, name
    assert done.stdout == b"refused" or done.returncode == -signal.SIGSYS, done.stderr


def test_the_real_process_has_no_environment_no_rights_and_few_descriptors(monkeypatch):
    monkeypatch.setenv("SWADDLE_PASSPHRASE", "kept by the parent")
    seen = {}

    def look():
        until = time.monotonic() + 20
        while time.monotonic() < until:
            child = running_child()
            if child is not None:
                status = (child / "status").read_text()
                if "Seccomp:\t2" in status:
                    seen["status"] = status
                    seen["environ"] = (child / "environ").read_bytes()
                    seen["descriptors"] = len(list((child / "fd").iterdir()))
                    return
            time.sleep(0.001)

    watcher = threading.Thread(target=look)
    watcher.start()
    with memory(HEADER + b"B1,2024,live\n" * 2_000_000) as fd:
        (sheet,) = apart.read_apart(fd, os.fstat(fd).st_size, How(kind="csv"))
        sheet.close()
    watcher.join()
    assert seen["environ"] == b""
    assert "NoNewPrivs:\t1" in seen["status"]
    assert seen["descriptors"] <= 8
    if os.geteuid() == 0:
        assert "Uid:\t65534\t65534\t65534\t65534" in seen["status"]


def test_what_takes_too_long_is_ended_and_said():
    with memory(HEADER + b"B1,2024,live\n" * 3_000_000) as fd:
        limits = Limits(base_seconds=0.3, seconds_per_mebibyte=0)
        with pytest.raises(ReadingStopped, match="longer"):
            apart.read_apart(fd, os.fstat(fd).st_size, How(kind="csv", limits=limits))
    assert running_child() is None


def test_what_takes_too_much_memory_is_said():
    with memory(b"[" + b'{"a":1},' * 3_000_000 + b"1]") as fd, pytest.raises(TooLarge, match="memory"):
        apart.read_apart(fd, os.fstat(fd).st_size, How(kind="ndjson", limits=Limits(memory_bytes=300 * 1024**2)))


def test_more_rows_than_memory_may_hold_are_said():
    with memory(HEADER + b"B1,2024,live\n" * 500_000) as fd, pytest.raises(TooLarge):
        apart.read_apart(fd, os.fstat(fd).st_size, How(kind="csv", limits=Limits(sheet_bytes=2**20)))


def test_a_process_that_dies_is_one_clear_fault():
    def strike():
        until = time.monotonic() + 20
        while time.monotonic() < until:
            child = running_child()
            if child is not None:
                os.kill(int(child.name), signal.SIGSEGV)
                return
            time.sleep(0.001)

    striker = threading.Thread(target=strike)
    striker.start()
    with memory(HEADER + b"B1,2024,live\n" * 2_000_000) as fd, pytest.raises(ReadingStopped, match="came to an end"):
        apart.read_apart(fd, os.fstat(fd).st_size, How(kind="csv"))
    striker.join()


def test_what_was_handed_over_can_never_change_again():
    with memory(HEADER + b"B1,2024,live\n") as fd:
        (sheet,) = apart.read_apart(fd, os.fstat(fd).st_size, How(kind="csv"))
    try:
        for memory_fd in (sheet.rows_fd, sheet.broken_fd):
            with pytest.raises(PermissionError):
                os.pwrite(memory_fd, b"x", 0)
            with pytest.raises(PermissionError):
                os.ftruncate(memory_fd, 1)
    finally:
        sheet.close()


def test_the_file_itself_cannot_be_changed_by_its_reader():
    with memory(b"untouched") as fd:
        reading = apart._for_reading(fd)
        with pytest.raises(OSError):
            os.write(reading, b"x")
        os.close(reading)


def test_reading_leaves_no_descriptor_behind():
    before = len(list(Path("/proc/self/fd").iterdir()))
    for data in (HEADER + b"B1,2024,live\n", b"", HEADER[:-1] + b"\x00\n"):
        with memory(data) as fd, suppress(SwaddleError):
            for each in apart.read_apart(fd, len(data), How(kind="csv")):
                each.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def sheet_with(rows, count, columns=("a", "b")):
    rows_fd, broken_fd = opened.memory_file(0), opened.memory_file(0)
    opened.write_all(rows_fd, rows)
    return Sheet(form="", columns=columns, rows_fd=rows_fd, rows=count, broken_fd=broken_fd, broken=0)


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (b"1\x1fa\x1fb\n", 2),
        (b"1\x1fa\x1fb\n2\x1fa\x1fb", 1),
        (b"1\x1fa\n", 1),
        (b"1\x1fa\x1fb\x1fc\n", 1),
        (b"1\x1fa\x00\x1fb\n", 1),
        (b"1\x1fa\r\x1fb\n", 1),
        (b"1\x1f\xff\x1fb\n", 1),
        (b"1\x1f\xc3\n\xa9\x1fb\n", 2),
        (b"", 1),
        (b"\n", 0),
    ],
)
def test_bytes_that_are_not_in_the_form_never_reach_the_database(rows, count):
    sheet = sheet_with(rows, count)
    with pytest.raises(Unfit):
        look_through(sheet)
    sheet.close()


def test_bytes_in_the_form_pass():
    sheet = sheet_with("1\x1fé\x1f\n2\x1fa\x1eb\x1f\t\n".encode() * 200_000, 400_000)
    look_through(sheet)
    sheet.close()


@pytest.mark.parametrize(
    "told",
    [
        Counted("", (), 1, 0, "line", "csv"),
        Counted("", ("a",) * 2001, 1, 0, "line", "csv"),
        Counted("", ("a",), -1, 0, "line", "csv"),
        Counted("", ("a",), 1, 0, "line", "csv", findings=(Said("'; DROP TABLE x"),)),
    ],
)
def test_an_answer_that_no_reader_gives_is_not_believed(told):
    with pytest.raises(Unfit):
        sheet_of(told, 0, 0)


def test_a_fault_can_only_be_one_of_ours_and_one_line():
    fault = fault_of(Answer((), (), "SWD-INTAKE-07", {"reason": "a\nb\x1b[31m" + "x" * 10_000}))
    assert "\n" not in fault.lines()[1]
    assert "\x1b" not in fault.lines()[1]
    assert len(fault.lines()[1]) < 1000
    assert isinstance(fault_of(Answer((), (), "SystemExit", {"reason": "x"})), OurBug)


def test_a_descriptor_that_is_no_memory_file_is_no_answer(tmp_path):
    with (tmp_path / "named").open("w+b") as named:
        handed = [os.dup(named.fileno()), os.dup(named.fileno())]
        with pytest.raises(OurBug):
            apart._answer(handed)


def test_every_reader_does_its_work_behind_the_wall():
    with SheetWriter(columns=["a"]) as writer:
        writer.add(1, ["x"])
        writer.close().close()
    assert set(apart.standing()) >= {shut.LIMITS, shut.NO_NEW_PRIVILEGES, shut.LANDLOCK, shut.SECCOMP}


def test_a_question_that_never_ends_is_not_waited_for():
    ours, theirs = socket.socketpair()
    with ours:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "swaddle.intake.wall.child", "0", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),), env={}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        ours.sendall(struct.pack(">I", 100) + b"{")
    assert process.wait(30) != 0  # the other end is gone: so is it
    assert time.monotonic() - started < 30
