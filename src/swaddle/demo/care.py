"""Care that cannot wait: a laboratory sends its screens, one newborn has none, and its hospital is told, sealed.

screens of the last weeks but one -> the registry looks -> one alert, to one hospital -> opened there
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.demo import layout, town
from swaddle.demo.account import PAGE, Account
from swaddle.demo.cohort import SITES
from swaddle.demo.outcome import Proof
from swaddle.demo.parties import Party

LABORATORY = "Newborn Screening Laboratory"
KIND = "newborn-screens"
MISSED_AT = 1  # the place whose newborn has no screen
WORDS = "A missed newborn screen is told to its hospital"
_COLUMNS = (
    "local_record_id", "site_id", "action", "event_date", "screen_card_id", "screen_collection_dt",
    "screen_received_dt", "screen_sample_quality", "screen_overall",
)  # fmt: skip
_TAKEN, _RECEIVED = timedelta(days=1), timedelta(days=4)
_LOOKED_AT = timedelta(days=45)  # before the last birth; what is longer ago raises no alert
# The missed newborn: old enough that the laboratory's data reach its day 7, young enough that it matters.
_OLDEST, _YOUNGEST = timedelta(days=28), timedelta(days=8)
_PATIENCE_S = 60


@dataclass(frozen=True)
class Newborn:
    """A live birth with a card that a screen can be joined by."""

    place: int
    record: str
    card: str
    born: date


def newborns(place: int, rows: Iterable[layout.Row]) -> Iterator[Newborn]:
    """The live births with a screening card among rows as they are written."""
    for row in rows:
        if row["outcome"] == "live" and row["screening_card_id"]:
            yield Newborn(
                place, row["local_record_id"], row["screening_card_id"], date.fromisoformat(row["event_date"][:10])
            )


def missed_of(known: Sequence[Newborn]) -> Newborn | None:
    """The newborn whose screen is left out; None where too few were born."""
    if not known:
        return None
    last = max(each.born for each in known)
    fit = [each for each in known if each.place == MISSED_AT and last - _OLDEST <= each.born <= last - _YOUNGEST]
    return min(fit, key=lambda each: (each.born, each.record), default=None)


def screens(known: Sequence[Newborn], missed: Newborn) -> bytes:
    """The laboratory's file: a screen for each newborn of the last weeks, but for the one."""
    last = max(each.born for each in known)
    lines = [",".join(_COLUMNS)]
    for number, each in enumerate(known, 1):
        if each != missed and each.born >= last - _LOOKED_AT:
            taken, received = each.born + _TAKEN, each.born + _RECEIVED
            lines.append(
                f"NSL-S{number:08d},NSL,new,{taken},{each.card},{taken}T09:00,{received}T14:00,acceptable,in_range"
            )
    return "\n".join([*lines, ""]).encode()


def tell(all_: town.Town, known: Sequence[Newborn], folder: Path, reports: Path) -> tuple[Proof, Account] | None:
    """Let the laboratory in, send its file, and open the alert at the hospital; None where nobody can be missed.

    Raises:
        StepFailed: a command did not do its part.
    """
    missed = missed_of(known)
    if missed is None:
        return None
    durable.make_folder(folder / "laboratory-files")
    path = folder / "laboratory-files" / "screens.csv"
    path.write_bytes(screens(known, missed))
    laboratory, hospital = Party(folder / "submitters" / "laboratory"), all_.submitters[MISSED_AT]
    out = reports / SITES[MISSED_AT].folder
    with town.at_work(all_.registry):
        town.let_in(all_.registry, laboratory, LABORATORY)
        laboratory.run("send", path, "--as", KIND, "--wait", "--json")
        alert = _opened(hospital, out)
        raised = all_.registry.run("registry", "alerts", "--json").value["alerts"]
    told = [str(each["record"]) for each in alert["alerts"]] if alert else []
    babies = sum(int(each["babies"]) for each in raised)
    holds = told == [missed.record] and babies == 1
    proof = Proof(WORDS, f"{len(told)} newborn, {babies} raised, opened there", holds=holds)
    says = ("ALERT: one newborn has no screen on day 7. It names the baby by the hospital's own number, to it alone.",)
    page = "" if alert is None else str((Path(alert["page"])).relative_to(reports))
    return proof, Account(SITES[MISSED_AT].name, says, page, is_alert=True)


def _opened(hospital: Party, out: Path) -> dict[str, Any] | None:
    """The alert as its hospital reads it, with where its page lies; None when none came in a minute."""
    limit = time.monotonic() + _PATIENCE_S
    while time.monotonic() < limit:
        for each in hospital.run("get", "--out", out, "--json").value["got"]:
            if each["about"] == "alert":
                page = next(Path(name) for name in each["files"] if name.endswith(PAGE))
                told: dict[str, Any] = json.loads(page.with_name("report.json").read_bytes())
                return {**told, "page": str(page)}
        time.sleep(0.5)
    return None
