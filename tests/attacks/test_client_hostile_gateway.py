"""A hacked or broken gateway attacks whoever talks to it: every answer here comes from a simulator that lies."""

import base64
import datetime as dt
import socket
import ssl
import threading
import time
from contextlib import suppress
from hashlib import sha256

import pytest
from lying_gateway import NOW, Liar, certificate, proxy, respond

from swaddle.canonical import format_instant
from swaddle.envelope.signature import SigningKey
from swaddle.errors import NetworkFault, NotPermitted, NotThere
from swaddle.wire import problems
from swaddle.wire.client import GatewayClient, utc_now
from swaddle.wire.signing import Request, check_request


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    pem, private, pin = certificate(tmp_path_factory.mktemp("liar") / "tls")
    liar = Liar(pem, private)
    liar.pin = pin
    yield liar
    liar.close()


@pytest.fixture
def client(gateway):
    with GatewayClient(f"https://127.0.0.1:{gateway.port}", gateway.pin, SigningKey.generate(), timeout_s=2) as made:
        yield made


def test_an_honest_answer_is_read_and_the_connection_kept(gateway, client):
    gateway.answer = respond(200, {"server_time": format_instant(NOW)})
    connections = threading.active_count()
    assert client.get_time() == NOW.replace(microsecond=0)
    assert client.get_json("/v1/journal?after=3")["server_time"]
    assert threading.active_count() <= connections + 1


def test_what_is_sent_is_signed_in_the_one_form_that_the_gateway_takes(gateway):
    key = SigningKey.generate()
    gateway.answer = respond(200, {"id": "x"})
    with GatewayClient(f"https://127.0.0.1:{gateway.port}", gateway.pin, key) as client:
        client.post_json("/v1/transfers?a=b", {"reference": "r"})
    head = gateway.heads[-1]
    fields = tuple((name.lower(), value) for name, value in head[1:])
    path, _, query = head[0][1].partition("?")
    request = Request("POST", f"127.0.0.1:{gateway.port}", path, query, fields)
    assert check_request(request, lambda _: key.public, utc_now(), lambda *_: True) == key.public.fingerprint
    assert dict(fields)["host"] == f"127.0.0.1:{gateway.port}"


def test_a_connection_that_died_while_idle_is_opened_again_unnoticed(gateway, client):
    def once(connection, head, body):
        respond(200, {"a": 1})(connection, head, body)
        connection.shutdown(socket.SHUT_RDWR)

    gateway.answer = once
    for _ in range(3):
        assert client.get_json("/v1/status") == {"a": 1}


HOSTILE = {
    "garbage": lambda c, h, b: c.sendall(b"\x00\xff" * 5000 + b"\r\n\r\n"),
    "nothing": lambda c, h, b: c.shutdown(socket.SHUT_RDWR),
    "another protocol": lambda c, h, b: c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a huge header": lambda c, h, b: c.sendall(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 3_000_000 + b"\r\n\r\n"),
    "ten thousand headers": lambda c, h, b: c.sendall(b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 10_000 + b"\r\n"),
    "a huge body": lambda c, h, b: c.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n" + b'"' * 5_000_000
    ),
    "an endless chunked body": lambda c, h, b: endless(c),
    "another type": respond(200, {"a": 1}, "text/html"),
    "an encoded body": respond(200, {"a": 1}, "application/json", "content-encoding: gzip"),
    "no object": respond(200, [1]),
    "no JSON": respond(200, b"{"),
    "deep JSON": respond(200, b"[" * 100_000),
    "not UTF-8": respond(200, b'{"a":"\xff"}'),
    "an error page": respond(502, b"<html><script>alert(1)</script>", "text/html"),
    "an unknown problem": respond(400, {"type": "about:swaddle:\x1b[2J"}, "application/problem+json"),
    "a status of the future": respond(299, {"a": 1}),
}


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    with suppress(OSError):
        for _ in range(200):
            connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_is_none_is_a_network_fault_and_nothing_of_it_is_shown(gateway, client, name):
    gateway.answer = HOSTILE[name]
    with pytest.raises(NetworkFault) as caught:
        client.get_json("/v1/intake")
    assert caught.value.exit_status == 5
    assert "\x1b" not in str(caught.value)
    assert "script" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_a_redirect_is_refused_and_not_followed(gateway, client, status):
    gateway.answer = respond(status, b"", "text/html", "location: https://127.0.0.1:1/elsewhere")
    seen = len(gateway.heads)
    with pytest.raises(problems.Redirected):
        client.post_json("/v1/transfers", {})
    assert len(gateway.heads) == seen + 1


