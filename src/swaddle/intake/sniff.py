"""What a file is by its first bytes, never by its name. Pure."""

from __future__ import annotations

from swaddle.intake.faults import EmptyFile, NotADataSet, WrongEncoding
from swaddle.intake.readers.hl7_stream import looks_like_hl7

HEAD_BYTES = 4096
CSV = "csv"
PARQUET = "parquet"
HL7 = "hl7"

# First bytes -> what a person calls it.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"),
    (b"II*\x00", "a picture (TIFF)"),
    (b"MM\x00*", "a picture (TIFF)"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook or Word document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf", "a 7-zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"crypt4gh", "already encrypted (Crypt4GH)"),
    (b"age-encryption.org", "already encrypted (age)"),
    (b"-----BEGIN", "a key, a certificate or an armoured message"),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b"<svg", "a picture (SVG)"),
    (b"<", "a document with markup"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
_UTF_32 = (b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00")
BOM = b"\xef\xbb\xbf"


def sniff(head: bytes, size_bytes: int) -> str:
    """CSV or PARQUET, from the first bytes of a file.

    Raises:
        EmptyFile: nothing, or nothing but blanks.
        NotADataSet: something else that its first bytes betray.
        WrongEncoding: UTF-16 or UTF-32.
    """
    if size_bytes == 0:
        raise EmptyFile("no bytes at all")
    if head.startswith(b"PAR1"):
        return PARQUET
    if head.startswith(_UTF_32):
        raise WrongEncoding("it is UTF-32")
    wide = wide_encoding(head)
    if wide:
        return CSV
    if looks_like_hl7(head):
        return HL7
    _refuse_by_signature(head)
    start = head.removeprefix(BOM).lstrip()
    if not start and size_bytes <= len(head):
        raise EmptyFile("nothing but blanks")
    for signature, name in _MARKUP:
        if start[:32].lower().startswith(signature):
            raise NotADataSet(name)
    _refuse_what_is_no_text(head)
    return CSV


def _refuse_what_is_no_text(head: bytes) -> None:
    if head.count(0) * 3 > len(head):
        raise WrongEncoding("it is no text, or in a wide encoding without its mark")
    if _controls(head) * 10 > len(head):
        raise NotADataSet("no text")


def wide_encoding(head: bytes) -> str:
    """`utf-16` where the mark of it stands in front, its form with a byte order where text shows it, else nothing."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not head.startswith(_UTF_32):
        return "utf-16"
    even, odd = head[0:400:2], head[1:400:2]
    if len(odd) > 8 and not even.count(0) and odd.count(0) * 10 > len(odd) * 9:
        return "utf-16-le"
    if len(odd) > 8 and not odd.count(0) and even.count(0) * 10 > len(even) * 9:
        return "utf-16-be"
    return ""


def _refuse_by_signature(head: bytes) -> None:
    if head.startswith(_UTF_32):
        raise WrongEncoding("it is UTF-32")
    for signature, name in _SIGNATURES:
        if head.startswith(signature) and not _reads_as_csv(signature, head):
            raise NotADataSet(name)


def _reads_as_csv(signature: bytes, head: bytes) -> bool:
    """Whether a signature of plain letters merely begins a header line (`BMI,…`, `MZ_TWIN,…`)."""
    return signature.isalpha() and _controls(head) == 0


def _controls(head: bytes) -> int:
    return len(head) - len(head.translate(None, bytes({*range(9), *range(14, 32)} - {0x1B})))
