"""Carrying one send to the gateway, from wherever it is: announce, parts, finish, held.

Before each step that others see, what is needed to repeat it is on the disk: the reference before the announcement, the
digests of parts as they get through, the sealed envelope before the finish. So a send that is killed anywhere goes on
as the same transfer, at a part boundary, with fresh nonces.
"""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection
from functools import partial

import msgspec

from swaddle.canonical import parse_instant
from swaddle.envelope import suite
from swaddle.envelope.manifest import Core, Description, FileEntry
from swaddle.envelope.parts import Layout
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.seal import close_envelope
from swaddle.errors import IntegrityFault, NetworkFault, NotThere
from swaddle.submitter import receipts
from swaddle.submitter.lanes import Lanes
from swaddle.submitter.party import Party
from swaddle.submitter.source import Plaintext, opened, sealer_of
from swaddle.submitter.spool import seal_entry
from swaddle.submitter.state import Outgoing
from swaddle.wire import messages
from swaddle.wire.client import RETRY_PAUSES_S, GatewayClient, retry
from swaddle.wire.problems import Conflict

DATA_KEY = "data-key"
NOTE_EVERY_S = 0.5  # what a killed send may have to send again, on top of the parts on their way

Progress = Callable[[str, int, int], None]


class TransferLost(NetworkFault):
    """The gateway no longer has, or never took, what was sent: it must be sent anew."""

    code = "SWD-SUB-40"
    what = "the gateway no longer has this transfer"
    why = "it expired, was lost, or could not be taken: {reason}"
    fix = "run `swaddle send` again: it is sent as a new transfer, unasked"


class TransferMet(IntegrityFault):
    """The gateway gave out a transfer id twice."""

    code = "SWD-SUB-41"
    what = "the gateway's transfer id is refused"
    why = "this home has met it before, with another data set"
    fix = "send nothing; tell the registry: its gateway is faulty or hostile"


def seal_data_key(party: Party, data_key: bytes, reference: str) -> str:
    """A data key as it lies in the home: sealed to our own pair, for this send alone."""
    info = suite.info(DATA_KEY, bytes.fromhex(reference))
    return b64encode(suite.seal(data_key, party.sealing.public.hpke, info)).decode()


def carry(party: Party, client: GatewayClient, send: Outgoing, progress: Progress) -> Outgoing:
    """Bring `send` to the gateway, whole; what it already has is not sent again.

    Raises:
        SourceGone: the file is no longer the one that it was.
        TransferLost: a new transfer is needed.
        NetworkFault: run it again.
    """
    if send.transfer is None:
        send = _announce(party, client, send)
    view = look(client, str(send.transfer))
    if view.state in {"announced", "receiving"}:
        if send.finish is None:
            send = _send_parts(party, client, send, frozenset(view.parts), progress)
        held = _finish(client, send)
    elif view.held is not None and send.finish is not None:
        held = view.held
    else:
        raise TransferLost("it is in a state that this home knows nothing of")
    receipts.keep_held(party.state, send, held.signed(), party.journal_key)
    return party.state.keep(msgspec.structs.replace(send, is_held=True))


def look(client: GatewayClient, transfer: str, pauses_s: Collection[float] = RETRY_PAUSES_S) -> messages.TransferView:
    """Where a transfer stands on the gateway; asked again after each of `pauses_s` while the line is at fault.

    Raises:
        TransferLost: the gateway knows nothing of it, or nobody has read it in time, or it was not taken.
    """
    try:
        answer = retry(lambda: client.get_json(f"/v1/transfers/{transfer}"), pauses_s)
    except NotThere as error:
        raise TransferLost("it is unknown there") from error
    view = messages.convert(answer, messages.TransferView)
    if view.outcome == "not-taken" or view.state == "refused":
        raise TransferLost("it was not taken")
    if view.outcome == "expired" or view.state == "expired":
        raise TransferLost("nobody read it in time")
    return view


def _announce(party: Party, client: GatewayClient, send: Outgoing) -> Outgoing:
    if parse_instant(send.expires) <= party.now():
        raise TransferLost("its time was over before it was announced")
    announcement = {
        "reference": b64encode(bytes.fromhex(send.reference)).decode(),
        "recipient": send.recipient["key_id"],
        "body_bytes": send.body_bytes,
        "part_bytes": send.part_bytes,
        "expires": send.expires,
    }
    try:
        answer = messages.convert(retry(lambda: client.post_json("/v1/transfers", announcement)), messages.Announced)
    except Conflict as error:
        raise TransferLost("it was announced before and is over") from error
    if party.state.is_met(answer.id, send.reference):
        raise TransferMet
    if parse_instant(answer.expires) > parse_instant(send.expires):
        raise messages.Garbled("it wants to keep a transfer for longer than was said")
    return party.state.keep(msgspec.structs.replace(send, transfer=answer.id, expires=answer.expires))


