"""The printing process: `python -I -m swaddle.feedback.printing LANGUAGE`; a page comes in, its PDF goes out.

It is started clean and holds no key. It loads the layout library and its fonts, shuts itself in, and only then reads
the page: from then on it can open nothing but fonts, make no connection and start nothing. Nothing is printed of what
it meets. The page's own addresses are never followed, whatever their scheme.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from importlib.resources import files
from typing import Any

from swaddle.intake.wall import shut

LIMIT_MEMORY_BYTES = 2 * 1024**3
LIMIT_PDF_BYTES = 64 * 1024**2
NO_LIBRARY = 3  # the status of a process that found no layout library, or none of the system's that it needs
NO_WALL = 4  # of one that could not shut itself in, and read nothing
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig")
_PAGE_OF = {"en": "Page", "fr": "Page"}
_OF = {"en": "of", "fr": "sur"}
# Everything that a report uses, so that what is loaded when it is first used is loaded before the walls stand.
_WARM = """<!doctype html><html lang="en"><head><title>x</title></head><body>
<p>a <b>b</b> <code>c</code> <i>\u00e9</i></p>
<table><thead><tr><th>a</th></tr></thead><tr><td>b</td></tr></table><ul><li>a</li></ul>
<svg width="9" height="9" viewBox="0 0 9 9"><g transform="translate(1,1)"><path d="M0,0L1,1"/><text>a</text></g></svg>
<div style="display:grid"><p>a</p></div><div style="display:flex"><p>a</p></div>"""


def main(arguments: list[str]) -> int:
    """Read a page from standard input, write its PDF to standard output."""
    language = arguments[0] if arguments[0] in _OF else "en"
    shut.limit(memory_bytes=LIMIT_MEMORY_BYTES, cpu_seconds=int(arguments[1]), file_bytes=LIMIT_PDF_BYTES)
    try:
        import weasyprint  # noqa: PLC0415  an optional part of the system, looked for here and nowhere else
    except (ImportError, OSError):
        return NO_LIBRARY
    printer = _Printer(weasyprint, language)
    printer.printed(_WARM, b"")
    shut.become_nobody()
    walls = shut.forbid_files(_FONTS)
    if shut.LANDLOCK not in walls:
        return NO_WALL  # opening to read stays allowed below, for fonts: without landlock it would be any file
    walls += shut.forbid_calls(opens_to_read=True, threads=True)
    if shut.SECCOMP not in walls:
        return NO_WALL
    page = sys.stdin.buffer.read()
    sys.stdout.buffer.write(printer.printed(page.decode("utf-8"), sha256(page).digest()[:16]))
    sys.stdout.buffer.flush()
    return 0


class _Printer:
    """The library with its fonts and the style of paper, made once: Pango begins a thread for each set of fonts."""

    def __init__(self, weasyprint: Any, language: str) -> None:
        text = files(__package__).joinpath("templates", "paper.css").read_text(encoding="utf-8")
        text = text.replace("PAGE_WORD", _PAGE_OF[language]).replace("OF_WORD", _OF[language])
        self._library = weasyprint
        self._fonts = weasyprint.text.fonts.FontConfiguration()
        # Knows no scheme, not even data: whatever refers to an address is left out of the page.
        self._nothing = weasyprint.urls.URLFetcher(allowed_protocols=(), allow_redirects=False)
        self._style = f"<style>{text}</style></head>"

    def printed(self, page: str, identity: bytes) -> bytes:
        """Tagged, with title and language, and with no time in it: the same page is the same PDF."""
        # After the page's own style and as strong: a style handed to the library would give way to the page's.
        styled = page.replace("</head>", self._style, 1)
        document = self._library.HTML(string=styled, url_fetcher=self._nothing)
        made: bytes = document.write_pdf(font_config=self._fonts, pdf_variant="pdf/ua-1", pdf_identifier=identity)
        return made


if __name__ == "__main__":  # pragma: no cover - in a process of its own
    sys.exit(main(sys.argv[1:]))
