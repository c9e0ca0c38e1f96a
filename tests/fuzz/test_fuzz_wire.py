"""Whatever arrives over the network: refused by our own errors, and no changed request passes as signed."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest

from swaddle.envelope.signature import SigningKey
from swaddle.errors import SwaddleError
from swaddle.feedback.bundle import NotABundle, pack, unpack
from swaddle.wire import messages
from swaddle.wire.enrolment import ClaimFile, Invitation
from swaddle.wire.signing import ClockWrong, Request, Unsigned, check_request, sign_request

NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
HEX = "0123456789abcdef" * 2


def test_signed_requests(fuzz):
    """Method, target, fields and both signature fields are changed at will; only what was signed is believed."""
    key = SigningKey.generate()
    bare = Request("PUT", "gateway.example:8443", f"/v1/transfers/{HEX}/parts/0", "a=b", (
        ("content-length", "100"), ("content-type", "application/octet-stream"),
        ("content-digest", "sha-256=:" + "A" * 43 + "=:"), ("upload-complete", "?1"), ("host", "gateway.example:8443"),
    ))  # fmt: skip
    fields = (*bare.headers, *sign_request(bare, key, NOW, "QUJDREVGR0hJSktMTU5PUA=="))
    lines = [bare.method, bare.authority, bare.path, bare.query, *[f"{name}: {value}" for name, value in fields]]
    good = "\n".join(lines).encode()
    covered = ("content-", "upload-")
    named = {"swaddle-lease", "signature", "signature-input"}

    def what_counts(request):
        kept = sorted((name, value) for name, value in request.headers if name in named or name.startswith(covered))
        return request.method, request.authority, request.path, request.query, kept

    meant = what_counts(Request(bare.method, bare.authority, bare.path, bare.query, fields))

    def read(data):
        method, authority, path, query, *rest = [*data.decode("latin-1").split("\n"), "", "", ""][:60]
        headers = tuple(tuple(line.split(": ", 1)) for line in rest if ": " in line)
        request = Request(method, authority, path, query, tuple((name.lower(), value) for name, value in headers))
        try:
            check_request(request, lambda _: key.public, NOW, lambda *_: True)
        except (Unsigned, ClockWrong):
            return
        assert what_counts(request) == meant

    with pytest.raises(Unsigned):
        check_request(bare, lambda _: key.public, NOW, lambda *_: True)
    read(good)
    fuzz([good], read)


def test_json_messages(fuzz):
    kinds = [
        kind
        for kind in vars(messages).values()
        if isinstance(kind, type) and issubclass(kind, messages.Message) and kind is not messages.Message
    ]
    seeds = [
        b'{"reference":"%s","recipient":"%s","body_bytes":100,"part_bytes":65536,"expires":"2026-11-24T09:24:37Z"}'
        % (HEX.encode(), HEX.encode()),
        b'{"lease_sha256":"' + HEX.encode() * 2 + b'"}',
        b'{"type":"about:swaddle:leased","title":"x","status":409,"until":"2026-11-24T09:24:37Z"}',
        b'{"manifest":{"message":"{}","signature":""},"header":"","description":""}',
    ]

    def read(data):
        for kind in kinds:
            with suppress(messages.Garbled):
                messages.decode(data, kind)
            with suppress(messages.Garbled, ValueError):
                messages.convert(msgspec.json.decode(data), kind)

    fuzz(seeds, read)


def test_invitations_and_claims(fuzz):
    expires = datetime(2026, 11, 25, tzinfo=UTC)
    pin = "A" * 43 + "="
    invitation = Invitation(
        url="https://gateway.example:8443", pin=pin, root="SHA256:" + "A" * 43, secret=bytes(20), expires=expires
    ).encode()
    claim = ClaimFile(url="https://gateway.example:8443", pin=pin, secret=bytes(20), expires=expires).to_bytes()

    def read(data):
        with suppress(SwaddleError):
            text = data.decode("latin-1")
            assert Invitation.decode(text).encode() == text.strip()
        with suppress(SwaddleError):
            assert ClaimFile.from_bytes(data).to_bytes().strip() == data.strip()

    fuzz([invitation.encode(), claim], read)


def test_bundles(fuzz):
    good = pack({"report.html": b"<p>hello", "report.json": b"{}", "rejected.csv": b"a,b\n" * 200})

    def read(data):
        data += bytes(-len(data) % 512)
        with suppress(NotABundle):
            assert pack(unpack(data)) == data

    fuzz([good], read)
