"""Reads a dictionary version from its data files and refuses one that contradicts itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, cast, get_args

from swaddle.dictionary.model import (
    CLASSES,
    REQUIREMENTS,
    Check,
    Dictionary,
    Field,
    FieldType,
    RecordType,
    Rule,
    Scope,
    Severity,
)
from swaddle.errors import OurBug

RECORD_TYPES = ("person", "labour_birth_mother", "birth_child")
# What a rule may read beside the wide fields (made in intake/plan.py).
DERIVED = ("event_first", "event_last", "submitted_on", "historical")
_WORD = re.compile(r"[a-z_][a-z_0-9]*")
_KEYS = {
    "field": {
        *("name", "type", "title", "text", "required", "class", "unit", "values", "hard", "soft", "mistaken_unit"),
        "system",
    },
    "rule": {
        *("id", "for", "severity", "scope", "fields", "reads", "shows", "holds", "window", "text", "fix"),
        *("passes", "fails"),
    },
}


class DictionaryUnusable(OurBug):
    """A dictionary's data files contradict themselves."""

    code = "SWD-DICT-01"
    what = "the data dictionary cannot be used"
    fix = "report this; `swaddle` was shipped with a faulty dictionary"


@cache
def load(version: str = "1") -> Dictionary:
    """The dictionary of that version, checked.

    Raises:
        DictionaryUnusable: there is no such version, or its files contradict themselves.
    """
    if not re.fullmatch(r"[0-9]{1,3}", version):
        raise DictionaryUnusable("versions are whole numbers")
    folder = resources.files("swaddle.dictionary") / f"v{version}"
    if not folder.is_dir():
        raise DictionaryUnusable(f"there is no version {version}")

    def toml(name: str) -> dict[str, Any]:
        return tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))

    checks = {each["id"]: _check(each) for each in toml("checks")["check"]}
    dictionary = Dictionary(
        version=version,
        record_types=tuple(_record_type(toml(name)) for name in RECORD_TYPES),
        checks=checks,
        rules=tuple(rule for each in toml("rules")["rule"] for rule in _rules(each)),
    )
    _lint(dictionary)
    return dictionary


def _check(entry: Mapping[str, Any]) -> Check:
    return Check(**{key: entry[key] for key in ("id", "severity", "scope", "text", "fix")})


def _record_type(entry: Mapping[str, Any]) -> RecordType:
    slots = cast("dict[str, str]", entry["slots"])
    return RecordType(
        name=entry["name"],
        title=entry["title"],
        text=entry["text"],
        slots=slots,
        fields=tuple(_field(each, slots) for each in entry["field"]),
    )


def _field(entry: Mapping[str, Any], slots: Mapping[str, str]) -> Field:
    if unknown := set(entry) - _KEYS["field"]:
        raise DictionaryUnusable(f"field {entry.get('name')} has unknown keys {sorted(unknown)}")
    required = entry["required"]
    return Field(
        name=entry["name"],
        type=entry["type"],
        title=entry["title"],
        text=entry["text"],
        required=required if isinstance(required, dict) else dict.fromkeys(slots, required),
        sensitivity=entry["class"],
        unit=entry.get("unit", ""),
        values=entry.get("values", {}),
        hard=tuple(entry["hard"]) if "hard" in entry else None,
        soft=tuple(entry["soft"]) if "soft" in entry else None,
        roles=tuple(slots),
        mistaken_unit=tuple(entry["mistaken_unit"]) if "mistaken_unit" in entry else None,
        system=entry.get("system", ""),
    )


def _rules(entry: Mapping[str, Any]) -> Iterable[Rule]:
    """One rule, or one for each person that it is for."""
    if unknown := set(entry) - _KEYS["rule"]:
        raise DictionaryUnusable(f"rule {entry.get('id')} has unknown keys {sorted(unknown)}")
    for who in entry.get("for", [""]):
        told = _fill(entry, who)
        yield Rule(
            id=told["id"],
            severity=told["severity"],
            scope=told.get("scope", "row"),
            fields=tuple(told["fields"]),
            reads=tuple(told.get("reads", ())),
            shows=told["shows"],
            holds=told["holds"].strip(),
            window=told.get("window", ""),
            text=told["text"],
            fix=told["fix"],
            passes=tuple(_rows(each) for each in told["passes"]),
            fails=tuple(_rows(each) for each in told["fails"]),
        )


def _fill(value: Any, who: str) -> Any:
    if isinstance(value, str):
        return value.replace("{who}", who)
    if isinstance(value, list):
        return [_fill(each, who) for each in value]
    if isinstance(value, dict):
        return {_fill(key, who): _fill(each, who) for key, each in value.items()}
    return value


def _rows(example: Any) -> tuple[Mapping[str, object], ...]:
    return tuple(example) if isinstance(example, list) else (example,)


def _lint(dictionary: Dictionary) -> None:
    wide = dictionary.wide()
    if len(wide) != len(dictionary.wide_fields()):
        raise DictionaryUnusable("two fields have the same wide name")
    for each in wide.values():
        _lint_field(each.name, each.field)
    seen: set[tuple[str, str]] = set()
    for rule in dictionary.rules:
        if (rule.id, rule.shows) in seen or rule.id in dictionary.checks:
            raise DictionaryUnusable(f"rule {rule.id} stands twice")
        seen.add((rule.id, rule.shows))
        _lint_rule(rule, set(wide))


def _lint_field(name: str, field: Field) -> None:
    wrong = (
        not _WORD.fullmatch(field.name)
        or field.type not in get_args(FieldType)
        or field.sensitivity not in CLASSES
        or not set(field.required.values()) <= set(REQUIREMENTS)
        or (field.type in {"code", "codes"}) != bool(field.values)
        or (field.hard is not None and field.type not in {"int", "decimal"})
    )
    if wrong:
        raise DictionaryUnusable(f"field {name} is not well formed")


def _lint_rule(rule: Rule, wide: set[str]) -> None:
    known = wide | {f"{name}_missing" for name in wide} | set(DERIVED)
    named = set(rule.fields) | set(rule.reads)
    wrong = (
        rule.severity not in get_args(Severity)
        or rule.scope not in get_args(Scope)
        or not named <= wide
        or rule.shows not in named
        or not rule.passes
        or not rule.fails
        or bool(rule.window) != (rule.scope == "file")
        or any(set(row) - known for rows in (*rule.passes, *rule.fails) for row in rows)
    )
    # A rule may read only what it says it reads: otherwise "not evaluated" would be wrong.
    spoken = set(_WORD.findall(re.sub(r"'[^']*'", "", rule.holds))) & (wide | {f"{name}_missing" for name in wide})
    unsaid = {name.removesuffix("_missing") if name not in wide else name for name in spoken} - named
    if wrong or unsaid:
        raise DictionaryUnusable(f"rule {rule.id} is not well formed")
