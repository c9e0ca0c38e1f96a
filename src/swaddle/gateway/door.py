"""Where the SFTP door finds the gateway: a Unix socket, a thread for each connection (docs/spec/transfer.md section 9).

Only processes of one user get in, the one named by the setting `door_user` or else the gateway's own; the kernel says
whose they are. A connection whose submitter was revoked is closed within two seconds, whatever is under way on it.
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
import struct
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from swaddle.errors import SettingsFault
from swaddle.gateway import door_sending
from swaddle.gateway.app import Gateway, refusal_of
from swaddle.gateway.door_session import Session
from swaddle.gateway.index import Index
from swaddle.gateway.refusal import Refusal
from swaddle.wire.door import decode_question, no, ok, receive_message, send_message
from swaddle.wire.messages import Garbled

MOST_CONNECTIONS = 512
LOOK_SECONDS = 1.0
_CREDENTIALS = struct.Struct("3i")  # process, user, group: struct ucred of unix(7)


class DoorSocketFault(SettingsFault):
    """The socket for the door cannot be made."""

    code = "SWD-GATE-20"
    what = "the gateway cannot open the socket for its SFTP door"
    why = "{reason}"
    fix = "name a place in `door_socket` that the gateway may write to, and a user of this machine in `door_user`"


class DoorServer:
    """The gateway's end of all the door's connections. A context manager; nothing of it outlives `__exit__`."""

    def __init__(self, gateway: Gateway) -> None:
        """Nothing listens yet.

        Raises:
            DoorSocketFault: `door_user` is nobody here.
        """
        self._gateway = gateway
        self._path = Path(gateway.settings.door_socket)
        self._user = _user_id(gateway.settings.door_user)
        self._secret = secrets.token_bytes(32)
        self._listener: socket.socket | None = None
        self._connections: dict[socket.socket, Session] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        """Drop what an earlier process left unfinished, then listen.

        Raises:
            DoorSocketFault: the disk or the system said no.
        """
        self._gateway.thread.call(door_sending.drop_unfinished)
        try:
            _remove_leftover(self._path)
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(str(self._path))
            # Who may connect is asked of the kernel at each connection; the mode lets another user get that far.
            self._path.chmod(0o600 if self._user == os.getuid() else 0o666)
            self._listener.listen(64)
        except (OSError, ValueError) as error:
            self.close()
            raise DoorSocketFault("the system does not allow it there (a path has 107 letters at most)") from error
        self._start(self._accept, self._listener)
        self._start(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take no more, end every connection, wait for their threads."""
        self._is_over.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            with suppress(OSError):
                self._path.unlink()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _cut(connection)
        for thread in list(self._threads):
            thread.join(timeout=10)

    def _start(self, work: object, *values: object) -> None:
        thread = threading.Thread(target=work, args=values, name="door", daemon=True)  # type: ignore[arg-type]
        self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._is_over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                is_let_in = self._is_ours(connection) and len(self._connections) < MOST_CONNECTIONS
                session = Session(self._gateway, self._secret)
                if is_let_in:
                    self._connections[connection] = session
            if is_let_in:
                self._start(self._serve, connection, session)
            else:
                connection.close()

    def _is_ours(self, connection: socket.socket) -> bool:
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, user, _ = _CREDENTIALS.unpack(data)
        return bool(user == self._user)

    def _serve(self, connection: socket.socket, session: Session) -> None:
        """Answer one connection until it ends, then end what was begun on it."""
        try:
            while (data := receive_message(connection)) is not None:
                _answer(connection, session, data)
        except (OSError, Garbled):
            pass  # it broke off, or is not the door's language: either way it is over
        except Exception as error:  # noqa: BLE001 - the last line of this thread; logged by kind and place
            refusal_of(error)
        finally:
            with self._lock:
                self._connections.pop(connection, None)
            connection.close()
            try:
                session.end()
            except Exception as error:  # noqa: BLE001 - likewise; the next start drops what stayed
                refusal_of(error)

    def _watch(self) -> None:
        """End the connections of those who are no longer let in, also while nothing is asked on them."""
        while not self._is_over.wait(LOOK_SECONDS):
            with self._lock:
                known = {connection: session.guest for connection, session in self._connections.items()}
            guests = {guest for guest in known.values() if guest is not None}
            if not guests:
                continue
            try:
                gone = self._gateway.thread.call(_no_longer, guests)
            except Exception as error:  # noqa: BLE001 - looked at again in a second
                refusal_of(error)
                continue
            for connection, guest in known.items():
                if guest in gone:
                    _cut(connection)


def _no_longer(index: Index, guests: set[door_sending.Guest]) -> set[door_sending.Guest]:
    """Those of the guests whose key was taken back."""
    gone = set()
    for guest in guests:
        try:
            door_sending.must_be_enrolled(index, guest)
        except Refusal:
            gone.add(guest)
    return gone


def _answer(connection: socket.socket, session: Session, data: bytes) -> None:
    """Answer one question; a descriptor is closed here once it was passed."""
    descriptor: int | None = None
    try:
        try:
            question = decode_question(data)
        except Garbled:
            raise Refusal("malformed") from None
        message, descriptor = session.answer(question)
        answer = ok(message)
    except Exception as error:  # noqa: BLE001 - whatever it was, nothing of it goes out
        answer = no(refusal_of(error).problem())
    try:
        send_message(connection, answer, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _remove_leftover(path: Path) -> None:
    """Remove the socket of a gateway that was killed; two gateways never share a home, and nothing else is removed.

    Raises:
        DoorSocketFault: something that is no socket lies there.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise DoorSocketFault("something that is no socket lies there already")
        path.unlink()


def _user_id(name: str) -> int:
    if not name:
        return os.getuid()
    import pwd  # noqa: PLC0415 - not on Windows, where there is no door

    try:
        return int(name) if name.isascii() and name.isdigit() else pwd.getpwnam(name).pw_uid
    except KeyError as error:
        raise DoorSocketFault("`door_user` is no user of this machine") from error
