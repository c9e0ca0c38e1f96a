"""What changed between two versions of the dictionary, thing by thing. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from swaddle.dictionary.model import Dictionary

# What is only words: a change of it changes no finding.
_WORDS = frozenset({"title", "title_fr", "text", "text_fr", "values_fr", "fix", "fix_fr", "event", "event_fr"})
_GONE, _NEW = "codes taken away", "codes added"
_WORDS_MORE = frozenset({"mistaken_unit_fr", "loinc", "system", "codes", "passes", "fails"})


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        kind: what became of it.
        thing: field, form, check or rule.
        name: its name; of a field the wide name.
        part: what of it changed; "" where it is new or gone.
        before: the value in the first version.
        after: the value in the second.
        only_words: no finding can change by it.
    """

    kind: Literal["added", "removed", "changed"]
    thing: str
    name: str
    part: str = ""
    before: str = ""
    after: str = ""
    only_words: bool = False

    def __str__(self) -> str:
        """One line in words."""
        if self.kind != "changed":
            return f"{self.thing} {self.name}: {self.kind}"
        if not self.before and not self.after:
            return f"{self.thing} {self.name}: {self.part} changed"
        if self.part in {_GONE, _NEW}:
            return f"{self.thing} {self.name}: {self.part}: {self.before or self.after}"
        return f"{self.thing} {self.name}: {self.part} was {self.before or 'nothing'}, is {self.after or 'nothing'}"


def compare(one: Dictionary, other: Dictionary) -> list[Change]:
    """What `other` has, lacks or says otherwise than `one`; fields first."""
    return [
        *_between("field", _fields(one), _fields(other)),
        *_between("form", _plain(one.forms), _plain(other.forms)),
        *_between("check", _plain(one.checks), _plain(other.checks)),
        *_between("rule", _rules(one), _rules(other)),
    ]


def _plain(things: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: _members(each) for name, each in things.items()}


def _fields(dictionary: Dictionary) -> dict[str, dict[str, Any]]:
    return {
        each.name: _members(each.field) | {"required": each.required, "record_type": each.record_type}
        for each in dictionary.wide_fields()
    }


def _rules(dictionary: Dictionary) -> dict[str, dict[str, Any]]:
    # A rule that is asked of several persons stands once for each; what it shows tells them apart.
    return {f"{each.id} ({each.shows})": _members(each) for each in dictionary.rules}


def _members(thing: Any) -> dict[str, Any]:
    return {each.name: getattr(thing, each.name) for each in dataclasses.fields(thing) if each.name != "name"}


def _between(thing: str, one: Mapping[str, dict[str, Any]], other: Mapping[str, dict[str, Any]]) -> Iterator[Change]:
    yield from (Change("removed", thing, name) for name in one if name not in other)
    yield from (Change("added", thing, name) for name in other if name not in one)
    for name in one:
        if name in other:
            yield from _changed(thing, name, one[name], other[name])


def _changed(thing: str, name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Change]:
    for part in dict.fromkeys((*one, *other)):
        before, after = one.get(part), other.get(part)
        if before == after:
            continue
        if part == "values":
            yield from _codes(thing, name, before or {}, after or {})
        elif part in _WORDS | _WORDS_MORE:
            yield Change("changed", thing, name, part, only_words=True)
        else:
            yield Change("changed", thing, name, part, _shown(before), _shown(after))


def _codes(thing: str, name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    if gone := [code for code in before if code not in after]:
        yield Change("changed", thing, name, _GONE, before=", ".join(gone))
    if new := [code for code in after if code not in before]:
        yield Change("changed", thing, name, _NEW, after=", ".join(new))
    if any(before[code] != after[code] for code in before if code in after):
        yield Change("changed", thing, name, "words of its codes", only_words=True)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple | list | frozenset | set):
        listed = sorted(value) if isinstance(value, frozenset | set) else value
        return ", ".join("open" if each is None else str(each) for each in listed)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return " ".join(str(value).split())