@pytest.mark.parametrize("drip", ["in the head", "in the body", "at all"])
def test_a_slow_drip_ends_at_the_deadline(gateway, drip):
    def slowly(connection, head, body):
        data = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
        if drip == "in the body":
            connection.sendall(data)
        with suppress(OSError):
            for _ in range(100):
                time.sleep(0.1)
                if drip != "at all":
                    connection.sendall(b"{" if drip == "in the body" else b"H")

    gateway.answer = slowly
    begun = time.monotonic()
    with (
        GatewayClient(f"https://127.0.0.1:{gateway.port}", gateway.pin, None, timeout_s=0.6) as client,
        pytest.raises(problems.TooSlow),
    ):
        client.get_json("/v1/time")
    assert time.monotonic() - begun < 8  # and not the 10 that it drips


def test_a_clock_an_hour_wrong_is_said_with_the_difference_and_exits_3(gateway):
    behind = NOW.replace(microsecond=0) - dt.timedelta(hours=1)
    gateway.answer = respond(
        401, {"type": "about:swaddle:clock", "server_time": format_instant(NOW)}, "application/problem+json"
    )
    url = f"https://127.0.0.1:{gateway.port}"
    with (
        GatewayClient(url, gateway.pin, SigningKey.generate(), clock=lambda: behind) as client,
        pytest.raises(problems.ClockDiffers) as caught,
    ):
        client.get_json("/v1/intake")
    assert caught.value.exit_status == 3
    assert "1 h 0 min (this one is slow)" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "status", "members", "error"),
    [
        ("unsigned", 401, {}, problems.NotAdmitted),
        ("not-found", 404, {}, NotThere),
        ("conflict", 409, {"state": "held"}, problems.Conflict),
        ("leased", 409, {"until": "2026-11-22T09:24:37Z"}, problems.Leased),
        ("digest", 422, {}, problems.DigestRefused),
        ("refused", 422, {"reason": "\x1b]0;owned\x07"}, problems.TransferRefused),
        ("frozen", 423, {}, problems.Frozen),
        ("full", 507, {}, problems.GatewayFull),
        ("too-large", 413, {}, problems.TooLarge),
        ("malformed", 400, {}, problems.Misunderstood),
        ("slow", 408, {}, problems.LineTooSlow),
        ("busy", 503, {}, problems.GatewayBusy),
        ("fault", 500, {}, problems.GatewayFault),
        ("clock", 401, {"server_time": "<script>"}, problems.Garbled),
    ],
)
def test_each_problem_is_an_error_of_its_own(gateway, client, kind, status, members, error):
    gateway.answer = respond(
        status, {"type": f"about:swaddle:{kind}", "title": "\x1b[31m", **members}, "application/problem+json"
    )
    with pytest.raises(error) as caught:
        client.get_json("/v1/intake")
    assert "\x1b" not in str(caught.value)
    assert "<" not in str(caught.value)


def part_answer(body, content_type="application/octet-stream", length=None):
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length or len(body)}\r\n\r\n"
    return lambda connection, *_: (connection.sendall(head.encode() + body), connection.shutdown(socket.SHUT_WR))


def test_a_part_is_read_whole_into_a_sink_or_a_descriptor(gateway, client, tmp_path):
    part = bytes(range(256)) * 3000
    gateway.answer = respond(200, part, "application/octet-stream")
    pieces = []
    client.get_part("/v1/transfers/x/parts/0", "token", len(part), lambda piece: pieces.append(bytes(piece)))
    assert b"".join(pieces) == part
    assert {name.lower(): value for name, value in gateway.heads[-1][1:]}["swaddle-lease"] == "token"
    with (tmp_path / "part").open("wb") as file:
        client.get_part("/v1/transfers/x/parts/0", "token", len(part), file.fileno())
    assert (tmp_path / "part").read_bytes() == part


@pytest.mark.parametrize(
    "answer",
    [
        part_answer(b"a" * 99),
        part_answer(b"a" * 101),
        part_answer(b"a" * 50, length=100),
        part_answer(b"a" * 100, "text/plain"),
        lambda c, *_: c.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            b"65\r\n" + b"a" * 101 + b"\r\n0\r\n\r\n"
        ),
    ],
)
def test_a_part_of_another_length_is_refused(gateway, client, answer):
    gateway.answer = answer
    with pytest.raises(NetworkFault):
        client.get_part("/v1/transfers/x/parts/0", "token", 100, lambda _: None)


