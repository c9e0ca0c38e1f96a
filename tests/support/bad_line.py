"""A bad line: a proxy on loopback that cuts, delays, drips and holds back what passes between a client and a gateway.

It sees TLS only, as a line does. What it does to a connection is a `Fault`; faults are taken in order, one to a
connection, and after the last one the line is good.
"""

import contextlib
import random
import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What happens to one connection.

    Attributes:
        cut_up, cut_down: bytes of that direction after which both ends are reset; None never.
        delay_s: each piece is held back for so long.
        drip_bytes: pieces of at most so many bytes.
        stall_s: once, in the middle of the first direction that has passed `stall_after` bytes.
        swallow_down: the answer is thrown away and the connection reset: the request was done, nobody heard of it.
    """

    cut_up: int | None = None
    cut_down: int | None = None
    delay_s: float = 0
    drip_bytes: int = 65_536
    stall_s: float = 0
    stall_after: int = 0
    swallow_down: bool = False


def faults(seed, number, most_bytes):
    """A reproducible series of faults."""
    chance = random.Random(seed)
    kinds = [
        lambda: Fault(cut_up=chance.randrange(most_bytes)),
        lambda: Fault(cut_down=chance.randrange(4000)),
        lambda: Fault(swallow_down=True),
        lambda: Fault(delay_s=0.002, drip_bytes=chance.randrange(200, 5000), cut_up=chance.randrange(most_bytes)),
        lambda: Fault(stall_s=0.3, stall_after=chance.randrange(most_bytes)),
    ]
    return [chance.choice(kinds)() for _ in range(number)]


class BadLine:
    """A listener in front of a port of the loopback."""

    def __init__(self, to_port=0):
        self.to_port = to_port
        self.coming = []
        self.had = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def suffer(self, coming):
        """The faults of the next connections."""
        with self._lock:
            self.coming = list(coming)

    def _serve(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                fault = self.coming.pop(0) if self.coming else Fault()
                self.had += fault != Fault()
            threading.Thread(target=self._join, args=(near, fault), daemon=True).start()

    def _join(self, near, fault):
        try:
            far = socket.create_connection(("127.0.0.1", self.to_port), timeout=10)
        except OSError:
            near.close()
            return
        pair = (near, far)
        up = threading.Thread(target=self._carry, args=(near, far, fault, fault.cut_up, False, pair), daemon=True)
        up.start()
        self._carry(far, near, fault, fault.cut_down, fault.swallow_down, pair)
        up.join()
        for end in pair:
            end.close()

    def _carry(self, source, target, fault, cut, swallow, pair):
        passed, stalled, handshake = 0, fault.stall_s == 0, 6
        with contextlib.suppress(OSError):
            while data := source.recv(fault.drip_bytes):
                if fault.delay_s:
                    time.sleep(fault.delay_s)
                if not stalled and passed >= fault.stall_after:
                    stalled = True
                    time.sleep(fault.stall_s)
                if swallow:
                    handshake -= 1
                    if passed > 3000 or handshake < 0:  # the handshake is over: this is the answer
                        reset(*pair)
                        break
                if cut is not None and passed + len(data) > cut:
                    target.sendall(data[: max(0, cut - passed)])
                    reset(*pair)
                    break
                target.sendall(data)
                passed += len(data)
            target.shutdown(socket.SHUT_WR)


def reset(*ends):
    """Both ends are told at once that nothing comes any more."""
    for end in ends:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            end.shutdown(socket.SHUT_RDWR)
