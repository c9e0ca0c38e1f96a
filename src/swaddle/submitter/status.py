"""Where every transfer of this home is: from what was written down here, and from the gateway where it still lives."""

from __future__ import annotations

from typing import Any

import msgspec

from swaddle.canonical import parse_canonical
from swaddle.envelope.signature import Signed
from swaddle.errors import NetworkFault, NotThere
from swaddle.submitter import receipts
from swaddle.submitter.carry import TransferLost, look
from swaddle.submitter.inbox import folder_of, received
from swaddle.submitter.party import Party
from swaddle.submitter.state import Ended, Outgoing
from swaddle.wire.client import GatewayClient


def status(party: Party, client: GatewayClient, transfer: str | None = None) -> tuple[list[dict[str, Any]], bool]:
    """The `transfers` of `status --json`, oldest first, and whether the gateway could be asked.

    Raises:
        NotThere: `transfer` is not one of this home.
        NotAnId: it is no id at all.
    """
    if transfer is not None:
        folder_of(party.home, transfer)
    asked = _Asked(client)
    lines = [_of_ended(party, ended) for ended in party.state.ended()]
    lines += [_of_pending(party, asked, send) for send in party.state.pending()]
    lines.sort(key=lambda line: str(line["sent_at"]))
    if transfer is not None:
        lines = [line for line in lines if line["id"] == transfer]
        if not lines:
            raise NotThere
    return lines, asked.is_reachable


class _Asked:
    """Asks the gateway until it does not answer; then no more."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self.is_reachable = True

    def state_of(self, transfer: str) -> str | None:
        """The gateway's word for where it is; None where it cannot be asked."""
        if not self.is_reachable:
            return None
        try:
            view = look(self._client, transfer, pauses_s=())
        except TransferLost:
            return "lost"
        except NetworkFault:
            self.is_reachable = False
            return None
        return view.outcome or view.state


def _of_pending(party: Party, asked: _Asked, send: Outgoing) -> dict[str, Any]:
    state = (asked.state_of(send.transfer) if send.transfer else None) or ("held" if send.is_held else "begun")
    copies: list[dict[str, Any]] = []
    since = _held_at(party, send.transfer)
    if state != "lost" and since is not None:
        copies = [{"place": "gateway", "since": since, "until": send.expires}]
    return {
        "id": send.transfer,
        "submitter": party.submitter,
        "state": state,
        "sent_at": since or send.created,
        "expires_at": send.expires,
        "destroyed_at": None,
        "copies": copies,
        "verdict": None,
        "kind": send.kind,
        "plaintext_bytes": send.size_bytes,
        "files": send.members,
        "spooled": send.entry is not None,
        "will_be_sent_again": state == "lost",
    }


def _of_ended(party: Party, ended: Ended) -> dict[str, Any]:
    receipt = _receipt(party, ended.transfer)
    copies: list[dict[str, Any]] = []
    if ended.outcome == "stored":
        copies = [{"place": "registry", "since": ended.ended_at, "until": None}]
    return {
        "id": ended.transfer,
        "submitter": party.submitter,
        "state": ended.outcome,
        "sent_at": _held_at(party, ended.transfer) or ended.sent_at,
        "expires_at": ended.expires,
        "destroyed_at": ended.ended_at,
        "copies": copies,
        "verdict": _verdict(party, ended.transfer, receipt),
        "kind": ended.kind,
        "plaintext_bytes": ended.plaintext_bytes,
        "will_be_sent_again": False,
    }


def _verdict(party: Party, transfer: str, receipt: receipts.Receipt | None) -> dict[str, int] | None:
    """Rows stored, rejected and warned about: by the receipt where it tells, else by the report once it is opened."""
    names = ("stored", "rejected", "warnings")
    if receipt is not None and "stored" in receipt.counts:
        return {name: receipt.counts.get(name, 0) for name in names}
    for one in received(party.home):
        if one.in_reply_to == transfer and "report.json" in one.files:
            report = msgspec.json.decode((folder_of(party.home, one.transfer) / "report.json").read_bytes())
            warnings = sum(found["count"] for found in report["findings"] if found["severity"] == "warning")
            return {"stored": report["rows"]["stored"], "rejected": report["rows"]["rejected"], "warnings": warnings}
    return None


def _receipt(party: Party, transfer: str) -> receipts.Receipt | None:
    """The receipt that lies here; it was verified when it came."""
    path = party.state.receipt_path(transfer)
    if not path.exists():
        return None
    signed = Signed.from_json(msgspec.json.decode(path.read_bytes()))
    return receipts.read_receipt(transfer, parse_canonical(signed.message))


def _held_at(party: Party, transfer: str | None) -> str | None:
    """Since when the gateway has held it, by its own signed word."""
    if transfer is None or not party.state.held_path(transfer).exists():
        return None
    signed = Signed.from_json(msgspec.json.decode(party.state.held_path(transfer).read_bytes()))
    return str(parse_canonical(signed.message)["at"])
