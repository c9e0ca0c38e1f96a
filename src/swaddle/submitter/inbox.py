"""What the registry sends back: leased, opened, checked and unpacked here, then acknowledged.

The only place of a submitter that opens anything. What came is believed only when the registry's statement key signed
it; it lands under names that we made (`HOME/inbox/TRANSFER/report.html` and so on), never under names from outside.
Each step can be killed: the lease's token is written down before the lease, the files before the acknowledgement, and
the acknowledgement before it is sent.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec

from swaddle import durable
from swaddle.canonical import digest_hex, format_instant, parse_instant
from swaddle.envelope.manifest import Manifest
from swaddle.envelope.refusals import DescriptionMalformed, NotInForce, Replayed, WrongSigner
from swaddle.envelope.signature import ACKNOWLEDGEMENT, sign
from swaddle.envelope.unseal import BodyOpener, Opened, check_envelope, open_envelope
from swaddle.errors import IntegrityFault, NotThere, SwaddleError, UsageFault
from swaddle.feedback.bundle import LARGEST_BUNDLE_BYTES, NotABundle, unpack
from swaddle.submitter import asked_again, trust
from swaddle.submitter.about import ORDER, About, about, folder_name
from swaddle.submitter.lock import only_one
from swaddle.submitter.party import Party
from swaddle.submitter.state import read_record, write_record
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient, retry

FEEDBACK = "feedback"
# The gateway freezes a reader at the fifth lease of one transfer; whatever is wrong does not get better by then.
MOST_LEASES = 3
ALERTS_SHOWN = timedelta(days=7)
_ID = re.compile(r"[0-9a-f]{32}")


class NotAnId(UsageFault):
    """What was given is no transfer id."""

    code = "SWD-SUB-50"
    what = "this is not the id of a transfer"
    why = "an id has 32 digits, 0 to 9 and a to f"
    fix = "`swaddle inbox` lists what waits, `swaddle status` what was sent"


class TooOften(IntegrityFault):
    """It was leased and not opened several times."""

    code = "SWD-SUB-51"
    what = "this transfer could not be opened, several times over"
    why = "each time something in it did not hold, or the reading was cut off"
    fix = "tell the registry; it can send it again"


class KindUnknown(IntegrityFault):
    """It is something that this version cannot unpack."""

    code = "SWD-SUB-52"
    what = "this transfer is of a kind that this version of Swaddle does not know"
    why = "it is no feedback report"
    fix = "update Swaddle, then run the same command again"


class Lease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Written down before the gateway hears of it.

    Attributes:
        times: leases begun with it, and times that something in what came did not hold.
        until: when the lease ends; empty before it is given.
    """

    token: str
    times: int = 0
    until: str = ""

    def more(self) -> Lease:
        """One time more."""
        return msgspec.structs.replace(self, times=self.times + 1)


