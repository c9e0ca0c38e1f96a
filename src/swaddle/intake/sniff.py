"""What a file is by its first bytes, never by its name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from swaddle.intake.faults import EmptyFile, NotADataSet, WrongEncoding
from swaddle.intake.marks import BOM, UTF_32, wide_encoding
from swaddle.intake.readers.hl7_stream import looks_like_hl7

CSV = "csv"
PARQUET = "parquet"
EXCEL = "excel"
NDJSON = "ndjson"
HL7 = "hl7"
FHIR = "fhir"
KINDS = (CSV, PARQUET, EXCEL, NDJSON, HL7, FHIR)  # `fixed` shows in nothing: its mapping must say so

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
)


_PLAIN = ((b"PAR1", PARQUET), (b"PK\x03\x04", EXCEL))
_RESOURCE = re.compile(rb'"resourceType"\s*:')
_RESOURCE_WITHIN_BYTES = 64 * 1024 * 1024  # names in JSON have no order: a bundle may say last what it is
_OVERLAP_BYTES = 64


def sniff(head: bytes, size_bytes: int) -> str:
    """One of KINDS, from the first bytes of a file.

    Raises:
        EmptyFile: nothing, or nothing but blanks.
        NotADataSet: something else that its first bytes betray.
        WrongEncoding: UTF-32, or bytes that no text has.
    """
    if size_bytes == 0:
        raise EmptyFile("no bytes at all")
    for signature, kind in _PLAIN:
        if head.startswith(signature):
            return kind
    wide = wide_encoding(head)
    if wide:
        return HL7 if looks_like_hl7(head.decode(wide, "ignore").encode()) else CSV
    if looks_like_hl7(head):
        return HL7
    _refuse_by_signature(head)
    start = head.removeprefix(BOM).lstrip()
    if not start and size_bytes <= len(head):
        raise EmptyFile("nothing but blanks")
    if start[:1] in {b"{", b"["}:
        return FHIR if _RESOURCE.search(head) else NDJSON
    for signature, name in _MARKUP:
        if start[:32].lower().startswith(signature):
            raise NotADataSet(name)
    _refuse_what_is_no_text(head)
    return CSV


def names_a_resource(pieces: Iterable[bytes]) -> bool:
    """Whether JSON, piece by piece from its start, names a FHIR resource early enough."""
    seen, before = 0, b""
    for piece in pieces:
        if _RESOURCE.search(before + piece):
            return True
        seen += len(piece)
        if seen >= _RESOURCE_WITHIN_BYTES:
            return False
        before = piece[-_OVERLAP_BYTES:]
    return False


def _refuse_what_is_no_text(head: bytes) -> None:
    if head.count(0) * 3 > len(head):
        raise WrongEncoding("it is no text, or in a wide encoding without its mark")
    if _controls(head) * 10 > len(head):
        raise NotADataSet("no text")


def _refuse_by_signature(head: bytes) -> None:
    if head.startswith(UTF_32):
        raise WrongEncoding("it is UTF-32")
    for signature, name in _SIGNATURES:
        if head.startswith(signature) and not _reads_as_csv(signature, head):
            raise NotADataSet(name)


def _reads_as_csv(signature: bytes, head: bytes) -> bool:
    """Whether a signature of plain letters merely begins a header line (`BMI,…`, `MZ_TWIN,…`)."""
    return signature.isalpha() and _controls(head) == 0


def _controls(head: bytes) -> int:
    return len(head) - len(head.translate(None, bytes({*range(9), *range(14, 32)} - {0x1B})))
