"""The SFTP door: a process of its own, under a user of its own, for partners whose job can only do SFTP.

Second grade, and it says so: a file is in this process's memory in the clear while it arrives. It is sealed as it
streams, with public keys only; neither plaintext nor anything that could open it is ever written. What it cannot do:
open, list, or give back anything but a partner's own answers. Reading order: this file, sftp_session, sftp_requests,
sftp_shelf, sftp_upload, sftp_sealing; the rules stand in sftp_files, sftp_names, sftp_window, sftp_packets.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import asyncssh

from swaddle.errors import NetworkFault, NotThere, SettingsFault, SwaddleError
from swaddle.gateway import memory
from swaddle.gateway.sftp_home import HOST_KEY, Door
from swaddle.gateway.sftp_requests import Requests
from swaddle.gateway.sftp_session import Session
from swaddle.gateway.sftp_shelf import Keeper
from swaddle.gateway.sftp_upload import Gateway, fingerprint_of

SECOND_GRADE = (
    "second grade: a file that comes by this door is in the memory of the gateway in the clear while it arrives;"
    " what `swaddle send` sends never is"
)
BANNER = f"swaddle: {SECOND_GRADE}.\n"

# Explicit, so that what a later version of a library adds is not offered before somebody has looked at it.
KEY_EXCHANGES = ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
MACS = ("hmac-sha2-256-etm@openssh.com",)  # never used beside GCM; clients want a name in the list
_CURVES = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")  # partners have them, and enrol them
CLIENT_SIGNATURES = ("ssh-ed25519", "sk-ssh-ed25519@openssh.com", "rsa-sha2-512", "rsa-sha2-256", *_CURVES)
_KEY_TYPES = (b"ssh-ed25519", b"sk-ssh-ed25519@openssh.com", b"ssh-rsa", *(curve.encode() for curve in _CURVES))
_RSA_SIGNATURES = {b"rsa-sha2-256", b"rsa-sha2-512"}  # never SHA-1, which the library would still verify
LEAST_RSA_BITS = 2048
MOST_KEYS_TRIED = 12
MOST_CHANNELS = 4
MOST_STRANGERS = 10  # connections from one address that have not logged in yet
WINDOW_BYTES = 2 * 1024 * 1024
PACKET_BYTES = 128 * 1024
READ_BYTES = 64 * 1024
LEAVING_SECONDS = 1.0
_WATCH_SECONDS = 1.5  # a revocation is in force within five seconds


class CannotListen(SettingsFault):
    """The address is taken, or not this machine's."""

    code = "SWD-SFTP-02"
    what = "the door cannot listen"
    why = "{reason}"
    fix = "choose another host or port in settings.toml of the door's home"


class _Process:
    """What all connections share."""

    def __init__(self, door: Door) -> None:
        settings = door.settings
        self.settings = settings
        self.gateway = Gateway(door)
        self.keeper = Keeper(self.gateway, settings.files, settings.files_each, settings.resume_seconds)
        self.asking = ThreadPoolExecutor(4, "door-login")  # strangers wait for these threads, not for partners'
        self.connections: set[Connection] = set()
        self.by_key: Counter[str] = Counter()
        self.is_draining = False

    async def is_enrolled(self, ssh_key: str) -> bool:
        """Whether the gateway lets this key in."""

        def ask() -> bool:
            try:
                line, _ = self.gateway.line(ssh_key)
            except NetworkFault as error:
                say(error.text())
                return False
            except SwaddleError:
                return False
            line.close()
            return True

        return await asyncio.get_running_loop().run_in_executor(self.asking, ask)

    async def is_shut_out(self, ssh_key: str) -> bool:
        """Whether the gateway says that this key is no longer let in; a gateway that is away says nothing."""

        def ask() -> bool:
            try:
                line, _ = self.gateway.line(ssh_key)
            except NotThere:
                return True
            except SwaddleError:
                return False
            line.close()
            return False

        return await asyncio.get_running_loop().run_in_executor(self.asking, ask)


