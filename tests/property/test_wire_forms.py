"""Every request that can be signed is taken once signed, and one changed character anywhere is not."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.envelope.signature import SigningKey
from swaddle.wire.enrolment import Invitation, InvitationMalformed
from swaddle.wire.signing import Request, Unsigned, check_request, content_digest, sign_request

KEY = SigningKey.from_seed(bytes(range(32)))
NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
PATHS = st.text("abc019/-", min_size=0, max_size=30).map(lambda text: "/" + text)
VALUES = st.text("abc 019;=\"'()", min_size=1, max_size=20).map(str.strip).filter(bool)
REQUESTS = st.builds(
    lambda method, path, query, values: Request(
        method, "gate.example:8443", path, query, tuple((name, value) for name, value in values.items())
    ),
    st.sampled_from(["GET", "PUT", "POST"]),
    PATHS,
    st.text("abc=&019", max_size=10),
    st.dictionaries(
        st.sampled_from(["content-length", "content-type", "swaddle-lease", "upload-a", "upload-b", "accept"]), VALUES
    ),
)


def check(request):
    return check_request(request, {KEY.public.fingerprint: KEY.public}.get, NOW, lambda nonce, expires: True)


@settings(max_examples=100, deadline=None)
@given(request=REQUESTS, nonce=st.binary(min_size=16, max_size=64))
def test_what_is_signed_is_taken(request, nonce):
    fields = sign_request(request, KEY, NOW, base64.b64encode(nonce).decode())
    signed = Request(request.method, request.authority, request.path, request.query, (*request.headers, *fields))
    assert check(signed) == KEY.public.fingerprint


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_one_changed_character_is_not(data):
    request = Request("PUT", "gate.example", "/v1/a", "q=1", (("content-length", "5"), ("content-digest", content_digest(bytes(32)))))  # fmt: skip
    fields = sign_request(request, KEY, NOW, base64.b64encode(bytes(16)).decode())
    headers = [*request.headers, *fields]
    which = data.draw(st.integers(0, len(headers) - 1))
    name, value = headers[which]
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != value[place]))
    headers[which] = (name, value[:place] + other + value[place + 1 :])
    with pytest.raises(Unsigned):
        check(Request(request.method, request.authority, request.path, request.query, tuple(headers)))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200))
def test_no_text_but_an_invitation_is_one(text):
    with pytest.raises(InvitationMalformed):
        Invitation.decode(text)
