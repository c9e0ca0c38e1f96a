"""Resumable uploads: what may happen to one, as a table; IETF draft 12 first, then tus 1.0, on the same rules.

Pure: no file, no clock, no connection. What may happen next is asked of TRANSITIONS alone. How each protocol says a
thing is in resumable_requests.py; who reads and writes is gateway/upload_engine.py.

Sources: draft-ietf-httpbis-resumable-upload-12 (interop version 8), tus resumable upload protocol 1.0.0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from swaddle.wire.upload_fields import Digests

REGISTERED = "https://iana.org/assignments/http-problem-types#"

Pairs = tuple[tuple[str, str], ...]


class Protocol(Enum):
    """Which of the two a request speaks: `Tus-Resumable` makes it tus."""

    DRAFT = "draft"
    TUS = "tus"


class State(Enum):
    """Where an upload is in its life."""

    OPEN = "open"
    COMPLETE = "complete"
    INVALID = "invalid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Event(Enum):
    """What can happen to it."""

    APPEND = "append"
    COMPLETE = "complete"
    OVERRUN = "overrun"
    DIFFER = "differ"
    LOSE = "lose"
    CANCEL = "cancel"
    EXPIRE = "expire"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.OPEN, Event.APPEND): State.OPEN,
    (State.OPEN, Event.COMPLETE): State.COMPLETE,
    (State.OPEN, Event.OVERRUN): State.INVALID,  # more than its length: draft 4.4.2, nothing may follow
    (State.OPEN, Event.DIFFER): State.INVALID,  # whole, and not what its Repr-Digest says
    (State.OPEN, Event.LOSE): State.INVALID,  # bytes that were acknowledged are gone: draft 4.1.1
    (State.OPEN, Event.CANCEL): State.CANCELLED,
    (State.COMPLETE, Event.CANCEL): State.CANCELLED,
    (State.INVALID, Event.CANCEL): State.CANCELLED,
    (State.OPEN, Event.EXPIRE): State.EXPIRED,
    (State.COMPLETE, Event.EXPIRE): State.EXPIRED,
    (State.INVALID, Event.EXPIRE): State.EXPIRED,
}

PROBLEMS: dict[str, tuple[int, str, str]] = {
    "mismatching-upload-offset": (409, REGISTERED, "offset from request does not match offset of resource"),
    "completed-upload": (400, REGISTERED, "upload is already completed"),
    "inconsistent-upload-length": (400, REGISTERED, "inconsistent length values for upload"),
    "digest-mismatched-values": (400, REGISTERED, "the digest of what came is not the one that was said"),
    "malformed": (400, "about:swaddle:", "a field is missing or cannot be understood"),
    "not-found": (404, "about:swaddle:", "there is no such upload"),
    "method": (405, "about:swaddle:", "this cannot be done here"),
    "interrupted": (409, "about:swaddle:", "a newer request for the same upload took its place"),
    "gone": (410, "about:swaddle:", "this upload is over"),
    "version": (412, "about:swaddle:", "another version of tus, or none, is spoken"),
    "too-large": (413, "about:swaddle:", "larger than the limit"),
    "media-type": (415, "about:swaddle:", "not the media type that is appended"),
    "too-small": (400, "about:swaddle:", "smaller than the limit"),
    "checksum": (460, "about:swaddle:", "Checksum Mismatch"),
    "slow": (408, "about:swaddle:", "the content came too slowly; what came is kept"),
    "busy": (503, "about:swaddle:", "too many uploads are open"),
    "fault": (500, "about:swaddle:", "a fault; the offset says what is kept"),
    "full": (507, "about:swaddle:", "the disk is full; what came is kept"),
}


class Refused(Exception):
    """A request that is refused: a problem type, members of its own, and fields that go with it."""

    def __init__(self, name: str, *, fields: Pairs = (), **members: int | str) -> None:
        """Only our words and numbers go out."""
        super().__init__(name)
        self.name = name
        self.status, self.base, self.title = PROBLEMS[name]
        self.fields = fields
        self.members = {key.replace("_", "-"): value for key, value in members.items()}

    def problem(self) -> dict[str, int | str]:
        """The body (RFC 9457)."""
        return {"type": self.base + self.name, "title": self.title, "status": self.status, **self.members}


@dataclass(frozen=True)
class Limits:
    """What is taken, in bytes and seconds; 0 means that nothing is asked."""

    max_size: int
    max_age_seconds: int
    min_size: int = 0
    max_append_size: int = 0
    min_append_size: int = 0

    def field(self, age_left_seconds: int | None = None) -> str:
        """`Upload-Limit`."""
        members = {
            "max-size": self.max_size,
            "min-size": self.min_size,
            "max-append-size": self.max_append_size,
            "min-append-size": self.min_append_size,
            "max-age": self.max_age_seconds if age_left_seconds is None else max(0, age_left_seconds),
        }
        return ", ".join(f"{key}={value}" for key, value in members.items() if value or key in {"min-size", "max-age"})


@dataclass(frozen=True)
class Upload:
    """An upload resource: what the server knows of it beside the bytes.

    Attributes:
        offset: bytes that are kept for good; never more than lie on the disk.
        length: of the whole, once the client has said it.
        expected: the digests that the whole must have.
        wanted: the algorithms whose digest the client wants to be told.
    """

    protocol: Protocol
    expires: datetime
    offset: int = 0
    length: int | None = None
    state: State = State.OPEN
    expected: Digests = field(default_factory=Digests)
    wanted: tuple[str, ...] = ()
    metadata: str | None = None

    def take(self, event: Event) -> Upload:
        """This upload after `event`.

        Raises:
            Refused: `gone`: the table has no such step.
        """
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise Refused("gone")
        return replace(self, state=state)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The digests of the whole that must be computed."""
        return tuple(dict.fromkeys((*self.expected.algorithms, *self.wanted)))


