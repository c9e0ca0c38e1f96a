"""A line that tears: a proxy on loopback that lets a sender's first bytes through and then nothing more.

So the demo can kill a sender in the middle of its body, at the same place every time, on a connection as real as any.
It is used as HTTPS_PROXY; what goes through is TLS, which it cannot read.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Self

_STEP_BYTES = 16_384
_HEAD_BYTES = 8_192


class TearingLine:
    """A CONNECT proxy that goes dead after `limit_bytes` from the sender; `torn` is set then."""

    def __init__(self, limit_bytes: int) -> None:
        """Listen on a free port of loopback."""
        self.torn = threading.Event()
        self._left = limit_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.close()

    @property
    def url(self) -> str:
        """For HTTPS_PROXY."""
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}"

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(near)
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            head = b""
            while not head.endswith(b"\r\n\r\n") and len(head) < _HEAD_BYTES:
                byte = near.recv(1)
                if not byte:
                    return
                head += byte
            host, _, port = head.split(b" ")[1].decode("ascii").rpartition(":")
            far = socket.create_connection((host, int(port)), timeout=10)
            self._sockets.append(far)
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._pump(near, far)

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while not self._closing.is_set():
                for key, _ in ready.select(timeout=0.1):
                    source, target = (near, far) if key.fileobj is near else (far, near)
                    data = source.recv(_STEP_BYTES)
                    if not data:
                        return
                    if source is near:
                        if len(data) >= self._left:
                            target.sendall(data[: self._left])
                            self._left = 0
                            self.torn.set()
                            self._closing.wait()  # dead, but not closed: as when a cable is pulled
                            return
                        self._left -= len(data)
                    target.sendall(data)
