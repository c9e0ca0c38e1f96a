"""Where another store and another index could be put in: the methods, and what each of them promises.

`store.Store` and `index.IndexThread` are the ones there are: files and SQLite. A store of objects (S3) or an index in
PostgreSQL would be written against these promises and tried by the same tests (tests/faults/test_gateway_killed.py,
tests/faults/test_gateway_resumable.py). Decision 0084 says what would still have to change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from swaddle.gateway.index import Index

P = ParamSpec("P")
T = TypeVar("T")


class PartComing(Protocol):
    """A part on its way in. Nobody finds it before `keep`; its id is made here and is nobody's to choose."""

    id: str
    size_bytes: int

    def write(self, pieces: Iterable[bytes]) -> None:
        """Take the next bytes, in order. Raises DiskFault; then only `drop` follows."""

    def sha256(self) -> bytes:
        """The digest of exactly the bytes that came."""

    def keep(self) -> str:
        """Give it its name. When this returns the part survives a power cut; when it raises, nothing is there."""

    def leave(self) -> int:
        """Keep what came, still unnamed, across a power cut; how many bytes. When it raises, nothing is there."""

    def fileno(self) -> int:
        """A descriptor that only writes, for the door's process. A store without files has none, and so no door."""

    def drop(self) -> None:
        """Forget it. Never raises; what cannot be removed now is a stray at the next start."""


class BodyStore(Protocol):
    """The bytes of parts. It knows no transfer, no party, no time: rows say what a body is, and whether it lives."""

    def receive(self) -> PartComing:
        """Begin a part. Raises DiskFault."""

    def open(self, body: str) -> int:
        """A descriptor to read a kept part by, from its start; the caller closes it.

        It stays readable to its end although the body is removed meanwhile. Raises DiskFault.
        """

    def remove(self, body: str) -> None:
        """Remove a part for good; when this returns it is gone, after a power cut too. What is not there is fine.

        Raises DiskFault: it may be there or not, and is asked for again.
        """

    def unfinished(self, upload: str) -> Path:
        """Where a part that comes in pieces lies; nobody finds it as a body."""

    def finish(self, upload: str) -> str:
        """Give such a part, synced by its writer, its name: as `keep`. Raises DiskFault: it is unfinished as before."""

    def drop_unfinished(self, upload: str) -> None:
        """Remove such a part: as `remove`."""

    def bodies(self) -> Iterator[str]:
        """Ids of all kept parts; while parts come and go it may miss or show those."""

    def remove_strays(self, known: Collection[str]) -> int:
        """Remove everything that is not known; only at start, when nothing comes in. How many. Raises DiskFault."""

    def free_bytes(self) -> int:
        """Room that is left; beyond the setting `reserve_bytes` nothing new is taken."""


class RowStore(Protocol):
    """The rows. Operations are plain functions over an `Index`; one runs at a time, so none sees half of another."""

    index: Index

    async def run(self, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it in one transaction, serially with all others.

        When this returns, all that it wrote survives a power cut, the journal's entries included; when it raises,
        nothing of it is there (unless the Refusal says `keep`). Raises Refusal `full` when the disk took nothing.
        """

    def call(self, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, asked from a thread."""

    async def note(self, operation: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, but a power cut within a minute may undo it; a kill may not."""

    async def outside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do other work between two operations, in no transaction."""

    async def elsewhere(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work that touches no rows; it holds nobody up."""

    async def shrink(self) -> None:
        """Leave nothing of deleted rows in logs of the database's own, as far as it can be done now."""

    def close(self) -> None:
        """Finish the operation that runs, then let go."""