def _send_parts(
    party: Party, client: GatewayClient, send: Outgoing, there: frozenset[int], progress: Progress
) -> Outgoing:
    """Seal and send what the gateway does not have, then close the envelope and write it down."""
    layout = Layout(send.size_bytes, send.part_bytes)
    kept = 0
    while kept < len(send.parts) and kept in there:
        kept += 1
    send = msgspec.structs.replace(send, parts=send.parts[:kept])
    info = suite.info(DATA_KEY, bytes.fromhex(send.reference))
    data_key = party.sealing.open_sealed(b64decode(send.data_key, validate=True), info)
    with opened(party, send) as plaintext:
        plaintext.start(layout.span(kept).plaintext_offset if kept < layout.parts else layout.plaintext_bytes)
        send = _in_lanes(party, client, send, data_key, plaintext, progress)
        progress("sending", layout.plaintext_bytes, layout.plaintext_bytes)
        entry = plaintext.end()
        send = msgspec.structs.replace(send, left_out=plaintext.left_out())
        if send.spool is not None and not send.entry:
            send = msgspec.structs.replace(send, entry=seal_entry(party.sealing, send, entry))
    return _close(party, send, data_key, entry)


def _in_lanes(
    party: Party, client: GatewayClient, send: Outgoing, data_key: bytes, plaintext: Plaintext, progress: Progress
) -> Outgoing:
    """Seal part after part and send them side by side; which have got through is written down as it goes."""
    layout = Layout(send.size_bytes, send.part_bytes)
    noted = time.monotonic()
    with Lanes(client, client.beside, partial(sealer_of, party, send, data_key), send.part_bytes) as lanes:
        try:
            for n in range(len(send.parts), layout.parts):
                sealer = lanes.sealer()
                span = layout.span(n)
                progress("sending", span.plaintext_offset, layout.plaintext_bytes)
                part = sealer.seal(plaintext, span.plaintext_offset, span.plaintext_bytes, plaintext.take)
                lanes.send(n, f"/v1/transfers/{send.transfer}/parts/{n}", part, sealer)
                if time.monotonic() - noted >= NOTE_EVERY_S:
                    send = party.state.keep(msgspec.structs.replace(send, parts=lanes.through(send.parts)))
                    noted = time.monotonic()
            lanes.finish()
        finally:
            send = party.state.keep(msgspec.structs.replace(send, parts=lanes.through(send.parts)))
    return send


def _close(party: Party, send: Outgoing, data_key: bytes, entry: FileEntry) -> Outgoing:
    """Seal header and description, sign the manifest, and write all down: a repeated finish must be the same finish."""
    if parse_instant(send.seal_until) <= party.now():
        raise TransferLost("the time to seal to the registry's key is over")
    layout = Layout(send.size_bytes, send.part_bytes)
    core = Core(
        transfer=str(send.transfer),
        submitter=party.submitter,
        recipient=send.recipient["key_id"],
        created=parse_instant(send.created),
        expires=parse_instant(send.expires),
        body_bytes=layout.body_bytes,
        segments=layout.segments,
        part_bytes=layout.part_bytes,
        parts=send.parts,
    )
    description = Description(
        send.kind, (entry,), send.row_count, send.subject_count, send.dictionary_version, members=send.members
    )
    sealed = close_envelope(core, data_key, description, SealingPublic.from_json(send.recipient), party.signing)
    finish = messages.Finish(
        manifest=messages.SignedText.of(sealed.manifest),
        header=b64encode(sealed.header).decode(),
        description=b64encode(sealed.description).decode(),
    )
    return party.state.keep(msgspec.structs.replace(send, finish=finish))


def _finish(client: GatewayClient, send: Outgoing) -> messages.SignedText:
    """Tell the gateway that this was all; its signed word that it holds the transfer."""
    path = f"/v1/transfers/{send.transfer}/finish"
    body = msgspec.to_builtins(send.finish)
    answer = retry(lambda: client.post_json(path, body, timeout_s=300))
    return messages.convert(answer, messages.SignedText)
