"""Parsers raise only our refusals whatever comes; what is written is read as it was written."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.canonical import NotCanonical, canonical
from swaddle.envelope import crypt4gh, sshsig
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Core, Description, FileEntry, parse_description, parse_manifest
from swaddle.envelope.parts import MOST_PART_BYTES, SEALED_SEGMENT_BYTES, SEGMENT_BYTES, Layout
from swaddle.envelope.refusals import (
    EnvelopeRefused,
    KeyMalformed,
    ManifestMalformed,
    SignatureInvalid,
    StatementMalformed,
)
from swaddle.envelope.seal import SealedBody, close_envelope, seal_file
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey, open_signed, sign
from swaddle.envelope.unseal import BodyOpener, check_envelope, open_envelope
from swaddle.errors import SwaddleError

PAIR = SealingPair(bytes(range(32)), bytes(range(32, 64)))
SIGNER = SigningKey.from_seed(bytes(32))
NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)
SECRET = PAIR.crypt4gh_secret
HEADER = crypt4gh.write_header(bytes(32), PAIR.public.crypt4gh, bytes(range(32)), bytes(12))
PART_SIZES = st.integers(1, MOST_PART_BYTES // SEGMENT_BYTES).map(lambda n: n * SEGMENT_BYTES)
quick = settings(max_examples=100, deadline=None)


def core(layout, parts=None):
    body = SealedBody(layout, tuple("0" * 64 for _ in range(layout.parts)) if parts is None else parts)
    return body.core(
        transfer="1" * 32, submitter="2" * 32, recipient=PAIR.public.key_id, created=NOW, expires=NOW + timedelta(1)
    )


def message(value):
    return canonical({"core": value, "header_sha256": "0" * 64, "description_sha256": "0" * 64, "version": 1})


@quick
@given(st.integers(0, 2**48), PART_SIZES)
def test_a_layout_comes_back_from_its_body(size, part_bytes):
    layout = Layout(size, part_bytes)
    assert Layout.from_body(layout.body_bytes, part_bytes) == layout
    assert layout.body_bytes == size + 28 * layout.segments


@quick
@given(st.integers(0, 10**9), st.integers(1, 200).map(lambda n: n * SEGMENT_BYTES))
def test_spans_cover_plaintext_and_body_without_a_gap(size, part_bytes):
    layout = Layout(size, part_bytes)
    plaintext_at = body_at = 0
    for n in range(layout.parts if layout.parts < 500 else 0):
        span = layout.span(n)
        assert (span.plaintext_offset, span.body_offset) == (plaintext_at, body_at)
        assert 0 < span.plaintext_bytes <= part_bytes
        plaintext_at += span.plaintext_bytes
        body_at += span.body_bytes
    if layout.parts < 500:
        assert (plaintext_at, body_at) == (size, layout.body_bytes)


@quick
@given(st.integers(0, 2**40))
def test_a_body_length_is_possible_or_refused(body_bytes):
    rest = body_bytes % SEALED_SEGMENT_BYTES
    if rest == 0 or rest > 28:
        assert Layout.from_body(body_bytes).body_bytes == body_bytes
    else:
        with pytest.raises(ManifestMalformed):
            Layout.from_body(body_bytes)


@quick
@given(st.binary(max_size=400))
def test_any_bytes_as_a_header_are_refused(data):
    with pytest.raises(EnvelopeRefused):
        crypt4gh.read_header(data, SECRET)


@quick
@given(st.integers(0, len(HEADER) - 1), st.integers(1, 255), st.integers(0, 40))
def test_a_changed_header_is_refused(at, flip, cut):
    changed = bytearray(HEADER)
    changed[at] ^= flip
    for wrong in (bytes(changed), bytes(changed)[: len(HEADER) - cut], HEADER + bytes(cut + 1)):
        with pytest.raises(EnvelopeRefused):
            crypt4gh.read_header(wrong, SECRET)


@quick
@given(st.binary(min_size=32, max_size=32))
def test_a_header_gives_the_key_that_was_put_in(data_key):
    header = crypt4gh.write_header(data_key, PAIR.public.crypt4gh, bytes(range(32)), bytes(12))
    assert len(header) == 124
    assert crypt4gh.read_header(header, SECRET) == data_key


@quick
@given(st.text(max_size=600))
def test_any_text_as_a_signature_is_refused(text):
    with pytest.raises(SignatureInvalid):
        sshsig.parse(text)


@quick
@given(st.text(max_size=100))
def test_any_text_as_a_public_line_is_refused(text):
    with pytest.raises(KeyMalformed):
        PublicSigningKey.from_line(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@quick
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_statement_comes_back_as_it_was_signed(value):
    try:
        signed = sign("swaddle-receipt-v1", value, SIGNER)
    except NotCanonical:
        return
    again = Signed.from_json(json.loads(json.dumps(signed.to_json())))
    assert canonical(open_signed(again, "swaddle-receipt-v1", {SIGNER.public})) == signed.message


@quick
@given(JSON)
def test_any_json_as_a_statement_or_manifest_is_refused(value):
    with pytest.raises(StatementMalformed):
        Signed.from_json(value)
    with pytest.raises(ManifestMalformed):
        Core.from_json(value)
    with pytest.raises(ManifestMalformed):
        parse_manifest(json.dumps(value).encode())


@quick
@given(st.sampled_from(sorted(core(Layout(300_000, 131_072)).to_json())), JSON)
def test_a_manifest_with_any_other_member_is_read_the_same_or_refused(name, value):
    good = core(Layout(300_000, 131_072)).to_json()
    try:
        parsed = parse_manifest(message({**good, name: value}))
    except (ManifestMalformed, NotCanonical):
        return
    assert message(parsed.core.to_json()) == message({**good, name: value})


@quick
@given(st.binary(max_size=5_000), st.integers(0, 5_000))
def test_any_bytes_as_a_description_are_refused(data, length):
    for wrong in (data, length.to_bytes(4, "big") + data.ljust(4_092, b"\0")[:4_092]):
        with pytest.raises(EnvelopeRefused):
            parse_description(wrong)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1_024)
COUNTS = st.none() | st.integers(0, 2**53 - 1)


@quick
@given(NAMES, st.integers(0, 2**53 - 1), COUNTS, COUNTS, st.none() | st.just("1"), st.none() | st.just("ab" * 16))
def test_a_description_comes_back_whatever_the_file_is_called(name, size, rows, subjects, version, answered):
    description = Description("births", (FileEntry(name, size, "0" * 64),), rows, subjects, version, answered)
    packed = description.pack()
    assert len(packed) % 4_096 == 0
    assert parse_description(packed) == description


def small_transfer(folder):
    (folder / "source").write_bytes(bytes(range(256)) * 1_000)
    data_key = b"k" * 32
    body = seal_file(folder / "source", folder / "body", data_key, 131_072, threads=1)
    described = Description("births", (FileEntry("a.csv", 256_000, "0" * 64),))
    sealed = close_envelope(core(body.layout, body.parts), data_key, described, PAIR.public, SIGNER)
    return sealed, (folder / "body").read_bytes(), body.layout


@pytest.fixture(scope="module")
def transfer():
    with tempfile.TemporaryDirectory() as folder:
        yield small_transfer(Path(folder))


def read(sealed, body, layout):
    manifest = check_envelope(sealed.manifest, sealed.header, sealed.description, {SIGNER.public}, ())
    opener = BodyOpener(open_envelope(manifest, sealed.header, sealed.description, {PAIR.public.key_id: PAIR}))
    plaintext = bytearray()
    spans = [layout.span(n) for n in range(layout.parts)]
    for n, span in enumerate(spans):
        end = span.body_offset + span.body_bytes if n + 1 < len(spans) else len(body)
        opener.open_part(n, body[span.body_offset : end], plaintext.extend)
    opener.finish()
    return bytes(plaintext)


def test_the_transfer_itself_opens(transfer):
    assert read(*transfer) == bytes(range(256)) * 1_000


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_generated_change_to_a_body_is_taken(transfer, data):
    """Cut, insert, repeat, exchange or change bytes anywhere: never plaintext, always one of our refusals."""
    sealed, body, layout = transfer
    at, other = (data.draw(st.integers(0, len(body) - 1)) for _ in range(2))
    length = data.draw(st.integers(1, 70_000))
    flipped = bytes([body[at] ^ data.draw(st.integers(1, 255))])
    low, high = sorted((at, other))
    changed = data.draw(
        st.sampled_from(
            [
                body[:at],
                body[:at] + body[at + length :],
                body[:at] + body[other : other + length] + body[at:],
                body[:at] + flipped + body[at + 1 :],
                body[:low] + body[high:] + body[low:high],
                body + body[at : at + length],
            ]
        )
    )
    if changed == body:
        return
    with pytest.raises(EnvelopeRefused):
        read(sealed, changed, layout)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["header", "description", "manifest", "signature"]), st.integers(0, 10**6), st.integers(1, 255))
def test_no_changed_byte_beside_the_body_is_taken(transfer, piece, at, flip):
    sealed, body, layout = transfer
    pieces = {
        "header": sealed.header,
        "description": sealed.description,
        "manifest": sealed.manifest.message,
        "signature": sealed.manifest.signature.encode(),
    }
    changed = bytearray(pieces[piece])
    changed[at % len(changed)] ^= flip
    pieces[piece] = bytes(changed)
    try:
        signed = Signed(pieces["manifest"], pieces["signature"].decode())
    except UnicodeDecodeError:
        return
    with pytest.raises(SwaddleError):
        read(type(sealed)(signed, pieces["header"], pieces["description"]), body, layout)
