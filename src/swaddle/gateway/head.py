"""The head of a request, before anything of it is believed: one host, one length, no encodings, plain targets.

Pure. Identity comes from the signature only; no field that a proxy adds (`x-forwarded-…`, `forwarded`, `x-real-ip`) is
read anywhere in the gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from swaddle.gateway.refusal import Refusal
from swaddle.wire.signing import Request

ONCE = frozenset(
    {
        "host", "content-length", "content-type", "content-digest", "content-encoding", "transfer-encoding",
        "repr-digest", "signature", "signature-input", "swaddle-lease",
    }
)  # fmt: skip
METHODS = frozenset({"GET", "POST", "PUT"})
# Nowhere else: a HEAD of what GET reads would count as reading it.
UPLOAD_METHODS = frozenset({"HEAD", "PATCH", "DELETE"})
_UPLOADS = "/v1/uploads/"
_PART = re.compile(r"/v1/transfers/[0-9a-f]{32}/parts/[0-9]{1,6}")
MOST_FIELDS = 64
_PATH = re.compile(r"/[A-Za-z0-9/_-]{0,200}")
_QUERY = re.compile(r"[A-Za-z0-9=&_-]{0,100}")
_NAME = re.compile(r"[a-z0-9-]{1,64}")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,15}")


def read_head(
    method: str, raw_path: bytes, query: bytes, fields: Iterable[tuple[bytes, bytes]], authority: str
) -> Request:
    """The head as it may be checked further.

    Args:
        method: as it came.
        raw_path: as it came, encodings untouched.
        query: as it came, without `?`.
        fields: as they came, doubled ones visible.
        authority: the only host and port that this gateway answers to.

    Raises:
        Refusal: `malformed`, `length`, `encoding`, or `not-found` for a path that no route could have.
    """
    headers = tuple((_text(name).lower(), _text(value)) for name, value in fields)
    names = [name for name, _ in headers]
    doubled = [name for name in ONCE if names.count(name) > 1] + [
        name for name in names if name.startswith(("content-", "upload-")) and names.count(name) > 1
    ]
    if len(headers) > MOST_FIELDS or doubled or not all(_NAME.fullmatch(name) for name in names):
        raise Refusal("malformed")
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) != 1 or _authority(hosts[0]) != authority:
        raise Refusal("malformed")
    if "transfer-encoding" in names:
        # The server drops a length that stands beside it: both is refused, and it alone too.
        raise Refusal("malformed" if "content-length" in names else "length")
    if "content-encoding" in names:
        raise Refusal("encoding")
    if "upgrade" in names:
        raise Refusal("malformed")
    path, question = _text(raw_path), _text(query)
    if not _may_ask(method, path) or not _PATH.fullmatch(path) or not _QUERY.fullmatch(question):
        raise Refusal("not-found")
    return Request(method=method, authority=authority, path=path, query=question, headers=headers)


def _may_ask(method: str, path: str) -> bool:
    if path.startswith(_UPLOADS):
        return method in UPLOAD_METHODS
    return method in METHODS or (method == "OPTIONS" and _PART.fullmatch(path) is not None)


def length_of(request: Request, limit_bytes: int) -> int:
    """The length of the body, which every body must say.

    Raises:
        Refusal: `length`, `malformed` or `too-large`.
    """
    values = request.all_of("content-length")
    if not values:
        raise Refusal("length")
    if not _LENGTH.fullmatch(values[0]):
        raise Refusal("malformed")
    length = int(values[0])
    if length > limit_bytes:
        raise Refusal("too-large")
    return length


def _authority(host: str) -> str:
    lowered = host.lower()
    return lowered.removesuffix(":443")


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise Refusal("malformed") from None
