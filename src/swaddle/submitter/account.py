"""What became of each file or folder in a run of `send`, and what may still be missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from swaddle.errors import NetworkFault, SwaddleError
from swaddle.submitter.folder import LeftOut

# Why a member of a pack is not whole (docs/spec/envelope.md section 5a), for the person whose file it is.
WHY_LEFT_OUT = {
    "changed": "it changed while it was sent; the next run sends it",
    "gone": "it was gone when its turn came",
    "unreadable": "it could not be read",
}


class NoReceiptYet(NetworkFault):
    """The wait is over; the transfer is safe on the gateway."""

    code = "SWD-SUB-42"
    what = "the registry has not given a receipt yet"
    why = "it has not collected the transfer in the time that --wait was given"
    fix = "keep the file; `swaddle send` without a file asks again, and sends again what got lost"


class Unreadable(NetworkFault):
    """The registry could not open the transfer."""

    code = "SWD-SUB-43"
    what = "the registry could not open this transfer"
    why = "it came damaged, or was sealed to a key that is gone"
    fix = "run `swaddle send` again: it is sent as a new transfer, unasked"


@dataclass
class Sent:
    """What became of one file or folder in this run.

    Attributes:
        state: `held` on the gateway; `stored`, `refused` or `unreadable` by the registry; `failed`; `unchanged`: a
            folder in which all was sent before.
        trouble: why it failed, or why it is not done.
        counts: rows, as far as the receipt tells.
        members: how many files of a folder it carries; None for one file.
        left_out: what in the folder was not sent.
        is_spooled: a sealed copy lies here, so the file may be deleted.
    """

    transfer: str | None
    state: str
    body_bytes: int
    plaintext_bytes: int
    held_statement: Path | None = None
    receipt: Path | None = None
    trouble: SwaddleError | None = None
    counts: dict[str, int] = field(default_factory=dict)
    members: int | None = None
    left_out: list[LeftOut] = field(default_factory=list)
    is_spooled: bool = False
