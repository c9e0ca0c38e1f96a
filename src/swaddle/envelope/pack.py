"""A pack: many files as one body, a tar archive with an index of digests at its end. Pure arithmetic and bytes.

Written and read by docs/spec/envelope.md section 5a and not by a general tar library: such a library knows links,
devices, sparse files and records, and each of those has put a file where it was not meant to be (decision 33).
"""

from __future__ import annotations

from collections.abc import Iterable

from swaddle.envelope.pack_names import INDEX_NAME

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)
FORM = "swaddle-pack-1"
MOST_MEMBERS = 100_000
DIGEST_DIGITS = 64

# What stands in the index in place of a digest for a member that is not whole.
STATES = {"changed": "1".zfill(DIGEST_DIGITS), "gone": "2".zfill(DIGEST_DIGITS), "unreadable": "3".zfill(DIGEST_DIGITS)}
STATE_OF = {digits: state for state, digits in STATES.items()}

PAX, REGULAR = ord("x"), ord("0")
MOST_RECORDS_BYTES = 4_096
_OCTAL_LIMIT_BYTES = 8**11
_BEFORE_SIZE = b"0000600\x000000000\x000000000\x00"
_BETWEEN = b"\x0000000000000\x00"
_AFTER_CHECKSUM = bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\x000000000\x00" + bytes(167)
_CONSTANT_SUM = sum(_BEFORE_SIZE) + sum(_BETWEEN) + 8 * ord(" ") + sum(_AFTER_CHECKSUM)


def padding(size_bytes: int) -> int:
    """Zero bytes behind content of `size_bytes`, up to the next block."""
    return -size_bytes % BLOCK_BYTES


def header(name: str, size_bytes: int, number: int) -> bytes:
    """All that stands before the content of a member.

    Args:
        name: as docs/spec/envelope.md allows; this function writes any.
        size_bytes: of the content.
        number: the member's, from 1.
    """
    encoded = name.encode("utf-8", "surrogatepass")
    if name.isascii() and len(encoded) <= 100 and size_bytes < _OCTAL_LIMIT_BYTES:
        return _block(encoded, size_bytes, REGULAR)
    records = _record("path", encoded)
    if size_bytes >= _OCTAL_LIMIT_BYTES:
        records += _record("size", b"%d" % size_bytes)
    return b"".join(
        (
            _block(b"swaddle-pax/%08d" % number, len(records), PAX),
            records,
            bytes(padding(len(records))),
            _block(
                b"swaddle-name/%08d" % number, size_bytes if size_bytes < _OCTAL_LIMIT_BYTES else 0, REGULAR
            ),
        )
    )  # fmt: skip


def header_bytes(name: str, size_bytes: int) -> int:
    """How long `header` is."""
    if name.isascii() and len(name) <= 100 and size_bytes < _OCTAL_LIMIT_BYTES:
        return BLOCK_BYTES
    return len(header(name, size_bytes, 1))


def index_header(size_bytes: int) -> bytes:
    """What stands before an index of `size_bytes`."""
    return _block(INDEX_NAME.encode(), size_bytes, REGULAR)


def index_bytes(names: Iterable[str]) -> int:
    """How long the index over members of these names is."""
    return sum(DIGEST_DIGITS + 3 + (len(name) if name.isascii() else len(name.encode())) for name in names)


def member_bytes(name: str, size_bytes: int) -> int:
    """The room that a member takes: header, content, padding."""
    return header_bytes(name, size_bytes) + size_bytes + padding(size_bytes)


def pack_bytes(members: Iterable[tuple[str, int]]) -> int:
    """The length of a whole pack over (name, size) of its members."""
    known = list(members)
    index = index_bytes(name for name, _ in known)
    return sum(member_bytes(name, size) for name, size in known) + BLOCK_BYTES + index + padding(index) + len(END)


def read_records(data: bytes) -> tuple[str, int | None] | None:
    """Path and size that the records of a pax header say; None where they are not as `header` writes them."""
    found: dict[str, bytes] = {}
    at = 0
    for key in ("path", "size"):
        digits, blank, _ = data[at : at + 8].partition(b" ")
        if not blank or not digits.isdigit():
            break
        record = data[at : at + int(digits)]
        start = len(digits) + 1 + len(key) + 1
        value = record[start:-1]
        if record != _record(key, value):
            break
        found[key] = value
        at += len(record)
    if at != len(data) or "path" not in found:
        return None
    size = found.get("size")
    if size is not None and (not size.isdigit() or len(size) > 16):
        return None
    try:
        return found["path"].decode("utf-8"), None if size is None else int(size)
    except UnicodeDecodeError:
        return None


def _block(name: bytes, size_bytes: int, kind: int) -> bytes:
    digits = b"%011o" % size_bytes
    checksum = _CONSTANT_SUM + sum(name) + sum(digits) + kind
    before = name.ljust(100, b"\x00") + _BEFORE_SIZE + digits
    return before + _BETWEEN + b"%06o\x00 %c" % (checksum, kind) + _AFTER_CHECKSUM


def _record(key: str, value: bytes) -> bytes:
    """A pax record, whose length counts its own digits."""
    rest = b" %s=%s\n" % (key.encode(), value)
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d%s" % (length, rest)
