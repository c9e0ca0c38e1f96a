"""Whatever a submitter's file holds: a refusal of the whole file, or every row is counted once."""

import hashlib
import os
from contextlib import closing

import pytest

from swaddle.errors import FileFault

engine = pytest.importorskip("swaddle.intake.engine")
mapping = pytest.importorskip("swaddle.intake.mapping")
reading = pytest.importorskip("swaddle.intake.read")


def births():
    """A small file of the plain layout, its columns from the mapping itself."""
    layout = mapping.by_kind("births")
    columns = sorted({name for source in layout.fields.values() for name in source.columns()})
    rows = [",".join(f"{n}" if place % 3 else f'"a {n}, ""b"""' for place in range(len(columns))) for n in range(12)]
    return ("\r\n".join([",".join(columns), *rows]) + "\r\n").encode()


def test_csv_files(fuzz):
    connection = engine.connect(memory_bytes=512 * 1024**2, threads=1)

    def read(data):
        descriptor = os.memfd_create("fuzz")
        try:
            os.write(descriptor, data)
            staged = reading.read(
                descriptor, len(data), kind="births", mapping=None,
                file_digest=hashlib.sha256(data).hexdigest(), connection=connection,
            )  # fmt: skip
            (whole,) = connection.execute("select count(*) from staged_raw").fetchone()
            (broken,) = connection.execute("select count(*) from staged_broken").fetchone()
            assert staged.rows_read == whole + broken
        except FileFault:
            pass
        finally:
            os.close(descriptor)
            for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                connection.execute(f'drop table "{table}"')

    good = births()
    with closing(connection):
        fuzz([good, good.replace(b"\r\n", b"\n"), b"\xef\xbb\xbf" + good, good.replace(b",", b";")], read)
