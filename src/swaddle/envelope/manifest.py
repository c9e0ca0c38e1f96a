"""Core, manifest and description: what is signed, and what is told to the reader alone. Pure.

Parsing is strict: exactly the members of docs/spec/envelope.md, sections 5 and 6, with exactly their types, and sizes
that agree with one another; anything else is refused before a byte of the body is read.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from swaddle.canonical import NotCanonical, canonical, format_instant, parse_canonical
from swaddle.envelope import pack, suite
from swaddle.envelope.members import Members
from swaddle.envelope.parts import Layout
from swaddle.envelope.refusals import DescriptionMalformed, ManifestMalformed

_CORE = (
    "suite", "transfer", "submitter", "recipient", "created", "expires", "body_bytes", "segments", "part_bytes", "parts"
)  # fmt: skip
_DESCRIPTION = ("version", "kind", "files", "row_count", "subject_count", "dictionary_version", "in_reply_to")
_KIND = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SSH_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_STEP_BYTES = 4_096
_MOST_DESCRIPTION_BYTES = 1_048_576


@dataclass(frozen=True)
class Core:
    """What a header is bound to: whose, to whom, when, how long, and the digest of every part.

    Raises:
        ManifestMalformed: members that do not agree with one another.
    """

    transfer: str
    submitter: str
    recipient: str
    created: datetime
    expires: datetime
    body_bytes: int
    segments: int
    part_bytes: int
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse sizes that contradict one another."""
        layout = self.layout
        if layout.segments != self.segments or layout.parts != len(self.parts):
            raise ManifestMalformed("lengths and counts do not agree")
        if self.expires <= self.created:
            raise ManifestMalformed("it expires before it is made")

    @property
    def layout(self) -> Layout:
        """How the body is cut."""
        return Layout.from_body(self.body_bytes, self.part_bytes)

    def to_json(self) -> dict[str, Any]:
        """The object whose canonical form is hashed and signed."""
        return {
            "suite": suite.LABEL,
            "transfer": self.transfer,
            "submitter": self.submitter,
            "recipient": self.recipient,
            "created": format_instant(self.created),
            "expires": format_instant(self.expires),
            "body_bytes": self.body_bytes,
            "segments": self.segments,
            "part_bytes": self.part_bytes,
            "parts": list(self.parts),
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The core that `to_json` wrote.

        Raises:
            ManifestMalformed: any other form, or sizes that contradict one another.
        """
        members = Members(value, _CORE, ManifestMalformed)
        members.exactly("suite", suite.LABEL)
        return cls(
            transfer=members.hex("transfer", 32),
            submitter=members.hex("submitter", 32),
            recipient=members.hex("recipient", 32),
            created=members.instant("created"),
            expires=members.instant("expires"),
            body_bytes=members.integer("body_bytes"),
            segments=members.integer("segments"),
            part_bytes=members.integer("part_bytes"),
            parts=tuple(members.is_hex("parts", part, 64) for part in members.array("parts")),
        )

    def canonical(self) -> bytes:
        """The bytes that header and description are bound to."""
        return canonical(self.to_json())

    def digest(self) -> bytes:
        """SHA-256 of the canonical core, 32 bytes."""
        return sha256(self.canonical()).digest()


@dataclass(frozen=True)
class Manifest:
    """The core and the digests of the sealed header and description.

    `door` is the fingerprint of the SSH key that brought it through the SFTP door (protection class `door`: the door
    had it in the clear and signed it), None for what its submitter sealed and signed.
    """

    core: Core
    header_sha256: str
    description_sha256: str
    door: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that is signed."""
        return ({} if self.door is None else {"door": {"ssh_key": self.door}}) | {
            "core": self.core.to_json(),
            "header_sha256": self.header_sha256,
            "description_sha256": self.description_sha256,
            "version": 1,
        }


def parse_manifest(message: bytes) -> Manifest:
    """The manifest that a statement's message says; its signature is checked elsewhere.

    Raises:
        ManifestMalformed: not canonical, not of the format, or contradicting itself.
    """
    try:
        value = parse_canonical(message)
    except NotCanonical:
        raise ManifestMalformed("it is not canonical JSON") from None
    names = ("core", "header_sha256", "description_sha256", "version", *(("door",) if "door" in value else ()))
    members = Members(value, names, ManifestMalformed)
    members.exactly("version", 1)
    return Manifest(
        core=Core.from_json(members.anything("core")),
        header_sha256=members.hex("header_sha256", 64),
        description_sha256=members.hex("description_sha256", 64),
        door=_ssh_key(members.anything("door")) if "door" in value else None,
    )


def _ssh_key(value: object) -> str:
    """The fingerprint of the SSH key that brought it, as `ssh-keygen -l` prints it."""
    fingerprint = Members(value, ("ssh_key",), ManifestMalformed).text("ssh_key", 50)
    if not _SSH_KEY.fullmatch(fingerprint):
        raise ManifestMalformed("`ssh_key` is not a fingerprint")
    return fingerprint


@dataclass(frozen=True)
class FileEntry:
    """A file as its sender knows it. The name is data: never a path, never shown unescaped.

    `sha256` is of the plaintext; None where the sender cannot open what it sends (the door, of a Crypt4GH file).
    """

    name: str
    size_bytes: int
    sha256: str | None


@dataclass(frozen=True)
class Description:
    """What only the reader learns before the body: kind, files, counts.

    `members` is how many files a body that is a pack holds, None for a body that is one file.
    """

    kind: str
    files: tuple[FileEntry, ...]
    row_count: int | None = None
    subject_count: int | None = None
    dictionary_version: str | None = None
    in_reply_to: str | None = None
    members: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that is sealed."""
        packing = {"form": pack.FORM, "members": self.members}
        return ({} if self.members is None else {"packing": packing}) | {
            "version": 1,
            "kind": self.kind,
            "files": [{"name": f.name, "size_bytes": f.size_bytes, "sha256": f.sha256} for f in self.files],
            "row_count": self.row_count,
            "subject_count": self.subject_count,
            "dictionary_version": self.dictionary_version,
            "in_reply_to": self.in_reply_to,
        }

    def pack(self) -> bytes:
        """The padded plaintext that is sealed: length ‖ JSON ‖ zero bytes to a step of 4,096.

        Raises:
            DescriptionMalformed: a member has no place in the format, or it is over 1 MiB.
        """
        try:
            text = canonical(self.to_json())
        except NotCanonical:
            raise DescriptionMalformed("a file name or number has no form in JSON") from None
        data = struct.pack(">I", len(text)) + text
        packed = data + bytes(-len(data) % _STEP_BYTES)
        if parse_description(packed) != self:
            raise DescriptionMalformed("it would not be read as it was written")
        return packed


def parse_description(packed: bytes) -> Description:
    """The description of its padded plaintext.

    Raises:
        DescriptionMalformed: a length that does not fit, padding that is not zero, or any other form.
    """
    refuse = DescriptionMalformed
    if not _STEP_BYTES <= len(packed) <= _MOST_DESCRIPTION_BYTES or len(packed) % _STEP_BYTES:
        raise refuse("its length is not a step of 4,096 up to 1 MiB")
    (length,) = struct.unpack_from(">I", packed)
    if not len(packed) - _STEP_BYTES < 4 + length <= len(packed):
        raise refuse("its inner length does not fit")
    if packed[4 + length :].strip(b"\x00"):
        raise refuse("its padding is not zero")
    try:
        value = parse_canonical(packed[4 : 4 + length])
    except NotCanonical:
        raise refuse("it is not canonical JSON") from None
    is_pack = "packing" in value
    members = Members(value, (*_DESCRIPTION, "packing") if is_pack else _DESCRIPTION, refuse)
    members.exactly("version", 1)
    if not _KIND.fullmatch(members.text("kind")):
        raise refuse("`kind` is not a layout's name")
    optional = {name for name in _DESCRIPTION if members.anything(name) is not None}
    return Description(
        kind=members.text("kind"),
        files=_files(members),
        row_count=members.integer("row_count") if "row_count" in optional else None,
        subject_count=members.integer("subject_count") if "subject_count" in optional else None,
        dictionary_version=members.text("dictionary_version", 64) if "dictionary_version" in optional else None,
        in_reply_to=members.hex("in_reply_to", 32) if "in_reply_to" in optional else None,
        members=_packed(members.anything("packing")) if is_pack else None,
    )


def _packed(value: object) -> int:
    """How many files a pack says it holds."""
    packing = Members(value, ("form", "members"), DescriptionMalformed)
    packing.exactly("form", pack.FORM)
    count = packing.integer("members", least=1)
    if count > pack.MOST_MEMBERS:
        raise DescriptionMalformed("it tells of more members than a pack may have")
    return count


def _files(members: Members) -> tuple[FileEntry, ...]:
    """The one file whose bytes are the body, or the one folder that is packed into it."""
    files = members.array("files")
    if len(files) != 1:
        raise DescriptionMalformed("it tells of more files than one, or of none")
    entry = Members(files[0], ("name", "size_bytes", "sha256"), DescriptionMalformed)
    digest = None if entry.anything("sha256") is None else entry.hex("sha256", 64)
    return (FileEntry(entry.text("name"), entry.integer("size_bytes"), digest),)
