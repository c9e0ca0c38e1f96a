"""Who sent this request: HTTP Message Signatures (RFC 9421) in one strict profile, docs/spec/transfer.md section 2.

Pure. There is exactly one way to sign a request: what must be covered follows from the request, the parameters have one
order, the algorithm is Ed25519. So checking is to rebuild the one text that may have been signed, not to obey what the
request says about itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from swaddle.envelope.refusals import SignatureInvalid
from swaddle.envelope.signature import PublicSigningKey, SigningKey
from swaddle.errors import NotPermitted, SettingsFault

LABEL = "swaddle"
WINDOW = timedelta(seconds=60)
DERIVED = ("@method", "@authority", "@path", "@query")
COVERED_IF_PRESENT = ("content-length", "content-type", "content-digest", "repr-digest", "swaddle-lease")

_TOKEN = re.compile(r"[A-Z]{1,16}")
_FIELD_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_TARGET = re.compile(r"[\x21-\x7e]*")
_AUTHORITY = re.compile(r"[a-z0-9.:\[\]-]{1,255}")
_PARAMETERS = re.compile(
    r";created=(?P<created>[0-9]{1,12});expires=(?P<expires>[0-9]{1,12})"
    r';nonce="(?P<nonce>[A-Za-z0-9+/]{22,86}={0,2})";keyid="(?P<keyid>SHA256:[A-Za-z0-9+/]{43})"'
    r'(?:;alg="ed25519")?;tag="swaddle"'
)
_INPUT = re.compile(r"swaddle=(?P<inner>\((?P<components>[^()]*)\)(?P<parameters>;.*))")
_SIGNATURE = re.compile(r"swaddle=:(?P<signature>[A-Za-z0-9+/]{86}==):")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class Unsigned(NotPermitted):
    """The request's signature is missing or does not hold."""

    code = "SWD-WIRE-01"
    what = "the request was not accepted as signed"
    why = "its signature is missing or does not hold"
    fix = "ask the registry whether this key is still enrolled"


class ClockWrong(SettingsFault):
    """The two clocks differ by more than the window; nothing was changed."""

    code = "SWD-WIRE-02"
    what = "this machine's clock and the gateway's differ too much"
    why = "they differ by {difference_seconds} seconds; at most {window_seconds} are allowed"
    fix = "set the clock right (see your time service), then run again; Swaddle changes no clock"

    def __init__(self, difference_seconds: int) -> None:
        """Say the difference, whole seconds."""
        super().__init__(difference_seconds=difference_seconds, window_seconds=int(WINDOW.total_seconds()))


@dataclass(frozen=True)
class Request:
    """What of a request is signed.

    Attributes:
        authority: host and port as in the URL, lower case, the port left out where it is the scheme's own.
        path: as sent, percent-encodings untouched.
        query: as sent, without `?`; empty where there is none.
        headers: names in lower case, in the order received, doubled ones visible.
    """

    method: str
    authority: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def all_of(self, name: str) -> list[str]:
        """Every value of the field `name`."""
        return [value for field, value in self.headers if field == name]


def sign_request(
    request: Request, key: SigningKey, created: datetime, nonce: str, lifetime_seconds: int = 60
) -> list[tuple[str, str]]:
    """The two fields that sign `request`: `signature-input` and `signature`.

    Raises:
        ValueError: the request has a form that no gateway would take.
    """
    moment = int(created.timestamp())
    parameters = (
        f';created={moment};expires={moment + lifetime_seconds};nonce="{nonce}"'
        f';keyid="{key.public.fingerprint}";tag="swaddle"'
    )
    if not _PARAMETERS.fullmatch(parameters) or not 0 < lifetime_seconds <= WINDOW.total_seconds():
        raise ValueError("the nonce or the lifetime is not allowed")
    components = covered(request)
    signature = key.sign_raw(signature_base(request, components, parameters))
    encoded = base64.b64encode(signature).decode("ascii")
    return [
        ("signature-input", f"{LABEL}={_inner_list(components)}{parameters}"),
        ("signature", f"{LABEL}=:{encoded}:"),
    ]


