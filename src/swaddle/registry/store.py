"""The three encrypted files, attached to one DuckDB: identifiers, subjects and clinical, each under its own key.

Only the owner of the store makes one of these (owner.py). The files are AES-256-GCM through DuckDB's httpfs extension,
loaded by path from its package (without it encrypted writes are refused); what spills is encrypted too. `loads` says
which rows count: DuckDB has no transaction over two files, so every row has a load_id and every query joins on loads
(loads.py).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from swaddle.dictionary.load import load as load_dictionary
from swaddle.dictionary.model import Dictionary
from swaddle.dictionary.versions import together
from swaddle.errors import IntegrityFault
from swaddle.intake.engine import connect
from swaddle.registry import consent, units, views
from swaddle.registry.records import place
from swaddle.registry.store_tables import AWAITING_LOADS, make_tables, rename_categories

FILES = ("identifiers", "subjects", "clinical")


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
        self._open()

    def reopen(self, keys: dict[str, bytes]) -> None:
        """Go on with the files as they lie there now, once they were written anew (rewriting.py).

        Raises:
            StoreLocked: a file is damaged, or of another key.
        """
        self._keys = keys
        self._open()

    def _open(self) -> None:
        self.connection = connect(temp_directory=str(self._folder / "spill"), prepare=self._attach)
        make_tables(self.connection, self.dictionary, self.placement)
        self.remove_strays()
        rename_categories(self.connection)
        consent.catch_up(self.connection)
        self._make_units()

    def hold(self, dictionary: Dictionary) -> None:
        """Be able to store what this version of the dictionary has, beside what is held already.

        Raises:
            DictionaryUnusable: it means something else by a name that the store knows.
        """
        if dictionary.wide().keys() <= self.dictionary.wide().keys():
            return
        self.dictionary = together(self.dictionary, dictionary)
        self.placement = place(self.dictionary)
        make_tables(self.connection, self.dictionary, self.placement)
        self._make_units()

    def _make_units(self) -> None:
        """The relations that indicators read."""
        for name in units.RELATIONS:
            self.connection.execute(f"create or replace temp view {name} as {units.relation(name, self.placement)}")

    def close(self) -> None:
        """Detach and close the files."""
        self.connection.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A second view of the same files with temporary tables of its own, which go when it is closed."""
        return self.connection.cursor()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction on one of the files: whole or not at all."""
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # a failed write has ended it already
                self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    @property
    def subject_key(self) -> bytes:
        """The key under which local person numbers become subject ids."""
        return self._keys["subject_ids"]

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"load '{quoted(str(extension_path()))}'")
        for name in FILES:
            try:
                connection.execute(attaching(self._folder / f"{name}.duckdb", name, self._keys[name]))
            except duckdb.Error as error:
                raise StoreLocked(f"the file {name} is damaged or of another key") from error

    def remove_strays(self) -> None:
        """Remove rows of loads that were never committed: a kill between two files leaves them."""
        for table in AWAITING_LOADS:
            self.connection.execute(f"delete from {table} where load_id not in (select load_id from clinical.loads)")

    def totals(self) -> dict[str, int]:
        """Rows and data subjects that count."""
        row = self.connection.execute(
            f"select (select count(*) from {views.current(forms=(views.BIRTH_FORM,))}),"
            " (select count(distinct subject) from subjects.presence)"
        ).fetchone()
        assert row is not None
        return {"rows": int(row[0]), "subjects": int(row[1])}

    def verdict(self, transfer: str) -> dict[str, Any] | None:
        """How a transfer was taken in: rows stored, rejected and so on; nothing where it was not."""
        row = self.connection.execute(
            "select rows_read, rows_stored, rows_rejected, rows_duplicate, warnings, outcome from clinical.loads"
            " where transfer = ? and member = 0 and sheet = 0",
            [transfer],
        ).fetchone()
        if row is None:
            return None
        names = ("read", "stored", "rejected", "duplicates", "warnings", "outcome")
        return dict(zip(names, row, strict=True))


def extension_path() -> Path:
    """Where the installed extension package keeps its one file for this DuckDB.

    Raises:
        StoreLocked: it is not installed.
    """
    root = Path(str(resources.files("duckdb_extension_httpfs")))
    found = sorted(root.glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"))
    if not found:
        raise StoreLocked("the encryption extension of the database is not installed")
    return found[0]


def attaching(path: Path, name: str, key: bytes) -> str:
    """SQL that attaches an encrypted file under its key; the name is this package's own."""
    return (
        f"attach '{quoted(str(path))}' as {name} (encryption_key '{b64encode(key).decode()}', encryption_cipher 'GCM')"
    )


def quoted(text: str) -> str:
    """A path inside an SQL literal; paths are the home's own, never from outside."""
    if re.search(r"[\x00-\x1f]", text):
        raise StoreLocked("the home's path holds a control character")
    return text.replace("'", "''")
