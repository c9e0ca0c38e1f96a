"""What is sealed, as one run of plaintext bytes that can be read at any place: a file, or a folder packed as it goes.

Carrying a send knows no more of its source than this: `start` where an earlier run left off, `read_at` onwards, `end`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from swaddle.envelope.manifest import FileEntry
from swaddle.envelope.positioned import read_at
from swaddle.envelope.seal import PartSealer
from swaddle.submitter import prepare
from swaddle.submitter.packing import PackPlaintext
from swaddle.submitter.party import Party
from swaddle.submitter.prepare import Source
from swaddle.submitter.spool import SpooledPlaintext, SpoolSealer, open_entry
from swaddle.submitter.state import Outgoing


class Plaintext(Protocol):
    """What a send carries. Read once, from `start` to the end, each place after the one before it."""

    def start(self, offset: int) -> None:
        """Begin at `offset`; what lies before it was sent by an earlier run, and is looked at again where it must be.

        Raises:
            SourceGone: it is not what was sent then.
        """

    def read_at(self, offset: int, buffer: memoryview) -> int:
        """Fill `buffer` with what lies at `offset`; how many bytes, less than asked only at the end."""

    def take(self, piece: memoryview) -> None:
        """Be told of every piece that was read, in order; it must not be kept."""

    def end(self) -> FileEntry:
        """What the description says of it, once all of it was read.

        Raises:
            SourceGone: it changed meanwhile.
        """

    def left_out(self) -> tuple[tuple[int, str], ...]:
        """Number and state of each file of a pack that could not be sent whole."""


@contextmanager
def opened(party: Party, send: Outgoing) -> Iterator[Plaintext]:
    """The plaintext of a send, for the time of the block.

    Raises:
        SourceGone: it is not there as it was.
    """
    if send.entry is not None:
        yield SpooledPlaintext(open_entry(party.sealing, send)[0], send.left_out)
        return
    if send.members is not None:
        with closing(PackPlaintext(Path(send.path), party.state.plan(send.reference))) as packed:
            yield packed
        return
    changed = int(send.ctime_ns) if send.ctime_ns else None
    source = Source(Path(send.path), send.size_bytes, int(send.mtime_ns), changed)
    descriptor = prepare.open_source(source)
    try:
        yield FilePlaintext(descriptor, source)
    finally:
        os.close(descriptor)


def sealer_of(party: Party, send: Outgoing, data_key: bytes) -> PartSealer | SpoolSealer:
    """What seals the parts of a send; with `--spool` it keeps each, and seals none twice."""
    sealer = PartSealer(data_key, send.part_bytes)
    if send.spool is None:
        return sealer
    digests = None if send.entry is None else open_entry(party.sealing, send)[1]
    return SpoolSealer(sealer, party.state.spool_of(send.spool), send.part_bytes, digests)


class FilePlaintext:
    """One file, as it lies on the disk. No digest of its plaintext is taken (docs/decisions/0099)."""

    def __init__(self, descriptor: int, source: Source) -> None:
        """Read from an open `descriptor` of `source`."""
        self._descriptor = descriptor
        self._source = source

    def start(self, offset: int) -> None:
        """Nothing to look at again: that it is the same file was compared when it was opened."""

    def read_at(self, offset: int, buffer: memoryview) -> int:
        """What lies in the file at `offset`."""
        return read_at(self._descriptor, buffer, offset)

    def take(self, piece: memoryview) -> None:
        """Nothing is noted of it."""

    def end(self) -> FileEntry:
        """Its name and length."""
        prepare.check_unchanged(self._descriptor, self._source)
        return FileEntry(self._source.path.name, self._source.size_bytes, None)

    def left_out(self) -> tuple[tuple[int, str], ...]:
        """Nothing: a file that changed is not sent at all."""
        return ()
