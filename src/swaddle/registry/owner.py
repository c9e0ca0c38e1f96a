"""One owner of the store: who holds the lock works on it; everybody else asks the owner over a Unix socket.

`registry run` holds the lock as long as it runs. A command takes the lock for itself when nobody has it. DuckDB lets
one process hold a file, and opening and closing it elsewhere in the owner would drop its lock (measured), so nobody
ever opens the three files but through here.

The talk is one JSON line each way: {"do": name, "with": {…}} and {"result": …} or {"error": {…}}. The socket lies in
the home, which only its owner may enter.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from swaddle.errors import OurBug, SettingsFault, SwaddleError

try:
    import fcntl
except ImportError:  # Windows: the registry does not run there
    fcntl = None  # type: ignore[assignment]

LOCK = "owner.lock"
SOCKET = "owner.sock"
LINE_LIMIT_BYTES = 64 * 1024 * 1024
Operation = Callable[..., Any]
ANSWER_S = 600
LONG_S = {"backup": 86_400}  # operations that move the whole store


class AnotherOwner(SettingsFault):
    """Somebody else holds the store and does not answer."""

    code = "SWD-REG-40"
    what = "another process works on this registry"
    fix = "wait until it is done, or look for a `swaddle registry` that hangs"


class OwnerSaid(SwaddleError):
    """An error of the owner's, carried over the socket with its own code, words and exit status."""

    code = "SWD-REG-41"

    def __init__(self, error: Mapping[str, Any]) -> None:
        """Keep the lines of the error as the owner wrote them."""
        self.answer = error
        super().__init__(str(error["lines"][1]))

    def lines(self) -> tuple[str, str, str]:
        """The owner's own three lines."""
        what, why, fix = self.answer["lines"]
        return str(what), str(why), str(fix)

    @property
    def exit_status(self) -> int:  # type: ignore[override]  # an instance carries the owner's
        """The owner's exit status."""
        return int(self.answer["exit_status"])


class Inside(Protocol):
    """Somebody who can be asked to do an operation of the registry: its owner, here or over the socket."""

    def do(self, operation: str, **values: Any) -> Any:
        """Do one operation and give back its result, a JSON value."""
        ...


class Lock:
    """The right to open the store; held until released or the process ends, however it ends."""

    def __init__(self, home: Path) -> None:
        """Name the lock of a home; nothing is taken yet."""
        self._path = home / "run" / LOCK
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock if it is free."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Server:
    """The owner's ear: answers one request after another, each under the owner's own lock."""

    def __init__(self, home: Path, inside: Inside, turn: threading.Lock) -> None:
        """Listen in the home; `turn` keeps the socket and the pulling loop from working at the same time."""
        self._folder = home / "run"
        self._inside = inside
        self._turn = turn
        self._listener = socket.socket(socket.AF_UNIX)
        with _short_path(self._folder) as short:
            with contextlib.suppress(FileNotFoundError):
                Path(short).unlink()
            self._listener.bind(short)
            Path(short).chmod(0o600)
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._serve, name="owner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(OSError):
            (self._folder / SOCKET).unlink()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer_one, args=(connection,), daemon=True).start()

    def _answer_one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(30)
            stream = connection.makefile("rwb")
            line = stream.readline(LINE_LIMIT_BYTES)
            with self._turn:
                answer = _answer(self._inside, line)
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()


def _answer(inside: Inside, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        return {"result": inside.do(request["do"], **request["with"])}
    except SwaddleError as error:
        return {"error": {"code": error.code, "exit_status": error.exit_status, "lines": error.lines()}}
    except Exception as error:  # noqa: BLE001  a fault of ours must not end the owner; its message may hold a value
        bug = OurBug(f"{type(error).__name__} in the owner of the store")
        return {"error": {"code": bug.code, "exit_status": bug.exit_status, "lines": bug.lines()}}


class Asker:
    """An owner in another process, asked over its socket."""

    def __init__(self, home: Path) -> None:
        """Name the owner of a home."""
        self._folder = home / "run"

    def do(self, operation: str, **values: Any) -> Any:
        """Ask for one operation.

        Raises:
            AnotherOwner: somebody holds the lock but does not listen.
            OwnerSaid: the owner refused.
        """
        connection = socket.socket(socket.AF_UNIX)
        try:
            with connection, _short_path(self._folder) as short:
                connection.settimeout(LONG_S.get(operation, ANSWER_S))
                connection.connect(short)
                stream = connection.makefile("rwb")
                stream.write(json.dumps({"do": operation, "with": values}).encode() + b"\n")
                stream.flush()
                answer = json.loads(stream.readline(LINE_LIMIT_BYTES))
        except (OSError, ValueError) as error:
            raise AnotherOwner("it holds the store and does not answer") from error
        if "error" in answer:
            raise OwnerSaid(answer["error"])
        return answer["result"]


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """A path to the socket that fits the 108 bytes of a socket address, however deep the home lies."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
