"""Reading what came back: every report fetched, opened and copied out; every receipt collected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swaddle.demo.outcome import ROWS
from swaddle.demo.parties import Party


@dataclass(frozen=True)
class Opened:
    """A report as its submitter reads it."""

    answers: str
    folder: Path
    report: dict[str, Any]

    @property
    def rows(self) -> dict[str, int]:
        """Read, stored, rejected, duplicates."""
        return {name: int(self.report["rows"].get(name, 0)) for name in ROWS}

    @property
    def figures(self) -> int:
        """How many figures of its own the submitter is given: one a group of each indicator that can be answered."""
        return sum(
            sum(row["whose"] == "own" and row["denominator"] is not None for row in indicator["rows"])
            for indicator in self.report["indicators"]
            if indicator["answerable"]
        )

    def cannot_answer(self, kind: str) -> tuple[str, ...]:
        """Indicators that a file of this kind cannot answer, and for want of what."""
        return tuple(
            f"{indicator['id']}: it carries no {', '.join(source['fields'])}"
            for indicator in self.report["indicators"]
            for source in indicator["unanswered"]
            if source["source"] == kind
        )

    @property
    def reason(self) -> str:
        """Why nothing of the file was taken, where nothing was."""
        refused = self.report.get("refused") or {}
        return str(refused.get("why") or refused.get("what") or "")


def fetch_reports(party: Party, out: Path) -> list[Opened]:
    """Fetch and open everything that waits for a submitter, with a copy of each report under `out`."""
    opened = []
    for waiting in party.run("inbox", "--json").value["waiting"]:
        folder = out / str(waiting["id"])[:8]
        got = party.run("get", str(waiting["id"]), "--out", folder, "--json").value
        report = json.loads((folder / "report.json").read_bytes())
        opened.append(Opened(str(got["in_reply_to"]), folder, report))
    return opened


def collect_receipts(parties: Sequence[Party]) -> list[Path]:
    """Ask for the receipts of what was sent; where they lie."""
    receipts: list[Path] = []
    for party in parties:
        # 7: some rows were rejected; 6: a file was refused. Both have a receipt that says so.
        party.run("send", "--json", allow=(0, 6, 7))
        receipts += sorted((party.home / "receipts").glob("*.receipt.json"))
    return receipts
