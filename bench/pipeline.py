"""From a sealed file to stored rows: how many rows a second, and how much memory.

    python bench/pipeline.py [--data ../shared/data] [--rounds 5] [--file PATH --kind KIND]

Takes the NCHS births of 2006 (427,323 rows, Parquet; with --csv the same rows as CSV), seals them to a registry made
for the run, and times `registry.pipeline.take_in`: unseal, read, check every rule, link, store in three encrypted files
with the row that commits. Beside it, in the same rounds, a peer that does far less: DuckDB alone copies the same file
into one plain table of an unencrypted database, nothing checked. The ratio says what safety and checking cost.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb

from swaddle.canonical import format_instant
from swaddle.custody.ledger import Ledger
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.seal import close_envelope, new_data_key, seal_file
from swaddle.envelope.signature import SigningKey, sign
from swaddle.registry import keys
from swaddle.registry.inside import Registry
from swaddle.registry.keys import IntakeKeys
from swaddle.registry.pipeline import take_in
from swaddle.registry.pull import Held
from swaddle.registry.settings import Settings
from swaddle.registry.state import State
from swaddle.registry.store import Store

PASSPHRASE = b"bench"


def make_registry(home: Path, at: datetime) -> Registry:
    """A registry without a gateway: nothing here goes over the network."""
    keys.make(home, PASSPHRASE, at)
    keyring = keys.unlock(home, PASSPHRASE)
    intake = IntakeKeys(home, keyring, PASSPHRASE)
    intake.renew(at, ())
    for folder in ("spool", "store"):
        (home / folder).mkdir()
    return Registry(
        home=home,
        settings=Settings(gateway_url="https://bench.invalid"),
        keyring=keyring,
        intake_keys=intake,
        state=State(home / "registry.db"),
        store=Store(home / "store", keyring.store),
        ledger=Ledger(home / "custody.jsonl"),
        client=None,  # type: ignore[arg-type]  # take_in asks nobody
    )


def enrol(registry: Registry, at: datetime) -> tuple[str, SigningKey]:
    """A submitter that the registry knows."""
    submitter, signer = os.urandom(16).hex(), SigningKey.generate()
    pair = SealingPair.generate()
    now = format_instant(at)
    registry.state.add_submitter(submitter, submitter, os.urandom(32).hex(), b"", now, now)
    statement = sign("swaddle-enrolment-v1", {"submitter": submitter}, registry.keyring.statement)
    registry.state.activate(submitter, signer.public, json.dumps(pair.public.to_json()), statement, "", now)
    return submitter, signer


def seal(registry: Registry, source: Path, kind: str, submitter: str, signer: SigningKey, at: datetime) -> Held:
    """The file as it lies in the spool after a pull."""
    transfer = os.urandom(16).hex()
    folder = registry.spool / transfer
    folder.mkdir()
    data_key, body = new_data_key(), folder / "body"
    sealed_body = seal_file(source, body, data_key)
    recipient = registry.intake_keys.recipient()
    assert recipient is not None
    core = sealed_body.core(
        transfer=transfer, submitter=submitter, recipient=recipient.key_id, created=at, expires=at + timedelta(hours=72)
    )
    entry = FileEntry("births", source.stat().st_size, sha256(source.read_bytes()).hexdigest())
    description = Description(
        kind=kind, files=(entry,), row_count=None, subject_count=None, dictionary_version=None, in_reply_to=None
    )
    sealed = close_envelope(core, data_key, description, recipient, signer)
    held = Held(transfer, sealed.manifest, sealed.header, sealed.description, folder)
    data = body.read_bytes()
    for number in range(core.layout.parts):
        span = core.layout.span(number)
        held.part_path(number).write_bytes(data[span.body_offset : span.body_offset + span.body_bytes])
    body.unlink()
    return held


def peer(source: Path, folder: Path) -> float:
    """DuckDB alone: the same file into one plain table, nothing checked, nothing encrypted."""
    reader = "read_parquet" if source.suffix == ".parquet" else "read_csv"
    target = folder / f"{os.urandom(4).hex()}.duckdb"
    began = time.perf_counter()
    with duckdb.connect(str(target)) as connection:
        connection.execute("set threads = 2")
        connection.execute(f"create table births as from {reader}(?)", [str(source)])
    return time.perf_counter() - began


def peak_kib() -> int:
    """The peak resident size of this process alone, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SWADDLE_REAL_DATA", "../shared/data")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv", action="store_true", help="the same rows as CSV")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--kind", default="nchs-births-2006")
    options = parser.parse_args()
    source = options.file or options.data / "nchs_births2006" / "births2006_smpl.parquet"
    if not source.exists():
        sys.exit(f"skipped: {source.name} is not there (SWADDLE_REAL_DATA)")
    with tempfile.TemporaryDirectory() as scratch:
        run(source, Path(scratch), options)


def run(source: Path, scratch: Path, options: argparse.Namespace) -> None:
    if options.csv:
        target = scratch / "births.csv"
        duckdb.sql(f"copy (from read_parquet('{source}')) to '{target}'")
        source = target
    at = datetime.now(UTC).replace(microsecond=0)
    ours, theirs, rows = [], [], 0
    for round_number in range(options.rounds):
        home = scratch / f"registry-{round_number}"
        home.mkdir()
        registry = make_registry(home, at)
        submitter, signer = enrol(registry, at)
        held = seal(registry, source, options.kind, submitter, signer, at)
        before = peak_kib()
        began = time.perf_counter()
        outcome = take_in(held, at, registry)
        ours.append(time.perf_counter() - began)
        theirs.append(peer(source, scratch))
        assert outcome.load is not None, outcome
        rows = outcome.load.read
        if round_number == 0:
            print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {outcome.rows}")
            peak = peak_kib()
            added = (peak - before) / 1024
            print(f"peak memory {peak / 1024:,.0f} MiB, {added:,.0f} MiB of it added by the first load")
        size = sum(path.stat().st_size for path in (home / "store").glob("*.duckdb"))
        registry.store.close()
        print(f"  round {round_number + 1}: {rows / ours[-1]:>10,.0f} rows/s   peer {rows / theirs[-1]:>12,.0f} rows/s")
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    print(
        f"median {rows / statistics.median(ours):,.0f} rows/s ({rows / max(ours):,.0f} to {rows / min(ours):,.0f});"
        f" takes {ratio:.1f} times as long as the peer; store {size / rows:,.0f} bytes a row"
    )


if __name__ == "__main__":
    main()
