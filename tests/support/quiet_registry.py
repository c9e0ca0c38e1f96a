"""A real registry with its keys, its custody and its encrypted store, and no gateway: files are handed to it."""

import os
import secrets
import shutil
from datetime import UTC, datetime
from hashlib import sha256

from swaddle import durable, home
from swaddle.canonical import format_instant
from swaddle.envelope import people
from swaddle.envelope.signature import SigningKey
from swaddle.intake.opened import memory_file
from swaddle.registry import keys
from swaddle.registry.inside import open_registry
from swaddle.registry.operations import Operations
from swaddle.registry.settings import Settings
from swaddle.registry.sheets import take_file
from swaddle.registry.taking import OneFile
from swaddle.settings import as_toml

PASSPHRASE = b"a passphrase of the tests"
NORTH, RIVER = "a" * 32, "b" * 32
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_home(path):
    """A home as `registry init` makes it, but for the gateway's part; slow, so it is copied for each test."""
    home.create(path, home.Kind.REGISTRY)
    durable.write_file(path / home.SETTINGS, as_toml(Settings(gateway_url="https://127.0.0.1:1")).encode())
    keys.make(path, PASSPHRASE, START)


class QuietRegistry:
    """One registry at a moment that a test chooses."""

    def __init__(self, path, template):
        self.again(path, template)
        for submitter, name in ((NORTH, "North"), (RIVER, "River")):
            self.inside.state.run(
                "insert into submitters (id, name, state, invited_at) values (?, ?, 'active', '')", (submitter, name)
            )

    def again(self, path, other):
        """A copy of another registry's home."""
        shutil.copytree(other, path)
        self.path, self.at = path, START
        self.keys = {}
        self.open()

    def open(self):
        self.inside = open_registry(self.path, lambda _: PASSPHRASE, lambda: self.at)
        self.operations = Operations(self.inside)

    def reopen(self):
        self.close()
        self.open()

    def close(self):
        self.inside.close()

    def do(self, operation, **values):
        return self.operations.do(operation, **values)

    def ask(self, sql, values=()):
        return self.inside.store.connection.execute(sql, list(values)).fetchall()

    def count(self, table, where="true"):
        return self.ask(f"select count(*) from {table} where {where}")[0][0]

    def take(self, text, submitter=NORTH, kind="births", sent_at=None):
        """Have a file taken in and answered; its transfer id."""
        data, transfer = text.encode(), secrets.token_hex(16)
        self.inside.state.begin(transfer, "t" * 43)
        descriptor = memory_file(len(data))
        try:
            os.pwrite(descriptor, data, 0)
            one = OneFile(transfer=transfer, submitter=submitter, kind=kind, sent_at=sent_at)
            taken = take_file(self.inside, descriptor, sha256(data).hexdigest(), one, self.at)
        finally:
            os.close(descriptor)
        self.load = taken.load
        self.inside.state.update(
            transfer, submitter=submitter, step="acknowledged", outcome="stored", feedback=secrets.token_hex(16)
        )
        return transfer

    def person(self, name, role="privacy officer"):
        """A person of the registry, with a key."""
        self.keys[name] = SigningKey.generate()
        people.add(self.path, name, role, f"{self.keys[name].public.line} {name}", self.at)

    def word(self, name, said):
        """What a person signs, as a command would send it."""
        person = people.of_key(self.path, self.keys[name])
        return people.sign_as(person, self.keys[name], {**said, "at": format_instant(self.at)}).to_json()

    def events(self):
        return [entry.event for entry in self.inside.ledger.entries()]


SCHEDULE = """
version = "1"
title = "of the tests"
round_up = "{round_up}"
{keeps}
"""


def schedule(round_up="day", **years):
    """A schedule in which somebody vouches for each figure; births unless others are named."""
    years = years or {"labour_birth_mother": 10, "birth_child": 28}
    after = {"birth_child": "birth", "quality_report": "received", "presence": "received", "snapshot": "received",
             "proof_of_disposal": "received"}  # fmt: skip
    keeps = "\n".join(
        f"[keep.{name}]\nyears = {number if number is not None else chr(34) + 'always' + chr(34)}\n"
        f'after = "{after.get(name, "event")}"\nsource = "a law"\nstanding = "verified"'
        for name, number in years.items()
    )
    return SCHEDULE.format(round_up=round_up, keeps=keeps)


COLUMNS = (
    *("local_record_id", "event_date", "outcome", "birth_weight_g", "mother_local_id", "child_local_id"),
    *("delivery_local_id", "mother_family_name", "action", "birth_order", "n_fetuses"),
)


def births(*rows):
    """A file of births; each row a dict over what is plain."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        values = {
            "outcome": "live", "birth_weight_g": 3200, "action": "new", "mother_local_id": f"M{row['local_record_id']}",
            "child_local_id": f"C{row['local_record_id']}", "delivery_local_id": f"D{row['local_record_id']}",
            "mother_family_name": f"NEEDLE{row['local_record_id']}", "birth_order": 1, "n_fetuses": 1,
        } | row  # fmt: skip
        lines.append(",".join(str(values[name]) for name in COLUMNS))
    return "\n".join(lines) + "\n"


def birth(number, day, **more):
    """One row."""
    return {"local_record_id": number, "event_date": day, **more}
