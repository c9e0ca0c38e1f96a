"""Every JSON body of the transfer (docs/spec/transfer.md), typed and strict; statements.py has what is signed inside.

Pure. A member too many, too few or of another form is an error before anything is done with it. Members are in the
spec's words; sizes are bytes, instants `2026-11-22T09:24:37Z`, ids and digests lower-case hex, keys and tokens base64.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec

from swaddle.canonical import JSON_LIMIT_BYTES, canonical
from swaddle.envelope.signature import Signed
from swaddle.errors import NetworkFault

# `\Z` and never `$`: `$` also matches before a last newline, and `search` from the start needs `\A`.
Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
KeyId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Instant = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")]
Reference = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]{22}==\Z")]
Bytes32 = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]{43}=\Z")]
Base64 = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]*={0,2}\Z", max_length=2 * 1024 * 1024)]
Text = Annotated[str, msgspec.Meta(max_length=16_384)]
PublicLine = Annotated[str, msgspec.Meta(pattern=r"\Assh-ed25519 [A-Za-z0-9+/]{68}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
PartSize = Annotated[int, msgspec.Meta(ge=65_536, le=2**30, multiple_of=65_536)]
Outcome = Literal["stored", "refused", "unreadable"]
End = Literal["stored", "refused", "unreadable", "expired", "not-taken"]


class Garbled(NetworkFault):
    """A body that is not what the protocol says."""

    code = "SWD-WIRE-06"
    what = "a message from the other side cannot be understood"
    fix = "run the same command again; if it stays so, the two sides run versions that do not fit"


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object of the wire."""


class SignedText(Message, frozen=True):
    """A signed statement as it travels; envelope.signature.Signed once it is to be verified."""

    message: Annotated[str, msgspec.Meta(max_length=JSON_LIMIT_BYTES)]
    signature: Text

    def signed(self) -> Signed:
        """As the envelope verifies it."""
        return Signed.from_json({"message": self.message, "signature": self.signature})

    @classmethod
    def of(cls, signed: Signed) -> SignedText:
        """As the wire carries it."""
        value = signed.to_json()
        return cls(message=value["message"], signature=value["signature"])


class Time(Message, frozen=True):
    """The gateway's clock."""

    server_time: Instant


# --- enrolment (section 4)


class Claim(Message, frozen=True):
    """`keys` is the text of wire.enrolment.RegistryKeys."""

    keys: Text
    hmac: Bytes32


class GatewayKeys(Message, frozen=True):
    """What the gateway is known by."""

    journal_key: PublicLine


class Claimed(Message, frozen=True):
    """The gateway took this registry."""

    gateway: GatewayKeys


class Enrolment(Message, frozen=True):
    """`keys` is the text of wire.enrolment.SubmitterKeys."""

    lookup: Bytes32
    keys: Text
    hmac: Bytes32


class EnrolmentQuestion(Message, frozen=True):
    """How far is the enrolment of this lookup?"""

    lookup: Bytes32


class EnrolmentState(Message, frozen=True):
    """How far it is; what the submitter needs once it is active."""

    state: Literal["waiting", "active", "rejected"]
    certificate: SignedText | None = None
    intake: SignedText | None = None
    enrolment: SignedText | None = None
    journal_key: PublicLine | None = None


class PendingEnrolment(Message, frozen=True):
    """An enrolment that waits for the registry."""

    lookup_sha256: Digest
    keys: Text
    hmac: Bytes32


class PendingEnrolments(Message, frozen=True):
    """All that wait."""

    enrolments: tuple[PendingEnrolment, ...]


# --- transfers (section 3)


class Intake(Message, frozen=True):
    """What to seal to, with the chain that proves it."""

    certificate: SignedText
    intake: SignedText


class Announce(Message, frozen=True):
    """What is about to be sent."""

    reference: Reference
    recipient: KeyId
    body_bytes: Count
    part_bytes: PartSize
    expires: Instant


class Announced(Message, frozen=True):
    """The transfer that an announcement made, or made before."""

    id: Id
    expires: Instant


class Finish(Message, frozen=True):
    """All but the body; `header` and `description` sealed."""

    manifest: SignedText
    header: Base64
    description: Base64


class TransferView(Message, frozen=True):
    """A transfer as its sender and its reader see it.

    `outcome` is null while it lives; then the acknowledgement's, or `expired`, or `not-taken` (the gateway refused it).
    """

    id: Id
    state: str
    parts: tuple[Count, ...]
    expires: Instant
    outcome: End | None
    receipt: SignedText | None
    held: SignedText | None