class Connection(asyncssh.SSHServer):
    """One SSH connection: who it is, once and for all; then sessions of the one subsystem."""

    def __init__(self, process: _Process) -> None:
        """Begin with a stranger."""
        self._process = process
        self._conn: asyncssh.SSHServerConnection | None = None
        self._name: str | None = None
        self._shown_key: str | None = None
        self.address = ""
        self._tried = 0
        self.key: str | None = None
        self.sessions: list[Session] = []
        self.requests: list[Requests] = []
        self._since = self._window_at = time.monotonic()
        self._window_bytes = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Somebody is there."""
        self._conn = conn
        self.address = str((conn.get_extra_info("peername") or ("",))[0])
        strangers = sum(one.key is None and one.address == self.address for one in self._process.connections)
        places = self._process.settings.connections
        if len(self._process.connections) >= places or strangers >= MOST_STRANGERS or self._process.is_draining:
            conn.abort()  # before any key exchange, which is what such a crowd would make us pay for
            return
        self._process.connections.add(self)
        # The library copies what is left of a read behind each packet: shorter reads cost a sixth less processor time.
        transport = getattr(conn, "_transport", None)
        if transport is not None and hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES

    def connection_lost(self, _exception: Exception | None) -> None:
        """Gone."""
        self._process.connections.discard(self)
        if self.key is not None:
            self._process.by_key[self.key] -= 1
            self._process.by_key += Counter()  # forget what is zero

    def begin_auth(self, username: str) -> bool:
        """A user name; it identifies nobody, but it is one and the same for the whole connection (CVE-2024-5806)."""
        if self._name is None:
            self._name = username
            if self._conn is not None:
                self._conn.send_auth_banner(BANNER)
        elif self._name != username:
            self._hang_up("one user name for each connection")
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys, and nothing else; asked at every request to log in.

        The library tells of no user name when the first one is empty: then it is no name, and the end.
        """
        if self._name is None:
            self._hang_up("a user name is needed")
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether a key may come in; called for the question and again for the signature, which is then checked."""
        self._tried += 1
        if self._tried > MOST_KEYS_TRIED:
            self._hang_up("too many keys were tried")
        if self._tried > MOST_KEYS_TRIED or username != self._name or key.algorithm not in _KEY_TYPES:
            return False
        if key.algorithm == b"ssh-rsa":
            key.all_sig_algorithms = _RSA_SIGNATURES
            if getattr(key.pyca_key, "key_size", 0) < LEAST_RSA_BITS:
                return False
        line = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
        if not await self._process.is_enrolled(line):
            return False
        # Nothing is awaited between here and the check of the signature by this very key: so it is this key's session.
        self._shown_key = line
        return True

    def auth_completed(self) -> None:
        """The signature held: from here on this is that key's connection."""
        key = self._shown_key
        if key is None or self._process.by_key[key] >= self._process.settings.connections_each:
            self._hang_up("too many connections with this key")
            return
        self.key = key
        self._process.by_key[key] += 1

    def session_requested(
        self,
    ) -> tuple[asyncssh.SSHServerChannel[bytes], asyncssh.SSHServerSession[bytes]] | bool:
        """A channel for the subsystem."""
        alive = [n for n, session in enumerate(self.sessions) if not session.has_ended]
        self.sessions = [self.sessions[n] for n in alive]
        self.requests = [self.requests[n] for n in alive]
        if self._conn is None or self.key is None or len(alive) >= MOST_CHANNELS:
            return False
        shelf = self._process.keeper.shelf(self.key, fingerprint_of(self.key))
        requests = Requests(self._process.settings, self._process.keeper, shelf, report_bug)
        session = Session(requests)
        self.sessions.append(session)
        self.requests.append(requests)
        channel = self._conn.create_server_channel(encoding=None, window=WINDOW_BYTES, max_pktsize=PACKET_BYTES)
        return channel, session

    def watch(self, now: float) -> None:
        """Hang up on who is silent for too long, or sends slower than anybody has a reason to."""
        settings = self._process.settings
        if self.key is None:
            return  # the login timer looks after strangers
        if now - max((session.last_at for session in self.sessions), default=self._since) > settings.idle_seconds:
            self._hang_up("nothing came for too long")
            return
        if now - self._window_at >= 60:
            came = sum(session.came_bytes for session in self.sessions)
            slowest = settings.slowest_bytes_per_second * (now - self._window_at)
            is_sending = any(requests.has_open_file for requests in self.requests)
            if is_sending and self._window_bytes and came - self._window_bytes < slowest:
                self._hang_up("the file comes too slowly")
            self._window_at, self._window_bytes = now, came

    def shut_out(self) -> None:
        """Hang up on who is no longer enrolled, whatever is under way."""
        self._hang_up("this key is no longer let in")

    def drain(self) -> None:
        """Hang up, once no file of it is on its way and nothing has come for a moment.

        A client whose file has just ended says goodbye by itself; cut off before, it would call a kept file a failure.
        """
        last = max((session.last_at for session in self.sessions), default=0.0)
        is_leaving = time.monotonic() - last < LEAVING_SECONDS
        if not is_leaving and not any(requests.has_open_file for requests in self.requests):
            self._hang_up("the door closes for now")

    def _hang_up(self, words: str) -> None:
        if self._conn is not None:
            with suppress(OSError, asyncssh.Error):
                self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, words)


