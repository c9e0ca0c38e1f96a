"""Files made to do harm when they are read: each attack of docs/attacks.md about opened bodies has its test here."""

import contextlib
import io
import os
from datetime import UTC, datetime
from hashlib import sha256

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from swaddle.dictionary.load import load
from swaddle.errors import FileFault
from swaddle.intake import engine, opened
from swaddle.intake.faults import MappingFault, TooLarge
from swaddle.intake.mapping import parse
from swaddle.intake.read import read
from swaddle.intake.validate import validate, write_rejected_csv

AT = datetime(2024, 11, 22, tzinfo=UTC)
SECRET_SQL = "(SELECT content FROM read_text('/etc/hostname'))"


def take_in(data, mapping=None, memory_bytes=1024**3):
    fd = opened.memory_file(len(data))
    connection = engine.connect(memory_bytes=memory_bytes)
    try:
        opened.write_all(fd, data)
        staged = read(
            fd, len(data), kind=None, mapping=mapping, file_digest=sha256(data).hexdigest(), connection=connection
        )
    finally:
        os.close(fd)
    return connection, validate(staged, load(), connection, submitter="northshore", sites=None, at=AT)


class TestTheEngineIsShut:
    """What reads a stranger's file can open nothing else, load nothing and be talked into nothing."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_text('/etc/hostname')",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM glob('/etc/*')",
            "SELECT * FROM '/proc/self/environ'",
            "COPY (SELECT 1) TO '/tmp/dictionary-attack.csv'",
            "ATTACH '/tmp/dictionary-attack.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM read_csv('https://example.org/x.csv')",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "SET lock_configuration = false",
            "EXPORT DATABASE '/tmp/dictionary-attack'",
        ],
    )
    def test_it_refuses(self, sql):
        with pytest.raises(duckdb.Error):
            engine.connect().execute(sql)

    def test_it_cannot_see_the_programs_own_variables(self):
        table = pa.table({"secret": [1]})  # noqa: F841
        with pytest.raises(duckdb.Error):
            engine.connect().execute("SELECT * FROM table")
        frame = {"secret": [1]}  # noqa: F841
        with pytest.raises(duckdb.Error):
            engine.connect().execute("SELECT * FROM frame")


class TestSqlInAFile:
    """Names and values of a file reach the database as names of columns by number and as values, never as SQL."""

    def test_in_column_names(self):
        nasty = '"; DROP TABLE staged_raw; --'
        data = f'local_record_id,event_date,outcome,"{nasty.replace(chr(34), chr(34) * 2)}"\nB1,2024-11-02,live,x\n'.encode()
        connection, checked = take_in(data)
        assert checked.accepted == 1
        assert connection.execute("SELECT count(*) FROM staged_raw").fetchone() == (1,)

    def test_in_values(self):
        data = f'local_record_id,event_date,outcome,mother_family_name\n"\'; {SECRET_SQL} --",2024-11-02,live,{SECRET_SQL}\n'.encode()
        connection, checked = take_in(data)
        assert checked.accepted == 1
        assert connection.execute("SELECT mother_family_name FROM checked_rows").fetchone() == (SECRET_SQL,)

    def test_in_the_submitters_name(self):
        data = b"local_record_id,event_date,outcome,submitter\nB1,2024-11-02,live,x\n"
        fd = opened.memory_file(len(data))
        opened.write_all(fd, data)
        connection = engine.connect()
        staged = read(fd, len(data), kind=None, mapping=None, file_digest="0" * 64, connection=connection)
        os.close(fd)
        checked = validate(staged, load(), connection, submitter="' OR true --", sites={"'"}, at=AT)
        assert checked.rejected == 1


class TestSqlInAMapping:
    """An operator's mapping can compute, not query."""

    TEXT = """
name = "hostile"
dictionary = "1"
not_carried = ["mother_local_id", "mother_family_name", "mother_birth_date", "child_sex", "delivery_local_id", "admit_dt",
  "delivery_place", "para", "previous_cs", "n_fetuses", "ga_weeks", "onset_labour", "presentation", "birth_type", "site_id",
  "birth_order", "birth_weight_g"]
[fields.local_record_id]
from = "a"
[fields.event_date]
constant = "2024"
[fields.outcome]
"""

    @pytest.mark.parametrize(
        "expression",
        [SECRET_SQL, "read_text('/etc/hostname')", "a); DROP TABLE staged_raw; --", "getvariable('k')", "c0::VARCHAR"],
    )
    def test_in_an_expression(self, expression):
        with pytest.raises(MappingFault):
            parse(self.TEXT + f'derived = """{expression}"""')

    def test_in_codes_reasons_and_constants(self):
        mapping = parse(
            self.TEXT + 'from = "b"\ncodes = { "x\'; DROP TABLE staged_raw; --" = "live", "it\'s" = "live" }\n'
            'missing = { "\'" = "NI" }'
        )
        connection, checked = take_in(b"a,b\n1,it's\n2,'\n", mapping)
        assert checked.accepted == 2
        assert connection.execute("SELECT outcome, outcome_missing FROM checked_rows ORDER BY line").fetchall() == [
            ("live", None),
            (None, "NI"),
        ]


