"""The gateway's shelf of uploads: parts that broke off, in the store's folder and the index's rows.

A row is written only when there is something to go on with; a part that comes whole at once costs none. When all of it
is there, it becomes a part like any other.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from swaddle.durable import DiskFault
from swaddle.gateway import upload_rows
from swaddle.gateway.access import Who
from swaddle.gateway.app import Gateway
from swaddle.gateway.parts import keep_part
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.upload_content import Pace
from swaddle.gateway.upload_engine import Answer, Kept
from swaddle.gateway.upload_file import boot_id, length_of
from swaddle.wire.resumable import Limits, State, Upload

BOOT = boot_id()
PART_LIMIT_BYTES = 2**31


@dataclass(frozen=True)
class OfPart:
    """What the uploads on a shelf are uploads of."""

    transfer: str
    number: int
    size_bytes: int
    sha256: str

    def row(self, upload: str, came: int, state: State = State.OPEN) -> upload_rows.Row:
        """The row of an upload of it."""
        return upload_rows.Row(upload, self.transfer, self.number, self.sha256, self.size_bytes, came, BOOT, state)


class PartShelf:
    """Uploads of one part, of one sender."""

    def __init__(self, gateway: Gateway, who: Who, part: OfPart) -> None:
        """Nothing is looked up yet."""
        settings = gateway.settings
        self.limits = Limits(PART_LIMIT_BYTES, settings.submission_seconds)
        self.pace = Pace(settings.idle_seconds, settings.slowest_bytes_per_second)
        self._gateway, self._who, self._part = gateway, who, part

    def now(self) -> datetime:
        """The gateway's time."""
        return self._gateway.thread.index.now()

    async def make(self, upload: Upload) -> Kept:
        """A new upload; nothing is written before `keep`."""
        name = secrets.token_hex(16)
        return Kept(name, self._gateway.store.unfinished(name), upload)

    async def find(self, upload: str) -> Kept | None:
        """The upload of this id, if it is of this sender and still to be sent."""
        found = await self._gateway.thread.run(upload_rows.find, self._who, upload)
        if found is None:
            return None
        row, expires = found
        path = self._gateway.store.unfinished(row.id)
        if row.state is State.OPEN and length_of(path) < row.came:
            await self.drop_id(
                row.id
            )  # killed when it was whole and had its name, and no row yet: all of it comes again
            return None
        return Kept(row.id, path, row.upload(expires, BOOT, length_of(path)))

    async def keep(self, kept: Kept, *, is_sure: bool = True) -> None:
        """Write its row; of one that is over nothing stays. What another upload of the part had is removed."""
        assert is_sure, "the digest of every part is known, so what was cut is always kept"
        if kept.upload.state is State.OPEN:
            await self.keep_row(self._part.row(kept.id, kept.upload.offset))
        else:
            await self.drop(kept)

    async def keep_row(self, row: upload_rows.Row) -> None:
        """Write a row; a file that no row knows any more is removed."""
        gateway = self._gateway
        try:
            older = await gateway.thread.run(upload_rows.write, self._who, row)
        except BaseException:
            await self._remove_file(row.id)
            raise
        if older is not None:
            await self._remove_file(older)

    async def complete(self, kept: Kept) -> Answer:
        """It is a part now; that it was an upload is remembered while the transfer is being sent."""
        gateway, part = self._gateway, self._part
        await keep_part(
            gateway, self._who, part.transfer, part.number,
            lambda: gateway.store.finish(kept.id), part.size_bytes, part.sha256,
        )  # fmt: skip
        with suppress(Refusal):  # the part is recorded; the transfer may have gone on
            await gateway.thread.run(upload_rows.write, self._who, part.row(kept.id, part.size_bytes, State.COMPLETE))
        return Answer(204)

    async def drop(self, kept: Kept) -> None:
        """Remove its row, then its file."""
        await self.drop_id(kept.id)

    async def drop_id(self, upload: str) -> None:
        """Remove the row of an upload, then its file."""
        await self._gateway.thread.run(upload_rows.remove, upload)
        await self._remove_file(upload)

    def location(self, kept: Kept) -> str:
        """The address of its upload resource."""
        return f"/v1/uploads/{kept.id}"

    def turn(self, upload: str) -> str:  # noqa: ARG002 - the part, whichever upload of it
        """One request at a time sends a part."""
        return f"{self._part.transfer}/{self._part.number}"

    async def _remove_file(self, upload: str) -> None:
        with suppress(DiskFault):  # a stray; removed at the next start
            await self._gateway.thread.elsewhere(self._gateway.store.drop_unfinished, upload)