def check_request(
    request: Request,
    keys: Callable[[str], PublicSigningKey | None],
    now: datetime,
    nonce_is_new: Callable[[str, datetime], bool],
) -> str:
    """Who signed `request`.

    Args:
        request: as it came.
        keys: the enrolled key of a fingerprint, or None.
        now: the gateway's time.
        nonce_is_new: keeps a nonce (scoped by key) until the given moment; False where it has it already.

    Returns:
        The fingerprint of the key that signed.

    Raises:
        Unsigned: it is not signed by an enrolled key in the one form there is; the reason is not told.
        ClockWrong: signed well, but the two clocks differ.
    """
    stated = _INPUT.fullmatch(_only(request, "signature-input"))
    signed = _SIGNATURE.fullmatch(_only(request, "signature"))
    if stated is None or signed is None:
        raise Unsigned
    parameters = _PARAMETERS.fullmatch(stated["parameters"])
    if parameters is None:
        raise Unsigned
    try:
        components = covered(request)
    except ValueError:
        raise Unsigned from None
    if stated["inner"] != _inner_list(components) + stated["parameters"]:
        raise Unsigned
    key = keys(parameters["keyid"])
    if key is None or key.fingerprint != parameters["keyid"]:
        raise Unsigned
    try:
        key.check_raw(_decode(signed["signature"]), signature_base(request, components, stated["parameters"]))
    except (SignatureInvalid, ValueError):
        raise Unsigned from None
    _check_times(int(parameters["created"]), int(parameters["expires"]), now)
    if len(_decode(parameters["nonce"])) < 16:
        raise Unsigned
    kept_until = datetime.fromtimestamp(int(parameters["expires"]), UTC)
    if not nonce_is_new(f"{parameters['keyid']} {parameters['nonce']}", kept_until):
        raise Unsigned
    return parameters["keyid"]


def covered(request: Request) -> tuple[str, ...]:
    """What a signature of `request` must cover, in order.

    Raises:
        ValueError: a field to be covered is doubled, has no plain value, or is a content field we do not know.
    """
    present = {name for name, _ in request.headers}
    uploads = sorted(name for name in present if name.startswith("upload-"))
    fields = [name for name in COVERED_IF_PRESENT if name in present] + uploads
    if any(name.startswith("content-") and name not in COVERED_IF_PRESENT for name in present):
        raise ValueError("a content field that is not covered")
    for name in fields:
        values = request.all_of(name)
        if len(values) != 1 or not _FIELD_VALUE.fullmatch(values[0]):
            raise ValueError("a doubled or malformed field")
    return (*DERIVED, *fields)


def signature_base(request: Request, components: tuple[str, ...], parameters: str) -> bytes:
    """The text that is signed (RFC 9421 section 2.5)."""
    derived = {
        "@method": request.method,
        "@authority": request.authority,
        "@path": request.path,
        "@query": f"?{request.query}",
    }
    well_formed = (
        _TOKEN.fullmatch(request.method)
        and _AUTHORITY.fullmatch(request.authority)
        and request.path.startswith("/")
        and _TARGET.fullmatch(request.path)
        and _TARGET.fullmatch(request.query)
    )
    if not well_formed:
        raise ValueError("a request line that cannot be signed")
    lines = [f'"{name}": {derived[name] if name in derived else request.all_of(name)[0]}' for name in components]
    lines.append(f'"@signature-params": {_inner_list(components)}{parameters}')
    return "\n".join(lines).encode("ascii")


def content_digest(sha256: bytes) -> str:
    """The `content-digest` field of a body with this SHA-256 (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(sha256).decode('ascii')}:"


def parse_content_digest(text: str) -> bytes:
    """The SHA-256 that a `content-digest` field says; exactly one digest, of this kind.

    Raises:
        Unsigned: any other form (the field is covered, so whoever wrote it signed it).
    """
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise Unsigned
    return _decode(match[1])


def authority_of(url: str) -> str:
    """`host` or `host:port` of an https URL, as `@authority` has it.

    Raises:
        ValueError: not an https URL with a plain host and nothing behind it.
    """
    match = re.fullmatch(r"https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::([0-9]{1,5}))?/?", url)
    if match is None:
        raise ValueError("not of the form https://host:port")
    host, port = match[1].lower(), match[2]
    return host if port in {None, "443"} else f"{host}:{int(port)}"


def _only(request: Request, name: str) -> str:
    values = request.all_of(name)
    if len(values) != 1:
        raise Unsigned
    return values[0]


def _inner_list(components: tuple[str, ...]) -> str:
    return "(" + " ".join(f'"{name}"' for name in components) + ")"


def _decode(text: str) -> bytes:
    """Canonical base64 only: two texts never stand for the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unsigned from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Unsigned
    return data


def _check_times(created: int, expires: int, now: datetime) -> None:
    """At most a window long, begun at most a window ahead of our clock, not over.

    Raises:
        Unsigned: a span that no client of ours makes.
        ClockWrong: a span that is not now.
    """
    window = int(WINDOW.total_seconds())
    if not 0 < expires - created <= window:
        raise Unsigned
    moment = int(now.timestamp())
    if not created - window <= moment <= expires:
        raise ClockWrong(abs(moment - created))
