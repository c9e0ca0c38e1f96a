"""What the registry says to the gateway and hears from it: claim, instructions, the journal. Outbound connections only.

docs/spec/transfer.md sections 4, 5 and 7. Nothing that the gateway says is believed without a signature or an HMAC.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from swaddle.canonical import canonical, digest_hex, format_instant, parse_instant
from swaddle.custody.entry import FIRST_PREVIOUS, Entry, is_safe
from swaddle.custody.ledger import Ledger
from swaddle.envelope.signature import PublicSigningKey, Signed, open_signed, sign
from swaddle.errors import IntegrityFault
from swaddle.registry import pins
from swaddle.registry.keys import Keyring
from swaddle.registry.state import State
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient
from swaddle.wire.enrolment import ClaimFile, RegistryKeys, claim_key, claim_proof

# What the gateway's journal calls a change, and what custody calls it.
CUSTODY_EVENT = {
    "claimed": "gateway-claimed",
    "instruction": "gateway-instructed",
    "enrolment": "enrolment-arrived",
    "announced": "transfer-announced",
    "receiving": "transfer-receiving",
    "held": "transfer-held",
    "leased": "transfer-leased",
    "given-back": "transfer-given-back",
    "lapsed": "transfer-lapsed",
    "acknowledged": "transfer-acknowledged",
    "refused": "transfer-refused",
    "expired": "transfer-expired",
    "destroyed": "copy-destroyed",
    "frozen": "gateway-frozen",
    "released": "gateway-released",
    "backed-up": "gateway-backed-up",
    "restored": "gateway-restored",
    "next-tls-key": "gateway-next-tls-key",
    "tls-key": "gateway-tls-key",
}


class JournalBroken(IntegrityFault):
    """The gateway's journal does not go on from where it was."""

    code = "SWD-REG-10"
    what = "the gateway's journal has been changed or cut"
    fix = "treat the gateway as broken into: freeze it, open an incident, and keep its disk"


class GatewayChanged(IntegrityFault):
    """The gateway answers with another journal key than the one it was claimed with."""

    code = "SWD-REG-11"
    what = "this is not the gateway that was claimed"
    fix = "check the gateway's address and pin; if both are right, treat it as broken into"


def claim(client: GatewayClient, claim_file: ClaimFile, keyring: Keyring, state: State) -> None:
    """Claim the gateway for this registry; doing it again is fine.

    Raises:
        GatewayChanged: it was claimed before and had another journal key then.
    """
    keys = RegistryKeys(keyring.certificate, keyring.pull.public, keyring.registry_id, keyring.root).to_text()
    proof = b64encode(claim_proof(claim_key(claim_file.secret), keys)).decode()
    answer = messages.convert(client.post_json("/v1/claim", {"keys": keys.decode(), "hmac": proof}), messages.Claimed)
    journal_key = answer.gateway.journal_key
    if (state.fact("journal_key") or journal_key) != journal_key:
        raise GatewayChanged("its journal key is another one")
    state.set_fact("journal_key", PublicSigningKey.from_line(journal_key).line)


def instruct(
    client: GatewayClient, keyring: Keyring, state: State, instruction: str, at: datetime, **members: object
) -> None:
    """Send one signed instruction; its sequence number is used up before it is sent."""
    value = {"at": format_instant(at), "instruction": instruction, "sequence": state.next_instruction(), **members}
    client.post_json("/v1/instructions", sign("swaddle-instruction-v1", value, keyring.statement).to_json())


def drain_journal(
    client: GatewayClient,
    keyring: Keyring,
    state: State,
    ledger: Ledger,
    now: Callable[[], datetime],
    notice: Callable[[tuple[messages.JournalEntry, ...]], None] = lambda _: None,
) -> int:
    """Move the gateway's journal into custody, checking its chain; how many entries came.

    That the gateway may forget them is an instruction, and so an entry itself: it is only said when something besides
    instructions came, or the two would keep each other awake.

    Raises:
        JournalBroken: an entry does not follow the last one that is known, or the head's signature does not hold.
    """
    drained, only_instructions = 0, 0
    while True:
        last = int(state.fact("journal_sequence") or 0)
        digest = state.fact("journal_digest") or FIRST_PREVIOUS
        page = messages.convert(client.get_json(f"/v1/journal?after={last}"), messages.JournalPage)
        head = signed_head(page, state)
        if not page.entries:
            if (head["sequence"], head["entry_sha256"]) != (last, digest):
                raise JournalBroken("its signed head is not that of the last entry in custody")
            if drained > only_instructions:
                instruct(client, keyring, state, "journal-drained", now(), through=last)
            return drained
        notice(page.entries)
        for entry in page.entries:
            if entry.sequence != last + 1 or entry.previous != digest:
                raise JournalBroken(f"entry {last + 1} is not the one that should follow")
            last, digest = last + 1, digest_hex(canonical(msgspec.to_builtins(entry)))
            keep(entry, ledger, keyring.registry_id)
            pins.note(state, entry)
            state.set_facts(journal_digest=digest, journal_sequence=str(last))
            drained += 1
            only_instructions += entry.event == "instruction"
        if head["sequence"] < last or (head["sequence"] == last and head["entry_sha256"] != digest):
            raise JournalBroken("its signed head is not of these entries")


def signed_head(page: messages.JournalPage, state: State) -> dict[str, Any]:
    """The head of the journal, signed by the key that the gateway was claimed with.

    Raises:
        JournalBroken: it is not.
    """
    key = PublicSigningKey.from_line(state.fact("journal_key") or "")
    try:
        return open_signed(Signed.from_json(msgspec.to_builtins(page.head)), "swaddle-journal-v1", [key])
    except IntegrityFault as error:
        raise JournalBroken("its head is not signed by the gateway's journal key") from error


def keep(entry: messages.JournalEntry, ledger: Ledger, registry_id: str) -> None:
    """Write one journal entry into custody, once: after a kill it is found there by its number."""
    numbers = (kept.detail["journal_sequence"] for kept in ledger.newest(entry.subject) if is_of_journal(kept))
    if next(numbers, None) == entry.sequence:  # entries are kept in order: only the last one can be this one
        return
    if entry.event not in CUSTODY_EVENT:
        raise JournalBroken("it names an event that does not exist")
    detail = {name: value for name, value in entry.detail.items() if is_safe(value)}
    detail |= {"place": "gateway", "journal_sequence": entry.sequence}
    if "sender" in detail:  # whichever side of the transfer is not the registry is the submitter it concerns
        detail["submitter"] = detail["reader"] if detail["sender"] == registry_id else detail["sender"]
    ledger.append(CUSTODY_EVENT[entry.event], entry.subject, detail, parse_instant(entry.at))


def is_of_journal(kept: Entry) -> bool:
    """Whether a custody entry is one of the gateway's journal."""
    return "journal_sequence" in kept.detail


def keys_digest(keys_text: bytes) -> str:
    """SHA-256 of the canonical text of a submitter's keys, as the enrolment statement names them."""
    return digest_hex(keys_text)
