"""Fetching a held transfer from the gateway, sealed as it is, into the registry's spool. Nothing is opened here.

    lease (token written down first) -> manifest, header, description -> parts, each checked against its digest

What lies in the spool is ciphertext; a kill leaves whole parts, and the next run goes on with the same lease.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

import msgspec

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.envelope.manifest import Manifest, parse_manifest
from swaddle.envelope.parts import Layout
from swaddle.envelope.positioned import read_at
from swaddle.envelope.signature import Signed, sign
from swaddle.errors import IntegrityFault, NetworkFault
from swaddle.registry.keys import Keyring
from swaddle.registry.state import Transfer
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient

# Over a long line each stream waits, and after a loss it waits longer: several bring what one cannot.
LONG_LINE_S = 0.01
SHORT_LANES, LONG_LANES = 2, 8


class PartWrong(IntegrityFault):
    """A part is not what the signed manifest says."""

    code = "SWD-REG-30"
    what = "a transfer did not come whole"
    fix = "nothing was taken in; it is asked for again, and reported unreadable when that fails"


@dataclass(frozen=True)
class Held:
    """A sealed transfer in the spool: what came before the body, as it came, and where the parts lie."""

    id: str
    manifest: Signed
    header: bytes
    description: bytes
    folder: Path
    # Parts whose digest this process has compared as they came; those of an earlier run are compared when opened.
    checked: set[int] = field(default_factory=set, compare=False)

    def part_path(self, number: int) -> Path:
        """Where part `number` lies; the name is made of the number alone."""
        return self.folder / f"{number:06d}.part"

    def read_part(self, number: int, room: bytearray) -> memoryview:
        """Part `number` as it lies there, in `room`, which grows if it must and is used again for the next.

        Raises:
            DiskFault: it cannot be read.
        """
        try:
            with self.part_path(number).open("rb", buffering=0) as file:
                size_bytes = os.fstat(file.fileno()).st_size
                if len(room) < size_bytes:
                    room.extend(bytes(size_bytes - len(room)))
                view = memoryview(room)[:size_bytes]
                return view[: read_at(file.fileno(), view, 0)]
        except OSError as error:
            raise durable.disk_fault(error) from error


def new_token() -> str:
    """A lease token: 32 random bytes, base64url. The gateway is shown its digest and, while reading, the token."""
    return urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def waiting(client: GatewayClient) -> list[messages.InboxEntry]:
    """What the gateway holds for this registry, oldest first.

    An id is 32 hex digits and nothing else: it is about to name a folder of the spool.

    Raises:
        Garbled: the gateway lists something else.
    """
    inbox = messages.convert(client.get_json("/v1/inbox"), messages.Inbox)
    return sorted(inbox.transfers, key=lambda entry: (entry.created, entry.id))


def lease(client: GatewayClient, transfer: Transfer, spool: Path) -> Held:
    """Lease a transfer and keep what comes before its body; goes on with the lease of a killed call.

    Raises:
        swaddle.wire errors: the gateway was not reached, the lease is another's, reading is frozen.
    """
    folder = spool / transfer.id
    durable.make_folder(folder)
    kept = folder / "lease.json"
    if not kept.exists():
        digest = sha256(transfer.token.encode()).hexdigest()
        answer = client.post_json(f"/v1/transfers/{transfer.id}/lease", {"lease_sha256": digest})
        durable.write_file(kept, json.dumps(answer).encode())
    known = messages.convert(json.loads(kept.read_bytes()), messages.Lease)
    return Held(
        id=transfer.id,
        manifest=Signed.from_json(msgspec.to_builtins(known.manifest)),
        header=b64decode(known.header, validate=True),
        description=b64decode(known.description, validate=True),
        folder=folder,
    )


def fetch_body(client: GatewayClient, held: Held, token: str) -> None:
    """Bring the parts into the spool; those of a killed call stay.

    Raises:
        PartWrong: a part's digest is not the manifest's.
        ManifestMalformed: the manifest breaks its format.
        swaddle.wire errors: the gateway was not reached, the lease has lapsed, reading is frozen.
    """
    manifest = parse_manifest(held.manifest.message)
    layout = Layout.from_body(manifest.core.body_bytes, manifest.core.part_bytes)
    missing = SimpleQueue[int]()
    for number in range(len(manifest.core.parts)):
        if not held.part_path(number).exists():
            missing.put(number)
    lanes = min(missing.qsize(), LONG_LANES if client.round_trip_s >= LONG_LINE_S else SHORT_LANES)
    clients = [client, *(client.beside() for _ in range(lanes - 1))]
    broken = Event()

    def bring(one: GatewayClient) -> None:
        try:
            while not broken.is_set():
                fetch_part(one, held, manifest, layout, missing.get_nowait(), token)
        except Empty:
            return
        except BaseException:
            broken.set()
            for other in clients:
                other.cut()
            raise

    with ThreadPoolExecutor(max(1, lanes), "swaddle-pull") as pool:
        under_way = [pool.submit(bring, one) for one in clients[:lanes]]
    for one in clients[1:]:
        one.close()
    # The first that broke, not those that were cut for it.
    errors = [error for future in under_way if (error := future.exception()) is not None]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, NetworkFault))


def fetch_part(client: GatewayClient, held: Held, manifest: Manifest, layout: Layout, number: int, token: str) -> None:
    """One part, written under a temporary name until its digest is the manifest's."""
    temporary = held.part_path(number).with_suffix(".coming")
    digest = sha256()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:

        def take(block: memoryview) -> None:
            digest.update(block)
            durable.write_all(descriptor, block)

        expected = layout.span(number).body_bytes
        client.get_part(f"/v1/transfers/{held.id}/parts/{number}", token, expected, take)
        if digest.hexdigest() != manifest.core.parts[number]:
            raise PartWrong("a part's digest is not the one that was signed")
        os.fsync(descriptor)
    except OSError as error:
        raise durable.disk_fault(error) from error
    finally:
        os.close(descriptor)
    temporary.replace(held.part_path(number))
    durable.sync_folder(held.folder)
    held.checked.add(number)


def give_back(client: GatewayClient, transfer: str, keyring: Keyring, at: datetime) -> None:
    """End a lease without ending the transfer; signed by the statement key."""
    value = {"at": format_instant(at), "transfer": transfer}
    client.post_json(
        f"/v1/transfers/{transfer}/give-back", sign("swaddle-give-back-v1", value, keyring.statement).to_json()
    )


def acknowledge(
    client: GatewayClient,
    held: str,
    manifest_sha256: str,
    outcome: str,
    receipt: Signed,
    keyring: Keyring,
    at: datetime,
) -> None:
    """End the transfer: the reader's signed word with the receipt for the sender."""
    value = {
        "at": format_instant(at),
        "manifest_sha256": manifest_sha256,
        "outcome": outcome,
        "receipt": receipt.to_json(),
        "transfer": held,
    }
    client.post_json(
        f"/v1/transfers/{held}/acknowledgement", sign("swaddle-acknowledgement-v1", value, keyring.statement).to_json()
    )


def clear(spool: Path, transfer: str) -> None:
    """Remove a transfer's sealed pieces from the spool."""
    folder = spool / transfer
    if not folder.exists():
        return
    for path in folder.iterdir():
        durable.remove_file(path)
    folder.rmdir()
    durable.sync_folder(spool)
