"""The validators of identifiers (dictionary/identifiers.py) as SQL functions of a connection.

    identifier_status(value, authority)   of a health card number: ok, bad_format, bad_check, placeholder
    postal_status(value, country)         of a postal code

NULL where no validator knows the authority. Both are macros: the database puts them in place, so a million rows cost
what the arithmetic costs. A plug-in without SQL is asked in Python, and only for the rows of its authority.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import duckdb

from swaddle.dictionary.identifiers import Kind, Validator, validators

REMEMBERED = 100_000  # distinct values that a plug-in is asked once
_MACROS: dict[str, Kind] = {"identifier_status": "health card", "postal_status": "postal code"}


def add_identifiers(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the two functions known to this database: not temporary, so that its cursors have them too.

    Raises:
        IdentifierPluginUnusable: an installed plug-in is faulty.
    """
    for macro, kind in _MACROS.items():
        mine = [each for each in validators().values() if each.kind == kind]
        told = "".join(f" WHEN '{each.authority}' THEN {_status(connection, each)}" for each in mine)
        connection.execute(f"CREATE OR REPLACE MACRO {macro}(value, authority) AS CASE authority{told} END")


def _status(connection: duckdb.DuckDBPyConnection, validator: Validator) -> str:
    if validator.sql:
        return f"({validator.sql})"
    name = f"asked_{validator.kind}_{validator.authority}".replace(" ", "_").replace("-", "_").lower()
    connection.create_function(name, _asked(validator), ["VARCHAR"], "VARCHAR")
    return f"{name}(value)"


def _asked(validator: Validator) -> Callable[[str], str]:
    @lru_cache(maxsize=REMEMBERED)
    def asked(value: str) -> str:
        return validator.validate(value).status

    return asked
