"""Keeping a part that is whole: its bytes under their name, its row, and nothing half whatever fails between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from swaddle.durable import DiskFault
from swaddle.gateway import sending
from swaddle.gateway.access import Who
from swaddle.gateway.app import Gateway


async def keep_part(
    gateway: Gateway, who: Who, transfer: str, number: int, keep: Callable[[], str], size_bytes: int, digest: str
) -> None:
    """Keep and record a part whose digest was compared.

    Args:
        gateway: whose.
        who: sends it.
        transfer: of which it is a part.
        number: of the part, from 0.
        keep: gives the bytes their name, and says which.
        size_bytes: of the part.
        digest: SHA-256 of the part, hex.

    Raises:
        DiskFault, Refusal: nothing is recorded; the bytes are gone or a stray.
    """
    body = await gateway.thread.elsewhere(keep)
    run = gateway.thread.run
    unneeded: str | None = None
    try:
        unneeded = await run(sending.record_part, who, transfer, number, body, size_bytes, digest)
    except BaseException:
        # A disk may say no to what it has done: the rows say whether the part is one of theirs.
        unneeded = None if await run(sending.is_recorded, body) else body
        raise
    finally:
        if unneeded is not None:
            with suppress(DiskFault):  # a stray; removed at the next start
                await gateway.thread.elsewhere(gateway.store.remove, unneeded)
