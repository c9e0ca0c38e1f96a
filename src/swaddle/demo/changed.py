"""Six changes to a true transfer, given to the registry's own reader: each must be refused by an error of its own.

The transfers are those that the raid copied, so this is what a thief can try who puts back what he took. The reader is
`registry.pipeline`, with the registry's own keys, on pieces that lie where a pull would have put them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swaddle.demo.copied import Copied
from swaddle.demo.parties import Party
from swaddle.envelope.parts import SEGMENT_BYTES
from swaddle.envelope.refusals import EnvelopeRefused
from swaddle.envelope.signature import MANIFEST, Signed, SigningKey, sign
from swaddle.registry.inside import Registry, open_registry
from swaddle.registry.owner import Lock
from swaddle.registry.pipeline import plaintext_of, unseal
from swaddle.registry.pull import Held

_SEALED_SEGMENT_BYTES = SEGMENT_BYTES + 28  # nonce and tag


@dataclass(frozen=True)
class Refusal:
    """How a changed transfer was met: the defect's word, or nothing if it was taken."""

    change: str
    defect: str | None
    wanted: str

    @property
    def is_right(self) -> bool:
        """Whether it was refused, by the error that this change has."""
        return self.defect == self.wanted


def try_changes(registry: Party, one: Copied, other: Copied, scratch: Path) -> list[Refusal]:
    """Give the reader five changed copies of `one` before it is pulled; `other` lends its header."""
    return [
        _try(registry, _laid_out(one, scratch / str(number)), change, words, wanted, other)
        for number, (words, wanted, change) in enumerate(CHANGES)
    ]


def try_again(registry: Party, one: Copied, scratch: Path) -> Refusal:
    """Give the reader `one`, unchanged, after it was pulled: the sixth."""
    return _try(registry, _laid_out(one, scratch / "again"), lambda held, _: held, "sent once more", "replayed", one)


def is_taken_unchanged(registry: Party, one: Copied, scratch: Path) -> bool:
    """Whether the same reader opens the same transfer when nothing is changed: so the refusals are of the changes."""
    held = _laid_out(one, scratch / "unchanged")
    with _inside(registry) as inside:
        return _defect(held, inside) is None


def _cut(held: Held, _: Copied) -> Held:
    """The last segment of the body is gone."""
    last = _last_part(held)
    data = last.read_bytes()
    last.write_bytes(data[: (len(data) - 1) // _SEALED_SEGMENT_BYTES * _SEALED_SEGMENT_BYTES])
    return held


def _swap(held: Held, _: Copied) -> Held:
    """The first two segments are in each other's place."""
    first = held.part_path(0)
    data = first.read_bytes()
    step = min(_SEALED_SEGMENT_BYTES, len(data) // 2)  # a body of one segment: its halves
    first.write_bytes(data[step : 2 * step] + data[:step] + data[2 * step :])
    return held


def _append(held: Held, _: Copied) -> Held:
    """Bytes follow the end of the body."""
    last = _last_part(held)
    last.write_bytes(last.read_bytes() + bytes(64))
    return held


def _other_header(held: Held, other: Copied) -> Held:
    """The header of another transfer, with its data key."""
    return Held(held.id, held.manifest, other.header, held.description, held.folder)


def _sign_again(held: Held, _: Copied) -> Held:
    """The thief signs the same manifest with a key of his own."""
    value = json.loads(held.manifest.message)
    signed: Signed = sign(MANIFEST, value, SigningKey.generate())
    return Held(held.id, signed, held.header, held.description, held.folder)


Change = Callable[[Held, Copied], Held]
CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("its last segment dropped", "cut-short", _cut),
    ("two segments swapped", "part-changed", _swap),
    ("bytes put behind its end", "trailing-bytes", _append),
    ("the header of another", "header-changed", _other_header),
    ("signed by another", "wrong-signer", _sign_again),
)


def _try(registry: Party, held: Held, change: Change, words: str, wanted: str, other: Copied) -> Refusal:
    with _inside(registry) as inside:
        return Refusal(words, _defect(change(held, other), inside), wanted)


def _defect(held: Held, inside: Registry) -> str | None:
    """The word of the error that the reader refuses with."""
    try:
        opened = unseal(held, inside)
        with plaintext_of(held, opened, inside):
            return None
    except EnvelopeRefused as refused:
        return refused.defect


@contextmanager
def _inside(registry: Party) -> Iterator[Registry]:
    """The registry, opened as its own commands open it, while no other process has it."""
    lock = Lock(registry.home)
    if not lock.take():
        raise RuntimeError("the registry is open elsewhere")
    try:
        inside = open_registry(registry.home, lambda _: registry.passphrase_file.read_bytes().strip())
        try:
            yield inside
        finally:
            inside.close()
    finally:
        lock.release()


def _laid_out(copied: Copied, folder: Path) -> Held:
    """The pieces where a pull puts them."""
    folder.mkdir(parents=True)
    held = Held(copied.id, copied.manifest, copied.header, copied.description, folder)
    for number, part in enumerate(copied.parts):
        shutil.copyfile(part, held.part_path(number))
    return held


def _last_part(held: Held) -> Path:
    return max(held.folder.glob("*.part"))