def say(text: str) -> None:
    """A line for whoever runs the door; never a name, a key or a value."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def report_bug(error: BaseException) -> None:
    """Kind and place of a fault of ours; never its message."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "swaddle" in frame.filename]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    say(f"the door has a fault: {type(error).__name__} at {place}")


async def serve(door: Door, on_ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; then let files under way end, for a while.

    Raises:
        CannotListen: the address.
    """
    process = _Process(door)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # What a library says of a fault may hold a name or a value: ours say kind and place.
    asyncssh.set_log_level("CRITICAL")
    loop.set_exception_handler(lambda _loop, context: report_bug(context.get("exception") or RuntimeError()))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        listener = await asyncssh.create_server(
            lambda: Connection(process),
            door.settings.host,
            door.settings.port,
            server_host_keys=[asyncssh.import_private_key((door.home.path / HOST_KEY).read_bytes())],
            server_version="door",
            kex_algs=KEY_EXCHANGES,
            encryption_algs=CIPHERS,
            mac_algs=MACS,
            compression_algs=["none"],
            signature_algs=CLIENT_SIGNATURES,
            public_key_auth=True,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_kex=False,
            gss_auth=False,
            gss_host=None,
            x509_trusted_certs=None,
            allow_pty=False,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            config=[],
            login_timeout=door.settings.login_seconds,
            keepalive_interval=15,
            keepalive_count_max=3,
            tcp_keepalive=True,
            backlog=128,
        )
    except OSError as error:
        raise CannotListen("the address is taken, or not of this machine") from error
    on_ready(listener.sockets[0].getsockname()[1])
    await _watch(process, stop)
    listener.close()
    process.is_draining = True
    await _drain(process, door.settings.drain_seconds)


async def _watch(process: _Process, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await _within(_WATCH_SECONDS, stop.wait())
        keys = {connection.key for connection in process.connections if connection.key is not None}
        gone = {key for key in keys if await process.is_shut_out(key)}  # revoked while it sends: out at once
        for connection in list(process.connections):
            if connection.key in gone:
                connection.shut_out()
            connection.watch(time.monotonic())


async def _drain(process: _Process, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for connection in list(process.connections):
            connection.drain()
        if not process.connections and not process.keeper.is_busy:
            break
        await asyncio.sleep(0.1)
    await process.keeper.drain(max(1.0, until - time.monotonic()))


async def _within(seconds: float, waited: Awaitable[object]) -> None:
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(waited, seconds)


def run(door: Door) -> None:
    """Run the door in this process; says what it is, where it listens, and what it cannot promise."""

    def ready(port: int) -> None:
        host = f"[{door.settings.host}]" if ":" in door.settings.host else door.settings.host
        say(f"host key: {door.host_key.public.fingerprint}\ndoor key: {door.door_key.public.fingerprint}")
        say(SECOND_GRADE)
        Gateway(door).show()
        say(f"listening on sftp://{host}:{port}")

    memory.keep_freed_pieces()
    asyncio.run(serve(door, ready))
