"""Whether this machine can print: the layout library needs Pango of the system."""

import re
import zlib
from functools import cache

from swaddle.feedback.pdf import NotPrinted, pdf_of

WHY_NOT = "Pango is not installed: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@cache
def can_print() -> bool:
    try:
        pdf_of(b'<!doctype html><html lang="en"><head><title>x</title></head><p>x', "en")
    except NotPrinted as error:
        if "not installed" in str(error):
            return False
        raise
    return True


def insides(pdf):
    """The PDF with its streams inflated."""
    out = [pdf]
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            out.append(zlib.decompress(found.group(1)))
        except zlib.error:
            out.append(found.group(1))
    return b"\n".join(out)
