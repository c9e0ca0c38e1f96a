"""The three encrypted files, attached to one DuckDB: identifiers, subjects and clinical, each under its own key.

Only the owner of the store makes one of these (owner.py). The files are AES-256-GCM through DuckDB's httpfs extension,
loaded by path from its package (without it encrypted writes are refused); what spills is encrypted too. `loads` says
which rows count: DuckDB has no transaction over two files, so every row has a load_id and every query joins on loads
(loads.py).
"""

from __future__ import annotations

import re
from base64 import b64encode
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from swaddle.dictionary.load import load as load_dictionary
from swaddle.dictionary.model import Dictionary
from swaddle.errors import IntegrityFault
from swaddle.intake.engine import connect, identifier, literal
from swaddle.registry.records import MISSING, Placement, place

FILES = ("identifiers", "subjects", "clinical")
SQL_TYPES = {"int": "BIGINT", "decimal": "DOUBLE", "date": "DATE", "datetime": "TIMESTAMP", "yesno": "BOOLEAN"}

# One row for each birth that counts, as the indicators read it; what its layout does not carry is missing as NC.
BIRTHS_VIEW = """
create or replace temp view births as
select {columns}
from clinical.births born
join clinical.loads load using (load_id)
join clinical.deliveries delivery on delivery.load_id = born.load_id and delivery.line = born.delivery_line
where load.outcome = 'stored'
qualify row_number() over (partition by born.submitter, born.local_record_id order by born.load_id desc) = 1
"""
BIRTH_COLUMNS = ("load_id", "submitter", "transfer", "source", "mother_subject", "child_subject", "event_year")


class StoreLocked(IntegrityFault):
    """An encrypted file does not open under its key."""

    code = "SWD-REG-50"
    what = "the registry's store does not open"
    fix = "restore store and keys/store.json from the same backup"


