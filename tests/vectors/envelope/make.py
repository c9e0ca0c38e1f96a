"""Writes the envelope's vectors: `python tests/vectors/envelope/make.py`.

Keys, data keys, nonces and plaintexts come from fixed seeds. HPKE draws its own randomness, so sealed headers and
descriptions differ after every run: make the vectors anew only when the format changes, and say so in the commit.
The keys here protect nothing.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256, shake_256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle.canonical import canonical
from swaddle.envelope import crypt4gh, signature, suite
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Core, Description, FileEntry
from swaddle.envelope.parts import SEALED_SEGMENT_BYTES, SEGMENT_BYTES, Layout
from swaddle.envelope.signature import PublicSigningKey, Signed, SigningKey

HERE = Path(__file__).parent
FULL = SEALED_SEGMENT_BYTES
Piece = tuple[str, int, int]


def seeded(name: str, size_bytes: int = 32) -> bytes:
    return shake_256(b"swaddle vector: " + name.encode()).digest(size_bytes)


REGISTRY = SealingPair(seeded("registry hpke"), seeded("registry crypt4gh"))
STRANGER = SealingPair(seeded("stranger hpke"), seeded("stranger crypt4gh"))
HOSPITAL = SigningKey.from_seed(seeded("hospital"))
IMPOSTOR = SigningKey.from_seed(seeded("impostor"))


def body(name: str, plaintext: bytes, data_key: bytes) -> bytes:
    """A body under seeded nonces, kept as bodies/NAME."""
    cipher = ChaCha20Poly1305(data_key)
    sealed = b""
    for n, at in enumerate(range(0, len(plaintext), SEGMENT_BYTES)):
        nonce = seeded(f"{name} nonce {n}", 12)
        sealed += nonce + cipher.encrypt(nonce, plaintext[at : at + SEGMENT_BYTES], None)
    (HERE / "bodies").mkdir(exist_ok=True)
    (HERE / "bodies" / name).write_bytes(sealed)
    return sealed


@dataclass(frozen=True)
class Transfer:
    """One good transfer; every vector is one with a single thing wrong."""

    name: str
    plaintext: bytes
    core: Core
    data_key: bytes
    description: Description
    pieces: tuple[tuple[Piece, ...], ...]

    @classmethod
    def make(cls, name: str, size_bytes: int, part_bytes: int, *, body_key: str | None = None) -> Transfer:
        plaintext, data_key = seeded(f"{name} plaintext", size_bytes), seeded(f"{name} key")
        sealed = body(name, plaintext, seeded(body_key) if body_key else data_key)
        layout = Layout(size_bytes, part_bytes)
        spans = [layout.span(n) for n in range(layout.parts)]
        core = Core(
            transfer=seeded(f"{name} id", 16).hex(),
            submitter=seeded("hospital id", 16).hex(),
            recipient=REGISTRY.public.key_id,
            created=datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC),
            expires=datetime(2026, 11, 25, 9, 24, 37, tzinfo=UTC),
            body_bytes=layout.body_bytes,
            segments=layout.segments,
            part_bytes=part_bytes,
            parts=tuple(sha256(sealed[s.body_offset : s.body_offset + s.body_bytes]).hexdigest() for s in spans),
        )
        entry = FileEntry("births.csv", size_bytes, sha256(plaintext).hexdigest())
        pieces = tuple(((name, s.body_offset, s.body_bytes),) for s in spans)
        return cls(name, plaintext, core, data_key, Description("births", (entry,), 12, 24, "1"), pieces)

    def header(self, packets: bytes | None = None, core: Core | None = None, to: SealingPair = REGISTRY) -> bytes:
        clear = packets if packets is not None else crypt4gh.join_packets([data_packet(self.data_key)])
        return suite.seal(clear, to.public.hpke, suite.info("header", (core or self.core).canonical()))

    def described(self, packed: bytes | None = None, core: Core | None = None) -> bytes:
        plaintext = packed if packed is not None else self.description.pack()
        return suite.seal(plaintext, REGISTRY.public.hpke, suite.info("description", (core or self.core).canonical()))


def packet(plaintext: bytes, to: SealingPair = REGISTRY, writer: str = "writer") -> bytes:
    return crypt4gh.seal_packet(plaintext, to.public.crypt4gh, seeded(writer), seeded(f"{writer} nonce", 12))


def data_packet(data_key: bytes, to: SealingPair = REGISTRY, writer: str = "writer") -> bytes:
    return packet(struct.pack("<II", 0, 0) + data_key, to, writer)


def manifest_value(transfer: Transfer, header: bytes, described: bytes) -> dict[str, Any]:
    return {
        "core": transfer.core.to_json(),
        "header_sha256": sha256(header).hexdigest(),
        "description_sha256": sha256(described).hexdigest(),
        "version": 1,
    }


def sign_text(message: bytes, namespace: str = signature.MANIFEST, key: SigningKey = HOSPITAL) -> Signed:
    """Sign bytes as they are, canonical or not."""
    raw = key.sign_raw(signature.sshsig.signed_data(namespace, message))
    return Signed(message, signature.sshsig.armor(key.public.raw, namespace, raw))


def write(
    name: str,
    expect: str,
    comment: str,
    transfer: Transfer,
    *,
    header: bytes | None = None,
    described: bytes | None = None,
    signed: Signed | None = None,
    value: Mapping[str, Any] | None = None,
    pieces: Sequence[Sequence[Piece]] | None = None,
    signer: PublicSigningKey = HOSPITAL.public,
    seen: str | None = None,
    shown: tuple[bytes, bytes] | None = None,
) -> None:
    """One vector file. `shown` is what travels as header and description, where the manifest is about others."""
    header = header if header is not None else transfer.header()
    described = described if described is not None else transfer.described()
    if signed is None:
        signed = sign_text(canonical(value if value is not None else manifest_value(transfer, header, described)))
    lines = [
        f"expect: {expect}",
        f"comment: {comment}",
        "recipient: keys/registry",
        f"signer: {signer.line}",
    ]
    if seen is not None:
        lines.append(f"seen: {seen}")
    for n, part in enumerate(transfer.pieces if pieces is None else pieces):
        lines += [f"part: {n} bodies/{source} {offset} {length}" for source, offset, length in part]
    if expect == "opened":
        lines.append(f"plaintext-sha256: {sha256(transfer.plaintext).hexdigest()}")
    header, described = shown or (header, described)
    lines += ["--- manifest", json.dumps(signed.to_json(), sort_keys=True)]
    lines += ["--- header", *wrapped(header), "--- description", *wrapped(described)]
    (HERE / f"{name}.vector").write_text("\n".join(lines) + "\n", "utf-8")


def wrapped(data: bytes) -> list[str]:
    text = base64.b64encode(data).decode("ascii")
    return [text[at : at + 120] for at in range(0, len(text), 120)]


def write_keys() -> None:
    (HERE / "keys").mkdir(exist_ok=True)
    for name, pair in (("registry", REGISTRY), ("stranger", STRANGER)):
        lines = (
            f"hpke-seed: {pair.hpke_seed.hex()}",
            f"crypt4gh-secret: {pair.crypt4gh_secret.hex()}",
            f"key-id: {pair.public.key_id}",
        )
        (HERE / "keys" / name).write_text("\n".join(lines) + "\n", "ascii")


def good() -> Transfer:
    small = Transfer.make("small", 300, 65_536)
    write("opened-small", "opened", "300 bytes, one segment, one part", small)
    write("opened-empty", "opened", "no byte, no segment, no part", Transfer.make("empty", 0, 65_536))
    write(
        "opened-exact-segment", "opened", "65,536 bytes: no empty last segment", Transfer.make("exact", 65_536, 65_536)
    )
    four = Transfer.make("four", 3 * SEGMENT_BYTES + 100, 2 * SEGMENT_BYTES)
    write("opened-four", "opened", "four segments, the last of 100 bytes, two parts", four)
    return four


def bodies(four: Transfer, small: Transfer) -> None:
    """What can be done to a body without its keys."""
    one, two = four.pieces
    seg = [("four", n * FULL, FULL) for n in range(3)] + [("four", 3 * FULL, 128)]
    body("foreign", seeded("foreign", SEGMENT_BYTES), four.data_key)  # under the same data key, never signed
    changed = bytearray((HERE / "bodies" / "four").read_bytes())
    changed[FULL + 1_000] ^= 1
    (HERE / "bodies" / "changed").write_bytes(changed)
    cases: dict[str, tuple[str, str, list[Sequence[Piece]]]] = {
        "first-segment-dropped": ("cut-short", "the first of four segments is gone", [[seg[1]], two]),
        "last-segment-dropped": ("cut-short", "the last of four segments is gone", [one, [seg[2]]]),
        "all-segments-dropped": ("cut-short", "nothing is left of the body", []),
        "last-part-dropped": ("cut-short", "the second of two parts never came", [one]),
        "body-ends-early": ("cut-short", "the last byte is missing", [one, [seg[2], ("four", 3 * FULL, 127)]]),
        "segments-swapped": ("part-changed", "the first two segments exchanged, within a part", [[seg[1], seg[0]], two]),
        "segments-swapped-across-parts": (
            "part-changed", "the second and third segment exchanged", [[seg[0], seg[2]], [seg[1], seg[3]]],
        ),
        "segment-duplicated": ("part-changed", "the first segment stands for the second too", [[seg[0], seg[0]], two]),
        "segment-duplicated-longer": ("part-changed", "the first segment twice", [[seg[0], seg[0], seg[1]], two]),
        "segment-injected": (
            "part-changed", "a segment under the right data key that was never signed",
            [[seg[0], ("foreign", 0, FULL)], two],
        ),
        "segment-injected-longer": (
            "part-changed", "the same, put between two", [[seg[0], ("foreign", 0, FULL), seg[1]], two],
        ),
        "byte-changed": ("part-changed", "one bit of the second segment", [[("changed", 0, 2 * FULL)], two]),
        "body-of-another": ("part-changed", "another body of the same length", [[("foreign", 0, FULL)] * 2, two]),
        "body-goes-on": ("trailing-bytes", "the last segment once more behind the end", [one, [*two, seg[3]]]),
        "body-goes-on-in-a-part": ("trailing-bytes", "one part more than the manifest says", [one, two, [seg[3]]]),
    }  # fmt: skip
    for name, (expect, comment, pieces) in cases.items():
        write(name, f"refused/{expect}", comment, four, pieces=pieces)
    empty = Transfer.make("empty", 0, 65_536)
    write("body-where-none-is", "refused/trailing-bytes", "a body where none was", empty, pieces=small.pieces)
    wrongly = Transfer.make("wrongly-sealed", 300, 65_536, body_key="another data key")
    write("segment-unauthentic", "refused/segment-unauthentic", "its sender sealed it under another data key", wrongly)


def bindings(four: Transfer, small: Transfer) -> None:
    """Pieces of two good transfers put together."""
    header, described = small.header(), small.described()
    write("header-of-another", "refused/header-changed", "header of A with manifest and body of B", four,
          shown=(header, four.described()), described=(own := four.described()), header=four.header())  # fmt: skip
    write("description-of-another", "refused/description-changed", "description of A with manifest and body of B", four,
          header=(kept := four.header()), shown=(kept, described))  # fmt: skip
    write("header-of-another-signed", "refused/wrong-core", "header of A signed into the manifest of B", four,
          header=header, described=own)  # fmt: skip
    write("description-of-another-signed", "refused/wrong-core", "description of A signed into the manifest of B", four,
          described=described)  # fmt: skip
    write("header-for-another-key", "refused/wrong-core", "sealed to another key under this key's id", small,
          header=small.header(to=STRANGER))  # fmt: skip
    foreign = replace(small, core=replace(small.core, recipient=STRANGER.public.key_id))
    write("another-recipient", "refused/wrong-recipient", "sealed to a key that the reader does not hold", foreign)
    header, described = small.header(), small.described()
    message = canonical(manifest_value(small, header, described))
    write("another-signer", "refused/wrong-signer", "a good signature by a key that is not enrolled", small,
          header=header, described=described, signed=sign_text(message, key=IMPOSTOR))  # fmt: skip
    write("another-namespace", "refused/signature-invalid", "signed as an acknowledgement", small, header=header,
          described=described, signed=sign_text(message, signature.ACKNOWLEDGEMENT))  # fmt: skip
    altered = message.replace(b"2026-11-25", b"2026-11-26")
    write("manifest-altered", "refused/signature-invalid", "expires a day later than was signed", small, header=header,
          described=described, signed=replace(sign_text(message), message=altered))  # fmt: skip
    write("replayed", "refused/replayed", "the transfer id was met before", small, seen=small.core.transfer)


def headers(small: Transfer) -> None:
    """What a sender could put into a header."""
    key = data_packet(small.data_key)
    edits = packet(struct.pack("<IIQQ", 1, 2, 0, 100), writer="editor")
    second = data_packet(seeded("second data key"), writer="second")
    start = crypt4gh.MAGIC + struct.pack("<I", 1)
    zero_point = struct.pack("<II", 108, 0) + bytes(104)
    cases = {
        "edit-list": ("edit-list", "a data key and an edit list", crypt4gh.join_packets([key, edits])),
        "edit-list-first": ("edit-list", "an edit list and a data key", crypt4gh.join_packets([edits, key])),
        "two-data-keys": ("data-keys", "two data keys", crypt4gh.join_packets([key, second])),
        "data-key-twice": ("data-keys", "the same data key twice", crypt4gh.join_packets([key, key])),
        "no-data-key": (
            "data-keys", "a data key for another reader only",
            crypt4gh.join_packets([data_packet(small.data_key, STRANGER)]),
        ),
        "no-packet": ("data-keys", "no packet at all", crypt4gh.join_packets([])),
        "header-magic": ("header-malformed", "not `crypt4gh`", b"crypt5gh" + crypt4gh.join_packets([key])[8:]),
        "header-version": (
            "header-malformed", "version 2", crypt4gh.MAGIC + struct.pack("<II", 2, 1) + key,
        ),
        "header-method": ("header-malformed", "packet method 1", start + struct.pack("<III", 1, 108, 1) + key[8:]),
        "header-count-2-32": ("header-malformed", "says 2^32 - 1 packets", start + struct.pack("<I", 2**32 - 1) + key),
        "header-count-65": ("header-malformed", "65 packets, one over the cap", crypt4gh.join_packets([key] * 65)),
        "header-length-4-gib": (
            "header-malformed", "a packet that says 4 GiB", start + struct.pack("<II", 1, 2**32 - 1) + key[4:],
        ),
        "header-length-zero": (
            "header-malformed", "a packet that says 0 bytes", start + struct.pack("<II", 1, 0) + key[4:],
        ),
        "header-ends-early": ("header-malformed", "the packet's last byte is missing", crypt4gh.join_packets([key])[:-1]),
        "header-trailing-bytes": ("header-malformed", "a byte behind the packet", crypt4gh.join_packets([key]) + b"\0"),
        "header-packet-kind": (
            "header-malformed", "packet type 2", crypt4gh.join_packets([packet(struct.pack("<II", 2, 0) + bytes(32))]),
        ),
        "header-body-method": (
            "header-malformed", "a body method other than 0",
            crypt4gh.join_packets([packet(struct.pack("<II", 0, 1) + small.data_key)]),
        ),
        "header-long-data-key": (
            "header-malformed", "a data key of 33 bytes",
            crypt4gh.join_packets([packet(struct.pack("<II", 0, 0) + small.data_key + b"\0")]),
        ),
        "header-zero-point": ("header-malformed", "a writer's key of zeros", crypt4gh.join_packets([zero_point])),
        "header-empty": ("header-malformed", "no byte", b""),
    }  # fmt: skip
    for name, (expect, comment, clear) in cases.items():
        write(name, f"refused/{expect}", comment, small, header=small.header(clear))


def manifests(four: Transfer) -> None:
    """What a sender could sign as a manifest."""
    header, described = four.header(), four.described()
    value = manifest_value(four, header, described)
    core = value["core"]
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "manifest-extra-member": ("a member that is not of the format", {**value, "note": "x"}),
        "manifest-missing-member": ("no version", {k: v for k, v in value.items() if k != "version"}),
        "manifest-version": ("version 2", {**value, "version": 2}),
        "manifest-version-true": ("`true` for 1", {**value, "version": True}),
        "manifest-suite": ("another suite", {**value, "core": {**core, "suite": "swaddle-0"}}),
        "manifest-body-bytes": ("a body a segment longer", {**value, "core": {**core, "body_bytes": core["body_bytes"] + FULL}}),
        "manifest-body-impossible": (
            "a last segment of no plaintext", {**value, "core": {**core, "body_bytes": 3 * FULL + 28}},
        ),
        "manifest-segments": ("a segment fewer", {**value, "core": {**core, "segments": 3}}),
        "manifest-part-size": ("a part size that is no multiple", {**value, "core": {**core, "part_bytes": 131_073}}),
        "manifest-part-size-huge": ("a part size over 1 GiB", {**value, "core": {**core, "part_bytes": 2**30 + 65_536}}),
        "manifest-parts": ("a digest more than parts", {**value, "core": {**core, "parts": [*core["parts"], "0" * 64]}}),
        "manifest-negative": ("a negative length", {**value, "core": {**core, "body_bytes": -1}}),
        "manifest-upper-case": ("hex in capitals", {**value, "header_sha256": "A" * 64}),
        "manifest-expires-first": ("expires before it is made", {**value, "core": {**core, "expires": core["created"]}}),
        "manifest-instant": ("30 February", {**value, "core": {**core, "created": "2026-02-30T00:00:00Z"}}),
    }  # fmt: skip
    for name, (comment, changed) in cases.items():
        write(name, "refused/manifest-malformed", comment, four, header=header, described=described, value=changed)
    loose = json.dumps(value).encode()
    write("manifest-not-canonical", "refused/manifest-malformed", "spaces between the members", four,
          header=header, described=described, signed=sign_text(loose))  # fmt: skip


def descriptions(small: Transfer) -> None:
    """What a sender could seal as a description."""
    value = small.description.to_json()
    text = canonical(value)
    length = struct.pack(">I", len(text))
    cases = {
        "description-padding": ("a byte of the padding is not zero", (length + text).ljust(4_095, b"\0") + b"\1"),
        "description-length": ("its inner length goes past the end", (struct.pack(">I", 5_000) + text).ljust(4_096, b"\0")),
        "description-length-4-gib": (
            "its inner length says 4 GiB", (struct.pack(">I", 2**32 - 1) + text).ljust(4_096, b"\0"),
        ),
        "description-extra-step": ("more padding than a step", (length + text).ljust(8_192, b"\0")),
        "description-unpadded": ("no padding", length + text),
        "description-extra-member": ("a member that is not of the format", padded(canonical({**value, "note": "x"}))),
        "description-two-files": ("two files", padded(canonical({**value, "files": value["files"] * 2}))),
        "description-other-size": (
            "another size than the manifest's", padded(canonical({**value, "files": [{**value["files"][0], "size_bytes": 1}]})),
        ),
        "description-not-canonical": ("spaces between the members", padded(json.dumps(value).encode())),
        "description-kind": ("a kind with a slash", padded(canonical({**value, "kind": "../births"}))),
    }  # fmt: skip
    for name, (comment, packed) in cases.items():
        write(name, "refused/description-malformed", comment, small, described=small.described(packed))


def padded(text: bytes) -> bytes:
    data = struct.pack(">I", len(text)) + text
    return data + bytes(-len(data) % 4_096)


def main() -> None:
    """Write every vector anew."""
    for old in HERE.glob("*.vector"):
        old.unlink()
    write_keys()
    four = good()
    small = Transfer.make("small", 300, 65_536)
    bodies(four, small)
    bindings(four, small)
    headers(small)
    manifests(four)
    descriptions(small)


if __name__ == "__main__":
    main()
