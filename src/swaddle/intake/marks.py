"""What stands in front of text and says how it is encoded. Pure."""

from __future__ import annotations

HEAD_BYTES = 4096  # of a file, to know what it is
BOM = b"\xef\xbb\xbf"
UTF_32 = (b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00")


def wide_encoding(head: bytes) -> str:
    """`utf-16` where its mark stands in front, its form with a byte order where the text shows it, else nothing."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not head.startswith(UTF_32):
        return "utf-16"
    even, odd = head[0:400:2], head[1:400:2]
    if len(odd) > 8 and not even.count(0) and odd.count(0) * 10 > len(odd) * 9:
        return "utf-16-le"
    if len(odd) > 8 and not odd.count(0) and even.count(0) * 10 > len(even) * 9:
        return "utf-16-be"
    return ""