class InboxEntry(Message, frozen=True):
    """A transfer that waits for its reader."""

    id: Id
    created: Instant
    expires: Instant
    body_bytes: Count
    leased_until: Instant | None


class Inbox(Message, frozen=True):
    """What waits for this reader, oldest first, at most 1,000."""

    transfers: tuple[InboxEntry, ...]


class LeaseRequest(Message, frozen=True):
    """SHA-256 of the token that the reader made and wrote down."""

    lease_sha256: Digest


class Lease(Message, frozen=True):
    """What the reader needs before the body."""

    manifest: SignedText
    header: Base64
    description: Base64
    expires: Instant


# --- the journal and the state of the gateway (section 7)


class JournalEntry(Message, frozen=True):
    """One change on the gateway; `detail` holds opaque values only."""

    at: Instant
    event: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]+(-[a-z]+)*\Z", max_length=40)]
    previous: Digest
    sequence: Count
    subject: Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{32}|[0-9a-f]{64})\Z")]
    detail: dict[str, str | int | None]


class JournalPage(Message, frozen=True):
    """Entries after the asked one, at most 1,000, and the head of the whole journal."""

    entries: tuple[JournalEntry, ...]
    head: SignedText


class FreezeView(Message, frozen=True):
    """A freeze that is in force; `reader` is an id, or null where all reading is frozen."""

    id: Id
    reader: Id | None
    cause: str
    since: Instant
    transfer: Id | None


class DoorKeys(Message, frozen=True):
    """What the SFTP door is known by: the key that it signs manifests with, and its SSH host key."""

    key: PublicLine
    host_key: Annotated[str, msgspec.Meta(max_length=3000)]


class GatewayStatus(Message, frozen=True):
    """Counts for the registry; nothing of a transfer."""

    server_time: Instant
    transfers: dict[str, Count]
    submitters: Count
    pending_enrolments: Count
    freezes: tuple[FreezeView, ...]
    body_bytes: Count
    free_bytes: Count
    allowance: Count
    last_instruction: Count
    journal_entries: Count
    changed_settings: dict[str, Count]
    restored: Digest | None = None
    door: DoorKeys | None = None


# --- problems (section 2)

PROBLEM_PREFIX = "about:swaddle:"
PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be understood."),
    "unsigned": (401, "The signature is missing or does not hold."),
    "clock": (401, "The clocks differ too much."),
    "not-found": (404, "No such thing, or not yours."),
    "slow": (408, "The body came too slowly."),
    "conflict": (409, "Not in this state."),
    "leased": (409, "Somebody reads it now."),
    "length": (411, "A body needs its length."),
    "too-large": (413, "Over the limit."),
    "encoding": (415, "An encoded body is not taken."),
    "digest": (422, "What came is not what was said."),
    "refused": (422, "This transfer cannot be taken."),
    "frozen": (423, "Reading is frozen."),
    "fault": (500, "The gateway has a fault; nothing was changed."),
    "busy": (503, "Too much at once; try again."),
    "not-collecting": (503, "The registry is not collecting; keep your file."),
    "full": (507, "The disk is full; send later."),
}


class Problem(Message, frozen=True, omit_defaults=True):
    """RFC 9457; `type` is one of PROBLEMS behind the prefix."""

    type: Annotated[str, msgspec.Meta(pattern=r"\Aabout:swaddle:[a-z-]{1,32}\Z")]
    title: Annotated[str, msgspec.Meta(max_length=200)]
    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    server_time: Instant | None = None
    state: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    until: Instant | None = None
    reason: Annotated[str, msgspec.Meta(max_length=200)] | None = None


M = TypeVar("M")


def encode(message: object) -> bytes:
    """The canonical JSON of a message."""
    return canonical(msgspec.to_builtins(message))


def decode(data: bytes | memoryview, kind: type[M]) -> M:
    """The message of `kind` that `data` is.

    Raises:
        Garbled: it is not one, or longer than 4 MiB; the reason never repeats what came.
    """
    if len(data) > JSON_LIMIT_BYTES:
        raise Garbled("it is longer than allowed")
    try:
        return msgspec.json.decode(data, type=kind, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled("it is not the JSON that the protocol says") from error


def convert(value: dict[str, Any], kind: type[M]) -> M:
    """The message of `kind` that the content of a signed statement is.

    Raises:
        Garbled: it is not one.
    """
    try:
        return msgspec.convert(value, type=kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Garbled("it is not the JSON that the protocol says") from error
