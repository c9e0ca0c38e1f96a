"""What the SFTP door may do in a submitter's name: announce, keep a part, finish, drop. Operations on the index.

Every one checks anew that the SSH key is still enrolled, so a revocation is in force with the next question. The length
of a body is known at its end only: quota, limit and disk are looked at with each part.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from swaddle.canonical import format_instant, parse_instant
from swaddle.envelope.parts import sealed_bytes
from swaddle.envelope.signature import PublicSigningKey
from swaddle.gateway import journal, quotas, rows, sending, trust
from swaddle.gateway.access import Kind, Who, must_send
from swaddle.gateway.index import Index, seconds
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import ENDED, SENDING, Event
from swaddle.wire.door_messages import Begun, DoorAnnounce, DoorAnnounced, DoorFinish, Keep
from swaddle.wire.messages import DoorKeys, Finish, SignedText
from swaddle.wire.statements import DoorSubmitter

COLLECTED, DOOR_KEY, HOST_KEY = "collected", "door_key", "door_host_key"
COLLECTED_STEP = timedelta(minutes=1)  # how exactly it is remembered when the registry last came


@dataclass(frozen=True)
class Guest:
    """Whose SSH key logged in at the door."""

    submitter: str
    ssh_key: str

    @property
    def who(self) -> Who:
        """As the rows know it."""
        return Who(Kind.SUBMITTER, self.submitter)


def fingerprint_of(ssh_key: str) -> str:
    """`SHA256:…` of a line `type base64`, as `ssh-keygen -l` prints it.

    Raises:
        Refusal: `malformed`.
    """
    kind, _, text = ssh_key.partition(" ")
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refusal("malformed") from None
    # The type stands in the key too; a line that says another one is no key.
    if blob[:4] != len(kind).to_bytes(4, "big") or blob[4 : 4 + len(kind)] != kind.encode():
        raise Refusal("malformed")
    return "SHA256:" + base64.b64encode(sha256(blob).digest()).decode("ascii").rstrip("=")


def hello(index: Index, door_key: str, host_key: str) -> None:
    """Keep what the door is known by; the registry asks for it with the counts.

    Raises:
        Refusal: `malformed`.
    """
    fingerprint_of(door_key)
    fingerprint_of(host_key)
    for name, value in ((DOOR_KEY, door_key), (HOST_KEY, host_key)):
        if index.fact(name) != value:
            index.set_fact(name, value)


def begin(index: Index, ssh_key: str) -> tuple[Guest, Begun]:
    """Who logged in, and what to seal to.

    Raises:
        Refusal: `not-found` for a key that is not enrolled, or while the registry has no intake key.
    """
    fingerprint = fingerprint_of(ssh_key)
    row = index.row("SELECT submitter, ssh_key FROM door_keys WHERE fingerprint = ?", fingerprint)
    if row is None or row["ssh_key"] != ssh_key:
        raise Refusal("not-found")
    guest = Guest(row["submitter"], fingerprint)
    must_be_enrolled(index, guest)
    root = index.fact("root")
    if root is None:
        raise Refusal("not-found")
    return guest, Begun(
        submitter=guest.submitter,
        certificate=trust.certificate_text(index),
        intake=trust.intake_text(index),
        root=root,
        is_collecting=is_collecting(index),
    )


def take_keys(index: Index, instruction: DoorSubmitter) -> None:
    """Let these SSH keys in for a submitter, and none but these.

    Raises:
        Refusal: `refused` when one is another submitter's; `malformed`.
    """
    keys = {fingerprint_of(key): key for key in instruction.ssh_keys}
    for fingerprint in keys:
        row = index.row("SELECT submitter FROM door_keys WHERE fingerprint = ?", fingerprint)
        if row is not None and row["submitter"] != instruction.submitter:
            raise Refusal("refused", reason="that key is in use")
    index.write("DELETE FROM door_keys WHERE submitter = ?", instruction.submitter)
    for fingerprint, key in keys.items():
        index.write("INSERT INTO door_keys VALUES (?, ?, ?)", fingerprint, instruction.submitter, key)
    index.reload()


def must_be_enrolled(index: Index, guest: Guest) -> None:
    """The key may still come in.

    Raises:
        Refusal: `not-found`.
    """
    row = index.row("SELECT submitter FROM door_keys WHERE fingerprint = ?", guest.ssh_key)
    if row is None or row["submitter"] != guest.submitter or guest.submitter in index.revoked:
        raise Refusal("not-found")


def is_collecting(index: Index) -> bool:
    """Whether the registry asked for its inbox within the last day (a setting)."""
    last = index.fact(COLLECTED)
    return last is not None and index.now() - parse_instant(last) <= timedelta(
        seconds=index.settings.collecting_seconds
    )


def note_collected(index: Index) -> None:
    """The registry asks for its inbox now; written down once a minute."""
    last = index.fact(COLLECTED)
    now = index.now()
    if last is None or not timedelta(0) <= now - parse_instant(last) < COLLECTED_STEP:
        index.set_fact(COLLECTED, format_instant(now))


def announce(index: Index, guest: Guest, message: DoorAnnounce, free_bytes: int) -> DoorAnnounced:
    """The transfer of this reference, made now or before.

    Raises:
        Refusal: `not-found`, `not-collecting`, `refused` with the reason, `busy` at the quota, `full`, `conflict`.
    """
    must_be_enrolled(index, guest)
    reference = sha256(base64.b64decode(message.reference)).hexdigest()
    known = rows.find_by_reference(index, guest.submitter, reference)
    if known is not None:
        if known.state in ENDED or (message.recipient, message.part_bytes) != (known.recipient, known.part_bytes):
            raise Refusal("conflict", state=known.state.value)
        return DoorAnnounced(known.id, format_instant(known.created), format_instant(known.expires))
    if not is_collecting(index):
        raise Refusal("not-collecting")
    now = index.now()
    epoch = trust.epoch_of(index, message.recipient)
    if epoch is None or now > epoch.seal_until:
        raise Refusal("refused", reason="not an intake key that is sealed to now")
    expires = min(now + timedelta(seconds=index.settings.door_seconds), epoch.destroy_by)
    _must_have_room(index, guest, 0, free_bytes, is_new=True)
    transfer = index.new_id()
    reader = trust.registry_id(index)
    index.write(
        "INSERT INTO transfers (id, reference_sha256, sender, reader, state, created, expires, forget_at, recipient,"
        " body_bytes, part_bytes, door) VALUES (?, ?, ?, ?, 'announced', ?, ?, ?, ?, 0, ?, ?)",
        transfer, reference, guest.submitter, reader, seconds(now), seconds(expires),
        seconds(expires) + index.settings.tombstone_seconds, message.recipient, message.part_bytes, guest.ssh_key,
    )  # fmt: skip
    journal.append(
        index, "announced", transfer,
        sender=guest.submitter, reader=reader, recipient=message.recipient, body_bytes=0,
        expires=format_instant(expires), door=guest.ssh_key,
    )  # fmt: skip
    return DoorAnnounced(transfer, format_instant(now), format_instant(expires))


def must_take_part(index: Index, guest: Guest, transfer: str, number: int, free_bytes: int) -> int:
    """How long part `number` may be, before a byte of it is written.

    Raises:
        Refusal: `not-found`, `conflict`, `too-large`, `busy` at the quota, `full`.
    """
    row = _own(index, guest, transfer)
    most = sealed_bytes(row.part_bytes)
    if number >= sending.MOST_PARTS or row.body_bytes + 1 > index.settings.body_bytes:
        raise Refusal("too-large")
    _must_have_room(index, guest, most, free_bytes, is_new=False)
    return most


def keep_part(index: Index, guest: Guest, asked: Keep, body: str) -> str | None:
    """Record a kept part; the body that it replaces.

    Raises:
        Refusal: `not-found`, `conflict` or `too-large`; the new body is the caller's.
    """
    row = _own(index, guest, asked.transfer)
    old = index.row("SELECT body, bytes FROM parts WHERE transfer = ? AND number = ?", asked.transfer, asked.number)
    length = row.body_bytes + asked.size_bytes - (0 if old is None else int(old["bytes"]))
    if length > index.settings.body_bytes:
        raise Refusal("too-large")
    state = rows.change(index, row, Event.PART)
    if state is not row.state:
        journal.append(index, "receiving", row.id)
    index.write(
        "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)",
        row.id, asked.number, body, asked.size_bytes, asked.sha256,
    )  # fmt: skip
    index.write("UPDATE transfers SET body_bytes = ? WHERE id = ?", length, row.id)
    return None if old is None else str(old["body"])


def finish(index: Index, guest: Guest, message: DoorFinish) -> SignedText:
    """Verify what can be seen without opening, under the door's key; the signed held statement.

    Raises:
        Refusal: `not-found`, `conflict`, or `refused`: then the transfer has ended.
    """
    must_be_enrolled(index, guest)
    row = rows.find(index, message.transfer)
    must_send(guest.who, None if row is None else row.parties)
    key = index.fact(DOOR_KEY)
    if row is None or key is None:
        raise Refusal("not-found")
    if row.state in SENDING and row.body_bytes != message.body_bytes:
        sending.refuse(index, row)
        raise Refusal("refused", reason="its length is not that of its parts", keep=True)
    stated = Finish(manifest=message.manifest, header=message.header, description=message.description)
    by_door = sending.ByDoor(PublicSigningKey.from_line(key), guest.ssh_key)
    return sending.finish(index, guest.who, message.transfer, stated, by_door)


def drop(index: Index, guest: Guest, transfer: str) -> None:
    """End a transfer that does not come to its end; one that is held already stays.

    Raises:
        Refusal: `not-found`.
    """
    row = rows.find(index, transfer)
    must_send(guest.who, None if row is None else row.parties)
    if row is not None and row.state in SENDING:
        sending.refuse(index, row)


def drop_unfinished(index: Index) -> None:
    """At the gateway's start no door's connection is left: what came and was not finished is not gone on with."""
    states = sorted(state.value for state in SENDING)
    sql = f"SELECT id FROM transfers WHERE state IN ({','.join('?' * len(states))}) AND door IS NOT NULL"
    for found in index.rows(sql, *states):
        row = rows.find(index, found["id"])
        if row is not None:
            sending.refuse(index, row)


def told(index: Index) -> DoorKeys | None:
    """The door's key and SSH host key, as it said them; None while there was no door."""
    key, host = index.fact(DOOR_KEY), index.fact(HOST_KEY)
    return None if key is None or host is None else DoorKeys(key=key, host_key=host)


