"""A store with nothing around it: three encrypted files in a folder, files taken in as a transfer's would be."""

import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace

import pytest

from swaddle.custody.ledger import FILE_NAME, Ledger
from swaddle.intake.opened import memory_file
from swaddle.registry.sheets import take_file
from swaddle.registry.state import State
from swaddle.registry.store import Store
from swaddle.registry.taking import OneFile

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYS = {name: bytes([n]) * 32 for n, name in enumerate(("identifiers", "subjects", "clinical", "subject_ids"))}


class Shelf:
    """The store and the small database of a registry, and a way to have files taken in."""

    def __init__(self, folder):
        self.folder = folder
        self.open()

    def open(self):
        self.store = Store(self.folder, KEYS)
        self.state = State(self.folder / "registry.db")
        self.inside = SimpleNamespace(
            home=self.folder, store=self.store, state=self.state, ledger=Ledger(self.folder / FILE_NAME), now=lambda: AT
        )

    def reopen(self):
        self.close()
        self.open()

    def close(self):
        self.store.close()
        self.state.close()

    def take(self, text, submitter="a" * 32, kind="births", sent_at=None, at=AT):
        """Have a file taken in; (transfer, load, check)."""
        data = text.encode() if isinstance(text, str) else text
        transfer = secrets.token_hex(16)
        descriptor = memory_file(len(data))
        try:
            os.pwrite(descriptor, data, 0)
            one = OneFile(transfer=transfer, submitter=submitter, kind=kind, sent_at=sent_at)
            load = take_file(self.inside, descriptor, sha256(data).hexdigest(), one, at).load
        finally:
            os.close(descriptor)
        report = self.report(transfer)
        return SimpleNamespace(
            transfer=transfer, load=load, report=report,
            rows=(load.read, load.stored, load.rejected, load.duplicates),
            found={each["rule"]: each for each in report["checked"]["findings"]},
        )  # fmt: skip

    def report(self, transfer):
        ((kept,),) = self.ask(
            "select report from identifiers.reports join clinical.loads using (load_id)"
            " where loads.transfer = ? and member = 0 and sheet = 0",
            [transfer],
        )
        return json.loads(kept)

    def ask(self, sql, values=()):
        return self.store.connection.execute(sql, list(values)).fetchall()

    def births(self, columns="local_record_id, birth_weight_g"):
        return self.ask(f"select {columns} from births order by all")


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    opened = Shelf(folder)
    yield opened
    opened.close()


@pytest.fixture
def days():
    """The moment so many days after the first."""
    return lambda number: AT + timedelta(days=number - 30)
