"""Sending something sealed through the gateway to one recipient: a report to its submitter.

    seal into the outbox -> announce -> parts -> finish -> held

Everything of a delivery lies in one folder of the outbox, sealed; a kill anywhere is made good by calling again. One
that was killed before its envelope was closed starts anew (its data key is gone with the process, and what it announced
expires, empty); later ones go on. The folder goes when the gateway holds the transfer.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import canonical, format_instant, parse_instant
from swaddle.envelope.manifest import Core, Description, FileEntry
from swaddle.envelope.parts import PART_BYTES, Layout
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.seal import PartSealer, close_envelope, new_data_key
from swaddle.envelope.signature import SigningKey
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient

SENDING = frozenset({"announced", "receiving"})
BUNDLE_NAME = "feedback.tar"


def deliver(
    bundle: bytes,
    *,
    answers: str,
    folder: Path,
    sender: str,
    recipient: SealingPublic,
    signer: SigningKey,
    client: GatewayClient,
    expires: datetime,
    now: datetime,
) -> str:
    """Seal `bundle` to `recipient` and bring it to the gateway; the transfer's id once the gateway holds it.

    Args:
        bundle: what feedback.bundle packed; not used again once its sealed copy lies in the folder.
        answers: the transfer that it answers.
        folder: the delivery's folder in the outbox.
        sender: the registry's id.
        recipient: the submitter's sealing pair, public half.
        signer: the statement key.
        client: signs requests with the pull key.
        expires: at most 14 days from `now`.
        now: the present.

    Raises:
        swaddle.wire errors: not delivered yet; call again.
    """
    durable.make_folder(folder)
    layout = Layout(len(bundle), PART_BYTES)
    sealed = folder / "sealed.json"
    wanted: dict[str, Any] | None = json.loads(sealed.read_bytes()) if sealed.exists() else None
    if wanted is not None and parse_instant(wanted["announced"]["expires"]) > now:
        transfer = wanted["transfer"]
        announced = wanted["announced"]
    else:
        announced = {
            "reference": b64encode(secrets.token_bytes(16)).decode(),
            "recipient": recipient.key_id,
            "body_bytes": layout.body_bytes,
            "part_bytes": layout.part_bytes,
            "expires": format_instant(expires),
        }
        transfer = messages.convert(client.post_json("/v1/transfers", announced), messages.Announced).id
        wanted = _seal(bundle, layout, folder, transfer, sender, answers, recipient, signer, now, expires)
        wanted |= {"transfer": transfer, "announced": announced}
        durable.write_file(sealed, canonical(wanted))
    client.post_json("/v1/transfers", announced)
    if str(client.get_json(f"/v1/transfers/{transfer}")["state"]) in SENDING:
        for number, digest in enumerate(wanted["parts"]):
            data = (folder / f"{number:06d}.part").read_bytes()
            client.put_part(f"/v1/transfers/{transfer}/parts/{number}", memoryview(data), bytes.fromhex(digest))
        finish = {name: wanted[name] for name in ("manifest", "header", "description")}
        client.post_json(f"/v1/transfers/{transfer}/finish", finish)
    return str(transfer)


def _seal(
    bundle: bytes,
    layout: Layout,
    folder: Path,
    transfer: str,
    sender: str,
    answers: str,
    recipient: SealingPublic,
    signer: SigningKey,
    now: datetime,
    expires: datetime,
) -> dict[str, Any]:
    """Write the sealed parts into the folder; what is needed for finish."""
    data_key = new_data_key()
    digests = []
    source = os.memfd_create("feedback", os.MFD_CLOEXEC)
    try:
        durable.write_all(source, bundle)
        with PartSealer(data_key, layout.part_bytes, threads=1) as sealer:
            for number in range(layout.parts):
                span = layout.span(number)
                part = sealer.seal(source, span.plaintext_offset, span.plaintext_bytes)
                durable.write_file(folder / f"{number:06d}.part", part.data)
                digests.append(part.sha256.hex())
    finally:
        os.close(source)
    core = Core(
        transfer=transfer,
        submitter=sender,
        recipient=recipient.key_id,
        created=now,
        expires=expires,
        body_bytes=layout.body_bytes,
        segments=layout.segments,
        part_bytes=layout.part_bytes,
        parts=tuple(digests),
    )
    description = Description(
        kind="feedback",
        files=(FileEntry(BUNDLE_NAME, len(bundle), sha256(bundle).hexdigest()),),
        row_count=None,
        subject_count=None,
        dictionary_version=None,
        in_reply_to=answers,
    )
    sealed = close_envelope(core, data_key, description, recipient, signer)
    return {
        "manifest": sealed.manifest.to_json(),
        "header": b64encode(sealed.header).decode(),
        "description": b64encode(sealed.description).decode(),
        "parts": digests,
    }


def clear(folder: Path) -> None:
    """Remove a delivery's folder from the outbox; the gateway holds what was in it."""
    if not folder.exists():
        return
    for path in folder.iterdir():
        durable.remove_file(path)
    folder.rmdir()
    durable.sync_folder(folder.parent)
