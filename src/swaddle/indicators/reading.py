"""Reads a definition file: TOML in, a `Definition` out, or every fault that it has. Pure.

An operator's file comes from outside: its size, its names and its words are bounded, and its expressions are compiled
anew (language.py). What is wrong is said in words that name the file's own keys.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from swaddle.indicators import shape
from swaddle.indicators.fields import fields_of, values_of
from swaddle.indicators.language import Compiler, Unsaid
from swaddle.indicators.model import (
    TEXTS,
    BadDefinition,
    Band,
    Definition,
    Example,
    Exclusion,
    Stratum,
    Threshold,
)

LIMIT_BYTES = 64 * 1024
EXAMPLES = 10
OUTCOMES = ("counts", "placed", "unknown", "out")
_MAY_LACK = {"left_out": ("nothing", "rien"), "words": ("", "")}


def read(
    text: str, name: str, terms: Mapping[str, str], strata: Mapping[str, Stratum], *, is_shipped: bool = True
) -> Definition:
    """The definition that a file holds.

    Args:
        text: of the file.
        name: of the file, without its ending; the id must be the same.
        terms: that every definition may use; the file's own come before them.
        strata: the ways to split an indicator.
        is_shipped: False for an operator's own.

    Raises:
        BadDefinition: with everything that is wrong, a sentence each.
    """
    if len(text.encode("utf-8")) > LIMIT_BYTES:
        raise BadDefinition(f"it is larger than {LIMIT_BYTES // 1024} KiB", definition=name)
    if shape.is_deep(text):
        raise BadDefinition("it holds a name of many parts: a.a.a", definition=name)
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of five thousand digits is a ValueError
        raise BadDefinition("it is not TOML", definition=name) from error
    if wrong := list(dict.fromkeys(shape.faults(value, name))):
        raise BadDefinition("; ".join(wrong), definition=name)
    return _Reader(value, terms, strata).definition(name, is_shipped)


class _Reader:
    """Reads one file whose keys are in order; collects what is wrong with the rest."""

    def __init__(self, value: Mapping[str, Any], terms: Mapping[str, str], strata: Mapping[str, Stratum]) -> None:
        self._value = value
        self._strata = strata
        self._fields = fields_of(value.get("counts_of", "birth"))
        own = value.get("terms", {})
        self._compiler = Compiler(self._fields, {**terms, **own})
        self._faults: list[str] = [f"the term {name} hides a field" for name in own if name in self._fields]

    def definition(self, name: str, is_shipped: bool) -> Definition:
        value = self._value
        excluded = tuple(self._exclusions())
        inside = " AND ".join(
            [self._sql("denominator", value["denominator"]), *(f"NOT {each.when}" for each in excluded)]
        )
        numerator = self._sql("numerator", value["numerator"])
        bands = tuple(self._bands())
        partition, groups, groups_fr = self._partition()
        needs = tuple(dict.fromkeys(value.get("needs", self._compiler.read)))
        if strangers := [each for each in needs if each not in self._fields]:
            self._faults.append(f"needs fields that are not there: {', '.join(map(str, strangers))[:200]}")
        examples = tuple(self._examples(needs))
        if not self._faults:
            self._judge(examples, bool(needs))
        if self._faults:
            raise BadDefinition("; ".join(self._faults), definition=name)
        return Definition(
            id=name,
            chapter=str(value.get("chapter", "own")),
            counts_of=value.get("counts_of", "birth"),
            **self._texts(""),
            french=self._texts("_fr"),
            direction=value["direction"],
            per=value.get("per", 100),
            period=value.get("period", "quarter"),
            source=value["source"],
            threshold=self._threshold(),
            denominator=inside,
            numerator=numerator,
            written={key: " ".join(value[key].split()) for key in ("denominator", "numerator")},
            exclusions=excluded,
            needs=needs,
            reads=tuple(self._compiler.read),
            bands=bands,
            partition=partition,
            groups=groups,
            groups_fr=groups_fr,
            stratifiers=self._stratifiers(),
            examples=examples,
            shipped=is_shipped,
        )

    def _sql(self, key: str, text: object) -> str:
        try:
            return self._compiler.sql(str(text))
        except Unsaid as error:
            self._faults.append(f"{key}: {error}")
            return "NULL"

    def _texts(self, end: str) -> dict[str, str]:
        value, place = self._value, 0 if end == "" else 1
        told = {key: value.get(key + end, _MAY_LACK.get(key, ("", ""))[place]) for key in TEXTS}
        told["unit"] = told["unit"] or told["of"]
        told["total_label"] = told["total_label"] or told["counted"][:1].upper() + told["counted"][1:]
        return {key: " ".join(each.split()) for key, each in told.items()}

    def _threshold(self) -> Threshold | None:
        given = self._value.get("threshold")
        if given is None:
            return None
        return Threshold(**given)

    def _exclusions(self) -> Iterator[Exclusion]:
        for each in self._value.get("exclude", ()):
            if not all(isinstance(each.get(key), str) for key in ("when", "why", "why_fr")):
                self._faults.append("an exclusion has when, why and why_fr")
                continue
            yield Exclusion(
                when=self._sql("exclude", each["when"]), text=each["when"], why=each["why"], why_fr=each["why_fr"]
            )

    def _bands(self) -> Iterator[Band]:
        for each in self._value.get("band", ()):
            if not all(isinstance(each.get(key), str) for key in ("id", "label", "label_fr", "holds")):
                self._faults.append("a band has id, label, label_fr and holds")
                continue
            if not re.fullmatch(r"[A-Za-z0-9_ .,<>=-]{1,40}", each["id"]):
                self._faults.append("the id of a band is letters, digits and spaces")
                continue
            if [other.get("id") for other in self._value["band"]].count(each["id"]) > 1:
                self._faults.append(f"there are two bands {each['id']}")
                continue
            sql = self._sql(f"band {each['id']}", each["holds"])
            yield Band(id=each["id"], label=each["label"], label_fr=each["label_fr"], holds=sql, text=each["holds"])

    def _partition(self) -> tuple[str, Mapping[str, str], Mapping[str, str]]:
        name = self._value.get("partition")
        if name is None:
            return "", {}, {}
        if name not in self._strata:
            self._faults.append(f"partition is one of {', '.join(self._strata)}")
            return "", {}, {}
        stratum = self._strata[name]
        return self._sql("partition", stratum.text), stratum.labels, stratum.labels_fr

    def _stratifiers(self) -> tuple[str, ...]:
        wanted = tuple(self._value.get("stratifiers", ()))
        if unknown := [each for each in wanted if each not in self._strata]:
            raise BadDefinition(f"unknown stratifiers: {unknown}"[:200], definition=self._value["id"])
        return wanted

    def _examples(self, needs: tuple[str, ...]) -> Iterator[Example]:
        lines = [line for line in self._value["example"].splitlines() if line.strip()]
        head = [cell.strip() for cell in lines[0].split("|")] if lines else []
        fields = [name for name in head if name not in ("becomes", "group", "why", "pourquoi")]
        if strangers := [name for name in fields if name not in needs and name not in self._compiler.read]:
            self._faults.append(f"the example gives a field that is not needed: {', '.join(strangers)[:200]}")
            return
        if not {"becomes", "why", "pourquoi"} <= set(head):
            self._faults.append("the example's columns are fields, then becomes, why and pourquoi")
            return
        for line in lines[1:]:
            cells = [cell.strip() for cell in line.split("|")]
            row = dict(zip(head, cells, strict=False))
            if len(cells) != len(head) or row["becomes"] not in OUTCOMES:
                self._faults.append(f"a line of the example has {len(cells)} cells, or becomes none of {OUTCOMES}")
                return
            try:
                birth = {name: self._value_of(name, row[name]) for name in fields if row[name]}
            except ValueError as error:
                self._faults.append(str(error))
                return
            yield Example(
                birth=birth,
                outcome=row["becomes"],
                group=row.get("group", ""),
                why=row["why"],
                why_fr=row["pourquoi"],
            )

    def _value_of(self, name: str, cell: str) -> object:
        kind, codes = self._fields[name], values_of(name)
        try:
            if kind == "BOOLEAN":
                return {"yes": True, "no": False}[cell]
            if kind in ("BIGINT", "DOUBLE"):
                return int(cell) if kind == "BIGINT" else float(cell)
            if kind in ("DATE", "TIMESTAMP"):
                return date.fromisoformat(cell) if kind == "DATE" else datetime.fromisoformat(cell)
        except (KeyError, ValueError) as error:
            raise ValueError(f"the example gives {name} a value that is none of its type") from error
        if codes and (strange := [code for code in cell.split(";") if code not in codes]):
            raise ValueError(f"the example gives {name} the code {strange[0][:40]!r}, which it has not")
        return cell

    def _judge(self, examples: tuple[Example, ...], can_be_unknown: bool) -> None:
        """Does the example show enough to be believed?"""
        if len(examples) != EXAMPLES:
            self._faults.append(f"the worked example has ten births, not {len(examples)}")
        shown = {each.outcome for each in examples}
        if missing := {"counts", "placed", *(["unknown"] if can_be_unknown else [])} - shown:
            self._faults.append(f"the example shows no birth that becomes {', '.join(sorted(missing))}")
