"""How parties come to know each other: claims, invitations and what is derived from their secrets (transfer.md 4).

Pure. From one 160-bit secret come keys for one purpose each (HKDF-SHA256); the gateway is never shown the one that
proves a submitter's keys.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from swaddle.canonical import canonical, format_instant, parse_canonical, parse_instant
from swaddle.envelope.public import SealingPublic
from swaddle.envelope.signature import PublicSigningKey, Signed
from swaddle.errors import IntegrityFault, SwaddleError, UsageFault
from swaddle.wire.signing import authority_of

SECRET_BYTES = 20
KEYS_LIMIT_BYTES = 16_384
INVITATION_MARK = "swaddle-invitation-1."

_ID = re.compile(r"[0-9a-f]{32}")
_PIN = re.compile(r"[A-Za-z0-9+/]{43}=")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class InvitationMalformed(UsageFault):
    """The text is not an invitation or a claim as it was given out."""

    code = "SWD-WIRE-03"
    what = "this is not a whole invitation or claim"
    fix = "copy it again, all of it; it is one line (an invitation) or one file (a claim)"


class ProofWrong(IntegrityFault):
    """Keys came with an HMAC that their secret does not make: they were swapped, or sent by somebody else."""

    code = "SWD-WIRE-04"
    what = "the keys that came are not those of the invited party"
    why = "their proof does not hold under the secret that was given out"
    fix = "invite again by another way; somebody between may have changed them"


class KeysMalformed(IntegrityFault):
    """A statement of public keys that breaks its format."""

    code = "SWD-WIRE-05"
    what = "the keys that came cannot be read"
    fix = "begin the enrolment again"


def claim_key(secret: bytes) -> bytes:
    """What the gateway keeps of a claim's secret."""
    return _derive(secret, b"swaddle-claim-v1")


def lookup(secret: bytes) -> bytes:
    """What a submitter shows the gateway to be found."""
    return _derive(secret, b"swaddle-lookup-v1")


def proof_key(secret: bytes) -> bytes:
    """What proves a submitter's keys to the registry; the gateway never sees it."""
    return _derive(secret, b"swaddle-proof-v1")


def lookup_digest(lookup_value: bytes) -> str:
    """SHA-256 of a lookup, hex: all that the gateway keeps of it."""
    return sha256(lookup_value).hexdigest()


def claim_proof(key: bytes, keys_text: bytes) -> bytes:
    """HMAC of the registry's keys under the claim key."""
    return hmac.digest(key, keys_text, "sha256")


def enrolment_proof(key: bytes, keys_text: bytes, root_fingerprint: str) -> bytes:
    """HMAC of a submitter's keys and the root they enrol under."""
    return hmac.digest(key, keys_text + root_fingerprint.encode("ascii"), "sha256")


def check_proof(expected: bytes, given: bytes) -> None:
    """Compare two HMACs in constant time.

    Raises:
        ProofWrong: they differ.
    """
    if not hmac.compare_digest(expected, given):
        raise ProofWrong


@dataclass(frozen=True)
class Invitation:
    """What a registry gives a submitter by another way than the gateway: one line of text, one use."""

    url: str
    pin: str | None
    root: str
    secret: bytes = field(repr=False)
    expires: datetime

    def encode(self) -> str:
        """The line."""
        value = {
            "url": self.url,
            "pin": self.pin,
            "root": self.root,
            "secret": _base64url(self.secret),
            "expires": format_instant(self.expires),
        }
        return INVITATION_MARK + _base64url(canonical(value))

    @classmethod
    def decode(cls, line: str) -> Invitation:
        """The invitation that `line` is; white space around it is forgiven.

        Raises:
            InvitationMalformed: it is not one, or not whole.
        """
        text = line.strip()
        if not text.startswith(INVITATION_MARK) or len(text) > 4096:
            raise InvitationMalformed(f"an invitation begins with {INVITATION_MARK!r}")
        try:
            value = parse_canonical(_from_base64url(text.removeprefix(INVITATION_MARK)))
            _check_members(value, {"url", "pin", "root", "secret", "expires"})
            return cls(
                url=_url(value["url"]),
                pin=None if value["pin"] is None else _match(_PIN, value["pin"]),
                root=_match(_FINGERPRINT, value["root"]),
                secret=_secret(value["secret"]),
                expires=parse_instant(_text(value["expires"])),
            )
        except (SwaddleError, ValueError) as error:
            raise InvitationMalformed("something in it is missing or changed") from error


