"""One file at the door, from its announcement to the gateway's word that it holds it. Its methods block.

Each file has a line to the gateway of its own: what was begun on it and not finished is dropped by the gateway when it
ends, so a door that dies leaves nothing behind.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock

from swaddle.canonical import parse_instant
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.parts import PART_BYTES
from swaddle.envelope.public import IntakeStatement, open_certificate, open_intake
from swaddle.envelope.refusals import WrongRoot
from swaddle.envelope.seal import SealedBody, close_envelope
from swaddle.envelope.signature import PublicSigningKey, SigningKey
from swaddle.errors import SwaddleError
from swaddle.gateway.sftp_home import Door, Pinned
from swaddle.gateway.sftp_sealing import Sealing
from swaddle.wire.door import DoorLine
from swaddle.wire.door_messages import Begun
from swaddle.wire.problems import GatewayNotCollecting


class Gateway:
    """The way to the gateway, and what is believed of what it says."""

    def __init__(self, door: Door) -> None:
        """Use the door's keys, its settings, and the root that it has pinned."""
        self.socket = Path(door.settings.socket)
        self.door_key = door.door_key
        self._host_line = door.host_key.public.line
        self._pinned = Pinned.read(door.home)
        self._lock = Lock()

    def show(self) -> None:
        """Tell the gateway whose keys these are, so that partners have the host key before they come the first time.

        A gateway that is not there yet is told at the first login.
        """
        with suppress(SwaddleError), DoorLine(self.socket) as line:
            line.hello(self.door_key.public, self._host_line)

    def line(self, ssh_key: str) -> tuple[DoorLine, Begun]:
        """A line on which `ssh_key` has begun.

        Raises:
            Unreachable: the gateway is not there.
            NotThere: nobody enrolled this key.
        """
        line = DoorLine(self.socket)
        try:
            line.hello(self.door_key.public, self._host_line)
            return line, line.begin(ssh_key)
        except BaseException:
            line.close()
            raise

    def intake(self, begun: Begun) -> IntakeStatement:
        """The key to seal to, once it is known to be the registry's.

        Raises:
            WrongRoot: of another root than the first one seen.
            SwaddleError: unsigned, not in force, or older than one seen.
        """
        now = datetime.now(UTC)
        root = PublicSigningKey.from_line(begun.root).fingerprint
        with self._lock:
            if self._pinned.root not in {None, root}:
                raise WrongRoot
            key = open_certificate(begun.certificate.signed(), root, now)
            intake = open_intake(begun.intake.signed(), key, now, self._pinned.sequence)
            self._pinned.keep(root, intake.sequence)
        return intake


class Upload:
    """One file on its way."""

    def __init__(
        self,
        gateway: Gateway,
        ssh_key: str,
        fingerprint: str,
        on_room: Callable[[], None],
        is_alone: Callable[[], bool],
    ) -> None:
        """Announce it; `on_room` and `is_alone` are the sealing's.

        Raises:
            GatewayNotCollecting: the registry has not come for a day.
            SwaddleError: the gateway or the intake statement is not as it should be.
        """
        self._signer: SigningKey = gateway.door_key
        self._fingerprint = fingerprint
        self._line, begun = gateway.line(ssh_key)
        try:
            _must_collect(begun)
            self._submitter = begun.submitter
            self._intake = gateway.intake(begun)
            reference = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
            self._announced = self._line.announce(reference, self._intake.recipient.key_id, PART_BYTES)
        except BaseException:
            self._line.close()
            raise
        self.sealing = Sealing(self, on_room, PART_BYTES, is_alone)

    def begin(self, number: int) -> int:
        """A descriptor for a part (sftp_sealing.Parts)."""
        return self._line.part(self._announced.transfer, number)

    def keep(self, number: int, size_bytes: int, digest: str) -> None:
        """Make a part durable (sftp_sealing.Parts)."""
        self._line.keep(self._announced.transfer, number, size_bytes, digest)

    def commit(self, name: str) -> None:
        """Close the envelope and hand it over; when this returns the gateway holds the file under its final name.

        Raises:
            SwaddleError, OSError: it is not held; the file is dropped.
        """
        try:
            stream = self.sealing.finish()
            body = SealedBody(stream.layout, stream.parts)
            core = body.core(
                transfer=self._announced.transfer,
                submitter=self._submitter,
                recipient=self._intake.recipient.key_id,
                created=parse_instant(self._announced.created),
                expires=parse_instant(self._announced.expires),
            )
            # No digest of the plaintext: it would be the door's word about what it saw, and the parts have theirs.
            entry = FileEntry(name, stream.layout.plaintext_bytes, None)
            sealed = close_envelope(
                core,
                stream.data_key,
                Description("unknown", (entry,)),
                self._intake.recipient,
                self._signer,
                door=self._fingerprint,
                clear_header=stream.header,
            )
            self._line.finish(
                core.transfer,
                core.body_bytes,
                sealed.manifest,
                base64.b64encode(sealed.header).decode("ascii"),
                base64.b64encode(sealed.description).decode("ascii"),
            )
        finally:
            self._line.close()

    def drop(self) -> None:
        """Give it up: the line ends, and the gateway destroys what it has of it."""
        self.sealing.abandon()
        self._line.close()


def _must_collect(begun: Begun) -> None:
    if not begun.is_collecting:
        raise GatewayNotCollecting


def fingerprint_of(ssh_key: str) -> str:
    """`SHA256:…` of a public key line of any type."""
    digest = sha256(base64.b64decode(ssh_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")