def test_a_part_goes_out_with_its_digest_and_a_refusal_in_the_middle_is_heard(gateway, client):
    data = memoryview(bytes(1_000_000))
    digest = sha256(data).digest()
    gateway.answer = respond(204)
    client.put_part("/v1/transfers/x/parts/0", data, digest)
    fields = {name.lower(): value for name, value in gateway.heads[-1][1:]}
    assert fields["content-digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    gateway.answer = respond(507, {"type": "about:swaddle:full"}, "application/problem+json")
    with pytest.raises(problems.GatewayFull):
        client.put_part("/v1/transfers/x/parts/0", data, digest)


class TestWrongGateway:
    """Somebody else answers at the gateway's address."""

    def test_another_key_than_the_pin_gets_no_byte_of_a_request(self, gateway, tmp_path):
        pem, private, _ = certificate(tmp_path / "other")
        impostor = Liar(pem, private)
        with (
            GatewayClient(f"https://127.0.0.1:{impostor.port}", gateway.pin, SigningKey.generate()) as client,
            pytest.raises(problems.WrongPin) as caught,
        ):
            client.get_json("/v1/intake")
        assert caught.value.exit_status == 8
        assert impostor.heads == []
        impostor.close()

    def test_an_expired_certificate_is_refused_even_with_the_right_pin(self, tmp_path):
        pem, private, pin = certificate(tmp_path / "old", not_after=NOW - dt.timedelta(days=1))
        old = Liar(pem, private)
        with (
            GatewayClient(f"https://127.0.0.1:{old.port}", pin, None) as client,
            pytest.raises(problems.WrongCertificate),
        ):
            client.get_json("/v1/time")
        assert old.heads == []
        old.close()

    def test_without_a_pin_the_systems_authorities_decide(self, gateway):
        seen = len(gateway.heads)
        with (
            GatewayClient(f"https://127.0.0.1:{gateway.port}", None, None) as client,
            pytest.raises(problems.WrongCertificate),
        ):
            client.get_json("/v1/time")
        assert len(gateway.heads) == seen

    def test_an_older_tls_is_not_spoken(self, gateway, tmp_path):
        pem, private, pin = certificate(tmp_path / "tls12")
        old = Liar(pem, private, ssl.TLSVersion.TLSv1_2)
        with GatewayClient(f"https://127.0.0.1:{old.port}", pin, None) as client, pytest.raises(NetworkFault):
            client.get_json("/v1/time")
        assert old.heads == []
        old.close()

    def test_a_renewed_key_that_was_announced_is_taken(self, tmp_path):
        pem, private, pin = certificate(tmp_path / "first")
        liar = Liar(pem, private)
        liar.answer = lambda c, h, b: (respond(200, {"a": 1})(c, h, b), c.shutdown(socket.SHUT_RDWR))
        later_pem, later_private, later_pin = certificate(tmp_path / "later")
        url = f"https://127.0.0.1:{liar.port}"
        with GatewayClient(url, pin, None, further_pins=[later_pin]) as client:
            assert client.get_json("/v1/time") == {"a": 1}
            liar.renew(later_pem, later_private)
            assert client.get_json("/v1/time") == {"a": 1}
        liar.close()

    @pytest.mark.parametrize(
        "url", ["http://a.example", "https://", "https://a/b", "https://u:p@a", "https://a:99999", "https://a?q", "a"]
    )
    def test_an_address_that_is_not_one_is_refused(self, url):
        with pytest.raises(problems.AddressFault):
            GatewayClient(url, None, None)

    def test_nobody_there_is_a_network_fault(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with (
            GatewayClient(f"https://127.0.0.1:{port}", "A" * 43 + "=", None) as client,
            pytest.raises(problems.Unreachable) as caught,
        ):
            client.get_json("/v1/time")
        assert str(port) not in str(caught.value)


def test_through_a_proxy_the_pin_still_holds_and_the_proxy_learns_the_address_only(gateway, monkeypatch):
    gateway.answer = respond(200, {"a": 1})
    with proxy() as (where, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@{where}")
        monkeypatch.setenv("NO_PROXY", "")
        url = f"https://127.0.0.1:{gateway.port}"
        with GatewayClient(url, gateway.pin, SigningKey.generate()) as client:
            assert client.get_json("/v1/status") == {"a": 1}
            assert client.get_json("/v1/status") == {"a": 1}
        with GatewayClient(url, "A" * 43 + "=", None) as client, pytest.raises(problems.WrongPin):
            client.get_json("/v1/status")
    assert all(head.startswith(f"CONNECT 127.0.0.1:{gateway.port} HTTP/1.1\r\n") for head in asked)
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz" in asked[0]
    assert len(asked) == 3


@pytest.mark.parametrize("verdict", [b"HTTP/1.1 407 Login\r\n\r\n", b"HTTP/1.1 403 No\r\n\r\n", b"x" * 20_000])
def test_a_proxy_that_says_no_is_named_as_the_cause(gateway, monkeypatch, verdict):
    with proxy(verdict) as (where, _):
        monkeypatch.setenv("HTTPS_PROXY", where)
        monkeypatch.setenv("NO_PROXY", "")
        with (
            GatewayClient(f"https://127.0.0.1:{gateway.port}", gateway.pin, None) as client,
            pytest.raises(problems.ProxyFault) as caught,
        ):
            client.get_json("/v1/time")
    assert caught.value.exit_status == 3


def test_not_permitted_is_its_own_exit_status(gateway, client):
    gateway.answer = respond(401, {"type": "about:swaddle:unsigned"}, "application/problem+json")
    with pytest.raises(NotPermitted) as caught:
        client.get_json("/v1/intake")
    assert caught.value.exit_status == 4
