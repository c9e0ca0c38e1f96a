"""The indicators that a registry has: those that Swaddle comes with, and the operator's own in a folder of theirs.

A party's own stand in `indicators` in its home, one TOML file each. A file with a fault is left out, and told; the
others go on. One that is shipped cannot be replaced by one of its name: its figures mean the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swaddle.errors import UsageFault
from swaddle.indicators.definitions import shipped, strata, terms
from swaddle.indicators.examples import wrong
from swaddle.indicators.model import BadDefinition, Definition
from swaddle.indicators.reading import LIMIT_BYTES, read

FOLDER = "indicators"
LIMIT_FILES = 200


class IndicatorUnknown(UsageFault):
    """There is no such indicator, neither shipped nor one's own."""

    code = "SWD-IND-05"
    what = "there is no such indicator"
    fix = "`swaddle indicators list` names those that there are; `swaddle indicators lint` tells why one is left out"


class NoSuchSplit(UsageFault):
    """Indicators cannot be split by this."""

    code = "SWD-IND-04"
    what = "there is no such way to split an indicator"
    why = "it is none of those that Swaddle comes with"
    fix = "`swaddle indicators list --strata` names those that there are"


@dataclass(frozen=True, kw_only=True)
class Left:
    """A file that is left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What there is to count with."""

    definitions: tuple[Definition, ...]
    left_out: tuple[Left, ...]

    def of(self, identity: str) -> Definition:
        """One of them.

        Raises:
            IndicatorUnknown: it is not there, or was left out.
        """
        for item in self.definitions:
            if item.id == identity:
                return item
        raise IndicatorUnknown("an id is small letters, digits and _")


def shelf(folder: Path | None) -> Shelf:
    """Everything that can be counted: what is shipped, then one's own.

    Args:
        folder: of one's own; None, or one that is not there, for none.
    """
    good, bad = list(shipped()), []
    for name, text in _files(folder) if folder is not None and folder.is_dir() else ():
        if isinstance(text, Left):
            bad.append(text)
            continue
        try:
            good.append(checked(name, text))
        except BadDefinition as error:
            bad.append(Left(file=name, reason=str(error.facts["reason"])))
    return Shelf(definitions=tuple(good), left_out=tuple(bad))


def checked(name: str, text: str) -> Definition:
    """One's own definition, run over its example.

    Raises:
        BadDefinition: with everything that is wrong.
    """
    if any(item.id == name for item in shipped()):
        raise BadDefinition("Swaddle comes with an indicator of this name: give yours another", definition=name)
    item = read(text, name, terms(), strata(), is_shipped=False)
    if faults := list(wrong(item)):
        raise BadDefinition("; ".join(faults), definition=name)
    return item


def _files(folder: Path) -> Iterator[tuple[str, str | Left]]:
    """The files of the folder by name; a link is not followed, and what is no text is told."""
    found = sorted(each for each in folder.glob("*.toml") if not each.is_symlink() and each.is_file())
    for number, each in enumerate(found):
        if number >= LIMIT_FILES:
            yield each.stem, Left(file=each.stem[:60], reason=f"there are more than {LIMIT_FILES} files")
            continue
        with each.open("rb") as source:
            taken = source.read(LIMIT_BYTES + 1)
        try:
            yield each.stem, taken.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield each.stem, Left(file=each.stem[:60], reason="it is not UTF-8 text")
