"""What requests of resumable uploads say, and how answers say it: the draft's fields and those of tus, both ways.

Pure. Here alone is known which protocol has which field and which status; the rules are those of resumable.py. A
request with `Tus-Resumable` is tus; every other one is the draft's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

from swaddle.wire.resumable import (
    Content,
    Limits,
    Pairs,
    Protocol,
    Refused,
    State,
    Upload,
    check_limits,
    overruns,
    with_length,
)
from swaddle.wire.upload_fields import CHECKSUM_BYTES, BadField, Digests, Fields, digest_field

INTEROP_VERSION = 8
PARTIAL_UPLOAD = "application/partial-upload"
TUS_OFFSET_STREAM = "application/offset+octet-stream"
TUS_VERSION = "1.0.0"
TUS_EXTENSIONS = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"
TUS_SAYS_VERSION = (("tus-version", TUS_VERSION), ("tus-resumable", TUS_VERSION))
TUS_METHODS = frozenset({"HEAD", "PATCH", "DELETE", "POST"})


@dataclass(frozen=True)
class Overrun(Exception):
    """An append that says it is longer than the upload: it is refused, and the upload takes OVERRUN (draft 4.4.2)."""

    refused: Refused


def protocol_of(fields: Fields) -> Protocol:
    """Which protocol a request speaks.

    Raises:
        Refused: `version`, if it is tus of another version.
    """
    if "tus-resumable" not in fields:
        return Protocol.DRAFT
    if fields.text("tus-resumable") != TUS_VERSION:
        raise Refused("version", fields=TUS_SAYS_VERSION)
    return Protocol.TUS


def method_of(method: str, fields: Fields) -> str:
    """The method that is meant: tus lets a client that cannot say PATCH or DELETE say POST and name it in a field."""
    named = fields.text("x-http-method-override")
    if method == "POST" and named in TUS_METHODS and "tus-resumable" in fields:
        return named
    return method


def must_speak(fields: Fields, upload: Upload) -> Protocol:
    """Which protocol a request about `upload` speaks: one that tus made is addressed by tus.

    Raises:
        Refused: `version`.
    """
    protocol = protocol_of(fields)
    if upload.protocol is Protocol.TUS and protocol is Protocol.DRAFT:
        raise Refused("version", fields=TUS_SAYS_VERSION)
    return protocol


def creation(method: str, fields: Fields, limits: Limits, expires: datetime) -> tuple[Upload, Content]:
    """The upload that a creation request asks for, and what its content is to be.

    Raises:
        Refused: `malformed`, `method`, `version`, `media-type`, `too-large`, `too-small`, `inconsistent-upload-length`.
    """
    try:
        if protocol_of(fields) is Protocol.TUS:
            if method != "POST":
                raise Refused("method")
            upload, content = _tus_creation(fields, expires)
        else:
            upload, content = _draft_creation(fields, expires)
    except BadField as bad:
        raise Refused("malformed", field=bad.name) from None
    check_limits(upload, content, limits)
    if overruns(upload, content):
        raise Refused("too-large" if upload.protocol is Protocol.TUS else "inconsistent-upload-length")
    return upload, content


def appending(upload: Upload, fields: Fields, limits: Limits) -> tuple[Upload, Content]:
    """The upload with the length that an append says, and what its content is to be; nothing has been taken yet.

    Raises:
        Refused: and the upload stays as it is.
        Overrun: refused, and the upload ends.
    """
    protocol = must_speak(fields, upload)
    if upload.state not in {State.OPEN, State.COMPLETE}:
        raise Refused("gone")
    try:
        upload, content = _tus_append(upload, fields) if protocol is Protocol.TUS else _draft_append(upload, fields)
    except BadField as bad:
        raise Refused("malformed", field=bad.name) from None
    check_limits(upload, content, limits)
    return upload, content


def refuse_completed(content: Content) -> Refused:
    """What an append to a complete upload hears (draft 4.4.2)."""
    return Refused("inconsistent-upload-length" if content.size else "completed-upload")


def describe(upload: Upload, limits: Limits, now: datetime, protocol: Protocol) -> Pairs:
    """The fields that tell a client where an upload stands."""
    pairs: list[tuple[str, str]] = [("upload-offset", str(upload.offset)), ("cache-control", "no-store")]
    if upload.length is not None:
        pairs.append(("upload-length", str(upload.length)))
    if protocol is Protocol.TUS:
        pairs.append(("tus-resumable", TUS_VERSION))
        if upload.state is State.OPEN:
            pairs.append(("upload-expires", format_datetime(upload.expires, usegmt=True)))
        if upload.state is State.OPEN and upload.length is None:
            pairs.append(("upload-defer-length", "1"))
        if upload.metadata is not None:
            pairs.append(("upload-metadata", upload.metadata))
        return tuple(pairs)
    left = int((upload.expires - now).total_seconds())
    pairs += [("upload-complete", completeness(upload)), ("upload-limit", limits.field(left))]
    return tuple(pairs)


def completeness(upload: Upload) -> str:
    """`Upload-Complete` of an upload."""
    return "?1" if upload.state is State.COMPLETE else "?0"


def offer(limits: Limits) -> Pairs:
    """The fields of an answer to OPTIONS, of both protocols."""
    return (
        ("allow", "OPTIONS, HEAD, POST, PUT, PATCH, DELETE"),
        ("accept-patch", PARTIAL_UPLOAD),
        ("upload-limit", limits.field()),
        *TUS_SAYS_VERSION,
        ("tus-extension", TUS_EXTENSIONS),
        ("tus-max-size", str(limits.max_size)),
        ("tus-checksum-algorithm", ",".join(CHECKSUM_BYTES)),
    )


def may_announce(fields: Fields) -> bool:
    """Whether a 104 may be sent: only to a client of the same interop version (draft 12, "Draft Version")."""
    return fields.integer("upload-draft-interop-version") == INTEROP_VERSION


def digests_told(upload: Upload, computed: dict[str, bytes]) -> Pairs:
    """`Repr-Digest`, for a client that wanted it."""
    told = [(name, computed[name]) for name in upload.wanted if name in computed]
    return (("repr-digest", digest_field(told)),) if told else ()


def _draft_creation(fields: Fields, expires: datetime) -> tuple[Upload, Content]:
    completes = fields.boolean("upload-complete")
    if completes is None:
        if any(name in fields for name in ("upload-length", "upload-defer-length", "upload-metadata")):
            raise Refused("version", fields=TUS_SAYS_VERSION)  # tus that does not say so
        raise Refused("malformed", field="upload-complete")
    content = Content(completes, fields.count("content-length"), fields.digests("content-digest"))
    expected = fields.digests("repr-digest")
    if completes and not expected:  # the content is the whole, so its digest is checked at the end, however it comes
        expected, content = content.digests, replace(content, digests=Digests())
    wanted = fields.wishes("want-repr-digest")
    upload = Upload(Protocol.DRAFT, expires, expected=expected, wanted=wanted)
    return with_length(upload, fields.integer("upload-length"), content), content


def _tus_creation(fields: Fields, expires: datetime) -> tuple[Upload, Content]:
    length, is_deferred = fields.count("upload-length"), "upload-defer-length" in fields
    if is_deferred and fields.text("upload-defer-length") != "1":
        raise BadField("upload-defer-length")
    if (length is None) != is_deferred or "upload-concat" in fields:
        raise BadField("upload-length")
    size = fields.count("content-length")
    has_content = "transfer-encoding" in fields or bool(size)
    if has_content and fields.media_type() != TUS_OFFSET_STREAM:
        raise Refused("media-type")
    content = Content(completes=False, size=size, digests=fields.checksum())
    return Upload(Protocol.TUS, expires, length=length, metadata=fields.metadata()), content


def _draft_append(upload: Upload, fields: Fields) -> tuple[Upload, Content]:
    if fields.media_type() != PARTIAL_UPLOAD:
        raise Refused("media-type", fields=(("accept-patch", PARTIAL_UPLOAD),))
    offset, completes = fields.integer("upload-offset"), fields.boolean("upload-complete")
    if offset is None or completes is None:
        raise BadField("upload-offset" if offset is None else "upload-complete")
    where = (("upload-offset", str(upload.offset)), ("upload-complete", completeness(upload)))
    if offset != upload.offset:
        raise Refused("mismatching-upload-offset", fields=where, expected_offset=upload.offset, provided_offset=offset)
    content = Content(completes, fields.count("content-length"), fields.digests("content-digest"))
    if upload.state is State.COMPLETE:
        raise refuse_completed(content)
    if overruns(upload, content):
        raise Overrun(Refused("inconsistent-upload-length"))
    return with_length(upload, fields.integer("upload-length"), content), content


def _tus_append(upload: Upload, fields: Fields) -> tuple[Upload, Content]:
    if fields.media_type() != TUS_OFFSET_STREAM:
        raise Refused("media-type")
    offset, said = fields.count("upload-offset"), fields.count("upload-length")
    if offset is None:
        raise BadField("upload-offset")
    if offset != upload.offset:
        where = (("upload-offset", str(upload.offset)),)
        raise Refused("mismatching-upload-offset", fields=where, expected_offset=upload.offset, provided_offset=offset)
    content = Content(completes=False, size=fields.count("content-length"), digests=fields.checksum())
    if upload.state is State.COMPLETE:
        if content.size:
            raise refuse_completed(content)
        return upload, content  # tus has no answer for it; its own server says 204
    upload = with_length(upload, said, content)
    if overruns(upload, content):
        raise Refused("too-large")
    return upload, content
