"""The table of kinds: what a file is, to the function that reads it. A further format is one more line here.

A reader runs in the reading process (intake/wall), where nothing can be opened any more: what it needs is imported when
its module is, and what it is told stands in `How`. It gives sheets or raises a FileFault; anything else is our bug.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from swaddle.errors import OurBug
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import Sheet

Reader = Callable[[int, int, How], list[Sheet]]  # the file's descriptor (its position does not matter), its size, how

# kind (intake/sniff.py, or `format` of a mapping) -> module and function
READERS: dict[str, tuple[str, str]] = {
    "csv": ("swaddle.intake.readers.csv", "read"),
    "fixed": ("swaddle.intake.readers.fixed", "read"),
    "excel": ("swaddle.intake.readers.excel", "read"),
    "ndjson": ("swaddle.intake.readers.ndjson", "read"),
    "parquet": ("swaddle.intake.readers.parquet", "read"),
    "hl7": ("swaddle.intake.readers.hl7_sheets", "read"),
    "fhir": ("swaddle.intake.readers.fhir_sheets", "read"),
}


def reader_of(kind: str) -> Reader:
    """The function that reads files of a kind; imports its module.

    Raises:
        OurBug: no reader is in the table for it.
    """
    if kind not in READERS:
        raise OurBug("a kind of file is known and nothing reads it")
    module, name = READERS[kind]
    return cast("Reader", getattr(import_module(module), name))


def needs_of(kind: str) -> Callable[[], None] | None:
    """What a reader must set up before the walls stand (`prepare` of its module), if anything.

    Only the Parquet reader has one: its engine looks at the machine as it starts. It opens memory files by their path,
    so opening to read stays allowed to it; landlock leaves it nothing else to open.
    """
    return cast("Callable[[], None] | None", getattr(import_module(READERS[kind][0]), "prepare", None))
