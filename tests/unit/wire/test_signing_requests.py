"""RFC 9421 in one strict profile: what is signed is taken, every variant of it is not."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from swaddle.envelope.signature import SigningKey
from swaddle.wire.signing import (
    ClockWrong,
    Request,
    Unsigned,
    authority_of,
    check_request,
    content_digest,
    parse_content_digest,
    sign_request,
    signature_base,
)

KEY = SigningKey.from_seed(bytes(range(32)))
NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
NONCE = base64.b64encode(b"sixteen bytes ok").decode()
PLAIN = Request(
    method="POST",
    authority="gate.example:8443",
    path="/v1/transfers",
    query="",
    headers=(("content-length", "2"), ("content-digest", content_digest(bytes(32))), ("accept", "*/*")),
)


def signed(request=PLAIN, key=KEY, created=NOW, nonce=NONCE, **more):
    return Request(
        request.method,
        request.authority,
        request.path,
        request.query,
        (*request.headers, *sign_request(request, key, created, nonce, **more)),
    )


def changed(request, **members):
    values = {name: getattr(request, name) for name in ("method", "authority", "path", "query", "headers")}
    return Request(**{**values, **members})


def with_header(request, name, value):
    return changed(request, headers=tuple((n, value if n == name else v) for n, v in request.headers))


def check(request, now=NOW, keys=None, fresh=lambda nonce, expires: True):
    known = {KEY.public.fingerprint: KEY.public} if keys is None else keys
    return check_request(request, known.get, now, fresh)


def test_what_is_signed_is_taken_and_names_its_key():
    assert check(signed()) == KEY.public.fingerprint


def test_the_text_that_is_signed_is_the_rfcs():
    parameters = ';created=1;expires=2;nonce="n";keyid="k";tag="swaddle"'
    request = changed(PLAIN, query="after=3")
    assert signature_base(request, ("@method", "@authority", "@path", "@query", "content-length"), parameters) == (
        b'"@method": POST\n"@authority": gate.example:8443\n"@path": /v1/transfers\n"@query": ?after=3\n'
        b'"content-length": 2\n"@signature-params": ("@method" "@authority" "@path" "@query" "content-length")'
        b';created=1;expires=2;nonce="n";keyid="k";tag="swaddle"'
    )


@pytest.mark.parametrize(
    "change",
    [{"method": "PUT"}, {"authority": "gate.example"}, {"path": "/v1/transfers/"}, {"query": "a=1"}],
    ids=lambda change: next(iter(change)),
)
def test_a_request_line_that_was_changed_is_refused(change):
    with pytest.raises(Unsigned):
        check(changed(signed(), **change))


@pytest.mark.parametrize("name", ["content-length", "content-digest"])
def test_a_covered_field_that_was_changed_is_refused(name):
    with pytest.raises(Unsigned):
        check(with_header(signed(), name, "3" if name == "content-length" else content_digest(b"\x01" * 32)))


@pytest.mark.parametrize(
    "field", ["content-type", "upload-offset", "upload-complete", "swaddle-lease", "content-range", "content-location"]
)
def test_a_field_that_came_uncovered_is_refused(field):
    request = signed()
    with pytest.raises(Unsigned):
        check(changed(request, headers=(*request.headers, (field, "x"))))


@pytest.mark.parametrize("field", ["content-length", "content-digest", "signature", "signature-input"])
def test_a_doubled_field_is_refused(field):
    request = signed()
    value = request.all_of(field)[0]
    with pytest.raises(Unsigned):
        check(changed(request, headers=(*request.headers, (field, value))))


def test_fields_that_are_covered_when_present_are_sorted_in():
    headers = (("upload-offset", "0"), ("upload-complete", "?1"), ("swaddle-lease", "t"), ("content-type", "a/b"))
    request = signed(changed(PLAIN, headers=headers))
    assert (
        '("@method" "@authority" "@path" "@query" "content-type" "swaddle-lease" "upload-complete" "upload-offset")'
        in (request.all_of("signature-input")[0])
    )
    assert check(request)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("swaddle=(", "other=("),
        ('"@path" ', ""),
        ('"@method" "@authority"', '"@authority" "@method"'),
        (';tag="swaddle"', ';tag="other"'),
        (';tag="swaddle"', ""),
        (';tag="swaddle"', ';alg="rsa-v1_5-sha256";tag="swaddle"'),
        (';tag="swaddle"', ';alg="hmac-sha256";tag="swaddle"'),
        (';tag="swaddle"', ';tag="swaddle";tag="swaddle"'),
        (";created=", "; created="),
        (";created=", ";created=0"),
        (f'nonce="{NONCE}"', 'nonce=""'),
        (f'nonce="{NONCE}"', 'nonce="c2hvcnQ="'),
        ('keyid="SHA256:', 'keyid="'),
        (")", ");bs"),
    ],
)  # fmt: skip
def test_parameters_of_another_form_are_refused(old, new):
    request = signed()
    value = request.all_of("signature-input")[0]
    assert old in value
    with pytest.raises(Unsigned):
        check(with_header(request, "signature-input", value.replace(old, new, 1)))


def test_two_signatures_in_one_field_are_refused():
    request = signed()
    for name in ("signature", "signature-input"):
        value = request.all_of(name)[0]
        with pytest.raises(Unsigned):
            check(with_header(request, name, f"{value}, other{value.removeprefix('swaddle')}"))


def test_the_algorithm_may_be_said_but_only_the_one():
    parameters = (
        f';created={int(NOW.timestamp())};expires={int(NOW.timestamp()) + 60};nonce="{NONCE}"'
        f';keyid="{KEY.public.fingerprint}";alg="ed25519";tag="swaddle"'
    )
    names = ("@method", "@authority", "@path", "@query", "content-length", "content-digest")
    raw = KEY.sign_raw(signature_base(PLAIN, names, parameters))
    inner = "(" + " ".join(f'"{name}"' for name in names) + ")"
    extra = (
        ("signature-input", f"swaddle={inner}{parameters}"),
        ("signature", f"swaddle=:{base64.b64encode(raw).decode()}:"),
    )
    assert check(changed(PLAIN, headers=(*PLAIN.headers, *extra)))


def test_a_signature_by_another_key_under_this_keyid_is_refused():
    other = SigningKey.generate()
    request = signed(key=other)
    forged = with_header(
        request,
        "signature-input",
        request.all_of("signature-input")[0].replace(other.public.fingerprint, KEY.public.fingerprint),
    )
    with pytest.raises(Unsigned):
        check(forged)
    with pytest.raises(Unsigned):
        check(request)


def test_a_key_record_of_another_fingerprint_is_refused():
    with pytest.raises(Unsigned):
        check(signed(), keys={KEY.public.fingerprint: SigningKey.generate().public})


def test_signature_in_another_spelling_of_base64_is_refused():
    request = signed()
    value = request.all_of("signature")[0]
    last = value[-4]
    other = value[:-4] + chr(ord(last) + 1) + value[-3:]
    with pytest.raises(Unsigned):
        check(with_header(request, "signature", other))


class TestTime:
    def test_a_minute_either_way_is_taken(self):
        for seconds in (-60, -1, 0, 59, 60):
            assert check(signed(), now=NOW + timedelta(seconds=seconds))

    @pytest.mark.parametrize("hours", [-1, 1])
    def test_a_clock_an_hour_wrong_is_said_so_with_the_difference(self, hours):
        with pytest.raises(ClockWrong) as caught:
            check(signed(), now=NOW + timedelta(hours=hours))
        assert caught.value.exit_status == 3
        assert "3600 seconds" in str(caught.value)

    def test_only_who_signed_well_learns_of_the_clock(self):
        with pytest.raises(Unsigned):
            check(changed(signed(), path="/v1/other"), now=NOW + timedelta(hours=1))

    def test_a_long_life_is_refused(self):
        request = signed()
        value = request.all_of("signature-input")[0]
        end = int(NOW.timestamp()) + 60
        with pytest.raises(Unsigned):
            check(with_header(request, "signature-input", value.replace(f"expires={end}", f"expires={end + 1}")))
        with pytest.raises(ValueError):
            signed(lifetime_seconds=61)

    def test_a_nonce_is_asked_for_once_and_kept_to_its_expiry(self):
        seen = {}

        def fresh(nonce, expires):
            is_new = nonce not in seen
            seen[nonce] = expires
            return is_new

        request = signed()
        assert check(request, fresh=fresh)
        with pytest.raises(Unsigned):
            check(request, fresh=fresh)
        assert list(seen.values()) == [NOW + timedelta(seconds=60)]

    def test_a_request_that_is_refused_uses_no_nonce_up(self):
        asked = []
        for bad in (changed(signed(), path="/x"), signed(created=NOW - timedelta(hours=1))):
            with pytest.raises((Unsigned, ClockWrong)):
                check(bad, fresh=lambda nonce, expires: asked.append(nonce) or True)
        assert asked == []


class TestDigestField:
    def test_there_and_back(self):
        assert parse_content_digest(content_digest(b"\x07" * 32)) == b"\x07" * 32

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "sha-256=::",
            "sha-512=:" + "A" * 43 + "=:",
            content_digest(bytes(32)) + "," + content_digest(bytes(32)),
            content_digest(bytes(32)) + "\n",
            content_digest(bytes(32)).replace("AA=:", "AB=:"),
        ],
    )
    def test_every_other_form_is_refused(self, text):
        with pytest.raises(Unsigned):
            parse_content_digest(text)


class TestAuthority:
    @pytest.mark.parametrize(
        ("url", "authority"),
        [
            ("https://Gate.Example", "gate.example"),
            ("https://gate.example:443/", "gate.example"),
            ("https://127.0.0.1:8443", "127.0.0.1:8443"),
            ("https://[::1]:8443", "[::1]:8443"),
        ],
    )
    def test_host_and_port(self, url, authority):
        assert authority_of(url) == authority

    @pytest.mark.parametrize(
        "url", ["http://a", "https://", "https://a/b", "https://u@a", "https://a:b", "https://a?x", "https://a\n"]
    )
    def test_every_other_url_is_refused(self, url):
        with pytest.raises(ValueError):
            authority_of(url)


@pytest.mark.parametrize(
    "change", [{"authority": "GATE example"}, {"path": "no-slash"}, {"method": "get it"}, {"path": "/ü"}]
)
def test_a_request_line_that_cannot_be_signed_is_refused_as_any_other(change):
    with pytest.raises(Unsigned):
        check(changed(signed(), **change))
