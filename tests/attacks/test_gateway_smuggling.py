"""Heads that are read in two ways, over real TLS: one host, one length, no encodings, no identity but the signature's.

The chain of 2023 began with a header that one part of a product checked and another obeyed.
"""

import contextlib
import socket
import ssl

import pytest

from gateway_world import RealLine, SigningKey, World, make_home, running, signed_headers

BANNERS = ("granian", "starlette", "uvicorn", "python", "hyper", "swaddle", "rust", "sqlite")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("smuggling") / "gateway")
    with running(home):
        world = World(RealLine(home)).claim()
        world.intake()
        world.party = world.enrol()
        yield world
        world.line.close()


def speak(world, data, version=None):
    """What the gateway answers to exactly these bytes."""
    host, _, port = world.line.authority.partition(":")
    context = ssl.create_default_context(cafile=str(world.line.home / "tls.crt"))
    if version:
        context.maximum_version = version
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as line,
    ):
        with contextlib.suppress(ssl.SSLError, ConnectionError):  # it may hang up before it has heard all of it
            line.sendall(data)
        came = b""
        line.settimeout(3)
        with contextlib.suppress(TimeoutError, ssl.SSLError, ConnectionError):
            while piece := line.recv(65_536):
                came += piece
                head, _, body = came.partition(b"\r\n\r\n")
                if body and f"content-length: {len(body)}".encode() in head:
                    break
    return came


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else None


def head(world, line="GET /v1/time HTTP/1.1", *fields, host=True):
    lines = [line, *([f"Host: {world.line.authority}"] if host else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def signed(world, method, target, body=None, key=None, extra=(), changes=()):
    """A well-signed request as bytes; then fields are added or exchanged."""
    fields = signed_headers(
        key or world.party.key, method, world.line.authority, target, body, world.line.now(), changes
    )
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), *extra]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


