"""The one client of a gateway: signed requests out, bounded answers in.

The gateway is not trusted: no redirect is followed, no answer is read beyond its cap or its time, nothing it says
reaches a person as it came. Bodies go out as memoryviews and come in through one buffer, so memory does not grow with
a transfer. A request is sent again by itself only when a kept connection turns out to be dead before an answer began;
every request of the protocol may be repeated (docs/spec/transfer.md). All other retries are the caller's.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from socket import SHUT_RDWR
from types import TracebackType
from typing import Any, Self, TypeVar

from swaddle.canonical import JSON_LIMIT_BYTES, NotCanonical, canonical, parse_instant
from swaddle.durable import disk_fault, write_all
from swaddle.envelope.signature import SigningKey
from swaddle.wire.messages import Garbled
from swaddle.wire.part_upload import PartUploads
from swaddle.wire.problems import DigestRefused, GatewayBusy, Redirected, TooSlow, Unreachable, problem
from swaddle.wire.signing import Request, content_digest, sign_request
from swaddle.wire.tls import BoundedSocket, Line, connection_words
from swaddle.wire.tunnel import parse_url, proxy_for

Answer = TypeVar("Answer")
SLICE_BYTES = 262_144
RETRY_PAUSES_S = (1, 3, 9)
# Slower than this for a whole part is not a line that a data set gets through.
SLOWEST_BYTES_PER_SECOND = 8_192

Sink = Callable[[memoryview], None] | int


@dataclass(frozen=True)
class _Outgoing:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: memoryview | None


class _DeadConnection(Exception):
    """A kept connection broke before an answer began."""


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class GatewayClient:
    """Speaks to one gateway, over one connection at a time; not for use by several threads at once."""

    def __init__(
        self,
        url: str,
        pin: str | None,
        key: SigningKey | None,
        *,
        further_pins: Collection[str] = (),
        timeout_s: float = 30,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Nothing is opened yet.

        Args:
            url: `https://host:port`.
            pin: of the gateway's TLS key; None for a certificate of a public authority.
            key: signs the requests; None for the enrolment requests, which are unsigned.
            further_pins: keys that a verified intake statement announced.
            timeout_s: for connecting and for each answer.
            clock: what the signatures say the time is.

        Raises:
            AddressFault: `url` is not such an address.
            ProxyFault: HTTPS_PROXY cannot be used.
        """
        address = parse_url(url)
        pins = {pin, *further_pins} if pin is not None else set()
        self._authority = address.authority
        self._line = Line(address, pins, timeout_s, proxy_for(address))
        self._key = key
        self._timeout_s = timeout_s
        self._clock = clock
        self._connection: http.client.HTTPConnection | None = None
        self._answered = False
        self._parts = PartUploads(self._part)

    @property
    def pins(self) -> frozenset[str]:
        """The keys that the gateway may show; none where a public authority vouches for it."""
        return self._line.pins

    def also_trust(self, pins: Collection[str]) -> None:
        """Take further pins from the next connection on; a client without a pin keeps having none."""
        self._line.also_trust(pins)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def round_trip_s(self) -> float:
        """How long the way to the gateway and back takes; 0 before the first request."""
        return self._line.round_trip_s

    def beside(self) -> GatewayClient:
        """Another client of the same gateway, for another thread; it need not look at the certificate again."""
        url = f"https://{self._authority}"
        another = GatewayClient(url, None, self._key, timeout_s=self._timeout_s, clock=self._clock)
        another._line = self._line  # verified alike, by the same pins
        return another

    def cut(self) -> None:
        """End what is under way, from another thread: it fails there as a broken connection."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(SHUT_RDWR)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get_time(self) -> datetime:
        """The gateway's time (unverified but for TLS).

        Raises:
            NetworkFault: no answer, or none that can be understood.
        """
        told = self.get_json("/v1/time").get("server_time")
        try:
            return parse_instant(str(told))
        except NotCanonical as error:
            raise Garbled("its time is none") from error

    def get_json(self, path: str, *, headers: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
        """The object that `path` answers with.

        Raises:
            NetworkFault, NotPermitted, NotThere, NotCollecting, SettingsFault: as wire/problems.py says.
        """
        return self._json(_Outgoing("GET", path, headers, None), self._timeout_s)

    def post_json(self, path: str, value: object, *, timeout_s: float | None = None) -> dict[str, Any]:
        """The object that `path` answers with to `value`, sent as canonical JSON.

        Raises:
            NetworkFault, NotPermitted, NotThere, NotCollecting, SettingsFault: as wire/problems.py says.
        """
        body = canonical(value)
        headers = (("content-type", "application/json"), ("content-digest", content_digest(sha256(body).digest())))
        return self._json(_Outgoing("POST", path, headers, memoryview(body)), timeout_s or self._timeout_s)

    def put_part(self, path: str, data: memoryview, digest: bytes) -> None:
        """Send one part whose SHA-256 is `digest`; done when the gateway has it on its disk.

        Called again with the same part after the line broke, it sends what the gateway does not have.

        Raises:
            NetworkFault, NotPermitted, NotThere, NotCollecting, SettingsFault: as wire/problems.py says.
        """
        self._parts.put(path, data, digest)

    def get_part(self, path: str, lease: str, expected_bytes: int, into: Sink) -> None:
        """Read one part of exactly `expected_bytes`; its digest is checked where it is opened.

        Args:
            path: of the part.
            lease: the token.
            expected_bytes: its length, from the manifest.
            into: called with each piece (valid until it returns), or a descriptor to write to.

        Raises:
            NetworkFault: also when it is longer or shorter.
        """
        seconds = self._timeout_s + expected_bytes / SLOWEST_BYTES_PER_SECOND
        with self._answer(_Outgoing("GET", path, (("swaddle-lease", lease),), None), seconds) as answer:
            if answer.status != 200:
                raise self._refusal(answer)
            if answer.getheader("content-type") != "application/octet-stream":
                raise Garbled("a part is not of the type it should be")
            if answer.length is not None and answer.length != expected_bytes:
                raise Garbled("a part has another length than the manifest says")
            buffer = memoryview(bytearray(min(SLICE_BYTES, expected_bytes) or 1))
            left = expected_bytes
            while left:
                piece = buffer[: min(left, len(buffer))]
                _fill(piece, answer)
                _hand_over(piece, into)
                left -= len(piece)
            if answer.read(1):
                raise Garbled("a part goes on beyond its length")

    def _part(
        self, method: str, path: str, headers: tuple[tuple[str, str], ...], data: memoryview
    ) -> Mapping[str, str]:
        """One request of a part's upload; the fields of its answer."""
        with self._answer(_Outgoing(method, path, headers, data), self._timeout_s * 4) as answer:
            if answer.status not in {200, 201, 204}:
                raise self._refusal(answer)
            _read_capped(answer, SLICE_BYTES)
            return {name.lower(): value for name, value in answer.getheaders()}

    def _json(self, outgoing: _Outgoing, seconds: float) -> dict[str, Any]:
        with self._answer(outgoing, seconds) as answer:
            if answer.status not in {200, 201, 202}:
                raise self._refusal(answer)
            return _json_object(answer, "application/json")

    def _refusal(self, answer: http.client.HTTPResponse) -> Exception:
        """The error that an answer other than success stands for."""
        if 300 <= answer.status < 400:
            return Redirected()
        return problem(_json_object(answer, "application/problem+json"), self._clock())

    @contextmanager
    def _answer(self, outgoing: _Outgoing, seconds: float) -> Iterator[http.client.HTTPResponse]:
        """The beginning of the answer; what goes wrong until it is read becomes our errors and ends the connection."""
        whole = False
        try:
            answer = self._exchange(outgoing, seconds)
            if answer.getheader("content-encoding") not in {None, "identity"}:
                raise Garbled("it is encoded although nobody asked for that")
            yield answer
            whole = answer.isclosed()
        except TimeoutError as error:
            raise TooSlow(seconds=round(seconds)) from error
        except http.client.HTTPException as error:
            raise Garbled("it does not speak HTTP as agreed") from error
        except OSError as error:
            raise Unreachable(connection_words(error)) from error
        finally:
            if not whole:
                self.close()

    def _exchange(self, outgoing: _Outgoing, seconds: float) -> http.client.HTTPResponse:
        if self._connection is not None:
            with suppress(_DeadConnection):
                return self._once(self._connection, outgoing, seconds, kept=True)
            self.close()
        self._connection = http.client.HTTPConnection(self._authority)
        self._connection.auto_open = 0
        self._connection.sock = self._line.open()
        return self._once(self._connection, outgoing, seconds, kept=False)

    def _once(
        self, connection: http.client.HTTPConnection, outgoing: _Outgoing, seconds: float, *, kept: bool
    ) -> http.client.HTTPResponse:
        socket = connection.sock
        if not isinstance(socket, BoundedSocket):
            raise _DeadConnection
        broken: OSError | None = None
        try:
            socket.deadline = None
            socket.settimeout(self._timeout_s)
            self._send(connection, outgoing)
        except TimeoutError:
            raise
        except OSError as error:
            broken = error  # it may have answered (refused) before it stopped listening
        socket.deadline = time.monotonic() + seconds
        try:
            return connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError, http.client.ResponseNotReady) as error:
            if kept:
                raise _DeadConnection from error
            raise Unreachable(connection_words(broken or ConnectionError())) from error

    def _send(self, connection: http.client.HTTPConnection, outgoing: _Outgoing) -> None:
        """Head and body; the body by slices, so that the time limit is for a slice and not for the whole."""
        headers = [*outgoing.headers]
        if outgoing.body is not None:
            headers.append(("content-length", str(outgoing.body.nbytes)))
        if self._key is not None:
            path, _, query = outgoing.path.partition("?")
            covered = Request(
                method=outgoing.method, authority=self._authority, path=path, query=query, headers=tuple(headers)
            )
            nonce = base64.b64encode(secrets.token_bytes(16)).decode()
            headers += sign_request(covered, self._key, self._clock(), nonce)
        connection.putrequest(outgoing.method, outgoing.path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("host", self._authority), ("accept", "application/json"), *headers):
            connection.putheader(name, value)
        connection.endheaders()
        if outgoing.body is not None:
            for start in range(0, outgoing.body.nbytes, SLICE_BYTES):
                connection.send(outgoing.body[start : start + SLICE_BYTES])


