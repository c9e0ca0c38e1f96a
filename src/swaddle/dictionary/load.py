"""Reads a dictionary version from its data files and refuses one that contradicts itself (lint.py).

A version is a folder: header.toml, forms.toml, checks.toml, a file for each record type (`nicu_stay.toml`), and the
rules in files whose names begin with `rules`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from swaddle.dictionary.lint import DictionaryUnusable, lint, slot_of
from swaddle.dictionary.model import HEADER, RECORD_TYPES, Check, Dictionary, Field, Form, RecordType, Rule

__all__ = ["DictionaryUnusable", "load", "load_folder"]

FIELD_KEYS = frozenset({
    *("name", "type", "title", "title_fr", "text", "text_fr", "required", "class", "unit", "values", "values_fr"),
    *("system", "codes", "loinc", "hard", "soft", "mistaken_unit", "mistaken_unit_fr", "missing", "derived"),
})  # fmt: skip
_KEYS = {
    "field": FIELD_KEYS,
    "rule": {
        *("id", "for", "on", "severity", "scope", "fields", "reads", "shows", "holds", "window", "absent"),
        *("after_days", "text", "text_fr", "fix", "fix_fr", "passes", "fails"),
    },
    "form": {
        *("name", "title", "title_fr", "text", "text_fr", "event", "event_fr"),
        *("slots", "optional", "where_told", "layout", "recognise"),
    },
    "check": {"id", "severity", "scope", "text", "text_fr", "fix", "fix_fr"},
}
# The slots of a record type that does not name them: its one slot and prefix.
_SLOTS: dict[str, dict[str, str]] = {
    HEADER: {HEADER: ""},
    "person": {"mother": "mother_", "child": "child_", "person": "person_"},
    "fertility_cycle": {"cycle": "cycle_"},
    "antenatal": {"antenatal": "antenatal_"},
    "prenatal_screen": {"prenatal": "prenatal_"},
    "labour_birth_mother": {"delivery": ""},
    "birth_child": {"birth": ""},
    "postpartum_mother": {"postpartum": "postpartum_"},
    "postpartum_child": {"newborn": "newborn_"},
    "nicu_stay": {"nicu": "nicu_"},
    "newborn_screen": {"screen": "screen_"},
}


def load(version: str = "1") -> Dictionary:
    """The dictionary of that version, checked.

    Raises:
        DictionaryUnusable: there is no such version, or its files contradict themselves.
    """
    if not re.fullmatch(r"[0-9]{1,3}", version):
        raise DictionaryUnusable("versions are whole numbers")
    return _shipped(version)


@cache  # by the number alone: `load()` and `load("1")` are one
def _shipped(version: str) -> Dictionary:
    folder = resources.files("swaddle.dictionary") / f"v{version}"
    if not folder.is_dir():
        raise DictionaryUnusable(f"there is no version {version}")
    return load_folder(version, folder)


def load_folder(version: str, folder: Traversable | Path) -> Dictionary:
    """The dictionary whose data files lie in `folder`, checked.

    Raises:
        DictionaryUnusable: its files are not all there, are no TOML, or contradict themselves.
    """
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))

    def toml(name: str) -> dict[str, Any]:
        try:
            return tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
        except FileNotFoundError:
            raise DictionaryUnusable(f"{name}.toml is not there") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DictionaryUnusable(f"{name}.toml is not TOML: {error}") from None

    try:
        checks = {each["id"]: _check(each) for each in toml("checks")["check"]}
        types = tuple(_record_type(toml(name)) for name in RECORD_TYPES if f"{name}.toml" in names)
        slots = {slot for each in types for slot in each.slots}
        forms = [_form(each, slots) for each in toml("forms")["form"]]
        files = [name.removesuffix(".toml") for name in names if name.startswith("rules")]
        dictionary = Dictionary(
            version=version,
            header=_record_type(toml(HEADER)),
            record_types=types,
            forms={each.name: each for each in forms if each.slots},
            checks=checks,
            rules=(),
        )
        told = [rule for name in files for each in toml(name)["rule"] for rule in _rules(each)]
        dictionary = replace(dictionary, rules=tuple(_with_slot(each, dictionary) for each in _askable(told, types)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DictionaryUnusable(f"an entry lacks a key or holds something else ({error})") from error
    lint(dictionary)
    return dictionary


def _askable(rules: list[Rule], types: tuple[RecordType, ...]) -> list[Rule]:
    """The rules without those about record types that this dictionary does not have."""
    lacking = set(RECORD_TYPES) - {each.name for each in types}
    prefixes = tuple(prefix for name in lacking for prefix in _SLOTS[name].values() if prefix)
    return [each for each in rules if not prefixes or not any(name.startswith(prefixes) for name in each.named)]


def _with_slot(rule: Rule, dictionary: Dictionary) -> Rule:
    return rule if rule.on else replace(rule, on=slot_of(rule, dictionary))


def _known(kind: str, entry: Mapping[str, Any]) -> None:
    if unknown := set(entry) - _KEYS[kind]:
        raise DictionaryUnusable(f"{kind} {entry.get('name') or entry.get('id')} has unknown keys {sorted(unknown)}")


def _check(entry: Mapping[str, Any]) -> Check:
    _known("check", entry)
    return Check(**entry)


def _form(entry: Mapping[str, Any], known: set[str]) -> Form:
    """A form; without a slot where a record type that it needs is not part of this dictionary."""
    _known("form", entry)
    optional = frozenset(entry.get("optional", ()))
    lacking = set(entry["slots"]) - known
    return Form(
        name=entry["name"],
        title=entry["title"],
        text=entry["text"],
        event=entry["event"],
        slots=() if lacking - optional else tuple(each for each in entry["slots"] if each in known),
        layout=entry["layout"],
        optional=optional & known,
        where_told=frozenset(entry.get("where_told", ())) & known,
        recognise=tuple(entry.get("recognise", ())),
        title_fr=entry.get("title_fr", ""),
        text_fr=entry.get("text_fr", ""),
        event_fr=entry.get("event_fr", ""),
    )


def _record_type(entry: Mapping[str, Any]) -> RecordType:
    slots: dict[str, str] = entry.get("slots", _SLOTS[entry["name"]])
    return RecordType(
        name=entry["name"],
        title=entry["title"],
        text=entry["text"],
        slots=slots,
        fields=tuple(_field(each, slots) for each in entry["field"]),
        title_fr=entry.get("title_fr", ""),
        text_fr=entry.get("text_fr", ""),
    )


def _field(entry: Mapping[str, Any], slots: Mapping[str, str]) -> Field:
    _known("field", entry)
    required = entry["required"]
    default = {"": required} if HEADER in slots else dict.fromkeys(slots, required)
    told: dict[str, Any] = {
        key: entry[key]
        for key in ("unit", "values", "values_fr", "title_fr", "text_fr", "system", "codes", "loinc")
        if key in entry
    }
    told |= {key: tuple(entry[key]) for key in ("hard", "soft", "mistaken_unit", "missing") if key in entry}
    return Field(
        name=entry["name"],
        type=entry["type"],
        title=entry["title"],
        text=entry["text"],
        required=required if isinstance(required, dict) else default,
        sensitivity=entry["class"],
        mistaken_unit_fr=entry.get("mistaken_unit_fr", ""),
        derived=entry.get("derived", "").strip(),
        **told,
    )


def _rules(entry: Mapping[str, Any]) -> Iterable[Rule]:
    """One rule, or one for each person that it is for."""
    _known("rule", entry)
    for who in entry.get("for", [""]):
        told = _fill(entry, who)
        yield Rule(
            id=told["id"],
            severity=told["severity"],
            scope=told.get("scope", "row"),
            on=told.get("on", ""),
            fields=tuple(told["fields"]),
            reads=tuple(told.get("reads", ())),
            shows=told["shows"],
            holds=told["holds"].strip(),
            window=told.get("window", ""),
            absent=told.get("absent", ""),
            after_days=told.get("after_days"),
            text=told["text"],
            fix=told["fix"],
            text_fr=told.get("text_fr", ""),
            fix_fr=told.get("fix_fr", ""),
            passes=tuple(_rows(each) for each in told["passes"]),
            fails=tuple(_rows(each) for each in told["fails"]),
        )


def _fill(value: Any, who: str) -> Any:
    if isinstance(value, str):
        return value.replace("{who}", who).replace("{slot}", who.removesuffix("_"))
    if isinstance(value, list):
        return [_fill(each, who) for each in value]
    if isinstance(value, dict):
        return {_fill(key, who): _fill(each, who) for key, each in value.items()}
    return value


def _rows(example: Any) -> tuple[Mapping[str, object], ...]:
    return tuple(example) if isinstance(example, list) else (example,)
