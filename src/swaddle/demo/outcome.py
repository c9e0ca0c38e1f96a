"""What a run of the demo came to: the values that the screen draws and that `--json` prints. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from swaddle.demo.account import Account
from swaddle.demo.needles import PERSONAL, SECRET, Category
from swaddle.demo.raid import Found

ROWS = ("read", "stored", "rejected", "duplicates")


@dataclass
class Sender:
    """A submitter and what became of its rows."""

    id: str
    name: str
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROWS, 0))
    reports: int = 0
    reports_opened: int = 0
    indicators: int = 0

    @property
    def feedback_opened(self) -> bool:
        """Whether every report to it was opened."""
        return 0 < self.reports == self.reports_opened


@dataclass
class Sent:
    """A file that was sent as a transfer."""

    sender: int
    kind: str
    made_up: bool
    transfer: str
    rows: dict[str, int]
    cannot_answer: tuple[str, ...] = ()
    destroyed_after_s: float | None = None


@dataclass(frozen=True)
class Proof:
    """One thing shown: what, by which figure, and whether it held."""

    words: str
    figure: str
    holds: bool


@dataclass(frozen=True)
class Incident:
    """A raid scoped, beside what was truly there."""

    transfers: int
    persons: int
    categories: tuple[tuple[str, int], ...]
    unknown: int
    protection: tuple[tuple[str, int], ...]
    seconds: float
    true_transfers: int
    true_persons: int

    @property
    def is_exact(self) -> bool:
        """Whether it named exactly what was there."""
        return (self.transfers, self.persons, self.unknown) == (self.true_transfers, self.true_persons, 0)


@dataclass
class Outcome:
    """Everything a run came to."""

    seed: int
    synthetic: bool
    senders: list[Sender] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    missing_sources: tuple[str, ...] = ()
    proofs: list[Proof] = field(default_factory=list)
    raids: list[Found] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    needles_checked: int = 0
    reports: str = ""
    accounts: list[Account] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def all_hold(self) -> bool:
        """Whether everything that was to be shown was shown."""
        return all(proof.holds for proof in self.proofs)

    def totals(self) -> dict[str, int]:
        """Rows of all senders together."""
        return {name: sum(sender.rows[name] for sender in self.senders) for name in ROWS}

    def to_json(self) -> dict[str, Any]:
        """The object of `demo --json` (docs/commands.md)."""
        return {
            "submitters": [
                {"id": each.id, "name": each.name, **each.rows, "feedback_opened": each.feedback_opened}
                for each in self.senders
            ],
            "totals": self.totals(),
            "sources": self._sources(),
            "missing_sources": list(self.missing_sources),
            "raid": {
                "searched_for": max((sum(raid.sought.values()) for raid in self.raids), default=0),
                "found": sum(len(raid.hits) + len(raid.opened) for raid in self.raids),
            },
            "raids": [_raid_json(raid) for raid in self.raids],
            "incidents": [_incident_json(incident) for incident in self.incidents],
            "proofs": [{"what": proof.words, "figure": proof.figure, "holds": proof.holds} for proof in self.proofs],
            "all_proved": self.all_hold,
            "seed": self.seed,
            "synthetic": self.synthetic,
            "reports": self.reports,
            "says": [{"name": each.name, "says": list(each.says), "page": each.page} for each in self.accounts],
            "seconds": round(self.seconds, 1),
        }

    def _sources(self) -> list[dict[str, Any]]:
        """Rows by kind of file; made-up files apart from real ones."""
        found = []
        for kind, made_up in dict.fromkeys((each.kind, each.made_up) for each in self.sent):
            own = [each for each in self.sent if (each.kind, each.made_up) == (kind, made_up)]
            found.append(
                {
                    "kind": kind,
                    "made_up": made_up,
                    "transfers": len(own),
                    **{name: sum(each.rows.get(name, 0) for each in own) for name in ROWS},
                    "cannot_answer": sorted({each for one in own for each in one.cannot_answer}),
                }
            )
        return found


def sought_in_words(raid: Found) -> list[tuple[str, int, int]]:
    """A raid's needles in the groups that people read: (words, sought, found)."""
    groups = (
        ("names, birth dates, card and record numbers", PERSONAL),
        ("rows as sent", (Category.ROW,)),
        ("pieces of files as sent", (Category.PIECE,)),
        ("private keys, usable tokens", SECRET),
    )
    return [
        (words, sum(raid.sought.get(each, 0) for each in group), sum(raid.found[each] for each in group))
        for words, group in groups
        if any(raid.sought.get(each, 0) for each in group)
    ]


def _raid_json(raid: Found) -> dict[str, Any]:
    return {
        "searched_for": {category.name.lower(): count for category, count in raid.sought.items()},
        "found": len(raid.hits),
        "found_in": sorted({hit.place for hit in raid.hits}),
        "files": raid.taken.files,
        "home_bytes": raid.taken.home_bytes,
        "memory_bytes": raid.taken.memory_bytes,
        "processes": raid.taken.processes,
        "transfers": raid.transfers,
        "opened": len(raid.opened),
        "keys_tried": raid.keys_tried,
        "keys_left_out": raid.keys_left_out,
        "private_keys_tried": raid.private_keys_tried,
        "markers_planted": raid.markers_planted,
        "markers_found": raid.markers_found,
        "controls_sought": raid.controls_sought,
        "controls_found": raid.controls_found,
        "seconds": round(raid.seconds, 1),
    }


def _incident_json(incident: Incident) -> dict[str, Any]:
    return {
        "transfers": incident.transfers,
        "persons": incident.persons,
        "by_category": dict(incident.categories),
        "unknown_transfers": incident.unknown,
        "true_transfers": incident.true_transfers,
        "true_persons": incident.true_persons,
        "equal": incident.is_exact,
        "seconds": incident.seconds,
    }
