"""Sending, as the submitters do it, and as one of them is torn off and killed in the middle of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swaddle.demo.files import Parcel
from swaddle.demo.layout import KIND
from swaddle.demo.line import TearingLine
from swaddle.demo.outcome import Proof
from swaddle.demo.parties import Party, StepFailed, end

# Small parts, so that the torn data set has several and can go on in its middle.
_TORN_PART_BYTES = 2 * 65_536
_TEAR_S = 60


@dataclass(frozen=True)
class Despatched:
    """A transfer that the gateway holds; `parcel` is None for the file that is no data set."""

    transfer: str
    parcel: Parcel | None
    body_bytes: int


def tear(party: Party, parcel: Parcel, scratch: Path) -> dict[str, Any]:
    """Send a file over a line that goes dead in its middle, and kill the sender; what its home then remembers.

    Raises:
        StepFailed: the sending ended before the line could tear.
    """
    # Half of the body, and something for the handshake and the requests before it.
    with TearingLine(parcel.path.stat().st_size // 2 + 6_000) as line:
        through = {"HTTPS_PROXY": line.url, "SWADDLE_PART_BYTES": str(_TORN_PART_BYTES)}
        process = party.start("send", parcel.path, environment=through, log=scratch / "torn.log")
        is_torn = line.torn.wait(_TEAR_S)
        end(process, kill=True)
    if not is_torn:
        raise StepFailed(command="send", status=process.returncode, said="the line was not torn in its middle")
    (left,) = _sends(party)
    return left


def taken_up(party: Party, torn: dict[str, Any]) -> Proof:
    """Whether the torn send became one transfer, the same, going on with the parts that were there."""
    same = [each for each in _sends(party) if each["path"] == torn["path"]]
    kept, total = len(torn["parts"]), len(same[0]["parts"])
    holds = len(same) == 1 and same[0]["transfer"] == torn["transfer"] and same[0]["is_held"] and kept < total
    # The parts that were whole before the kill were not sent again: their digests are still those of then.
    holds = holds and same[0]["parts"][:kept] == torn["parts"]
    return Proof("A torn line and a kill are made good", f"same transfer, {kept} of {total} parts kept", holds=holds)


def send_all(party: Party, parcels: Sequence[Parcel], wrong: Path | None) -> list[Despatched]:
    """Send a place's files in one go; which transfer is which file is seen by its size.

    Raises:
        StepFailed: not all of it is held by the gateway.
    """
    own = {parcel.path.stat().st_size: parcel for parcel in parcels}
    paths = [parcel.path for parcel in parcels] + ([wrong] if wrong else [])
    said = party.run("send", *(parcel.path for parcel in parcels), "--json").value["transfers"] if parcels else []
    if wrong:
        # Its sender takes it for births, and says so.
        said += party.run("send", wrong, "--as", KIND, "--json").value["transfers"]
    held = {str(each["id"]): each for each in said if each["state"] == "held"}
    sent = [
        Despatched(transfer, own.get(int(each["plaintext_bytes"])), int(each["body_bytes"]))
        for transfer, each in held.items()
    ]
    if len(sent) != len(paths) or len(own) != len(parcels) or sum(each.parcel is None for each in sent) != bool(wrong):
        raise StepFailed(command="send", status=0, said=f"{len(sent)} of {len(paths)} files are held")
    return sent


def _sends(party: Party) -> list[dict[str, Any]]:
    return [dict(json.loads(path.read_bytes())) for path in sorted((party.home / "sends").glob("*.json"))]
