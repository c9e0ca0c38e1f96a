"""Interleaved rounds: every way once in each round, so that a machine that swings swings for all of them."""

from __future__ import annotations

import json
import mmap
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024


def nothing() -> None:
    """No clearing away."""


@dataclass
class Way:
    """One way to do the work of a row: `go` is timed, `ready` and `clear` are not."""

    name: str
    go: Callable[[], None]
    clear: Callable[[], None] = nothing
    ready: Callable[[], None] = nothing
    seconds: list[float] = field(default_factory=list)

    def once(self, memory_bytes: int = 0) -> float:
        """One run, timed; `memory_bytes` of memory are warmed before it."""
        self.ready()
        warm(memory_bytes)
        began = time.perf_counter()
        self.go()
        self.seconds.append(time.perf_counter() - began)
        self.clear()
        return self.seconds[-1]


@dataclass
class Target:
    """What the row promises: so many times as fast as a peer, at least, and what it aims at."""

    peer: str
    at_least: float | None = None
    aim: float | None = None


def interleave(ways: Sequence[Way], rounds: int, say: Callable[[str], None] = print, *, memory_bytes: int = 0) -> None:
    """Run every way in every round; before each, `memory_bytes` of memory are warmed."""
    for number in range(rounds):
        for way in ways:
            way.once(memory_bytes)
        say(f"  round {number + 1}: " + ", ".join(f"{way.name} {way.seconds[-1]:.2f} s" for way in ways))


def warm(memory_bytes: int) -> None:
    """Touch as much memory as a run will need, and give it back.

    A virtual machine's memory that nobody used for some seconds goes back to its host, and getting it again takes up to
    two seconds for a gigabyte: longer than any of the programs. So every way finds as much of it ready.
    """
    flags = getattr(mmap, "MAP_POPULATE", None)
    if memory_bytes and flags is not None:
        mmap.mmap(-1, memory_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | flags).close()


def ratio(ours: Way, other: Way) -> float:
    """How many times as fast ours is: the median of the rounds' own ratios."""
    return statistics.median(theirs / mine for mine, theirs in zip(ours.seconds, other.seconds, strict=True))


def table(
    title: str, ways: Sequence[Way], amount: float, unit: str, targets: Sequence[Target], out: Path | None = None
) -> None:
    """Print the row's table; the first way is ours. `amount` is what one run does, in `unit`."""
    ours = ways[0]
    print(f"\n{title}; {machine()}; median of {len(ours.seconds)} rounds, all of them interleaved")
    for way in ways:
        middle = statistics.median(way.seconds)
        span = f"({amount / max(way.seconds):,.0f} to {amount / min(way.seconds):,.0f})"
        against = "" if way is ours else f"   ours is {ratio(ours, way):5.2f} times as fast"
        print(f"  {way.name:38} {amount / middle:9,.0f} {unit} {span:22}{against}")
    known = {way.name: way for way in ways}
    for target in targets:
        if target.peer not in known:
            print(f"  not compared with {target.peer}: it is not here")
            continue
        reached = ratio(ours, known[target.peer])
        least = "" if target.at_least is None else f" at least {target.at_least} ({_met(reached, target.at_least)})"
        aim = "" if target.aim is None else f" aim {target.aim} ({_met(reached, target.aim)})"
        print(f"  against {target.peer}: {reached:.2f};{least}{aim}")
    if out is not None:
        figures = {way.name: [amount / second for second in way.seconds] for way in ways}
        with out.open("a") as file:
            file.write(json.dumps({"row": title, "unit": unit, "machine": machine(), "figures": figures}) + "\n")


def machine() -> str:
    """What the figures were taken on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def peak_kib(process: int) -> int:
    """The peak resident size of a running process (VmHWM), in KiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def random_file(path: Path, mebibytes: int) -> Path:
    """A file that nothing can compress; each mebibyte differs."""
    block = os.urandom(16 * MIB)
    with path.open("wb") as out:
        for number in range(0, mebibytes, 16):
            piece = block[number % 4096 :] + block[: number % 4096]
            out.write(piece[: min(16, mebibytes - number) * MIB])
    return path


def settle(options_seconds: float = 0.0) -> None:
    """Let what the last run left on the machine's disk go there."""
    os.sync()
    time.sleep(options_seconds)


def met(ok: Mapping[str, bool]) -> str:
    """Words for several targets."""
    return ", ".join(f"{name}: {'reached' if good else 'not reached'}" for name, good in ok.items())


def _met(reached: float, wanted: float) -> str:
    return "reached" if reached >= wanted else "not reached"
