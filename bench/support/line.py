"""A long line: two network namespaces and a forwarder that delays, drops, reorders and paces, alike for every peer.

    with LongLine(delay_ms=100, loss=0.001) as line:   # this process is now at the near end
        start([*line.far, "sshd", ...], line.far_host, ...)

The kernel here need not have netem: packets go from one TUN device to the other through this program. Needs root (or
CAP_NET_ADMIN and CAP_SYS_ADMIN) and Linux. `python line.py` is the forwarder itself.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import os
import random
import selectors
import shutil
import struct
import subprocess
import sys
import time
from fcntl import ioctl
from pathlib import Path
from types import TracebackType
from typing import Self

NEAR, FAR = "swaddle-near", "swaddle-far"
NEAR_HOST, FAR_HOST = "10.77.0.1", "10.77.0.2"
MTU = 1500
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
LATE_S = 0.02  # how much later a latecomer comes: many others overtake it
QUEUE_S = 0.1  # what a router on the way would hold before it drops


def reason() -> str | None:
    """Why there can be no long line here, if so."""
    if not Path("/dev/net/tun").exists() or shutil.which("ip") is None:
        return "there is no /dev/net/tun, or no ip command"
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    made = subprocess.run(["ip", "netns", "add", "swaddle-try"], check=False, capture_output=True)
    if made.returncode:
        return "this machine allows no network namespaces"
    subprocess.run(["ip", "netns", "del", "swaddle-try"], check=False)
    return None


class Way:
    """Packets in one direction: each leaves after the delay, at the line's pace, or not at all."""

    def __init__(
        self, source: int, target: int, one_way_s: float, loss: float, bytes_per_s: float, late: float, seed: int
    ) -> None:
        """From one TUN descriptor to the other; losses and latecomers are drawn from `seed`, rounds are alike."""
        self.source, self._target = source, target
        self._one_way_s, self._loss, self._bytes_per_s, self._late = one_way_s, loss, bytes_per_s, late
        self._waiting: list[tuple[float, int, bytes]] = []
        self._numbers = itertools.count()
        self._chance = random.Random(seed)
        self._free_at = 0.0

    def take(self, now: float) -> None:
        """Take in what has come."""
        while True:
            try:
                packet = os.read(self.source, MTU + 100)
            except BlockingIOError:
                return
            if self._chance.random() < self._loss:
                continue
            begins = max(now, self._free_at)
            if begins - now > QUEUE_S:
                continue  # the router's queue is full
            self._free_at = begins + len(packet) / self._bytes_per_s
            late_s = LATE_S if self._late and self._chance.random() < self._late else 0.0
            heapq.heappush(self._waiting, (self._free_at + self._one_way_s + late_s, next(self._numbers), packet))

    def give(self, now: float) -> float | None:
        """Let go what is due; seconds until the next one."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            try:
                os.write(self._target, heapq.heappop(waiting)[2])
            except OSError:
                continue  # not up yet, or gone
        return waiting[0][0] - now if waiting else None


def open_tun(name: str) -> int:
    """A TUN device that is read and written without waiting."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def forward(round_trip_s: float, loss: float, megabits: float, late: float = 0) -> None:
    """Carry packets between two new devices until this process is ended."""
    near, far = open_tun("swaddle0"), open_tun("swaddle1")
    print("ready", flush=True)
    pace = megabits * 1e6 / 8
    ways = [
        Way(near, far, round_trip_s / 2, loss, pace, late, 1),
        Way(far, near, round_trip_s / 2, loss, pace, late, 2),
    ]
    looks = selectors.DefaultSelector()
    for way in ways:
        looks.register(way.source, selectors.EVENT_READ, way)
    timeout: float | None = None
    while True:
        for key, _ in looks.select(timeout):
            key.data.take(time.monotonic())
        now = time.monotonic()
        dues = [due for way in ways if (due := way.give(now)) is not None]
        timeout = max(0.0, min(dues)) if dues else None


class LongLine:
    """The two ends and what joins them; inside the block this process and its children are at the near end."""

    def __init__(
        self,
        delay_ms: float = 100,
        loss: float = 0.001,
        megabits: float = 200,
        congestion: str = "cubic",
        late: float = 0,
    ):
        """The two ends are made when the block is entered.

        Args:
            delay_ms: there and back.
            loss: of packets, in each direction.
            megabits: what the line carries a second.
            congestion: TCP's congestion control at both ends (Linux's own default is cubic).
            late: part of the packets that others overtake.
        """
        self._options = [str(delay_ms / 1000), str(loss), str(megabits), str(late)]
        self._congestion = congestion
        self.far = ["ip", "netns", "exec", FAR]
        self.far_host, self.near_host = FAR_HOST, NEAR_HOST

    def __enter__(self) -> Self:
        self._remove()
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._forwarder = subprocess.Popen([sys.executable, __file__, *self._options], stdout=subprocess.PIPE)
        assert self._forwarder.stdout is not None
        if self._forwarder.stdout.readline().strip() != b"ready":
            raise SystemExit("the forwarder did not start")
        for space, device, here, there in (
            (NEAR, "swaddle0", NEAR_HOST, FAR_HOST),
            (FAR, "swaddle1", FAR_HOST, NEAR_HOST),
        ):
            _ip("netns", "add", space)
            _ip("link", "set", device, "netns", space)
            _ip("-n", space, "addr", "add", here, "peer", there, "dev", device)
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "link", "set", device, "mtu", str(MTU), "up")
            # By the route: a namespace may set as its default only what the machine allows everybody.
            _ip("-n", space, "route", "replace", there, "dev", device, "src", here, "congctl", self._congestion)
        _enter(f"/run/netns/{NEAR}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _enter(f"/proc/self/fd/{self._home}")
        os.close(self._home)
        self._forwarder.terminate()
        self._forwarder.wait()
        self._remove()

    @staticmethod
    def _remove() -> None:
        for space in (NEAR, FAR):
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def _enter(path: str) -> None:
    """Move this thread, and what it starts from now on, into a network namespace."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if library.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    forward(*map(float, sys.argv[1:5]))
