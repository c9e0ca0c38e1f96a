"""The way to a gateway: its address, and the proxy in between, if there is one."""

from __future__ import annotations

import base64
import contextlib
import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from swaddle.wire.problems import AddressFault, ProxyFault, TooSlow

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_PROXY_ANSWER_BYTES = 16_384


@dataclass(frozen=True)
class Address:
    """A host and a port, lower case, checked: it ends up in a signed header."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """As in the Host header: the port only where it is not 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy that tunnels; credentials, if any, as the header's value."""

    address: Address
    authorization: str | None


def parse_url(url: str) -> Address:
    """The address in `https://host:port`.

    Raises:
        AddressFault: anything else, or anything behind it.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or ""), parts.port
    except ValueError as error:
        raise AddressFault from error
    clean = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme != "https" or not clean or not _HOST.fullmatch(host):
        raise AddressFault
    return Address(host, port or 443)


def proxy_for(address: Address, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy that the environment or the system names for this address.

    Raises:
        ProxyFault: it names one that we cannot use.
    """
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  only who asks pays for importing it

    named = getproxies() if environment is None else {"https": environment.get("HTTPS_PROXY", "")}
    url = named.get("https", "")
    if not url or proxy_bypass(address.host):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or 8080
    except ValueError as error:
        raise ProxyFault("it is not an address") from error
    if parts.scheme != "http" or not _HOST.fullmatch(host):
        raise ProxyFault("it is not of the form http://host:port")
    authorization = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    return Proxy(Address(host, port), authorization)


def dial(address: Address, timeout_s: float, proxy: Proxy | None) -> socket.socket:
    """A connected socket to `address`, through the proxy where there is one."""
    if proxy is None:
        connected = socket.create_connection((address.host, address.port), timeout=timeout_s)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    connected = socket.create_connection((proxy.address.host, proxy.address.port), timeout=timeout_s)
    try:
        _ask_for_tunnel(connected, address, timeout_s, proxy)
    except BaseException:
        connected.close()
        raise
    connected.settimeout(timeout_s)
    return connected


def _ask_for_tunnel(connected: socket.socket, address: Address, timeout_s: float, proxy: Proxy) -> None:
    host = f"[{address.host}]" if ":" in address.host else address.host
    lines = [f"CONNECT {host}:{address.port} HTTP/1.1", f"Host: {host}:{address.port}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    connected.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    deadline = time.monotonic() + timeout_s
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooSlow(seconds=round(timeout_s))
        connected.settimeout(left)
        byte = connected.recv(1)  # one at a time: what comes behind the empty line is no longer the proxy's
        if not byte or len(answer) >= _PROXY_ANSWER_BYTES:
            raise ProxyFault("its answer is not one")
        answer += byte
    status = answer.split(b"\r\n", 1)[0].split(b" ")
    if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or status[1] != b"200":
        wants_login = len(status) > 1 and status[1] == b"407"
        raise ProxyFault("it asks for a name and a password" if wants_login else "it does not let this address through")


@contextlib.contextmanager
def relay(address: Address, timeout_s: float, proxy: Proxy) -> Iterator[tuple[str, int]]:
    """A loopback port that leads, once, through the proxy: for code that can only connect by itself."""
    far = dial(address, timeout_s, proxy)
    with far, socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        listener.settimeout(timeout_s)
        pump = threading.Thread(target=_pump, args=(listener, far, time.monotonic() + timeout_s), daemon=True)
        pump.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            with contextlib.suppress(OSError):
                far.shutdown(socket.SHUT_RDWR)
            pump.join(timeout_s)


def _pump(listener: socket.socket, far: socket.socket, deadline: float) -> None:
    """Carry bytes both ways until one side ends or the time is over."""
    with contextlib.suppress(OSError):
        near, _ = listener.accept()
        with near, selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ, far)
            ready.register(far, selectors.EVENT_READ, near)
            while time.monotonic() < deadline:
                for key, _ in ready.select(timeout=0.2):
                    source, target = key.fileobj, key.data
                    if not isinstance(source, socket.socket):
                        return
                    data = source.recv(65_536)
                    if not data:
                        return
                    target.sendall(data)
