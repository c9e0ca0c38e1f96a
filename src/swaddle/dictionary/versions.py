"""Versions of the dictionary side by side: those that are shipped, and the operator's own in a folder of theirs.

A party's own stand in `dictionaries` in its home, a folder a version (`dictionaries/v2/person.toml`). A version that is
shipped cannot be replaced by one of that number: its findings mean the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from pathlib import Path

from swaddle.dictionary.load import DictionaryUnusable, load, load_folder
from swaddle.dictionary.model import RECORD_TYPES, Dictionary, Field, RecordType
from swaddle.errors import UsageFault

FOLDER = "dictionaries"
_VERSION = re.compile(r"v([0-9]{1,3})")


class VersionUnknown(UsageFault):
    """There is no such version, neither shipped nor one's own."""

    code = "SWD-DICT-02"
    what = "there is no such version of the data dictionary"
    fix = "`swaddle dictionary versions` lists those that there are; one's own lie in the home under dictionaries/v2"


def shipped() -> list[str]:
    """The versions that Swaddle comes with, oldest first."""
    return _numbers(each.name for each in resources.files("swaddle.dictionary").iterdir() if each.is_dir())


def own(folder: Path | None) -> list[str]:
    """The versions in a folder of one's own, oldest first, without those that are shipped."""
    if folder is None or not folder.is_dir():
        return []
    there = _numbers(each.name for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    return [each for each in there if each not in shipped()]


def known(folder: Path | None) -> list[str]:
    """Every version, oldest first."""
    return sorted([*shipped(), *own(folder)], key=int)


def of(version: str, folder: Path | None = None) -> Dictionary:
    """The dictionary of that version.

    Raises:
        VersionUnknown: there is none.
        DictionaryUnusable: its files contradict themselves.
    """
    if version in shipped():
        return load(version)
    if folder is None or version not in own(folder):
        raise VersionUnknown(f"version {version[:20]}" if version.isalnum() else "versions are whole numbers")
    return load_folder(version, folder / f"v{version}")


def together(one: Dictionary, other: Dictionary) -> Dictionary:
    """What both have, for storing the records of both: the fields of either; words, forms and rules of `one` first.

    Raises:
        DictionaryUnusable: a name has another type, or another class, in the other version.
    """
    wide = one.wide()
    for name, theirs in other.wide().items():
        ours = wide.get(name)
        if ours and (ours.field.type, ours.field.sensitivity) != (theirs.field.type, theirs.field.sensitivity):
            raise DictionaryUnusable(
                f"{name} has another type or class in version {other.version} than in {one.version}; give it a new name"
            )
    mine, others = ({each.name: each for each in told.record_types} for told in (one, other))
    joined = {name: _joined(mine.get(name), others.get(name)) for name in RECORD_TYPES if name in mine.keys() | others}
    return replace(
        one,
        header=_joined(one.header, other.header),
        record_types=tuple(joined.values()),
        forms={**other.forms, **one.forms},
    )


def _joined(one: RecordType | None, other: RecordType | None) -> RecordType:
    """A record type with the fields of both."""
    if one is None or other is None:
        found = one or other
        assert found is not None
        return found
    theirs = {each.name: each for each in other.fields}
    fields = [_required_of_both(each, theirs.pop(each.name, None)) for each in one.fields]
    return replace(one, slots={**other.slots, **one.slots}, fields=(*fields, *theirs.values()))


def _required_of_both(one: Field, other: Field | None) -> Field:
    """A field in every slot in which either version has it."""
    return one if other is None else replace(one, required={**other.required, **one.required})


def _numbers(names: Iterable[str]) -> list[str]:
    return sorted((found[1] for each in names if (found := _VERSION.fullmatch(each))), key=int)
