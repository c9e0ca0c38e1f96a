"""What a submitter's home remembers: one file for each send on its way, one for each transfer that ended.

    HOME/keys/                     signing, signing.pub, sealing.json
    HOME/identity.json             who we are, once the registry has said so
    HOME/trust.json                the newest certificate and intake statement seen
    HOME/sends/REFERENCE.json      a send that has no receipt yet: path, sealed data key, digests; gone on receipt
    HOME/sends/REFERENCE.plan      of a folder that is sent: names, sizes and times of its files; gone with it
    HOME/spool/ID/                 `send --spool`: the sealed parts; gone on receipt
    HOME/folders/                  what of a folder was receipted, as keyed digests (delivered.py)
    HOME/ended/TRANSFER.json       what became of a transfer; keeps neither name nor key
    HOME/receipts/TRANSFER.held.json, TRANSFER.receipt.json
    HOME/inbox/TRANSFER/           what the registry sent, opened

Every write is whole and synced (swaddle.durable); files are canonical JSON under names that we made ourselves.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from swaddle import durable
from swaddle.canonical import NotCanonical, canonical, parse_canonical
from swaddle.errors import IntegrityFault
from swaddle.submitter.folder import Planned
from swaddle.wire import messages

Record = TypeVar("Record", bound=msgspec.Struct)
Outcome = Literal["stored", "refused", "lost", "superseded"]
_PLANS = msgspec.json.Decoder(tuple[Planned, ...])


class StateBroken(IntegrityFault):
    """A file of the home is not what was written."""

    code = "SWD-SUB-03"
    what = "a file in this home cannot be read: {file}"
    why = "it was changed by something else than Swaddle, or the disk is failing"
    fix = "restore it from a backup, or remove it: then its data set must be sent again"


class Outgoing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A send on its way, written down before each step that cannot be taken back.

    Attributes:
        reference: 16 random bytes, hex: the same reference gives the same transfer, however often it is announced.
        path: of the file, absolute.
        mtime_ns: text, because JSON's numbers end at 2^53.
        ctime_ns: of the file, so that a resumed send never mixes two versions; "" where there is none to compare.
        data_key: base64, sealed to our own sealing pair.
        parts: the digests of the parts that the gateway has, in order.
        finish: the sealed envelope, so that a repeated finish is the same finish.
        is_held: the gateway has said, signed, that it holds all of it.
        replaces: the reference of the send that got lost and that this one makes good.
        members: how many files of a folder it carries; None where it is one file.
        left_out: number and state of the members that could not be sent whole, once all was read.
        spool: `--spool`: the id of the folder with its sealed copy; None where there is none.
        entry: what the description tells of the file, sealed to our own pair, once the copy is whole: from then on the
            file itself is needed no more.
    """

    reference: str
    path: str
    size_bytes: int
    mtime_ns: str
    kind: str
    row_count: int | None
    subject_count: int | None
    dictionary_version: str | None
    data_key: str
    part_bytes: int
    body_bytes: int
    recipient: dict[str, str]
    seal_until: str
    created: str
    expires: str
    transfer: str | None = None
    parts: tuple[str, ...] = ()
    finish: messages.Finish | None = None
    is_held: bool = False
    replaces: str | None = None
    members: int | None = None
    left_out: tuple[tuple[int, str], ...] = ()
    spool: str | None = None
    entry: str | None = None
    ctime_ns: str = ""

    def is_of(self, path: Path, size_bytes: int, mtime_ns: int) -> bool:
        """Whether this is a send of that file as it is now."""
        return (self.path, self.size_bytes, self.mtime_ns) == (str(path), size_bytes, str(mtime_ns))


class Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transfer that is over for us.

    Attributes:
        outcome: `stored` or `refused` by the registry's receipt; `lost` by the gateway and sent again as another, or
            by the registry after its receipt; `superseded` by a later version of its file before it was held.
        source: salted digest of path, size and mtime: tells that a file was stored already, and nothing else.
    """

    transfer: str
    outcome: Outcome
    sent_at: str
    ended_at: str
    expires: str
    kind: str
    body_bytes: int
    plaintext_bytes: int
    salt: str
    source: str


class State:
    """The files of one home."""

    def __init__(self, home: Path) -> None:
        """Use the folders of `home`; they are made when something is written."""
        self.home = home
        self.lock = home / "lock"
        self._sends = home / "sends"
        self._spool = home / "spool"
        self._ended = home / "ended"
        self._receipts = home / "receipts"

    def pending(self) -> list[Outgoing]:
        """Every send that has no receipt, oldest first."""
        found = [read_record(path, Outgoing) for path in _json_files(self._sends)]
        return sorted(found, key=lambda send: (send.created, send.reference))

    def keep(self, send: Outgoing) -> Outgoing:
        """Write down how far a send is."""
        write_record(self._sends / f"{send.reference}.json", send)
        return send

    def forget(self, send: Outgoing) -> None:
        """Erase a send: its data key, its path, its digests, its plan and its sealed copy."""
        durable.remove_file(self._sends / f"{send.reference}.json")
        if send.members is not None:
            durable.remove_file(self._sends / f"{send.reference}.plan")
        if send.spool is not None and all(other.spool != send.spool for other in self.pending()):
            _erase_folder(self.spool_of(send.spool))

    def keep_plan(self, reference: str, members: Sequence[Planned]) -> None:
        """Write down which files a pack is made of, before the send that needs it."""
        if not self._sends.is_dir():
            durable.make_folder(self._sends)
        durable.write_file(self._sends / f"{reference}.plan", msgspec.json.encode(members))

    def plan(self, reference: str) -> tuple[Planned, ...]:
        """The files that a pack is made of.

        Raises:
            StateBroken: there is no such plan, or it was changed.
        """
        try:
            return _PLANS.decode((self._sends / f"{reference}.plan").read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            raise StateBroken(file=f"sends/{reference}.plan") from error

    def spool_of(self, spool: str) -> Path:
        """Where a sealed copy lies."""
        return self._spool / spool

    def tidy(self) -> None:
        """Erase what a killed run left: half written files, plans and sealed copies without their send."""
        for folder in (self._sends, self._ended, self._receipts, self.home / "folders", *self._spool.glob("[0-9a-f]*")):
            for path in folder.glob(".*.part"):
                if durable.is_leftover(path):
                    durable.remove_file(path)
        plans = list(self._sends.glob("[0-9a-f]*.plan"))
        spools = list(self._spool.glob("[0-9a-f]*"))
        pending = self.pending() if plans or spools else []
        for path in plans:
            if path.stem not in {send.reference for send in pending}:
                durable.remove_file(path)
        for path in spools:
            if path.name not in {send.spool for send in pending}:
                _erase_folder(path)

    def end(self, send: Outgoing, outcome: Outcome, at: str) -> None:
        """Write down what became of a transfer, then erase what its sending needed."""
        if send.transfer is not None:
            write_record(self._ended / f"{send.transfer}.json", _ended(send, send.transfer, outcome, at))
        self.forget(send)

    def lost_between(self, first: str, last: str) -> int:
        """The registry lost what it receipted between these instants: those files are new again; how many there are."""
        found = [one for one in self.ended() if one.outcome in {"stored", "refused"} and first <= one.ended_at <= last]
        for one in found:
            write_record(self._ended / f"{one.transfer}.json", msgspec.structs.replace(one, outcome="lost"))
        return len(found)

    def ended(self) -> list[Ended]:
        """Every transfer that is over, oldest first."""
        found = [read_record(path, Ended) for path in _json_files(self._ended)]
        return sorted(found, key=lambda ended: (ended.sent_at, ended.transfer))

    def stored_before(self, path: Path, size_bytes: int, mtime_ns: int) -> Ended | None:
        """The transfer that carried this very file to the registry, if it was stored and has not changed since."""
        for ended in reversed(self.ended()):
            is_same = ended.source == _source(ended.salt, str(path), size_bytes, str(mtime_ns))
            if is_same and ended.outcome in {"stored", "refused"}:
                return ended if ended.outcome == "stored" else None
        return None

    def is_met(self, transfer: str, reference: str) -> bool:
        """Whether this transfer id belongs to another send, now or before."""
        if (self._ended / f"{transfer}.json").exists():
            return True
        return any(send.transfer == transfer and send.reference != reference for send in self.pending())

    def held_path(self, transfer: str) -> Path:
        """Where the gateway's held statement lies."""
        return self._receipts / f"{transfer}.held.json"

    def receipt_path(self, transfer: str) -> Path:
        """Where the registry's receipt lies."""
        return self._receipts / f"{transfer}.receipt.json"


def write_record(path: Path, record: msgspec.Struct) -> None:
    """Write a record as canonical JSON."""
    write_json(path, msgspec.to_builtins(record))


def write_json(path: Path, value: object) -> None:
    """Write canonical JSON, whole or not at all."""
    if not path.parent.is_dir():
        durable.make_folder(path.parent)
    durable.write_file(path, canonical(value))


def read_record(path: Path, kind: type[Record]) -> Record:
    """The record that `write_record` wrote.

    Raises:
        StateBroken: it is something else.
    """
    try:
        return msgspec.convert(parse_canonical(path.read_bytes()), type=kind, strict=True)
    except (OSError, NotCanonical, msgspec.ValidationError) as error:
        raise StateBroken(file=f"{path.parent.name}/{path.name}") from error


def _json_files(folder: Path) -> Iterator[Path]:
    return folder.glob("[0-9a-f]*.json")


def _ended(send: Outgoing, transfer: str, outcome: Outcome, at: str) -> Ended:
    salt = secrets.token_hex(16)
    return Ended(
        transfer=transfer,
        outcome=outcome,
        sent_at=send.created,
        ended_at=at,
        expires=send.expires,
        kind=send.kind,
        body_bytes=send.body_bytes,
        plaintext_bytes=send.size_bytes,
        salt=salt,
        source=_source(salt, send.path, send.size_bytes, send.mtime_ns),
    )


def _source(salt: str, path: str, size_bytes: int, mtime_ns: str) -> str:
    return sha256(canonical([salt, path, size_bytes, mtime_ns])).hexdigest()


def _erase_folder(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            durable.remove_file(path)
        folder.rmdir()
        durable.sync_folder(folder.parent)
