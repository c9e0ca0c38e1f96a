"""A page as a PDF: for paper, for a meeting, for a screen reader. Made in a process apart, see printing.py.

The page is ours, the texts in it are not: it is printed where nothing can be opened or called. A report whose PDF
cannot be made goes without it; the page is the report. `swaddle doctor` says whether this machine can print.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from swaddle.checkup import LOOK, Finding, good
from swaddle.errors import OurBug
from swaddle.feedback.printing import LIMIT_PDF_BYTES, NO_LIBRARY, NO_WALL
from swaddle.feedback.tongue import Language
from swaddle.intake import opened

LIMIT_SECONDS = 60
LIMIT_PAGE_BYTES = 4 * 1024**2  # twice what a report may have
_CHILD = "swaddle.feedback.printing"
_PROBE = b'<!doctype html><html lang="en"><title>probe</title><p>probe</p>'


class NotPrinted(OurBug):
    """A page could not be made a PDF."""

    code = "SWD-FEED-06"
    what = "this page could not be printed as a PDF"
    why = "{reason}"
    fix = "the page itself is whole and can be printed from a browser; `swaddle doctor` says what this machine lacks"


def pdf_of(html: bytes, language: str, *, seconds: int = LIMIT_SECONDS) -> bytes:
    """A page as a tagged PDF with its title and language; the same page gives the same bytes on the same machine.

    Args:
        html: the whole page, UTF-8.
        language: of the words on the foot of each sheet, en or fr.
        seconds: the most it may take.

    Raises:
        NotPrinted: the library is not there, or it took too long or too much, or the page cannot be laid out.
    """
    if len(html) > LIMIT_PAGE_BYTES:
        raise NotPrinted(f"it is larger than {LIMIT_PAGE_BYTES // 1024**2} MiB")
    page, out = opened.memory_file(len(html)), opened.memory_file(LIMIT_PDF_BYTES)
    try:
        opened.write_all(page, html)
        os.lseek(page, 0, os.SEEK_SET)
        done = subprocess.run(
            [sys.executable, "-I", "-m", _CHILD, language, str(seconds)],
            env={},
            cwd="/",
            stdin=page,
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=seconds,
            check=False,
        )
        made = opened.read_piece(out, min(os.fstat(out).st_size, LIMIT_PDF_BYTES), 0)
    except subprocess.TimeoutExpired:
        raise NotPrinted(f"it took longer than {seconds} seconds") from None
    finally:
        os.close(page)
        os.close(out)
    if done.returncode == NO_LIBRARY:
        raise NotPrinted("WeasyPrint, or Pango that it needs, is not installed")
    if done.returncode == NO_WALL:
        raise NotPrinted("this kernel has no landlock or seccomp to print behind")
    if done.returncode != 0 or not made.startswith(b"%PDF-") or not made.rstrip().endswith(b"%%EOF"):
        raise NotPrinted("the printing process came to an end in the middle of it")
    return made


def printed(pages: Mapping[Language, bytes]) -> dict[str, bytes]:
    """The PDFs of a report's pages by their names in a bundle, made side by side; none where one cannot be made.

    Args:
        pages: by language.
    """
    names: dict[Language, str] = {"en": "report.pdf", "fr": "report-fr.pdf"}
    with ThreadPoolExecutor(len(names)) as side_by_side:
        making = {names[language]: side_by_side.submit(pdf_of, page, language) for language, page in pages.items()}
        try:
            return {name: each.result() for name, each in making.items()}
        except NotPrinted:
            return {}


def seen() -> Iterator[Finding]:
    """What `swaddle doctor` says: whether this machine prints reports."""
    try:
        pdf_of(_PROBE, "en")
    except NotPrinted as error:
        fix = "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"
        yield Finding("printing", LOOK, "reports of months go without a PDF", str(error.facts.get("reason", "")), fix)
    else:
        yield good("printing", "reports of months come as a PDF too")
