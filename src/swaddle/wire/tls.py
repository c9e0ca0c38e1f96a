"""TLS towards a gateway: verification is always on, against a pin or against the system's authorities.

A gateway with a pin usually has a certificate that it made itself. OpenSSL verifies against certificates, not against
pins, so the certificate is fetched first by a connection that carries no request; when its key has the pin's digest it
becomes the only thing that the real connection trusts. The real connection is verified in full, expiry included, and
its key is compared with the pin again before a byte of a request is sent.
"""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Collection
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from swaddle.errors import SwaddleError
from swaddle.wire.messages import Garbled
from swaddle.wire.problems import TooSlow, Unreachable, WrongCertificate, WrongPin
from swaddle.wire.tunnel import Address, Proxy, dial, relay


class BoundedSocket(ssl.SSLSocket):
    """A TLS socket whose reads end at `deadline`, however slowly the other side drips."""

    deadline: float | None = None

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read like a socket, with no more patience than is left until the deadline."""
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            patience = self.gettimeout()
            if patience is None or not left <= patience <= left * 1.05 + 0.05:  # a kernel call: not for every record
                self.settimeout(left)
        return super().recv_into(buffer, nbytes, flags)


def pin_of(certificate: bytes) -> str:
    """The pin of a DER certificate: base64 of SHA-256 over its SubjectPublicKeyInfo.

    Raises:
        Garbled: it is no certificate that we understand.
    """
    try:
        public = load_der_x509_certificate(certificate).public_key()
    except Exception as error:  # the parser raises many kinds; each means that a stranger's bytes are no certificate
        raise Garbled("its certificate cannot be read") from error
    return base64.b64encode(
        sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()


def _system_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = BoundedSocket
    return context


def _pinned_context(certificate: bytes) -> ssl.SSLContext:
    """Trust this one certificate; names are not compared, the pin says who it is by whatever name it is reached."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    context.sslsocket_class = BoundedSocket
    return context


class Line:
    """Opens verified connections to one gateway; keeps the pinned certificate that it has seen."""

    def __init__(self, address: Address, pins: Collection[str], timeout_s: float, proxy: Proxy | None) -> None:
        """`pins`: any of them will do (the next key is announced ahead); none means the system's authorities."""
        self._address = address
        self.pins = frozenset(pins)
        self._timeout_s = timeout_s
        self._proxy = proxy
        self._certificate: bytes | None = None
        self.round_trip_s = 0.0  # how long the way there and back takes: the quickest connecting so far; 0 before any

    def also_trust(self, pins: Collection[str]) -> None:
        """Take further pins; where there is none, the system's authorities stay the ones that are asked."""
        if self.pins:
            self.pins |= frozenset(pins)

    def open(self) -> BoundedSocket:
        """A connection whose other end is verified.

        Raises:
            NetworkFault: not reached, too slow, or not TLS 1.3.
            WrongPin: another key than the pin's.
            WrongCertificate: verification failed.
        """
        try:
            if not self.pins:
                return self._wrap(_system_context())
            known = self._certificate
            if known is not None:
                try:
                    return self._pinned(known)
                except ssl.SSLCertVerificationError:
                    self._certificate = None  # renewed since: look again, once
            self._certificate = self._fetch()
            return self._pinned(self._certificate)
        except SwaddleError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise WrongCertificate(error.verify_message or "verification failed") from error
        except TimeoutError as error:
            raise TooSlow(seconds=round(self._timeout_s)) from error
        except ssl.SSLError as error:
            raise Unreachable("what answers there does not speak TLS 1.3 with us") from error
        except OSError as error:
            raise Unreachable("no connection to its address: " + connection_words(error)) from error

    def _pinned(self, certificate: bytes) -> BoundedSocket:
        connected = self._wrap(_pinned_context(certificate))
        if pin_of(connected.getpeercert(binary_form=True) or b"") not in self.pins:
            connected.close()
            raise WrongPin
        return connected

    def _wrap(self, context: ssl.SSLContext) -> BoundedSocket:
        began = time.monotonic()
        plain = dial(self._address, self._timeout_s, self._proxy)
        took_s = time.monotonic() - began
        self.round_trip_s = min(self.round_trip_s or took_s, took_s)
        try:
            connected = context.wrap_socket(plain, server_hostname=self._address.host)
        except BaseException:
            plain.close()
            raise
        if not isinstance(connected, BoundedSocket):
            raise TypeError("the context makes other sockets")
        return connected

    def _fetch(self) -> bytes:
        """The certificate that the other end shows, if its key has one of the pins; nothing else is trusted in it."""
        if self._proxy is None:
            shown = ssl.get_server_certificate((self._address.host, self._address.port), timeout=self._timeout_s)
        else:
            with relay(self._address, self._timeout_s, self._proxy) as near:
                shown = ssl.get_server_certificate(near, timeout=self._timeout_s)
        certificate = ssl.PEM_cert_to_DER_cert(shown)
        if pin_of(certificate) not in self.pins:
            raise WrongPin
        return certificate


def connection_words(error: OSError) -> str:
    """Why a connection failed, without the address that was tried."""
    if isinstance(error, socket.gaierror):
        return "its name is not known here"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses connections"
    if isinstance(error, ConnectionError):
        return "the connection broke"
    return "the network says no"
