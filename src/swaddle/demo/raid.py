"""The raid: copy the gateway, search the copy, try every string in it as a key, and say what was found.

A search that finds nothing proves something only if it would have found something. So a marker is planted in each
copied database and memory image and must be found; the ids of the transfers, which a gateway does know, must be found
in the copy; and the same search over what was sent must find every needle.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from swaddle.demo import copying, trial
from swaddle.demo.needles import Category, of_secret
from swaddle.demo.search import LEAST_BYTES, Hit, Search

_THREADS = 2
_WORTH_A_PROCESS = 5_000  # keys; starting a process takes about half a second
_MEMORY_STEP_BYTES = 8
_MOST_KEYS = 4_000_000  # tried from memory; beyond that the rest is not tried, and said so


@dataclass(frozen=True)
class Found:
    """What a raid brought."""

    taken: copying.Taken
    sought: Mapping[Category, int]
    hits: tuple[Hit, ...]
    markers_planted: int
    markers_found: int
    controls_sought: int
    controls_found: int
    transfers: int
    transfers_untried: int
    keys_tried: int
    keys_left_out: int
    private_keys_tried: int
    opened: frozenset[str]
    seconds: float

    @property
    def found(self) -> Counter[Category]:
        """How many needles of each kind were found."""
        return Counter(Category(hit.category) for hit in self.hits)

    @property
    def is_proof(self) -> bool:
        """Whether nothing was found by a search that was seen to find, with nothing left out."""
        return (
            not self.hits
            and not self.opened
            and 0 < self.markers_planted == self.markers_found
            and self.controls_sought == self.controls_found
            and not self.keys_left_out
            and not self.transfers_untried
        )


@dataclass(frozen=True)
class Lying:
    """What lies in a copied home.

    Attributes:
        bodies: the beginnings of the bodies, to try keys on.
        body_files: names of the files that are bodies: random bytes, where no key is looked for.
        unknown: bodies that no key can be tried on because nobody here knows how they begin.
    """

    bodies: tuple[trial.Body, ...] = ()
    body_files: frozenset[str] = frozenset()
    unknown: int = 0


@dataclass
class Sought:
    """The needles of one raid, each under its first category; too short ones are not taken, and counted."""

    needles: dict[bytes, int] = field(default_factory=dict)
    too_short: int = 0

    def add_secrets(self, secrets: Iterable[tuple[bytes, Category]]) -> None:
        """Take secrets, each in every form that it may be written in."""
        for secret, category in secrets:
            self.add(of_secret(secret, category))

    def add(self, needles: Iterable[tuple[bytes, Category]]) -> None:
        """Take further needles."""
        for needle, category in needles:
            if len(needle) < LEAST_BYTES:
                self.too_short += 1
            else:
                self.needles.setdefault(needle, category)

    def count(self) -> dict[Category, int]:
        """How many different needles of each kind are sought."""
        counted = Counter(self.needles.values())
        return {category: counted[category] for category in Category if counted[category]}


def raid(
    home: Path,
    process: int,
    target: Path,
    sought: Sought,
    *,
    read: Callable[[Path], Lying],
    publics: frozenset[bytes],
) -> Found:
    """Raid the gateway at `home` that runs as `process`.

    Args:
        home: its home.
        process: its process id; what it started is raided too.
        target: a new folder for the copy.
        sought: what to look for.
        read: says what lies in the copied home.
        publics: X25519 halves of the public keys that headers are sealed to.

    Raises:
        MemoryClosed: the memory cannot be copied.
    """
    started = time.monotonic()
    taken = copying.take(home, process, target)
    lying = read(taken.home)
    marker = secrets.token_bytes(24)
    files = sorted(path for path in taken.home.rglob("*") if path.is_file() and not path.is_symlink())
    places = [*(path for path in files if path.suffix in {".db", ".sqlite", ".sqlite3"}), *taken.memory]
    for path in places or files:
        _plant(path, marker)
    controls = dict.fromkeys((body.transfer.encode() for body in lying.bodies), Category.CONTROL)
    search = Search({**sought.needles, **controls, marker: Category.MARKER})
    every, found = _search(search, [*files, *taken.memory], target, marker)
    hits = [hit for hit in every if hit.category != Category.CONTROL]
    plain = [path for path in files if path.name not in lying.body_files]
    own_memory = [path for path in taken.memory if path.name.startswith("memory-")]
    keys = trial.different(batch for path in plain for batch in (trial.encoded_keys(path), *trial.windows(path, 1)))
    with _trying_private(keys, publics) as opened_by_private:
        tried, left_out, opened = _try_keys(keys, own_memory, lying.bodies)
        opened |= opened_by_private()
    return Found(
        taken=taken,
        sought=sought.count(),
        hits=tuple(hits),
        markers_planted=len(places or files),
        markers_found=found,
        controls_sought=len(controls),
        controls_found=len(every) - len(hits),
        transfers=len(lying.bodies),
        transfers_untried=lying.unknown,
        keys_tried=tried,
        keys_left_out=left_out,
        private_keys_tried=len(keys),
        opened=opened,
        seconds=time.monotonic() - started,
    )


def missed(search: Search, texts: Iterable[bytes], files: Iterable[Path]) -> int:
    """How many needles are in none of what was sent: has to be none for the search to be believed."""
    known: dict[bytes, Hit] = {}
    for path in files:
        known.update(search.in_file(path, path.name, known))
    for text in texts:
        known.update(search.in_bytes(text, "text", known))
    return len(search) - len(known)


def _plant(path: Path, marker: bytes) -> None:
    with path.open("ab") as file:
        file.write(os.urandom(5) + marker + os.urandom(5))


def _search(search: Search, paths: list[Path], root: Path, marker: bytes) -> tuple[list[Hit], int]:
    """The needles found anywhere, each once, and in how many places the marker was."""
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(lambda path: search.in_file(path, str(path.relative_to(root))), paths))
    found: dict[bytes, Hit] = {}
    markers = 0
    for result in results:
        markers += result.pop(marker, None) is not None
        for needle, hit in result.items():
            found.setdefault(needle, hit)
    return list(found.values()), markers


def _try_keys(keys: trial.Keys, memory: list[Path], bodies: Sequence[trial.Body]) -> tuple[int, int, frozenset[str]]:
    """Try `keys` and what memory holds as the data key of every body; (tried, left out, transfers opened)."""
    if not bodies:
        return 0, 0, frozenset()
    tried, left_out = 0, 0
    opened: set[str] = set()

    def attempt(batches: Iterable[trial.Keys]) -> tuple[int, int, set[str]]:
        """One piece of what was copied; past the most that are tried it is only counted."""
        hits: set[str] = set()
        count = skipped = 0
        for batch in batches:
            if tried + count > _MOST_KEYS:
                skipped += len(batch)
                continue
            count += len(batch)
            hits |= {body.transfer for body in bodies if trial.opening(batch, body)}
        return count, skipped, hits

    pieces = (trial.windows(path, _MEMORY_STEP_BYTES, start) for path in memory for start in trial.starts(path))
    with ThreadPoolExecutor(_THREADS) as pool:
        for count, skipped, hits in pool.map(attempt, itertools.chain([[keys]], pieces)):
            tried, left_out = tried + count, left_out + skipped
            opened |= hits
    return tried, left_out, frozenset(opened)


@contextmanager
def _trying_private(keys: trial.Keys, publics: frozenset[bytes]) -> Iterator[Callable[[], frozenset[str]]]:
    """Try `keys` as seeds of the keys that headers are sealed to, in a process beside this one.

    Each takes some 40 microseconds of curve arithmetic that threads of one process would do one after the other.
    """
    if len(keys) < _WORTH_A_PROCESS:
        yield lambda: frozenset("a private key" for _ in trial.unsealing(keys, publics))
        return
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        opened = beside.submit(trial.unsealing, keys, publics)
        yield lambda: frozenset("a private key" for _ in opened.result())
