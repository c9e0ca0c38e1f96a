"""The registry's own layouts: mapping files on its shelf, beside the built-in ones. It reads by its own copies.

And what a file of any layout can hold about a person (`data_elements`), which an incident asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from swaddle.canonical import digest_hex
from swaddle.dictionary.model import CLASSES
from swaddle.intake import shelf
from swaddle.intake.mapping import Mapping
from swaddle.registry.inside import Registry


def add(inside: Registry, text: str) -> dict[str, Any]:
    """Put a mapping on the shelf; one of the same name is replaced. Files that come from now on are read by it.

    Raises:
        MappingFault: it is no mapping.
        LayoutTaken: a built-in layout has its name.
    """
    folder = inside.home / shelf.FOLDER
    digests = {name: _digest(folder, name) for name in shelf.own(folder)}
    mapping = shelf.put(folder, text)
    replaced = digests.get(mapping.name)
    detail = {} if replaced is None else {"replaces": replaced}
    inside.ledger.append("mapping-added", _digest(folder, mapping.name), detail, inside.now())
    return {**told(mapping), "replaced": replaced is not None}


def remove(inside: Registry, name: str) -> dict[str, Any]:
    """Take a mapping off the shelf; what was stored by it stays.

    Raises:
        KindUnknown: none of that name stands there.
    """
    folder = inside.home / shelf.FOLDER
    known = {path.stem: path for path in folder.glob("*.toml")}  # compared with names, never made of one
    digest = digest_hex(known[name].read_bytes()) if name in known else None
    shelf.take_off(folder, name)
    if digest is not None:
        inside.ledger.append("mapping-removed", digest, {}, inside.now())
    return {"removed": name}


def _digest(folder: Path, name: str) -> str:
    """SHA-256 of a mapping file on the shelf; its name is one that `shelf` has read or written."""
    return digest_hex((folder / f"{name}.toml").read_bytes())


def show(inside: Registry) -> dict[str, Any]:
    """Every layout: the built-in ones and those on the shelf."""
    folder = inside.home / shelf.FOLDER
    own = shelf.own(folder)
    return {
        "layouts": [{**told(each), "own": name in own} for name, each in sorted(shelf.known(folder).items())],
        "unusable": shelf.unusable(folder),
    }


def data_elements(inside: Registry) -> list[dict[str, str]]:
    """What a submission can hold about a person, in the words of every version of the dictionary: an upper bound."""
    elements = {
        wide.name: {"element": wide.title, "element_fr": wide.title_fr, "class": CLASSES[wide.field.sensitivity]}
        for dictionary in shelf.dictionaries(inside.home / shelf.FOLDER).values()
        for wide in dictionary.wide_fields()
        if wide.field.sensitivity != "A"
    }
    return list(elements.values())


def data_elements_in(inside: Registry, transfers: list[str]) -> list[dict[str, str]]:
    """What the opened files of these transfers carried about persons: the columns that they had, filled or not."""
    loads = inside.store.connection.execute(
        "select distinct form, not_carried from clinical.loads where transfer in (select unnest($transfers))"
        " and outcome <> 'unreadable' and rows_read > 0",
        {"transfers": transfers},
    ).fetchall()
    elements: dict[str, dict[str, str]] = {}
    for form, lacking in loads:
        for name, wide in inside.store.dictionary.wide(form).items():
            if name not in (lacking or ()) and wide.field.sensitivity != "A":
                elements[name] = {
                    "element": wide.title,
                    "element_fr": wide.title_fr,
                    "class": CLASSES[wide.field.sensitivity],
                }
    return list(elements.values())


def told(mapping: Mapping) -> dict[str, Any]:
    """A layout in a line."""
    return {
        "name": mapping.name,
        "title": mapping.title,
        "row": mapping.form,
        "format": mapping.format,
        "fields": len(mapping.fields),
    }
