"""The SFTP door's end of the line to the gateway, without SFTP: real sealing, a real socket, real descriptors."""

import base64
import os
import secrets
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from swaddle.canonical import parse_instant
from swaddle.envelope.manifest import Core, Description, FileEntry
from swaddle.envelope.parts import Layout, sealed_bytes
from swaddle.envelope.positioned import write_at
from swaddle.envelope.seal import PartSealer, close_envelope, new_data_key
from swaddle.envelope.signature import SigningKey
from swaddle.gateway.door import DoorServer
from swaddle.wire.door import DoorLine

SEGMENT = 65_536


def ssh_key(kind="ed25519"):
    """A new SSH public key line."""
    if kind == "ed25519":
        return SigningKey.generate().public.line
    made = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    return made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def fingerprint(line):
    digest = sha256(base64.b64decode(line.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class Door:
    """A door process as the gateway sees it: two keys and lines."""

    def __init__(self, path):
        self.path = Path(path)
        self.key = SigningKey.generate()
        self.host_key = ssh_key()

    def line(self, ssh=None):
        """A connection; logged in where a key is given."""
        made = DoorLine(self.path)
        made.hello(self.key.public, self.host_key)
        if ssh is not None:
            made.begun = made.begin(ssh)
        return made

    def seal(self, line, ssh, content, recipient, part_bytes=SEGMENT, name="file.csv", **changes):
        """Everything up to `finish`: (transfer, arguments of finish)."""
        announced = line.announce(base64.b64encode(secrets.token_bytes(16)).decode(), recipient.key_id, part_bytes)
        layout = Layout.from_body(sealed_bytes(len(content)), part_bytes)
        data_key, digests = new_data_key(), []
        with tempfile.TemporaryFile() as file, PartSealer(data_key, part_bytes) as sealer:
            file.write(content)
            file.flush()
            for number in range(layout.parts):
                span = layout.span(number)
                sealed = sealer.seal(file.fileno(), span.plaintext_offset, span.plaintext_bytes)
                descriptor = line.part(announced.transfer, number)
                write_at(descriptor, sealed.data, 0)
                os.close(descriptor)
                digests.append(sealed.sha256.hex())
                line.keep(announced.transfer, number, len(sealed.data), digests[-1])
        core = Core(
            transfer=announced.transfer, submitter=line.begun.submitter, recipient=recipient.key_id,
            created=parse_instant(announced.created), expires=parse_instant(announced.expires),
            body_bytes=layout.body_bytes, segments=layout.segments, part_bytes=part_bytes, parts=tuple(digests),
        )  # fmt: skip
        entry = FileEntry(name, len(content), sha256(content).hexdigest())
        sealed = close_envelope(
            core, data_key, Description("unknown", (entry,)), recipient,
            changes.get("signer", self.key), changes.get("door", fingerprint(ssh)),
        )  # fmt: skip
        b64 = base64.b64encode
        return announced.transfer, (
            announced.transfer, layout.body_bytes, sealed.manifest,
            b64(sealed.header).decode(), b64(sealed.description).decode(),
        )  # fmt: skip

    def bring(self, line, ssh, content, recipient, **more):
        """A whole file, held; its transfer."""
        transfer, finish = self.seal(line, ssh, content, recipient, **more)
        line.finish(*finish)
        return transfer


@contextmanager
def door_of(gateway):
    """A socket of this gateway, and a door at it; the gateway's settings name the socket."""
    with DoorServer(gateway):
        yield Door(gateway.settings.door_socket)
