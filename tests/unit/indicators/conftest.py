"""A `births` table of our own, as the registry's view has it."""

from __future__ import annotations

import duckdb
import pytest

FIELDS = {
    "outcome": "VARCHAR",
    "ga_weeks": "INTEGER",
    "birth_weight_g": "INTEGER",
    "n_fetuses": "INTEGER",
    "presentation": "VARCHAR",
    "onset_labour": "VARCHAR",
    "birth_type": "VARCHAR",
    "para": "INTEGER",
    "previous_cs": "INTEGER",
}


class Births:
    """A connection with `births`, and a way to put births in it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        columns = ", ".join(f"{name} {kind}, {name}_missing VARCHAR" for name, kind in FIELDS.items())
        self.connection.execute(
            "CREATE TABLE births (submitter VARCHAR, source VARCHAR, transfer VARCHAR, event_year INTEGER,"
            f" local_record_id VARCHAR, {columns})"
        )

    def add(
        self,
        times: int = 1,
        *,
        submitter: str = "own",
        source: str = "births",
        transfer: str = "t1",
        year: int | None = 2024,
        not_carried: tuple[str, ...] = (),
        **fields: object,
    ) -> None:
        values = {"submitter": submitter, "source": source, "transfer": transfer, "event_year": year, **fields}
        values |= {f"{name}_missing": "NC" for name in not_carried}
        values |= {f"{n}_missing": "ASKU" for n in FIELDS if n not in fields and n not in not_carried}
        names = ", ".join(values)
        self.connection.execute(
            f"INSERT INTO births ({names}) SELECT {', '.join('?' for _ in values)} FROM range(?)",
            [*values.values(), times],
        )


@pytest.fixture
def births() -> Births:
    return Births()