class TestFormulaInASpreadsheet:
    """What the submitter opens in a spreadsheet runs nothing."""

    @pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1+cmd", "-2+3", "@SUM(1)", "'=1"])
    def test_in_a_name(self, name):
        connection, _ = take_in(
            f'local_record_id,event_date,outcome,mother_family_name\n,2024,live,"{name}"\n'.encode()
        )
        out = io.BytesIO()
        assert write_rejected_csv(connection, out) == 1
        assert name.removeprefix("'") in out.getvalue().decode()
        assert all(
            cell.lstrip('"')[:1] not in {"=", "+", "-", "@"}
            for line in out.getvalue().decode().splitlines()
            for cell in line.split(",")
        )

    def test_in_a_column_name(self):
        connection, _ = take_in(b"local_record_id,event_date,outcome,=cmd()\n,2024,live,x\n")
        out = io.BytesIO()
        write_rejected_csv(connection, out)
        assert out.getvalue().startswith(b"local_record_id,event_date,outcome,'=cmd(),")


class TestABombInAFile:
    """A small file that wants to become a large one is refused, and the process lives."""

    @pytest.mark.slow
    def test_a_parquet_file_that_unpacks_beyond_the_limit(self):
        out = io.BytesIO()
        wide = pa.table(
            {
                "local_record_id": pa.array(["x" * 4000]).take(pa.array([0] * 100_000)),
                "event_date": ["2024"] * 100_000,
                "outcome": ["live"] * 100_000,
            }
        )
        pq.write_table(wide, out, compression="zstd", use_dictionary=False)
        assert len(out.getvalue()) < 2_000_000
        with pytest.raises(TooLarge):
            take_in(out.getvalue(), memory_bytes=100 * 1024**2)

    def test_a_parquet_file_that_claims_more_rows_than_it_has(self):
        out = io.BytesIO()
        pq.write_table(pa.table({"local_record_id": ["a"], "event_date": ["2024"], "outcome": ["live"]}), out)
        data = bytearray(out.getvalue())
        start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        for place in range(start, len(data) - 8):  # bytes of the footer, one at a time, are made wrong
            changed = bytes(data[:place]) + bytes([data[place] ^ 0x10]) + bytes(data[place + 1 :])
            if place % 97 == 0:
                with contextlib.suppress(FileFault):
                    take_in(changed)

    def test_a_memory_file_has_a_stated_cap(self):
        with pytest.raises(TooLarge):
            opened.memory_file(opened.MEMORY_FILE_LIMIT_BYTES + 1)

    def test_a_header_of_a_hundred_thousand_columns(self):
        with pytest.raises(FileFault):
            take_in(b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b"," * 99_999 + b"\n")

    def test_one_line_of_a_hundred_megabytes(self):
        data = b"local_record_id,event_date,outcome\nB1,2024,live\n" + b"x" * 100_000_000 + b"\nB2,2024,live\n"
        connection, checked = take_in(data)
        assert (checked.accepted, checked.rejected) == (2, 1)
        assert connection.execute("SELECT why FROM staged_broken").fetchall() == [("B5",)]
