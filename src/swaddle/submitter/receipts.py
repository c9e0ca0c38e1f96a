"""What a submitter keeps as proof: the gateway's held statement and the registry's receipt, verified, then kept.

Both files hold a signed statement as it came: `jq -rj .message` and `.signature` of it are what `ssh-keygen -Y verify`
takes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from swaddle.canonical import digest_hex
from swaddle.envelope.signature import HELD, RECEIPT, PublicSigningKey, Signed, open_signed
from swaddle.errors import IntegrityFault
from swaddle.submitter.state import Outgoing, State, write_json
from swaddle.wire import messages
from swaddle.wire.statements import HeldStatement

OUTCOME_OF_EVENT = {
    "submission-stored": "stored",
    "submission-refused": "refused",
    "submission-unreadable": "unreadable",
}
COUNTS = ("read", "stored", "rejected", "duplicates", "warnings")


class HeldStatementWrong(IntegrityFault):
    """The gateway's statement is about something else."""

    code = "SWD-SUB-30"
    what = "the gateway's statement that it holds the transfer is refused"
    why = "it is about another transfer, or about other bytes than were sent"
    fix = "tell the registry; the transfer is repeated by the next run"


class ReceiptWrong(IntegrityFault):
    """The receipt is about something else."""

    code = "SWD-SUB-31"
    what = "the receipt is refused"
    why = "it is about another transfer, or it is not a receipt"
    fix = "keep your file and tell the registry; nothing is erased here"


@dataclass(frozen=True)
class Receipt:
    """The registry's signed word on a transfer.

    Attributes:
        at: when the registry wrote it.
        outcome: `stored`, `refused` or `unreadable`.
        counts: what it says of rows: `read`, `stored`, `rejected`, `duplicates`, `warnings`, as far as it says so.
        manifest_sha256: of the manifest that the registry read, if it says so.
    """

    at: str
    outcome: str
    counts: dict[str, int]
    manifest_sha256: str | None


def keep_held(state: State, send: Outgoing, signed: Signed, journal_key: PublicSigningKey) -> HeldStatement:
    """Verify a held statement against what was sent and keep it.

    Raises:
        HeldStatementWrong, WrongSigner, SignatureInvalid: it is not the gateway's word on this transfer.
    """
    held = messages.convert(open_signed(signed, HELD, [journal_key]), HeldStatement)
    is_ours = (
        send.transfer is not None
        and send.finish is not None
        and held.transfer == send.transfer
        and held.body_bytes == send.body_bytes
        and held.manifest_sha256 == digest_hex(send.finish.manifest.message.encode())
    )
    if not is_ours:
        raise HeldStatementWrong
    write_json(state.held_path(held.transfer), signed.to_json())
    return held


def keep_receipt(state: State, send: Outgoing, signed: Signed, keys: Collection[PublicSigningKey]) -> Receipt:
    """Verify a receipt against what was sent and keep it.

    Raises:
        ReceiptWrong, WrongSigner, SignatureInvalid: it is not the registry's word on this transfer.
    """
    entry = open_signed(signed, RECEIPT, keys)
    receipt = read_receipt(str(send.transfer), entry)
    if send.finish is None or receipt.manifest_sha256 not in {None, digest_hex(send.finish.manifest.message.encode())}:
        raise ReceiptWrong
    write_json(state.receipt_path(str(send.transfer)), signed.to_json())
    return receipt


def read_receipt(transfer: str, entry: dict[str, Any]) -> Receipt:
    """What the content of a verified receipt says.

    Raises:
        ReceiptWrong: it is about another transfer, or is no receipt.
    """
    outcome = OUTCOME_OF_EVENT.get(str(entry.get("event")))
    if entry.get("subject") != transfer or outcome is None:
        raise ReceiptWrong
    detail = entry.get("detail")
    said = detail if isinstance(detail, dict) else {}
    digest = said.get("manifest_sha256")
    return Receipt(
        at=str(entry.get("at")),
        outcome=outcome,
        counts={name: said[name] for name in COUNTS if type(said.get(name)) is int},
        manifest_sha256=None if digest is None else str(digest),
    )