class TestHeaderSmuggling:
    def test_a_plain_request_is_answered(self, world):
        assert status(speak(world, head(world))) == 200
        assert status(speak(world, signed(world, "GET", "/v1/intake"))) == 200

    @pytest.mark.parametrize("fields", [(), ("Host:",), ("Host: evil.example",), ("Host: evil.example:443",)])
    def test_no_host_or_another_is_refused(self, world, fields):
        assert status(speak(world, head(world, "GET /v1/time HTTP/1.1", *fields, host=False))) == 400

    def test_two_hosts_are_refused_in_either_order(self, world):
        for first, second in (("evil.example", world.line.authority), (world.line.authority, "evil.example")):
            answer = speak(world, head(world, "GET /v1/time HTTP/1.1", f"Host: {first}", f"Host: {second}", host=False))
            assert status(answer) == 400
        doubled = head(world, "GET /v1/time HTTP/1.1", f"Host: {world.line.authority}")
        assert status(speak(world, doubled)) == 400

    @pytest.mark.parametrize("order", [0, 1])
    def test_a_length_and_a_transfer_encoding_are_refused(self, world, order):
        fields = ["Content-Length: 4", "Transfer-Encoding: chunked"]
        data = head(world, "POST /v1/claim HTTP/1.1", *(fields if order else fields[::-1])) + b"0\r\n\r\nGET /v1/time"
        answer = speak(world, data)
        assert status(answer) in {400, 411}
        assert answer.count(b"HTTP/1.1") == 1  # what stood behind was not taken for a second request

    @pytest.mark.parametrize("value", ["chunked", "Chunked", "chunked, identity", "identity", "xchunked", " chunked"])
    def test_a_body_without_a_length_is_refused(self, world, value):
        data = head(world, "POST /v1/claim HTTP/1.1", f"Transfer-Encoding: {value}") + b"2\r\n{}\r\n0\r\n\r\n"
        assert status(speak(world, data)) in {400, 411}

    def test_two_lengths_that_differ_are_refused(self, world):
        data = head(world, "POST /v1/claim HTTP/1.1", "Content-Length: 2", "Content-Length: 3") + b"{}x"
        assert status(speak(world, data)) == 400

    @pytest.mark.parametrize("value", ["+2", "-1", "0x2", "2, 2", "2 ", "", "٢", "99999999999999999999"])
    def test_a_length_of_another_spelling_is_refused(self, world, value):
        data = head(world, "POST /v1/claim HTTP/1.1").replace(
            b"\r\n\r\n", b"\r\ncontent-length: " + value.encode() + b"\r\n\r\n"
        )
        assert status(speak(world, data + b"{}")) in {400, 401, 413}

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", "br", ""])
    def test_an_encoded_body_is_refused_unread(self, world, encoding):
        data = signed(world, "POST", "/v1/transfers", b"{}", extra=[f"Content-Encoding: {encoding}"])
        assert status(speak(world, data)) == 415

    @pytest.mark.parametrize("field", ["signature", "signature-input", "content-digest", "content-type"])
    def test_a_doubled_field_is_refused(self, world, field):
        data = signed(world, "POST", "/v1/transfers", b"{}", changes=[("content-type", "application/json")])
        line = next(one for one in data.split(b"\r\n") if one.startswith(field.encode() + b":"))
        assert status(speak(world, data.replace(line, line + b"\r\n" + line))) == 400
        assert (
            status(
                speak(world, data.replace(line, line + b"\r\n" + line.replace(field.encode(), field.upper().encode())))
            )
            == 400
        )

    def test_a_folded_field_is_refused(self, world):
        data = signed(world, "GET", "/v1/intake").replace(b'"@method" "@authority"', b'"@method"\r\n "@authority"')
        assert status(speak(world, data)) == 400

    @pytest.mark.parametrize(
        "line",
        [b"X-Swaddle : 1", b"Host : evil", b": empty", b"no colon", b"X\x00Y: 1", b"X-Y: a\x00b", b"X_Host: evil",
         b"X-Y: \xff", "X-Ÿ: 1".encode(), b"X-Y: a\rb"],
    )  # fmt: skip
    def test_a_field_of_another_form_is_refused(self, world, line):
        data = head(world).replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")
        assert status(speak(world, data)) == 400

    @pytest.mark.parametrize("prefix", ["X-", "X-Swaddle-", "xx", "X-Forwarded-", "X-Original-"])
    def test_a_prefixed_signature_is_no_signature(self, world, prefix):
        data = signed(world, "GET", "/v1/intake").replace(b"signature", prefix.encode() + b"signature")
        assert status(speak(world, data)) == 401

    @pytest.mark.parametrize(
        "field",
        ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: evil.example", "Forwarded: for=127.0.0.1;host=evil",
         "X-Real-IP: 127.0.0.1", "X-Original-URL: /v1/status", "X-Rewrite-URL: /v1/status", "X-HTTP-Method-Override: PUT",
         "X-siLock-Transaction: folder_add_by_path", "Cookie: session=admin", "Authorization: Bearer x",
         "X-User: registry", "Connection: close, signature"],
    )  # fmt: skip
    def test_no_field_says_who_one_is(self, world, field):
        assert status(speak(world, head(world, "GET /v1/status HTTP/1.1", field))) == 401
        name, _, value = field.partition(": ")
        answer = speak(world, signed(world, "GET", "/v1/status", extra=[f"{name}: {value}"]))
        assert status(answer) == 404  # a submitter, not the registry

    def test_another_host_in_the_request_line_changes_nothing(self, world):
        data = head(world, "GET https://evil.example/v1/time HTTP/1.1")
        assert status(speak(world, data)) in {200, 400}
        forged = signed(world, "GET", "/v1/intake").replace(b"GET /v1/intake", b"GET https://evil.example/v1/status")
        assert status(speak(world, forged)) in {400, 401}

    def test_a_request_inside_a_request_is_no_second_request(self, world):
        inner = head(world)
        data = signed(world, "POST", "/v1/transfers", inner)
        answer = speak(world, data)
        assert answer.count(b"HTTP/1.1") == 1
        assert status(answer) == 400

    @pytest.mark.parametrize("method", ["HEAD", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "PROPFIND"])
    def test_other_methods_find_nothing(self, world, method):
        assert status(speak(world, head(world, f"{method} /v1/time HTTP/1.1"))) in {400, 404}

    def test_no_upgrade_and_no_second_protocol(self, world):
        data = head(
            world, "GET /v1/time HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        )  # fmt: skip
        assert status(speak(world, data)) == 400
        assert status(speak(world, head(world, "GET /v1/time HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c"))) == 400
        assert status(speak(world, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) in {None, 400}


class TestBanner:
    """Fingerprinting a version: no answer says what answers, the HTTP server's own included."""

    @pytest.mark.parametrize(
        "data",
        [
            b"GARBAGE\r\n\r\n",
            b"GET /v1/time HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"a" * 500_000 + b"\r\n\r\n",
            b"\x16\x03\x01\x00\x00",
            None,
            "/nowhere",
            "/v1/claim",
            "/v1/transfers/" + "0" * 32 + "/parts/0",
            "/docs",
            "/openapi.json",
            "/%2e%2e/etc/passwd",
        ],
        ids=lambda data: (data or b"ok")[:24].strip() if isinstance(data, bytes | None) else data,
    )
    def test_no_answer_names_software(self, world, data):
        if not isinstance(data, bytes):
            data = head(world, f"GET {data or '/v1/time'} HTTP/1.1")
        answer = speak(world, data).lower()
        assert [word for word in BANNERS if word.encode() in answer.replace(b"about:swaddle:", b"")] == []
        assert b"traceback" not in answer

    def test_a_refusal_repeats_nothing_of_the_request(self, world):
        marker = "marker-in-the-request"
        for data in (
            head(world, f"GET /v1/{marker}?{marker}=1 HTTP/1.1", f"X-{marker}: {marker}"),
            signed(world, "POST", "/v1/transfers", f'{{"{marker}":1}}'.encode()),
        ):
            answer = speak(world, data)
            assert status(answer) in {400, 404}
            assert marker.encode() not in answer

    def test_the_certificate_names_the_host_and_nothing_else(self, world):
        text = (world.line.home / "tls.crt").read_bytes()
        from cryptography import x509

        certificate = x509.load_pem_x509_certificate(text)
        assert certificate.subject.rfc4514_string() == certificate.issuer.rfc4514_string() == "CN=127.0.0.1"


class TestTls:
    def test_nothing_below_1_3(self, world):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            speak(world, head(world), ssl.TLSVersion.TLSv1_2)

    def test_nothing_in_the_clear(self, world):
        host, _, port = world.line.authority.partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as plain:
            plain.sendall(head(world))
            try:
                came = plain.recv(1024)
            except ConnectionError:
                came = b""
        assert b"HTTP" not in came


def test_a_strangers_key_is_nobody(world):
    assert status(speak(world, signed(world, "GET", "/v1/intake", key=SigningKey.generate()))) == 401
