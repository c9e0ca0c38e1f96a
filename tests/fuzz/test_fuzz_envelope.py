"""Whatever arrives as an envelope's pieces: our own refusal or the thing itself, nothing else, and quickly."""

import json
from contextlib import suppress

from swaddle.canonical import NotCanonical, canonical, parse_canonical
from swaddle.custody.entry import FIRST_PREVIOUS, LedgerBroken, entry_bytes, parse_entry
from swaddle.envelope.crypt4gh import read_header, write_header
from swaddle.envelope.manifest import Description, FileEntry, parse_description, parse_manifest
from swaddle.envelope.signature import Signed, SigningKey, open_signed, sign
from swaddle.envelope.suite import LABEL
from swaddle.errors import IntegrityFault

HEX = "0123456789abcdef" * 2
READER, WRITER = bytes(range(32)), bytes(range(32, 64))


def header():
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    public = X25519PrivateKey.from_private_bytes(READER).public_key().public_bytes_raw()
    return write_header(bytes(32), public, WRITER, bytes(12))


def manifest():
    core = {
        "suite": LABEL,
        "transfer": HEX,
        "submitter": HEX,
        "recipient": HEX,
        "created": "2026-11-22T09:24:37Z",
        "expires": "2026-11-24T09:24:37Z",
        "body_bytes": 65_564,
        "segments": 1,
        "part_bytes": 67_108_864,
        "parts": [HEX * 2],
    }
    return canonical({"core": core, "header_sha256": HEX * 2, "description_sha256": HEX * 2, "version": 1})


def test_headers(fuzz):
    good = header()

    def read(data):
        with suppress(IntegrityFault):
            assert len(read_header(data, READER)) == 32

    assert len(read_header(good, READER)) == 32
    fuzz([good, good[:16] + good[16:] * 2], read)


def test_manifests(fuzz):
    good = manifest()

    def read(data):
        with suppress(IntegrityFault):
            assert canonical(parse_manifest(data).to_json()) == data

    assert canonical(parse_manifest(good).to_json()) == good
    fuzz([good], read)


def test_descriptions(fuzz):
    good = Description("births", (FileEntry("births 2024.csv", 100, HEX * 2),), 5, 10, "1", None).pack()

    def read(data):
        data = data[:4096] + bytes(max(0, 4096 - len(data)))
        with suppress(IntegrityFault):
            assert parse_description(data).pack() == data

    fuzz([good], read)


def test_signed_statements(fuzz):
    key = SigningKey.generate()
    signed = sign("swaddle-manifest-v1", {"transfer": HEX, "version": 1}, key)
    good = json.dumps(signed.to_json()).encode()

    def read(data):
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return
        with suppress(IntegrityFault):
            found = open_signed(Signed.from_json(value), "swaddle-manifest-v1", [key.public])
            assert found == {"transfer": HEX, "version": 1}

    fuzz([good, signed.signature.encode()], read)


def test_canonical_json(fuzz):
    def read(data):
        with suppress(NotCanonical):
            assert canonical(parse_canonical(data)) == data

    fuzz([manifest(), b'{"a":[1,2.5,null,true,"\\u001f"]}'], read)


def test_custody_lines(fuzz):
    good = canonical({
        "at": "2026-11-22T09:24:37Z", "detail": {"place": "gateway"}, "event": "transfer-held",
        "previous": FIRST_PREVIOUS, "sequence": 1, "subject": HEX,
    })  # fmt: skip

    def read(data):
        with suppress(LedgerBroken):
            assert entry_bytes(parse_entry(data, None, FIRST_PREVIOUS)) == data

    fuzz([good], read)
