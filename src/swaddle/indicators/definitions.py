"""The indicators that Swaddle comes with: one TOML file each in v1/, in plain words in two languages.

Each holds a worked example of ten rows that is its test and its documentation. An operator's own lie in a folder
(shelf.py); reading.py reads either; model.py is what they become.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from swaddle.indicators.fields import FIELDS
from swaddle.indicators.model import BadDefinition, Band, Definition, Example, Stratum
from swaddle.indicators.reading import read

__all__ = ["FIELDS", "BadDefinition", "Band", "Definition", "Example", "definition", "load", "shipped"]

# Those that a report on a submission shows, in its order; every other one is computed on demand.
ORDER = ("preterm", "low_birth_weight", "ntsv_caesarean", "robson")


def load() -> tuple[Definition, ...]:
    """The indicators of a report, in its order."""
    return tuple(definition(name) for name in ORDER)


@cache
def shipped() -> tuple[Definition, ...]:
    """Every indicator that Swaddle comes with: those of the report first, then by chapter and title."""
    there = (each.name for each in files("swaddle.indicators").joinpath("v1").iterdir())
    names = sorted(name.removesuffix(".toml") for name in there if _is_one(name))
    others = sorted((definition(name) for name in names if name not in ORDER), key=lambda item: (item.chapter, item.id))
    return (*load(), *others)


def _is_one(name: str) -> bool:
    return name.endswith(".toml") and name not in ("terms.toml", "strata.toml")


@cache
def definition(identity: str) -> Definition:
    """One shipped indicator by its id.

    Raises:
        KeyError: there is none.
        BadDefinition: its file is not complete.
    """
    file = files("swaddle.indicators").joinpath("v1", f"{identity}.toml")
    if not identity.isidentifier() or not file.is_file():
        raise KeyError(identity)
    return read(file.read_text(encoding="utf-8"), identity, terms(), strata())


def among(identities: Iterable[str], known: Iterable[Definition]) -> tuple[Definition, ...]:
    """The definitions of these ids.

    Raises:
        KeyError: there is none.
    """
    by_id = {item.id: item for item in known}
    return tuple(by_id[identity] for identity in identities)


@cache
def terms() -> Mapping[str, str]:
    """The terms that every definition may use."""
    told: dict[str, Any] = tomllib.loads(_data("terms.toml"))
    return {name: str(text) for name, text in told.items()}


@cache
def strata() -> Mapping[str, Stratum]:
    """The ways to split an indicator."""
    return {
        name: Stratum(
            id=name,
            title=each["title"],
            title_fr=each["title_fr"],
            text=each["part"],
            labels=each["labels"],
            labels_fr=each["labels_fr"],
        )
        for name, each in tomllib.loads(_data("strata.toml")).items()
    }


def robson_expression() -> str:
    """The SQL expression that says what `robson.classify` says."""
    return definition("robson").partition


def _data(name: str) -> str:
    return files("swaddle.indicators").joinpath("v1", name).read_text(encoding="utf-8")
