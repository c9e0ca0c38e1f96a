"""The layouts that somebody knows: the built-in ones, and those that were put on their own shelf.

A shelf is a folder of mapping files, one a layout, named after it. A party's is `mappings` in its home: the registry's
says how files are stored, a submitter's only how they are checked before sending.

Beside the shelf may stand versions of the dictionary (dictionary/versions.py). A mapping says which one it is for; the
plain layouts of version 2 are `births-v2` and so on, and are never recognised, only named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from swaddle import durable
from swaddle.dictionary import versions
from swaddle.dictionary.load import DictionaryUnusable
from swaddle.dictionary.model import Dictionary
from swaddle.errors import UsageFault
from swaddle.intake.faults import KindUnknown, MappingFault
from swaddle.intake.mapping import Mapping, load_builtin, load_file, parse, plain

FOLDER = "mappings"
_LAYOUT = re.compile(r"^layout\s*=.*$", re.MULTILINE)
_SUFFIX = ".toml"


class LayoutTaken(UsageFault):
    """A mapping file bears the name of a built-in layout."""

    code = "SWD-INTAKE-40"
    what = "a built-in layout has this name"
    fix = "give the mapping another name; `like` takes over what the built-in one says"


def known(shelf: Path | None) -> Map[str, Mapping]:
    """Every layout by name; a file on the shelf that cannot be used any more is passed over (`unusable` names it)."""
    layouts = dict(load_builtin())
    for version, dictionary in dictionaries(shelf).items():
        if version not in versions.shipped():
            for form in dictionary.forms.values():
                layout = plain(form, dictionary)
                name = f"{layout.name}-v{version}"
                layouts[name] = replace(layout, name=name, recognise=(), recognise_any=frozenset())
    for name, mapping in _on(shelf).items():
        if mapping is not None:
            layouts.setdefault(name, mapping)
    return layouts


def dictionaries(shelf: Path | None) -> Map[str, Dictionary]:
    """Every version of the dictionary, by number; one's own that contradicts itself or the others is passed over."""
    folder = _versions_of(shelf)
    found: dict[str, Dictionary] = {}
    whole: Dictionary | None = None
    for version in versions.known(folder):
        with suppress(DictionaryUnusable):
            one = versions.of(version, folder)
            # What could not be stored beside the others is not known either.
            whole = versions.together(whole, one) if whole else one
            found[version] = one
    return found


def dictionary_of(layout: Mapping, shelf: Path | None) -> Dictionary:
    """The version of the dictionary that a layout is for.

    Raises:
        VersionUnknown: it is not there any more.
    """
    return versions.of(layout.dictionary, _versions_of(shelf))


def own(shelf: Path) -> Map[str, Mapping]:
    """The layouts on the shelf that can be used."""
    return {name: mapping for name, mapping in _on(shelf).items() if mapping is not None}


def unusable(shelf: Path) -> list[str]:
    """Names on the shelf whose files are no mapping (any more: the dictionary may have changed)."""
    return [name for name, mapping in _on(shelf).items() if mapping is None]


def settled(path: Path, dictionaries: Map[str, Dictionary] | None = None) -> str:
    """The text of a mapping file that needs no other file: a layout table beside it becomes its [columns].

    Raises:
        MappingFault: it is no mapping.
    """
    mapping = load_file(path, dictionaries)
    text = path.read_text("utf-8")
    positions = mapping.writing.positions
    if positions is None or not _LAYOUT.search(text):
        return text
    pairs = zip(positions.names, positions.places, strict=True)
    columns = "".join(f"{_quoted(name)} = [{before + 1}, {end - before}]\n" for name, (before, end) in pairs)
    text = f"{_LAYOUT.sub('', text, count=1)}\n[columns]\n{columns}"
    if parse(text, dictionaries=dictionaries) != mapping:
        raise MappingFault("write `layout` on a line of its own near the top")
    return text


def put(shelf: Path, text: str) -> Mapping:
    """Put a mapping on the shelf; one of the same name is replaced.

    Raises:
        MappingFault: it is no mapping.
        LayoutTaken: a built-in layout has its name.
        DiskFault: it cannot be written.
    """
    mapping = parse(text, dictionaries=dictionaries(shelf))
    if mapping.name in load_builtin():
        raise LayoutTaken
    durable.make_folder(shelf)
    durable.write_file(shelf / f"{mapping.name}{_SUFFIX}", text.encode())
    return mapping


def take_off(shelf: Path, name: str) -> None:
    """Take a mapping off the shelf.

    Raises:
        KindUnknown: none of that name stands there.
    """
    names = list(_on(shelf))
    if name not in names:
        raise KindUnknown(", ".join(names) or "none on the shelf")
    durable.remove_file(shelf / f"{name}{_SUFFIX}")


def _on(shelf: Path | None) -> dict[str, Mapping | None]:
    """What stands on the shelf, by the name in the file's name."""
    if shelf is None or not shelf.is_dir():
        return {}
    found: dict[str, Mapping | None] = {}
    among = dictionaries(shelf)
    for path in sorted(shelf.glob(f"*{_SUFFIX}")):
        try:
            mapping = load_file(path, among)
        except MappingFault:
            found[path.stem] = None
        else:
            found[path.stem] = mapping if mapping.name == path.stem else None
    return found


def _versions_of(shelf: Path | None) -> Path | None:
    """Where the versions of the dictionary lie that belong to this shelf: beside it, in the same home."""
    return None if shelf is None else shelf.parent / versions.FOLDER


def _quoted(name: str) -> str:
    """A TOML key."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