def _fill(piece: memoryview, answer: http.client.HTTPResponse) -> None:
    """Read until `piece` is full: TLS gives 16 KiB at a time, and every call of what takes them costs."""
    filled = 0
    while filled < len(piece):
        count = answer.readinto(piece[filled:])
        if not count:
            raise Garbled("a part ends early")
        filled += count


def _hand_over(piece: memoryview, into: Sink) -> None:
    """Give a piece to where it goes; a full disk here is not the gateway's fault."""
    try:
        if callable(into):
            into(piece)
        else:
            write_all(into, piece)
    except OSError as error:
        raise disk_fault(error) from error


def _read_capped(answer: http.client.HTTPResponse, limit_bytes: int) -> bytes:
    data = answer.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise Garbled("it is longer than any answer may be")
    return data


def _json_object(answer: http.client.HTTPResponse, content_type: str) -> dict[str, Any]:
    """The JSON object that an answer carries, if it says that it is one."""
    if (answer.getheader("content-type") or "").split(";")[0].strip().lower() != content_type:
        raise Garbled("it is not of the type it should be")
    try:
        value = json.loads(_read_capped(answer, JSON_LIMIT_BYTES))
    except (ValueError, RecursionError) as error:
        raise Garbled("it is not JSON") from error
    if not isinstance(value, dict):
        raise Garbled("it is not a JSON object")
    return value


def retry(
    work: Callable[[], Answer],
    pauses_s: Collection[float] = RETRY_PAUSES_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Do `work`, again after each pause while the line is at fault (not while the answers are wrong).

    Raises:
        NetworkFault: the last one's, when the pauses are used up.
    """
    for pause in pauses_s:
        try:
            return work()
        except (Unreachable, TooSlow, DigestRefused, GatewayBusy):
            sleep(pause)
    return work()
