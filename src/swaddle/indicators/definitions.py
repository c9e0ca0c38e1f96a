"""An indicator is one object: what it counts (SQL), in plain words, with a worked example that is its test.

The definitions are data files in v1/, one TOML file each, read and linted here. Nothing from outside reaches their SQL.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from swaddle.errors import OurBug
from swaddle.indicators import robson

Direction = Literal["lower", "higher", "context"]
Outcome = Literal["counts", "placed", "unknown", "out"]

FIELDS: dict[str, str] = {
    "outcome": "live or stillborn",
    "ga_weeks": "weeks of gestation",
    "birth_weight_g": "birth weight",
    "n_fetuses": "number of babies",
    "presentation": "position of the baby",
    "onset_labour": "how labour began",
    "birth_type": "way of birth",
    "para": "earlier births",
    "previous_cs": "earlier caesareans",
}
ORDER = ("preterm", "low_birth_weight", "ntsv_caesarean", "robson")


class BadDefinition(OurBug):
    """A definition file that does not say what an indicator needs."""

    code = "SWD-IND-01"
    what = "an indicator's definition is not complete"
    why = "{definition}: {reason}"


@dataclass(frozen=True, kw_only=True)
class Band:
    """A part of the numerator with a name; the bands of an indicator do not overlap and add up to it."""

    id: str
    label: str
    holds: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """One made-up birth, what becomes of it, and the group it falls in."""

    birth: Mapping[str, object]
    outcome: Outcome
    group: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What is counted of what.

    `denominator` and `numerator` are SQL expressions of three values over `births`: NULL means that a field which
    should have answered is missing, and the birth is counted as unknown, never as No.

    Attributes:
        needs: the fields it reads, in the order in which a missing one is named.
        bands: parts of the numerator, for indicators that have them.
        partition: an SQL expression that puts each birth in one group ("" for none).
        groups: the partition's groups and their labels.
    """

    id: str
    title: str
    question: str
    says: str
    of: str
    counted: str
    left_out: str
    words: str
    direction: Direction
    source: str
    denominator: str
    numerator: str
    needs: tuple[str, ...]
    total_label: str
    unit: str
    bands: tuple[Band, ...]
    partition: str
    groups: Mapping[str, str]
    examples: tuple[Example, ...]


@cache
def load() -> tuple[Definition, ...]:
    """All indicators of version 1, in the order in which a report shows them."""
    return tuple(_read(name) for name in ORDER)


def definition(identity: str) -> Definition:
    """One indicator by its id.

    Raises:
        KeyError: there is none.
    """
    return {item.id: item for item in load()}[identity]


def robson_expression() -> str:
    """The SQL expression that says what `robson.classify` says."""
    return files("swaddle.indicators").joinpath("v1", "robson.sql").read_text(encoding="utf-8").strip()


def _read(name: str) -> Definition:
    text = files("swaddle.indicators").joinpath("v1", f"{name}.toml").read_text(encoding="utf-8")
    value = tomllib.loads(text)
    try:
        return _lint(_build(value))
    except (KeyError, TypeError) as error:
        raise BadDefinition(f"missing or of the wrong type: {error}", definition=name) from error


def _build(value: dict[str, Any]) -> Definition:
    partitioned = value.get("partition") == "robson.sql"
    return Definition(
        id=value["id"],
        title=value["title"],
        question=value["question"],
        says=value["says"],
        of=value["of"],
        counted=value["counted"],
        left_out=value["left_out"],
        words=" ".join(value["words"].split()),
        direction=value["direction"],
        source=value["source"],
        denominator=value["denominator"],
        numerator=value["numerator"],
        needs=tuple(value["needs"]),
        total_label=value["total_label"],
        unit=value["unit"],
        bands=tuple(Band(**band) for band in value.get("band", ())),
        partition=robson_expression() if partitioned else "",
        groups=robson.GROUPS if partitioned else {},
        examples=tuple(
            Example(birth=row["birth"], outcome=row["outcome"], group=row.get("group", ""), why=row["why"])
            for row in value["example"]
        ),
    )


def _lint(item: Definition) -> Definition:
    if strangers := [field for field in item.needs if field not in FIELDS]:
        raise BadDefinition(f"needs fields that births have not: {strangers}", definition=item.id)
    if len(item.examples) != 10:
        raise BadDefinition("the worked example has ten births", definition=item.id)
    if any(set(row.birth) - set(item.needs) for row in item.examples):
        raise BadDefinition("an example gives a field the definition does not need", definition=item.id)
    if item.bands and item.partition:
        raise BadDefinition("bands or a partition, not both", definition=item.id)
    return item