@dataclass(frozen=True)
class Content:
    """What a request says of the content that it carries.

    Attributes:
        completes: the upload is complete once all of it was taken (of tus: when the length is reached).
        size: its length, or None where it comes in chunks.
        digests: that it must have.
    """

    completes: bool
    size: int | None
    digests: Digests = field(default_factory=Digests)


def room(upload: Upload, limits: Limits) -> int:
    """How many bytes may still come."""
    return (limits.max_size if upload.length is None else upload.length) - upload.offset


def received(upload: Upload, content: Content, count: int, *, is_whole: bool) -> Upload:
    """The upload after `count` bytes of `content` were kept; complete only if the content came whole.

    Raises:
        Refused: `inconsistent-upload-length`, if it completes with another length than was said.
    """
    upload = replace(upload.take(Event.APPEND), offset=upload.offset + count)
    if not is_whole:
        return upload
    if upload.protocol is Protocol.TUS:
        return upload.take(Event.COMPLETE) if upload.offset == upload.length else upload
    if not content.completes:
        return upload
    if upload.length is not None and upload.offset != upload.length:
        raise Refused("inconsistent-upload-length")
    return replace(upload.take(Event.COMPLETE), length=upload.offset)


def keeps_what_was_cut(upload: Upload, content: Content) -> bool:
    """Whether bytes of a request that broke off stay, though its own digest cannot be checked any more.

    They do where nothing said what they should be, or where the digest of the whole will tell in the end.
    """
    return not content.digests or bool(upload.expected)


def with_length(upload: Upload, said: int | None, content: Content) -> Upload:
    """The upload with its length, when a request says one, in a field or by the content that completes it.

    Raises:
        Refused: `inconsistent-upload-length`: two indications differ, or the length lies before the offset.
    """
    summed = upload.offset + content.size if content.completes and content.size is not None else None
    lengths = {value for value in (upload.length, said, summed) if value is not None}
    if len(lengths) > 1 or any(value < upload.offset for value in lengths):
        raise Refused("inconsistent-upload-length")
    return replace(upload, length=lengths.pop() if lengths else None)


def check_limits(upload: Upload, content: Content, limits: Limits) -> None:
    """Whether all that is known before the content is within the limits.

    Raises:
        Refused: `too-large` or `too-small`; `inconsistent-upload-length` for more content than the length leaves.
    """
    hint = (("upload-limit", limits.field()),)
    size = content.size or 0
    if max(upload.length or 0, upload.offset + size) > limits.max_size:
        raise Refused("too-large", fields=hint)
    if limits.max_append_size and size > limits.max_append_size:
        raise Refused("too-large", fields=hint)
    if upload.length is not None and upload.length < limits.min_size:
        raise Refused("too-small", fields=hint)
    if not content.completes and content.size is not None and size < limits.min_append_size:
        raise Refused("too-small", fields=hint)


def overruns(upload: Upload, content: Content) -> bool:
    """Whether the content is said to be more than the length leaves."""
    return upload.length is not None and upload.offset + (content.size or 0) > upload.length
