"""Does the millionth transfer cost what the thousandth did? Seconds for each transfer, by how many are known.

    python bench/growth.py [--known 1000 100000 1000000] [--rounds 40] [--side gateway|registry|both]

Gateways (or registries) that know different numbers are open side by side and take turns, so that whatever else the
machine does falls on all of them alike. What is known is put there in bulk, as copies of what real transfers left: on
the gateway the tombstones of transfers that were acknowledged and destroyed; at the registry rows of its state, the
nine custody entries that a transfer leaves, chained, and a load of one birth. Then real transfers go through: on the
gateway announce, part, finish, inbox, lease, read, acknowledge; at the registry the whole look (a real gateway process
beside it holds what a real submitter sent): lease, pull, unseal, check, store, acknowledge, the journal into custody.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import whole_world
from gateway_world import World as GatewayWorld
from gateway_world import direct_world
from submitter_world import GatewayProcess
from swaddle.custody.entry import FIRST_PREVIOUS
from swaddle.custody.places import Mark, Place, Places
from swaddle.registry import giving, work

EVENTS = (
    "transfer-announced", "transfer-receiving", "transfer-held", "transfer-leased", "transfer-pulled",
    "submission-stored", "transfer-acknowledged", "copy-destroyed", "feedback-sent",
)  # fmt: skip
PER_LOOK = 5


def copies_of_tombstones(world: GatewayWorld, number: int) -> None:
    """As many rows more as a real transfer left: its own, under other ids and references."""
    party = world.enrol()
    sealed = world.send(party, [b"x" * 1000])
    world.lease(sealed)
    world.acknowledge(sealed)
    connection = world.line.gateway.thread.index.connection
    columns = [row[1] for row in connection.execute("PRAGMA table_info(transfers)")]
    random = {
        "id": "lower(hex(randomblob(16)))",
        "reference_sha256": "lower(hex(randomblob(32)))",
        "created": "created - 86400 - abs(random() % 1100000)",  # of the two weeks that tombstones are kept
    }
    taken = ", ".join(random.get(name, name) for name in columns)
    connection.execute("PRAGMA cache_size = -400000")
    connection.execute("BEGIN")
    connection.execute(
        f"WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?)"
        f" INSERT INTO transfers ({', '.join(columns)}) SELECT {taken} FROM counted, transfers WHERE transfers.id = ?",
        (number - 1, sealed.id),
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA cache_size = -2000")  # as it is in earnest
    world.sender = party


def gateway_round(world: GatewayWorld) -> float:
    """Seconds of one small transfer through the gateway, from its announcement to its destruction."""
    started = time.perf_counter()
    sealed = world.send(world.sender, [b"y" * 1000])
    world.get("/v1/inbox", world.pull)
    world.lease(sealed)
    world.read(sealed)
    answer = world.acknowledge(sealed)
    taken = time.perf_counter() - started
    if answer.status != 200:
        raise RuntimeError("the gateway did not take it")
    world.line.clock.pass_(seconds=1)
    return taken


@contextlib.contextmanager
def gateways(known: list[int], folder: Path) -> Iterator[dict[int, GatewayWorld]]:
    """One for each number, filled."""
    with ExitStack() as stack:
        made = {}
        for number in known:
            began = time.monotonic()
            world = stack.enter_context(direct_world(folder / f"gateway-{number}"))
            copies_of_tombstones(world, number)
            made[number] = world
            print(f"  a gateway that knows {number:,}: filled in {time.monotonic() - began:.0f} s", flush=True)
        yield made


def fill_ledger(path: Path, known: int) -> None:
    """Custody of so many transfers behind what there is, chained, and its index: as `append` would have left them."""
    index = Places(path.with_suffix(".index"))
    mark = index.mark()
    digest = sha256(path.read_bytes())
    lines = path.read_bytes().splitlines()
    previous = sha256(lines[-1]).hexdigest() if lines else FIRST_PREVIOUS
    sequence, start, batch = mark.entries, mark.size_bytes, []
    with path.open("ab", buffering=1 << 20) as file:
        for number in range(known):
            subject = sha256(b"%d" % number).hexdigest()[:32]
            for event in EVENTS:
                sequence += 1
                line = (
                    f'{{"at":"2026-01-01T00:00:00Z","detail":{{"place":"gateway"}},"event":"{event}",'
                    f'"previous":"{previous}","sequence":{sequence},"subject":"{subject}"}}'
                ).encode()
                one = sha256(line)
                previous = one.hexdigest()
                batch.append(Place(sequence, subject, start, len(line), one.digest(), event))
                start += len(line) + 1
                digest.update(line + b"\n")
                file.write(line + b"\n")
            if len(batch) > 90_000:
                index.add(batch, Mark(sequence, start, digest.digest()))
                batch = []
    index.add(batch, Mark(sequence, start, digest.digest()))
    index.close()


def fill_state(world: whole_world.World, known: int) -> None:
    """Rows of the state and loads of one birth each, answered long ago."""
    inside = world.inside()
    submitter = inside.state.submitters()[0].id
    state, store = inside.state._connection, inside.store.connection  # noqa: SLF001 - filled beneath its methods
    state.execute("begin")
    state.executemany(
        "insert into transfers (id, submitter, step, token, outcome, kind, feedback) values (?, ?, 'acknowledged', ?,"
        " 'stored', 'births', ?)",
        ((sha256(b"%d" % n).hexdigest()[:32], submitter, "t" * 43, sha256(b"r%d" % n).hexdigest()[:32])
         for n in range(known)),
    )  # fmt: skip
    state.execute("commit")
    store.execute("begin")
    store.execute(
        "insert into clinical.loads (load_id, transfer, submitter, outcome, kind, dictionary_version, loaded_at,"
        " rows_read, rows_stored, rows_rejected, rows_duplicate, warnings, deliveries, not_carried)"
        " select 1000000 + range, md5(range::varchar), ?, 'stored', 'births', '1', now()::timestamp,"
        " 1, 1, 0, 0, 0, 1, [] from range(?)",
        [submitter, known],
    )
    store.execute(
        "insert into clinical.births (load_id, line, submitter, transfer, source, delivery, delivery_line,"
        " local_record_id, content, event_year) select 1000000 + range, 1, ?, md5(range::varchar), 'births',"
        " md5(range::varchar), 1, range::varchar, md5(range::varchar), 2024 from range(?)",
        [submitter, known],
    )
    store.execute("commit")
    inside.close()


@contextlib.contextmanager
def registries(known: list[int], folder: Path) -> Iterator[dict[int, whole_world.World]]:
    """One for each number with a gateway process of its own, filled."""
    processes = []
    try:
        made = {}
        for number in known:
            began = time.monotonic()
            home = folder / f"registry-{number}"
            process = GatewayProcess(home / "gateway")
            processes.append(process)
            world = whole_world.make_world(home, process)
            world.enrol("Northshore General")
            fill_ledger(world.registry / "custody.jsonl", number)
            fill_state(world, number)
            opening = time.monotonic()
            world.opened = world.inside()
            opened = time.monotonic() - opening
            made[number] = world
            took = time.monotonic() - began
            print(f"  a registry that knows {number:,}: filled in {took:.0f} s; opens in {opened:.1f} s", flush=True)
        yield made
    finally:
        for world in made.values():
            world.opened.close()
        for process in processes:
            process.stop()


def registry_round(world: whole_world.World, seed: int) -> tuple[float, float]:
    """Seconds for each transfer of one look: (taken in, with custody), (reported on)."""
    world.send("Northshore General", *(world.births(20, seed=seed * 100 + n) for n in range(PER_LOOK)))
    inside = world.opened
    kept = giving.give_back
    reporting = 0.0

    def timed(*arguments: object) -> int:
        nonlocal reporting
        started = time.perf_counter()
        try:
            return kept(*arguments)
        finally:
            reporting = time.perf_counter() - started

    work.give_back = timed
    try:
        started = time.perf_counter()
        result = work.look(inside)
        taken = time.perf_counter() - started
    finally:
        work.give_back = kept
    if result["pulled"] != PER_LOOK:
        raise RuntimeError("the registry did not take them in")
    return (taken - reporting) / PER_LOOK, reporting / PER_LOOK


def table(title: str, seconds: dict[int, list[float]]) -> dict[str, object]:
    """Medians, and each beside the smallest's."""
    least = statistics.median(seconds[min(seconds)])
    print(f"\n{title}\n\n| transfers known | median ms for each transfer | 9 of 10 within ms | beside the fewest |")
    print("|---:|---:|---:|---:|")
    shown = {}
    for number, each in seconds.items():
        median, tail = statistics.median(each), sorted(each)[int(len(each) * 0.9)]
        shown[str(number)] = {"median_s": median, "p90_s": tail, "ratio": median / least}
        print(f"| {number:,} | {median * 1000:.2f} | {tail * 1000:.2f} | {median / least:.2f} |")
    return shown


def main() -> None:
    """Fill, take turns, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--known", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--side", choices=("gateway", "registry", "both"), default="both")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    result: dict[str, object] = {"machine": platform.machine(), "at": datetime.now(UTC).isoformat()}
    with tempfile.TemporaryDirectory(prefix="swaddle-growth-") as folder:
        if asked.side != "registry":
            with gateways(asked.known, Path(folder)) as made:
                seconds: dict[int, list[float]] = {number: [] for number in made}
                for _ in range(asked.rounds):
                    for number, world in made.items():
                        seconds[number].append(gateway_round(world))
            result["gateway"] = table("Gateway: a small transfer, whole", seconds)
        if asked.side != "gateway":
            with registries(asked.known, Path(folder)) as held:
                taken: dict[int, list[float]] = {number: [] for number in held}
                told: dict[int, list[float]] = {number: [] for number in held}
                for seed in range(max(3, asked.rounds // 5)):
                    for number, each in held.items():
                        one, other = registry_round(each, seed + 1)
                        taken[number].append(one)
                        told[number].append(other)
            result["registry"] = table("Registry: taken in, with custody", taken)
            title = "Registry: reported on (grows with the rows that indicators are computed over)"
            result["reports"] = table(title, told)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
