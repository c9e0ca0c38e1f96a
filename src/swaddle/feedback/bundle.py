"""Feedback travels as one plain tar of at most eight known files; what comes back is believed byte by byte.

Pure. Written and read here by the rules of POSIX ustar, not by a general tar library: such a library reads links,
devices, sparse files and pax records, and each of those has put a file where it was not meant to be. This reader knows
regular files, eight names and nothing else. No name from a bundle becomes a path.
"""

from __future__ import annotations

from collections.abc import Mapping

from swaddle.errors import IntegrityFault, OurBug

NAMES = (
    *("report.html", "report-fr.html", "report.json", "rejected.csv", "figures.csv", "cases.csv"),
    *("report.pdf", "report-fr.pdf"),
)
BLOCK_BYTES = 512
LARGEST_FILE_BYTES = 512 * 1024 * 1024
LARGEST_BUNDLE_BYTES = 1024 * 1024 * 1024

_REGULAR = b"0"
_MAGIC = b"ustar\x0000"
_MODE = b"0000600\x00"
_NOBODY = b"0000000\x00"
_NO_TIME = b"00000000000\x00"


class NotABundle(IntegrityFault):
    """What was opened is not a feedback bundle as this program writes them."""

    code = "SWD-FEED-01"
    what = "this feedback is not built as feedback is"
    fix = "do not use it; ask the registry to send it again"


class BundleTooLarge(OurBug):
    """A report grew beyond what a bundle may hold."""

    code = "SWD-FEED-02"
    what = "the feedback is too large to pack"
    fix = "nothing was lost; report this with the code above"


class NotOfABundle(OurBug):
    """A file that has no place in a bundle was packed."""

    code = "SWD-FEED-03"
    what = "a feedback bundle holds only " + ", ".join(NAMES)


def pack(files: Mapping[str, bytes]) -> bytes:
    """One uncompressed ustar archive, the same bytes for the same files: no times, no owners.

    Raises:
        NotOfABundle: a name that is not one of NAMES.
        BundleTooLarge: a file beyond the cap.
    """
    if not files or set(files) - set(NAMES):
        raise NotOfABundle("another name was given, or none")
    pieces: list[bytes] = []
    for name in NAMES:
        if name not in files:
            continue
        data = files[name]
        if len(data) > LARGEST_FILE_BYTES:
            raise BundleTooLarge("a file in it is larger than 512 MiB")
        pieces += [_header(name, len(data)), data, bytes(-len(data) % BLOCK_BYTES)]
    pieces.append(bytes(2 * BLOCK_BYTES))
    bundle = b"".join(pieces)
    if len(bundle) > LARGEST_BUNDLE_BYTES:
        raise BundleTooLarge("together the files are larger than 1 GiB")
    return bundle


def unpack(data: bytes | memoryview) -> dict[str, bytes]:
    """The files of a bundle, by their known names.

    Raises:
        NotABundle: anything that `pack` would not have written.
    """
    view = memoryview(data).cast("B")
    if len(view) > LARGEST_BUNDLE_BYTES:
        raise NotABundle("it is larger than 1 GiB")
    if len(view) % BLOCK_BYTES or len(view) < 3 * BLOCK_BYTES:
        raise NotABundle("its length is not that of an archive")
    files: dict[str, bytes] = {}
    at = 0
    while any(view[at : at + BLOCK_BYTES]):
        name, size_bytes = _read_header(bytes(view[at : at + BLOCK_BYTES]))
        if name in files:
            raise NotABundle("a file in it comes twice")
        at += BLOCK_BYTES
        end = at + size_bytes
        padded = end + -size_bytes % BLOCK_BYTES
        if padded > len(view) - 2 * BLOCK_BYTES:
            raise NotABundle("it ends before its last file does")
        if any(view[end:padded]):
            raise NotABundle("there are bytes between its files")
        files[name] = bytes(view[at:end])
        at = padded
    if len(view) - at != 2 * BLOCK_BYTES or any(view[at:]):
        raise NotABundle("there is something after its end")
    if not files:
        raise NotABundle("it is empty")
    if list(files) != [name for name in NAMES if name in files]:
        raise NotABundle("its files are not in their order")
    return files


def _header(name: str, size_bytes: int) -> bytes:
    fields = (
        name.encode("ascii").ljust(100, b"\x00"),
        _MODE,
        _NOBODY,
        _NOBODY,
        f"{size_bytes:011o}\x00".encode("ascii"),
        _NO_TIME,
        b" " * 8,
        _REGULAR,
        bytes(100),
        _MAGIC,
        bytes(32),
        bytes(32),
        _NOBODY,
        _NOBODY,
        bytes(167),
    )
    header = b"".join(fields)
    return header[:148] + f"{sum(header):06o}\x00 ".encode("ascii") + header[156:]


def _read_header(block: bytes) -> tuple[str, int]:
    """Name and size; the block must be, byte for byte, the header that `pack` writes for them."""
    name = block[:100].rstrip(b"\x00").decode("ascii", errors="replace")
    if name not in NAMES:
        raise NotABundle("it names a file that feedback does not have")
    digits = block[124:135]
    if not all(digit in b"01234567" for digit in digits):
        raise NotABundle("a size in it is not a number")
    size_bytes = int(digits, 8)
    if size_bytes > LARGEST_FILE_BYTES:
        raise NotABundle("a file in it is larger than 512 MiB")
    if block != _header(name, size_bytes):
        raise NotABundle("a file in it is not a plain file")
    return name, size_bytes
