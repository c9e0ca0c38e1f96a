"""One way to read and check a file in a test: through the real readers and the real engine."""

import csv
import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from swaddle.dictionary.load import load
from swaddle.intake import engine, opened
from swaddle.intake.link import link
from swaddle.intake.read import read
from swaddle.intake.validate import validate, write_rejected_csv

NOON = datetime(2024, 11, 22, 12, tzinfo=UTC)
ROW = {
    "site_id": "S1",
    "local_record_id": "B1",
    "event_date": "2024-11-02",
    "mother_local_id": "M1",
    "mother_family_name": "Okafor",
    "mother_given_names": "Ada",
    "mother_birth_date": "1994-03-01",
    "child_sex": "F",
    "delivery_local_id": "D1",
    "birth_order": "1",
    "outcome": "live",
    "birth_weight_g": "3400",
    "ga_weeks": "39",
    "apgar5": "9",
}


@dataclass
class Taken:
    """A file read and checked, with its connection."""

    connection: object
    staged: object
    checked: object
    data: bytes

    def rows(self, columns="*", where="true"):
        return self.connection.execute(f"SELECT {columns} FROM checked_rows WHERE {where} ORDER BY line").fetchall()

    def findings(self, *columns):
        wanted = ", ".join(columns or ("line", "rule", "field"))
        return self.connection.execute(f"SELECT {wanted} FROM checked_findings ORDER BY ALL").fetchall()

    def summary(self, rule):
        return [each for each in self.checked.findings if each.rule == rule]

    def rejected_csv(self):
        out = io.BytesIO()
        count = write_rejected_csv(self.connection, out)
        return count, out.getvalue()

    def link(self, submitter="northshore", key=b"k" * 32):
        return link(self.connection, submitter=submitter, file_digest=self.staged.file_digest, subject_key=key)


def take_in(
    data,
    *,
    kind=None,
    mapping=None,
    sites=None,
    at=NOON,
    submitter="northshore",
    historical=False,
    check=True,
    connection=None,
    beside=None,
):
    fd = opened.memory_file(len(data))
    try:
        opened.write_all(fd, data)
        connection = connection or engine.connect(memory_bytes=1024**3)
        staged = read(
            fd,
            len(data),
            kind=kind,
            mapping=mapping,
            file_digest=sha256(data).hexdigest(),
            connection=connection,
        )
    finally:
        os.close(fd)
    checked = None
    if check:
        checked = validate(
            staged,
            load(),
            connection,
            submitter=submitter,
            sites=sites,
            at=at,
            historical=historical,
            beside=beside,
        )
    return Taken(connection, staged, checked, data)


def csv_of(rows, delimiter=","):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def births(*changes):
    """A file of births: the plain row with these changes, numbered apart where they do not say."""
    rows = []
    for n, change in enumerate(changes, start=1):
        own = {"local_record_id": f"B{n}", "mother_local_id": f"M{n}", "delivery_local_id": f"D{n}"}
        rows.append({**ROW, **own, **change})
    return csv_of(rows)


@pytest.fixture
def taken():
    return take_in


@pytest.fixture
def file_of():
    return births


@pytest.fixture
def csv_text():
    return csv_of
