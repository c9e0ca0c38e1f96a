"""The validators of identifiers (dictionary/identifiers.py) as SQL functions of a connection.

    identifier_status(value, authority)   of a health card number: ok, bad_format, bad_check, placeholder
    identifier_has_form(value, authority) whether it is not bad_format; cheaper
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
    """Make the three functions known to this database: not temporary, so that its cursors have them too.

    Raises:
        IdentifierPluginUnusable: an installed plug-in is faulty.
    """
    for macro, kind in _MACROS.items():
        status = {each: _status(connection, each) for each in validators().values() if each.kind == kind}
        _add(connection, macro, {each.authority: sql for each, sql in status.items()})
        if kind == "health card":
            forms = {each.authority: each.has_form_sql or f"{sql} <> 'bad_format'" for each, sql in status.items()}
            _add(connection, "identifier_has_form", forms)


def _add(connection: duckdb.DuckDBPyConnection, macro: str, by_authority: dict[str, str]) -> None:
    told = "".join(f" WHEN '{authority}' THEN {sql}" for authority, sql in by_authority.items())
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