class Store:
    """The three files, attached. One connection; not for two threads at once."""

    def __init__(self, folder: Path, keys: dict[str, bytes], dictionary: Dictionary | None = None) -> None:
        """Open or make the files, add what a newer dictionary has, remove what no load committed.

        Raises:
            StoreLocked: a file is damaged, or of another key.
        """
        self._folder = folder
        self._keys = keys
        self.dictionary = dictionary or load_dictionary()
        self.placement = place(self.dictionary)
        self.connection = connect(temp_directory=str(folder / "spill"), prepare=self._attach)
        self._make_tables()
        self.remove_strays()
        self._make_view()

    def close(self) -> None:
        """Detach and close the files."""
        self.connection.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A second view of the same files with temporary tables of its own, which go when it is closed."""
        return self.connection.cursor()

    @property
    def subject_key(self) -> bytes:
        """The key under which local person numbers become subject ids."""
        return self._keys["subject_ids"]

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        extension = next(iter(_extension_files()), None)
        if extension is None:
            raise StoreLocked("the encryption extension of the database is not installed")
        connection.execute(f"load '{_quoted(str(extension))}'")
        for name in FILES:
            key = b64encode(self._keys[name]).decode()
            path = _quoted(str(self._folder / f"{name}.duckdb"))
            try:
                connection.execute(f"attach '{path}' as {name} (encryption_key '{key}', encryption_cipher 'GCM')")
            except duckdb.Error as error:
                raise StoreLocked(f"the file {name} is damaged or of another key") from error

    def _make_tables(self) -> None:
        columns = _Columns(self.dictionary, self.placement)
        wide = columns.wide_tables()
        for table, text in columns.tables().items():
            fields = "".join(f", {identifier(name)} {kind}" for name, kind in wide.get(table, {}).items())
            self.connection.execute(f"create table if not exists {table} ({text}{fields})")
        if "member" not in self._names("clinical.loads"):
            self._widen_loads(columns.tables()["clinical.loads"])
        for table, wanted in wide.items():
            for name in wanted.keys() - self._names(table):
                self.connection.execute(f"alter table {table} add column {identifier(name)} {wanted[name]}")

    def _names(self, table: str) -> set[str]:
        described = self.connection.execute(f"select * from {table} limit 0").description or []
        return {column[0] for column in described}

    def _widen_loads(self, columns: str) -> None:
        """A store from before packs, one load a transfer: DuckDB changes no constraint, so the table is made anew."""
        for sql in (
            "begin",
            f"create table clinical.loads_anew ({columns})",
            "insert into clinical.loads_anew select *, 0 from clinical.loads",
            "drop table clinical.loads",
            "alter table clinical.loads_anew rename to loads",
            "commit",
        ):
            self.connection.execute(sql)

    def _make_view(self) -> None:
        columns = [f"born.{name}" for name in BIRTH_COLUMNS]
        for alias, names in (("born", self.placement.births), ("delivery", self.placement.deliveries)):
            for name in names[::2]:  # each value column is followed by its missing reason
                missing = identifier(name + MISSING)
                is_absent = f"list_contains(load.not_carried, {literal(name)})"
                columns.append(f"{alias}.{identifier(name)}")
                columns.append(f"case when {is_absent} then 'NC' else {alias}.{missing} end as {missing}")
        self.connection.execute(BIRTHS_VIEW.format(columns=", ".join(columns)))

    def remove_strays(self) -> None:
        """Remove rows of loads that were never committed: a kill between two files leaves them."""
        for table in ("identifiers.persons", "identifiers.records", "identifiers.reports", "subjects.presence"):
            self.connection.execute(f"delete from {table} where load_id not in (select load_id from clinical.loads)")

    def totals(self) -> dict[str, int]:
        """Rows and data subjects that count."""
        row = self.connection.execute(
            "select (select count(*) from births), (select count(distinct subject) from subjects.presence)"
        ).fetchone()
        assert row is not None
        return {"rows": int(row[0]), "subjects": int(row[1])}

    def verdict(self, transfer: str) -> dict[str, Any] | None:
        """How a transfer was taken in: rows stored, rejected and so on; nothing where it was not."""
        row = self.connection.execute(
            "select rows_read, rows_stored, rows_rejected, rows_duplicate, warnings, outcome from clinical.loads"
            " where transfer = ? and member = 0",
            [transfer],
        ).fetchone()
        if row is None:
            return None
        names = ("read", "stored", "rejected", "duplicates", "warnings", "outcome")
        return dict(zip(names, row, strict=True))


class _Columns:
    """The columns of the tables: fixed ones, then wide fields by placement."""

    def __init__(self, dictionary: Dictionary, placement: Placement) -> None:
        wide = dictionary.wide()
        self._placement = placement
        self._types = {
            column: "VARCHAR" if column.endswith(MISSING) and column not in wide else _sql_type(wide[column].field.type)
            for columns in (
                placement.mother, placement.child, placement.records, placement.deliveries, placement.births,
            )
            for column in columns
        }  # fmt: skip

    def tables(self) -> dict[str, str]:
        """Table name to its fixed columns."""
        return {
            "identifiers.persons": "load_id BIGINT, line BIGINT, role VARCHAR, subject VARCHAR",
            "identifiers.records": "load_id BIGINT, line BIGINT",
            "identifiers.reports": "load_id BIGINT, transfer VARCHAR, report VARCHAR, rejected BLOB",
            "subjects.presence": "load_id BIGINT, transfer VARCHAR, submitter VARCHAR, subject VARCHAR,"
            " category VARCHAR, first_date DATE, last_date DATE",
            "clinical.deliveries": "load_id BIGINT, line BIGINT, delivery VARCHAR",
            "clinical.births": "load_id BIGINT, line BIGINT, submitter VARCHAR, transfer VARCHAR, source VARCHAR,"
            " delivery VARCHAR, delivery_line BIGINT, mother_subject VARCHAR, child_subject VARCHAR,"
            " content VARCHAR, event_year BIGINT",
            "clinical.loads": "load_id BIGINT primary key, transfer VARCHAR, submitter VARCHAR, outcome VARCHAR,"
            " kind VARCHAR, dictionary_version VARCHAR, loaded_at TIMESTAMP, rows_read BIGINT, rows_stored BIGINT,"
            " rows_rejected BIGINT, rows_duplicate BIGINT, warnings BIGINT, deliveries BIGINT,"
            " not_carried VARCHAR[], member BIGINT default 0, unique (transfer, member)",
        }

    def wide_tables(self) -> dict[str, dict[str, str]]:
        """Table name to its wide columns and their types."""
        placement = self._placement
        return {
            "identifiers.persons": {
                **{bare(name, "mother_"): self._types[name] for name in placement.mother},
                **{bare(name, "child_"): self._types[name] for name in placement.child},
            },
            "identifiers.records": {name: self._types[name] for name in placement.records},
            "clinical.deliveries": {name: self._types[name] for name in placement.deliveries},
            "clinical.births": {name: self._types[name] for name in placement.births},
        }


def bare(name: str, prefix: str) -> str:
    """A person's field without its slot's prefix."""
    return name.removeprefix(prefix)


def _sql_type(field_type: str) -> str:
    return SQL_TYPES.get(field_type, "VARCHAR")


def _extension_files() -> list[Path]:
    """Where the installed extension package keeps its one file for this DuckDB."""
    root = Path(str(resources.files("duckdb_extension_httpfs")))
    return sorted(root.glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"))


def _quoted(text: str) -> str:
    """A path inside an SQL literal; paths are the home's own, never from outside."""
    if re.search(r"[\x00-\x1f]", text):
        raise StoreLocked("the home's path holds a control character")
    return text.replace("'", "''")