@dataclass(frozen=True)
class ClaimFile:
    """What `gateway init` writes and `registry init` takes: proof that the registry owns this gateway."""

    url: str
    pin: str
    secret: bytes = field(repr=False)
    expires: datetime

    def to_bytes(self) -> bytes:
        """Canonical JSON, as it lies in the file."""
        return canonical(
            {
                "claim": 1,
                "url": self.url,
                "pin": self.pin,
                "secret": _base64url(self.secret),
                "expires": format_instant(self.expires),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ClaimFile:
        """The claim that a file holds; a newline at its end is forgiven.

        Raises:
            InvitationMalformed: it is not one, or not whole.
        """
        try:
            value = parse_canonical(data.strip(), 4096)
            _check_members(value, {"claim", "url", "pin", "secret", "expires"})
            _check_version(value["claim"])
            return cls(
                url=_url(value["url"]),
                pin=_match(_PIN, value["pin"]),
                secret=_secret(value["secret"]),
                expires=parse_instant(_text(value["expires"])),
            )
        except (SwaddleError, ValueError) as error:
            raise InvitationMalformed("something in it is missing or changed") from error


@dataclass(frozen=True)
class RegistryKeys:
    """What a registry claims a gateway with. `root` is its public line; `certificate` names the statement key."""

    certificate: Signed
    pull_key: PublicSigningKey
    registry: str
    root: PublicSigningKey

    def to_text(self) -> bytes:
        """The canonical text that the HMAC covers."""
        return canonical(
            {
                "certificate": self.certificate.to_json(),
                "pull_key": self.pull_key.line,
                "registry": self.registry,
                "root": self.root.line,
            }
        )

    @classmethod
    def from_text(cls, text: bytes) -> RegistryKeys:
        """The keys that a text says; the certificate is not opened here.

        Raises:
            KeysMalformed: it breaks the format.
        """
        try:
            value = parse_canonical(text, KEYS_LIMIT_BYTES)
            _check_members(value, {"certificate", "pull_key", "registry", "root"})
            return cls(
                certificate=Signed.from_json(value["certificate"]),
                pull_key=PublicSigningKey.from_line(_text(value["pull_key"])),
                registry=_match(_ID, value["registry"]),
                root=PublicSigningKey.from_line(_text(value["root"])),
            )
        except (SwaddleError, ValueError) as error:
            raise KeysMalformed("a member is missing, unknown or malformed") from error


@dataclass(frozen=True)
class SubmitterKeys:
    """What a submitter enrols: the pair that is sealed to, and the key that it signs with."""

    sealing: SealingPublic
    signing_key: PublicSigningKey

    def to_text(self) -> bytes:
        """The canonical text that the HMAC and the six words cover."""
        return canonical({"sealing": self.sealing.to_json(), "signing_key": self.signing_key.line})

    @classmethod
    def from_text(cls, text: bytes) -> SubmitterKeys:
        """The keys that a text says.

        Raises:
            KeysMalformed: it breaks the format.
        """
        try:
            value = parse_canonical(text, KEYS_LIMIT_BYTES)
            _check_members(value, {"sealing", "signing_key"})
            return cls(
                sealing=SealingPublic.from_json(value["sealing"]),
                signing_key=PublicSigningKey.from_line(_text(value["signing_key"])),
            )
        except (SwaddleError, ValueError) as error:
            raise KeysMalformed("a member is missing, unknown or malformed") from error


def _derive(secret: bytes, info: bytes) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise ValueError("the secret has 160 bits")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64url(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
    if _base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def _check_members(value: dict[str, Any], names: set[str]) -> None:
    if set(value) != names:
        raise ValueError("members missing or unknown")


def _check_version(value: object) -> None:
    if value != 1 or isinstance(value, bool):
        raise ValueError("another version")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - one error for every way of being malformed
    return value


def _match(pattern: re.Pattern[str], value: object) -> str:
    text = _text(value)
    if not pattern.fullmatch(text):
        raise ValueError("not of the expected form")
    return text


def _url(value: object) -> str:
    text = _text(value)
    authority_of(text)
    return text


def _secret(value: object) -> bytes:
    secret = _from_base64url(_text(value))
    if len(secret) != SECRET_BYTES:
        raise ValueError("the secret has 160 bits")
    return secret