def repeats_of(receipt: str | None) -> str | None:
    """Which earlier transfer brought the same bytes, as a receipt says; what cannot be read says nothing."""
    try:
        said = json.loads(json.loads(receipt or "null")["message"])["detail"]["repeats"]
    except (ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, str) and len(said) == 32 and set(said) <= set("0123456789abcdef") else None


def _own(index: Index, guest: Guest, transfer: str) -> rows.Row:
    """A transfer that this submitter may still send parts of."""
    must_be_enrolled(index, guest)
    row = rows.find(index, transfer)
    must_send(guest.who, None if row is None else row.parties)
    assert row is not None
    rows.must_be_in_time(index, row)
    rows.next_state(row, Event.PART)
    return row


def _must_have_room(index: Index, guest: Guest, more_bytes: int, free_bytes: int, *, is_new: bool) -> None:
    """Quota and disk; of a transfer that is under way only the bytes are looked at."""
    quota = quotas.quota_of(index, guest.submitter)
    count, total = rows.alive_of_sender(index, guest.submitter)
    if is_new:
        standing = quotas.Standing(count, total, quotas.last_hour(index, guest.submitter, quota))
        reason = quotas.over(quota, standing, more_bytes)
        if reason is not None:
            raise Refusal("busy", reason=reason)
    elif total > quota.bytes:
        raise Refusal("busy", reason="too much of this sender is waiting to be read")
    if rows.promised_bytes(index) + more_bytes > free_bytes - index.settings.reserve_bytes:
        raise Refusal("full")
