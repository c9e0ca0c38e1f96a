"""docs/spec/envelope.md, section 6: one vector per defect, and the reader agrees with each.

Every vector is opened twice, part by part as it comes from a gateway and file to file; both must say the same.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from swaddle.envelope import refusals
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.pack_reader import look_through
from swaddle.envelope.refusals import EnvelopeRefused
from swaddle.envelope.signature import PublicSigningKey, Signed
from swaddle.envelope.unseal import BodyOpener, Opened, check_envelope, open_envelope, unseal_file

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "vectors" / "envelope"
VECTORS = sorted(FOLDER.glob("*.vector"))
DEFECTS = {cls.defect for cls in EnvelopeRefused.__subclasses__()}


class NotAVector(Exception):
    """The runner does not know something that stands in the file."""


@dataclass
class Vector:
    expect: str = ""
    comment: str = ""
    recipient: SealingPair | None = None
    signer: PublicSigningKey | None = None
    seen: set[str] = field(default_factory=set)
    parts: dict[int, bytes] = field(default_factory=dict)
    plaintext_sha256: str = ""
    manifest: Signed | None = None
    header: bytes = b""
    description: bytes = b""


def read_vector(text: str) -> Vector:
    """Parse a vector; anything unknown is refused, so that no line is ever silently without effect."""
    head, *sections = re.split(r"^--- ", text, flags=re.MULTILINE)
    vector = Vector()
    for line in head.splitlines():
        name, _, value = line.partition(": ")
        match name:
            case "expect":
                vector.expect = value
            case "comment":
                vector.comment = value
            case "recipient":
                vector.recipient = read_pair(value)
            case "signer":
                vector.signer = PublicSigningKey.from_line(value)
            case "seen":
                vector.seen.add(value)
            case "part":
                n, source, offset, length = value.split()
                body = (FOLDER / source).read_bytes()
                piece = body[int(offset) : int(offset) + int(length)]
                vector.parts[int(n)] = vector.parts.get(int(n), b"") + piece
            case "plaintext-sha256":
                vector.plaintext_sha256 = value
            case _:
                raise NotAVector(f"unknown header {name!r}")
    for section in sections:
        read_section(vector, *section.split("\n", 1))
    return vector


def read_section(vector: Vector, name: str, content: str = "") -> None:
    match name:
        case "manifest":
            vector.manifest = Signed.from_json(json.loads(content))
        case "header":
            vector.header = base64.b64decode(content.replace("\n", ""), validate=True)
        case "description":
            vector.description = base64.b64decode(content.replace("\n", ""), validate=True)
        case _:
            raise NotAVector(f"unknown section {name!r}")


def read_pair(name: str) -> SealingPair:
    fields = dict(line.split(": ") for line in (FOLDER / name).read_text("ascii").splitlines())
    pair = SealingPair(bytes.fromhex(fields["hpke-seed"]), bytes.fromhex(fields["crypt4gh-secret"]))
    assert pair.public.key_id == fields["key-id"]
    return pair


def opened(vector: Vector) -> Opened:
    manifest = check_envelope(vector.manifest, vector.header, vector.description, {vector.signer}, vector.seen)
    return open_envelope(
        manifest, vector.header, vector.description, {vector.recipient.public.key_id: vector.recipient}
    )


def part_by_part(vector: Vector, _folder: Path) -> bytes:
    opener = BodyOpener(opened(vector))
    plaintext = bytearray()
    for n, part in sorted(vector.parts.items()):
        opener.open_part(n, part, plaintext.extend)
    opener.finish()
    return bytes(plaintext)


def file_to_file(vector: Vector, folder: Path) -> bytes:
    body, target = folder / "body", folder / "plaintext"
    body.write_bytes(b"".join(part for _, part in sorted(vector.parts.items())))
    try:
        unseal_file(opened(vector), body, target)
    except EnvelopeRefused:
        assert [path.name for path in folder.iterdir()] == ["body"]  # nothing of the plaintext stays
        raise
    return target.read_bytes()


def look_through_pack(vector: Vector, plaintext: bytes) -> None:
    said = opened(vector).description
    if said.members is not None:
        look_through([memoryview(plaintext)], index_sha256=said.files[0].sha256, members=said.members)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
@pytest.mark.parametrize("read", [part_by_part, file_to_file])
def test_the_reader_agrees_with_the_vector(path, read, tmp_path):
    vector = read_vector(path.read_text("utf-8"))
    try:
        plaintext = read(vector, tmp_path)
        look_through_pack(vector, plaintext)
    except EnvelopeRefused as refused:
        outcome = f"refused/{refused.defect}"
    else:
        outcome = "opened"
        assert sha256(plaintext).hexdigest() == vector.plaintext_sha256
    assert outcome == vector.expect, vector.comment


def test_each_defect_of_the_table_has_a_vector_and_a_class():
    spec = (ROOT / "docs" / "spec" / "envelope.md").read_text("utf-8")
    table = set(re.findall(r"`refused/([a-z-]+)`", spec))
    vectors = {read_vector(path.read_text("utf-8")).expect.removeprefix("refused/") for path in VECTORS}
    assert table == DEFECTS
    assert vectors - {"opened"} == table


def test_codes_are_one_to_a_class():
    codes = [
        cls.code for cls in vars(refusals).values() if isinstance(cls, type) and cls.__module__ == refusals.__name__
    ]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"SWD-ENV-\d\d", code) for code in codes)


@pytest.mark.parametrize("text", ["expected: opened\n", "expect: opened\n--- trailer\n", "expect opened\n"])
def test_the_runner_refuses_what_it_does_not_know(text):
    with pytest.raises(NotAVector):
        read_vector(text)


def test_the_hpke_key_of_a_seed_is_the_one_of_x_wing():
    """The published X-Wing test vector's seed and public key: other implementations take the same 32 bytes."""
    seed = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
    assert SealingPair(seed, bytes(31) + b"\1").public.hpke.hex().startswith("e2236b35a8c24b39b10aa1323a96a919")
