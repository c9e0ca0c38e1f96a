"""The fields of resumable uploads, read strictly: structured ones (RFC 9651), digests (RFC 9530), those of tus 1.0.

Pure. What the draft wants ignored (`Upload-Offset: five`) reads as absent; what would be dangerous to ignore (a digest
that is none) is an error. Values are never repeated in an error.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

DIGEST_BYTES = {"sha-256": 32, "sha-512": 64}
CHECKSUM_BYTES = {"sha1": 20, "sha256": 32, "sha512": 64}
MOST_FIELD_CHARACTERS = 8192
MOST_METADATA_CHARACTERS = 4096

_PARAMETERS = (
    r"(?:; *[a-z*][a-z0-9_.*-]*"
    r"(?:=(?:\?[01]|-?[0-9]{1,15}(?:\.[0-9]{1,3})?|\"[ !#-\[\]-~]*\"|:[A-Za-z0-9+/=]*:"
    r"|[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*))?)*"
)
_INTEGER = re.compile(rf" *(-?[0-9]{{1,15}}){_PARAMETERS} *")
_BOOLEAN = re.compile(rf" *\?([01]){_PARAMETERS} *")
_DIGEST_MEMBER = re.compile(rf"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={{0,2}}):{_PARAMETERS}")
_WISH_MEMBER = re.compile(rf"([a-z*][a-z0-9_.*-]*)=([0-9]{{1,2}}){_PARAMETERS}")
_TUS_INTEGER = re.compile(r"[0-9]{1,15}")
_TUS_CHECKSUM = re.compile(r"([a-z0-9]{1,20}) +([A-Za-z0-9+/]+={0,2})")
_TUS_METADATA = re.compile(r"([\x21-\x2b\x2d-\x7e]{1,256})(?: ([A-Za-z0-9+/]*={0,2}))?")


class BadField(Exception):
    """A field that cannot be understood and must not be ignored.

    Attributes:
        name: which field; never its value.
    """

    def __init__(self, name: str) -> None:
        """Name the field."""
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Digests:
    """Digests by algorithm, of those that can be checked here."""

    values: tuple[tuple[str, bytes], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Which are named."""
        return tuple(name for name, _ in self.values)


class Fields:
    """The fields of one request, names in lower case; lines of one name are one value, as HTTP has it."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take them as they came."""
        self._values: dict[str, str] = {}
        for name, value in pairs:
            lowered = name.lower()
            known = self._values.get(lowered)
            self._values[lowered] = value.strip() if known is None else f"{known}, {value.strip()}"

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str | None:
        """The value, or None; one that is far too long is none."""
        value = self._values.get(name)
        return None if value is None or len(value) > MOST_FIELD_CHARACTERS else value

    def integer(self, name: str) -> int | None:
        """A structured Integer that is not negative; anything else reads as absent."""
        match = _INTEGER.fullmatch(self.text(name) or "")
        return int(match[1]) if match and int(match[1]) >= 0 else None

    def boolean(self, name: str) -> bool | None:
        """A structured Boolean; anything else reads as absent."""
        match = _BOOLEAN.fullmatch(self.text(name) or "")
        return match[1] == "1" if match else None

    def count(self, name: str) -> int | None:
        """A number as tus and HTTP write it: digits only.

        Raises:
            BadField: it is there and is something else.
        """
        if name not in self:
            return None
        text = self.text(name) or ""
        if not _TUS_INTEGER.fullmatch(text):
            raise BadField(name)
        return int(text)

    def media_type(self) -> str:
        """The content's media type, lower case, without parameters; empty where there is none."""
        return (self.text("content-type") or "").split(";")[0].strip().lower()

    def digests(self, name: str) -> Digests:
        """`Content-Digest` or `Repr-Digest`: the algorithms that we know; others are passed over, as RFC 9530 allows.

        Raises:
            BadField: no Dictionary of byte sequences, or a digest of another length than its algorithm's.
        """
        if name not in self:
            return Digests()
        found = []
        for member in (self.text(name) or "").split(","):
            match = _DIGEST_MEMBER.fullmatch(member.strip())
            if match is None:
                raise BadField(name)
            if match[1] in DIGEST_BYTES:
                found.append((match[1], _decoded(match[2], name)))
        if any(len(value) != DIGEST_BYTES[algorithm] for algorithm, value in found):
            raise BadField(name)
        return Digests(tuple(dict(found).items()))

    def wishes(self, name: str) -> tuple[str, ...]:
        """`Want-Repr-Digest`: the algorithms that we can give, the most wanted first; a malformed wish is none."""
        found = []
        for member in (self.text(name) or "").split(","):
            match = _WISH_MEMBER.fullmatch(member.strip())
            if match is None:
                return ()
            if match[1] in DIGEST_BYTES and 1 <= int(match[2]) <= 10:
                found.append((-int(match[2]), match[1]))
        return tuple(algorithm for _, algorithm in sorted(found))

    def checksum(self) -> Digests:
        """`Upload-Checksum` of tus: one algorithm and its value.

        Raises:
            BadField: another form, an algorithm that we do not have, or another length.
        """
        if "upload-checksum" not in self:
            return Digests()
        match = _TUS_CHECKSUM.fullmatch(self.text("upload-checksum") or "")
        if match is None or match[1] not in CHECKSUM_BYTES:
            raise BadField("upload-checksum")
        value = _decoded(match[2], "upload-checksum")
        if len(value) != CHECKSUM_BYTES[match[1]]:
            raise BadField("upload-checksum")
        return Digests(((match[1], value),))

    def metadata(self) -> str | None:
        """`Upload-Metadata` of tus, as it came, once it is of the form that may be given back in an answer.

        Raises:
            BadField: another form, a key twice, or longer than anything that is metadata.
        """
        if not self._values.get("upload-metadata"):
            return None  # a client that has none sends an empty field
        text = self.text("upload-metadata") or ""
        keys = set()
        for pair in text.split(","):
            match = _TUS_METADATA.fullmatch(pair.strip())
            if match is None or match[1] in keys:
                raise BadField("upload-metadata")
            _decoded(match[2] or "", "upload-metadata")
            keys.add(match[1])
        if len(text) > MOST_METADATA_CHARACTERS:
            raise BadField("upload-metadata")
        return text


def digest_field(values: Iterable[tuple[str, bytes]]) -> str:
    """`Repr-Digest` or `Content-Digest` of these digests."""
    return ", ".join(f"{name}=:{base64.b64encode(value).decode('ascii')}:" for name, value in values)


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadField(name) from None