class Received(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that was opened here.

    Attributes:
        acknowledgement: signed; sent again until the gateway has taken it.
    """

    transfer: str
    kind: str
    in_reply_to: str | None
    opened_at: str
    files: tuple[str, ...]
    acknowledgement: messages.SignedText
    is_acknowledged: bool = False


@dataclass(frozen=True)
class Got:
    """What was fetched, what it is about, and where its files lie."""

    one: Received
    about: About
    folder: Path


def waiting(client: GatewayClient) -> tuple[messages.InboxEntry, ...]:
    """What waits on the gateway for this submitter, oldest first."""
    return messages.convert(retry(lambda: client.get_json("/v1/inbox")), messages.Inbox).transfers


def received(home: Path) -> list[Received]:
    """What was opened here, oldest first."""
    found = [read_record(path, Received) for path in (home / "inbox").glob("*/received.json")]
    return sorted(found, key=lambda one: (one.opened_at, one.transfer))


def folder_of(home: Path, transfer: str) -> Path:
    """Where a received transfer lies.

    Raises:
        NotAnId: `transfer` could be something else than an id.
    """
    if not _ID.fullmatch(transfer):
        raise NotAnId
    return home / "inbox" / transfer


def get(party: Party, client: GatewayClient, transfer: str, out: Path | None = None) -> Received:
    """Fetch, open and acknowledge one transfer; again for one that is here already.

    Args:
        party: the submitter.
        client: of its gateway.
        transfer: its id.
        out: a folder that gets a copy of the files.

    Raises:
        NotThere: there is no such transfer for us.
        Frozen: reading is frozen on the gateway.
        EnvelopeRefused, NotABundle, TooOften, KindUnknown: it is not used, and not acknowledged.
    """
    folder = folder_of(party.home, transfer)
    with only_one(party.home / "inbox.lock"):
        done = folder / "received.json"
        if not done.exists():
            _fetch(party, client, transfer, folder)
        durable.remove_file(folder / "lease.json")  # the token has done its work
        one = read_record(done, Received)
        if not one.is_acknowledged:
            one = _acknowledge(client, one, done)
    if out is not None:
        _copy(one, folder, out)
    return one


def about_of(home: Path, one: Received) -> About:
    """What a received transfer is about."""
    path = folder_of(home, one.transfer) / "report.json"
    return about(path.read_bytes() if "report.json" in one.files and path.exists() else None)


def fresh_alerts(party: Party) -> list[tuple[Received, About]]:
    """Alerts that were opened here within the last week, newest first."""
    since = format_instant(party.now() - ALERTS_SHOWN)
    here = [(one, about_of(party.home, one)) for one in received(party.home) if one.opened_at >= since]
    return [each for each in reversed(here) if each[1].kind == "alert"]


def get_all(party: Party, client: GatewayClient, out: Path | None = None) -> tuple[list[Got], SwaddleError | None]:
    """Fetch, open and acknowledge everything that waits; alerts first, then months, then answers, each oldest first.

    One that cannot be used does not hold up the others: the first such error comes back beside them.

    Args:
        party: the submitter.
        client: of its gateway.
        out: a folder that gets a folder for each, `swaddle-report-2026-10` and the like.
    """
    got: list[Got] = []
    fault: SwaddleError | None = None
    for entry in waiting(client):
        try:
            one = get(party, client, entry.id)
        except (IntegrityFault, NotThere) as error:
            fault = fault or error
            continue
        got.append(Got(one, about_of(party.home, one), folder_of(party.home, one.transfer)))
    got.sort(key=lambda each: ORDER.index(each.about.kind))
    return [each if out is None else _laid_out(each, out) for each in got], fault


def _laid_out(each: Got, out: Path) -> Got:
    """The same files in a folder that a person can find again."""
    taken = {path.name for path in out.iterdir()} if out.exists() else set()
    folder = out / folder_name(each.about, each.one.transfer, taken)
    _copy(each.one, each.folder, folder)
    return Got(each.one, each.about, folder)


def _copy(one: Received, source: Path, out: Path) -> None:
    durable.make_folder(out)
    for name in one.files:
        durable.write_file(out / name, (source / name).read_bytes())


def answer_to(party: Party, client: GatewayClient, transfer: str) -> Path:
    """The folder of the newest feedback on `transfer`; what waits is opened to find it.

    Raises:
        NotThere: there is none yet.
    """
    folder_of(party.home, transfer)
    for entry in waiting(client):
        get(party, client, entry.id)
    answers = [one for one in received(party.home) if one.in_reply_to == transfer]
    if not answers:
        raise NotThere
    return folder_of(party.home, answers[-1].transfer)


def _fetch(party: Party, client: GatewayClient, transfer: str, folder: Path) -> None:
    """Lease, check, open, unpack; the record is written last and says that all of it is there."""
    note = folder / "lease.json"
    lease = read_record(note, Lease) if note.exists() else Lease(token=_token())
    if lease.times >= MOST_LEASES:
        raise TooOften
    if not lease.until or parse_instant(lease.until) <= party.now():
        lease = lease.more()
        write_record(note, lease)
    given = _lease(client, transfer, lease.token)
    write_record(note, msgspec.structs.replace(lease, until=given.expires))
    try:
        opened, files = _open(party, client, transfer, given, lease.token)
    except IntegrityFault:
        write_record(note, lease.more())
        raise
    for name, data in files.items():
        durable.write_file(folder / name, data)
    asked_again.take(party.home, party.state, files.get("report.json"))
    statement = {
        "at": format_instant(party.now()),
        "manifest_sha256": digest_hex(given.manifest.message.encode()),
        "outcome": "stored",
        "receipt": None,
        "transfer": transfer,
    }
    write_record(
        folder / "received.json",
        Received(
            transfer=transfer,
            kind=opened.description.kind,
            in_reply_to=opened.description.in_reply_to,
            opened_at=format_instant(party.now()),
            files=tuple(files),
            acknowledgement=messages.SignedText.of(sign(ACKNOWLEDGEMENT, statement, party.signing)),
        ),
    )


def _open(
    party: Party, client: GatewayClient, transfer: str, given: messages.Lease, token: str
) -> tuple[Opened, dict[str, bytes]]:
    """What was sent, opened and unpacked, once all of it holds."""
    header, description = b64decode(given.header), b64decode(given.description)
    try:
        manifest = _checked(party, transfer, given)
    except (WrongSigner, NotInForce):  # the registry may have a new statement key, under the same root
        trust.ask(client, party.home, party.settings.root, party.now())
        manifest = _checked(party, transfer, given)
    opened = open_envelope(manifest, header, description, {party.sealing.public.key_id: party.sealing})
    if opened.description.kind != FEEDBACK:
        raise KindUnknown
    return opened, unpack(memoryview(_body(client, opened, token)))


def _lease(client: GatewayClient, transfer: str, token: str) -> messages.Lease:
    question = {"lease_sha256": sha256(token.encode("ascii")).hexdigest()}
    answer = retry(lambda: client.post_json(f"/v1/transfers/{transfer}/lease", question))
    return messages.convert(answer, messages.Lease)


def _checked(party: Party, transfer: str, given: messages.Lease) -> Manifest:
    """All that can be known before opening: the registry signed it, for us, as this transfer.

    Raises:
        EnvelopeRefused: it did not.
    """
    seen = {one.transfer for one in received(party.home)}
    keys = trust.statement_keys(party.home, party.settings.root, party.now())
    manifest = check_envelope(
        given.manifest.signed(), b64decode(given.header), b64decode(given.description), keys, seen
    )
    registry = trust.known_intake(party.home)
    if registry is None or manifest.core.submitter != registry.registry:
        raise WrongSigner
    if manifest.core.transfer != transfer:
        raise Replayed
    return manifest


def _body(client: GatewayClient, opened: Opened, token: str) -> bytearray:
    """The opened body, in memory: a report and its rejected rows, capped.

    Raises:
        NotABundle: it is longer than any feedback.
        EnvelopeRefused: a part is not the one that was signed.
        DescriptionMalformed: the body is another one than it describes.
    """
    core = opened.manifest.core
    layout = core.layout
    if layout.plaintext_bytes > LARGEST_BUNDLE_BYTES:
        raise NotABundle("it is larger than 1 GiB")
    opener, plaintext = BodyOpener(opened), bytearray()
    for n in range(layout.parts):
        sealed = bytearray()
        path = f"/v1/transfers/{core.transfer}/parts/{n}"
        _part(client, path, token, layout.span(n).body_bytes, sealed)
        opener.open_part(n, sealed, plaintext.extend)
    opener.finish()
    if [entry.sha256 for entry in opened.description.files] != [sha256(plaintext).hexdigest()]:
        raise DescriptionMalformed("it tells of another file than the body holds")
    return plaintext


def _part(client: GatewayClient, path: str, token: str, length: int, sealed: bytearray) -> None:
    def again() -> None:
        sealed.clear()
        client.get_part(path, token, length, sealed.extend)

    retry(again)


def _acknowledge(client: GatewayClient, one: Received, path: Path) -> Received:
    """Tell the gateway that it may destroy its copy; what it no longer knows is as good."""
    try:
        body = msgspec.to_builtins(one.acknowledgement)
        retry(lambda: client.post_json(f"/v1/transfers/{one.transfer}/acknowledgement", body))
    except NotThere:
        pass  # it expired meanwhile, or forgot that it was acknowledged: its copy is gone
    acknowledged = msgspec.structs.replace(one, is_acknowledged=True)
    write_record(path, acknowledged)
    return acknowledged


def _token() -> str:
    """32 random bytes as base64url; the gateway sees its digest, and while bytes are read the token."""
    return urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
