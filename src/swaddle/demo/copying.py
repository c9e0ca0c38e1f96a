"""What a thief with root takes: a gateway's whole home and the memory of all its processes.

The processes are stopped for the moment of copying, as a snapshot of a virtual machine would, so that databases, their
write-ahead logs and memory are of one instant. Where the system does not let us read a process's memory the copy fails
loudly: a raid without memory would prove less than it says.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swaddle.errors import SettingsFault

_STEP_BYTES = 1 << 22
_PAGE = b"\0" * 4096
_UNREADABLE = ("[vvar]", "[vvar_vclock]", "[vsyscall]")  # the kernel's own pages; reading them is an input/output error


class MemoryClosed(SettingsFault):
    """The memory of the gateway's processes cannot be copied here."""

    code = "SWD-DEMO-01"
    what = "the raid cannot copy the gateway's memory, so nothing about it can be proved"
    fix = "run the demo on Linux as the user who starts it, where a process may read its children's memory"


@dataclass(frozen=True, slots=True)
class Taken:
    """A copy: where it lies, and how much it is."""

    home: Path
    memory: tuple[Path, ...]
    home_bytes: int
    memory_bytes: int
    files: int
    processes: int


def take(home: Path, process: int, target: Path) -> Taken:
    """Copy `home` and the memory of `process` and all that it has started into the new folder `target`.

    Raises:
        MemoryClosed: no /proc, or the system forbids it.
    """
    if not sys.platform.startswith("linux"):
        raise MemoryClosed("this system has no /proc")
    target.mkdir(mode=0o700, parents=True)
    with _stopped(process) as processes:
        # Sockets and pipes hold nothing; links are copied as links.
        shutil.copytree(home, target / "home", symlinks=True, ignore=_not_files)
        memory: list[Path] = []
        for each in processes:
            memory += _copy_memory(each, target / f"memory-{each}", target / f"program-{each}")
    files = [path for path in (target / "home").rglob("*") if path.is_file()]
    return Taken(
        home=target / "home",
        memory=tuple(memory),
        home_bytes=sum(path.stat().st_size for path in files),
        memory_bytes=sum(path.stat().st_size for path in memory),
        files=len(files),
        processes=len(processes),
    )


def family(process: int) -> list[int]:
    """`process` and everything it has started, itself first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # the name in parentheses may hold blanks: fields are counted from the last parenthesis
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [process]
    for each in found:
        found += children.get(each, [])
    return found


@contextlib.contextmanager
def _stopped(process: int) -> Iterator[list[int]]:
    """Hold all processes of the family still; they go on whatever happens."""
    held: list[int] = []
    try:
        while fresh := [each for each in family(process) if each not in held]:
            for each in fresh:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGSTOP)
                held.append(each)
        yield held
    finally:
        for each in held:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)


def _not_files(folder: str, names: list[str]) -> list[str]:
    """Names in `folder` that are neither a file, a folder nor a link."""
    return [
        name for name in names if not ((path := Path(folder, name)).is_symlink() or path.is_file() or path.is_dir())
    ]


def _copy_memory(process: int, own: Path, shared: Path) -> list[Path]:
    """Write what the process can write, or made itself, to `own`; what it only reads from files to `shared`."""
    try:
        maps = Path(f"/proc/{process}/maps").read_text("utf-8", "surrogateescape").splitlines()
        source = os.open(f"/proc/{process}/mem", os.O_RDONLY)
    except OSError as error:
        raise MemoryClosed(f"the system forbids it ({os.strerror(error.errno or 0)})") from error
    copied = 0
    try:
        with own.open("wb") as own_file, shared.open("wb") as shared_file:
            for line in maps:
                span, rights, _, _, inode, *name = line.split(maxsplit=5)
                if not rights.startswith("r") or (name and name[0] in _UNREADABLE):
                    continue
                first, last = (int(part, 16) for part in span.split("-"))
                target = shared_file if inode != "0" and "w" not in rights else own_file
                for piece in _pieces(source, first, last):
                    copied += target.write(piece)
    finally:
        os.close(source)
    if not copied:
        raise MemoryClosed("nothing of it could be read")
    return [own, shared]


def _pieces(source: int, first: int, last: int) -> Iterator[bytes]:
    """The bytes from `first` to `last`, without empty pages at the ends of each step; unreadable pages are left out."""
    place = first
    while place < last:
        wanted = min(_STEP_BYTES, last - place)
        try:
            data = os.pread(source, wanted, place)
        except OSError:
            # A page in it is gone (the end of a mapped file): page by page then.
            data = b"".join(_pages(source, place, place + wanted))
        # A whole number of pages of zeros says nothing, and reserved memory is mostly that.
        if data and not data.strip(b"\0"):
            data = b""
        yield data
        place += wanted


def _pages(source: int, first: int, last: int) -> Iterator[bytes]:
    for place in range(first, last, len(_PAGE)):
        with contextlib.suppress(OSError):
            yield os.pread(source, len(_PAGE), place)
