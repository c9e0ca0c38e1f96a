"""A registry's home with no gateway behind it: real keys, a real store with rows in it, custody, and a backup pair."""

import os
import secrets
from contextlib import contextmanager
from hashlib import sha256

from swaddle import durable, home
from swaddle.canonical import canonical
from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from swaddle.envelope.keys import SealingPair
from swaddle.intake.opened import memory_file
from swaddle.registry import keys
from swaddle.registry.inside import open_registry
from swaddle.registry.sheets import take_file
from swaddle.registry.taking import OneFile
from whole_world import LAST_DAY

PASSPHRASE = b"the passphrase of the lost machine"
PAIR = SealingPair.generate()
SUBMITTER = "a" * 32


def make_home(path, at, rows=12):
    """A home in use; (first local record id, transfer)."""
    place = home.create(path, home.Kind.REGISTRY)
    durable.write_file(place.path / home.SETTINGS, b'# kept\ngateway_url = "https://127.0.0.1:1"\nbackup_days = 30\n')
    keys.make(path, PASSPHRASE, at)
    durable.write_file(path / "keys" / "backup.pub.json", canonical(PAIR.public.to_json()))
    durable.write_file(path / "keys" / "backup.json", PAIR.to_file(PASSPHRASE))
    for name, data in (
        ("mappings/own.toml", b"# a mapping"),
        ("dictionaries/v9/person.toml", b"# a dictionary"),
        ("people.json", b"[]"),
        ("spool/" + "1" * 32 + "/000000.part", b"sealed"),
        ("outbox/" + "2" * 32 + "/sealed.json", b"{}"),
    ):
        durable.make_folder((path / name).parent)
        durable.write_file(path / name, data)
    with opened(path, at) as inside:
        inside.ledger.append("registry-made", inside.keyring.registry_id, {}, at)
        inside.state.set_facts(journal_key=inside.keyring.pull.public.line, instruction="7", journal_sequence="40")
        inside.intake_keys.renew(at, ())
        lines = [layout.row(each) for each in births(SITES[0], rows, seed=1, last_day=LAST_DAY)]
        transfer = take(inside, b"\n".join(layout.lines(lines)) + b"\n", at)
        inside.ledger.append("submission-stored", transfer, {"outcome": "stored", "submitter": SUBMITTER}, at)
    return lines[0]["local_record_id"], transfer


def take(inside, data, at):
    transfer = secrets.token_hex(16)
    inside.state.begin(transfer, "token")
    descriptor = memory_file(len(data))
    try:
        os.pwrite(descriptor, data, 0)
        one = OneFile(transfer=transfer, submitter=SUBMITTER, kind="births")
        assert take_file(inside, descriptor, sha256(data).hexdigest(), one, at).load.stored
    finally:
        os.close(descriptor)
    inside.state.update(transfer, submitter=SUBMITTER, step="acknowledged", outcome="stored")
    return transfer


@contextmanager
def opened(path, at, passphrase=PASSPHRASE):
    """The registry at `path`, at a moment that stands still."""
    inside = open_registry(path, lambda _: passphrase, lambda: at)
    try:
        yield inside
    finally:
        inside.close()
