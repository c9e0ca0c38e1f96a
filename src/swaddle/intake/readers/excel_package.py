"""The package of an Excel workbook (.xlsx, .xlsm): a ZIP archive of XML parts (ECMA-376), opened as if made to do harm.

Nothing in it is unpacked to a place or followed outside. A bomb is stopped where it goes off: what comes out of a part
is counted while it comes, against the size of the file. XML with a document type is refused, so that no entity exists
(billion laughs, files, addresses); elements are handed over one by one, never as a tree.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO
from xml.parsers import expat

from swaddle.intake.faults import NotADataSet, TooLarge, Unreadable
from swaddle.intake.readers.how import MEBIBYTE, Limits

LIMIT_PARTS = 10_000
LIMIT_DEPTH = 64
_PIECE_BYTES = 256 * 1024
_SMALL_BYTES = 16 * MEBIBYTE  # what any file may unpack to, whatever its ratio
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# A part that another kind of package has -> what a person calls it.
_OTHERS = {
    "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a presentation",
    "content.xml": "an OpenDocument file",
    "META-INF/MANIFEST.MF": "a Java archive",
}

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


class Package:
    """The parts of one workbook."""

    def __init__(self, file: BinaryIO, size_bytes: int, limits: Limits) -> None:
        """Read the archive's table of contents.

        Raises:
            NotADataSet: an archive of something else, or one under a password.
            Unreadable: no sound archive.
            TooLarge: more parts than any workbook has.
        """
        self._left = min(limits.unpacked_bytes, max(_SMALL_BYTES, limits.unpacked_ratio * size_bytes))
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise Unreadable("its archive is damaged or cut short") from None
        parts = self._archive.infolist()
        if len(parts) > LIMIT_PARTS:
            raise TooLarge(f"it has over {LIMIT_PARTS} parts")
        self._parts = {each.filename.lstrip("/").casefold(): each for each in parts}
        if len(self._parts) != len(parts):
            raise Unreadable("two of its parts have one name")
        for name, what in _OTHERS.items():
            if name.casefold() in self._parts:
                raise NotADataSet(what)

    def has(self, name: str) -> bool:
        """Whether there is a part of that name."""
        return name.casefold() in self._parts

    def walk(self, name: str, start: Start, end: End, text: Text) -> None:
        """Hand the elements of an XML part over, in order: names without namespace, attributes, text.

        Raises:
            Unreadable: it is not there, damaged, no sound XML, or XML with a document type.
            TooLarge: it unpacks to more than the limits allow.
        """
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        depth = 0

        def begin(tag: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > LIMIT_DEPTH:
                raise Unreadable("its XML is deeper than that of any workbook")
            start(tag.rpartition("}")[2], attributes)

        def stop(tag: str) -> None:
            nonlocal depth
            depth -= 1
            end(tag.rpartition("}")[2])

        def forbid(*_: object) -> int:
            raise Unreadable("its XML has a document type, which no workbook needs")

        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, stop, text
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = forbid
        try:
            for piece in self._pieces(name):
                parser.Parse(piece, False)  # noqa: FBT003  it takes no keywords
            parser.Parse(b"", True)  # noqa: FBT003
        except expat.ExpatError:
            raise Unreadable("a part of it is no XML") from None

    def _pieces(self, name: str) -> Iterator[bytes]:
        part = self._parts.get(name.casefold())
        if part is None:
            raise Unreadable("a part of it is missing")
        if part.flag_bits & _ENCRYPTED:
            raise NotADataSet("an archive under a password")
        if part.compress_type not in _METHODS:
            raise Unreadable("a part of it is packed in a way that no workbook is")
        with _damage(), self._archive.open(part) as packed:
            while piece := packed.read(_PIECE_BYTES):
                self._left -= len(piece)
                if self._left < 0:
                    raise TooLarge("it unpacks to far more than a workbook of its size holds")
                yield piece


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError):
        raise Unreadable("a part of its archive is damaged") from None
