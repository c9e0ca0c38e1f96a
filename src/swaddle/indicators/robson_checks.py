"""What the World Health Organization's manual looks at in a Robson table before it believes it: pure.

The limits are from memory and were not checked against the manual: each is shown as unverified, none as a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from swaddle.indicators.robson import UNCLASSIFIABLE

PROVENANCE = "unverified: from memory of the World Health Organization's Robson manual, 2017"
PROVENANCE_FR = "non vérifiée : de mémoire du manuel Robson de l'Organisation mondiale de la Santé, 2017"
LEAST_BIRTHS = 100  # below, a group of one in a hundred says nothing
Verdict = Literal["as expected", "look", "too few to say"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One look: a share of births, or a caesarean rate, and where it usually lies (fractions of 1)."""

    id: str
    text: str
    text_fr: str
    groups: tuple[str, ...]
    kind: Literal["size", "rate"]
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A check and what was found."""

    check: Check
    found: float | None
    verdict: Verdict


CHECKS = (
    Check(
        id="first_births",
        text="Groups 1 and 2: 35 to 42% of births",
        text_fr="Groupes 1 et 2 : 35 à 42 % des naissances",
        groups=("1", "2a", "2b"),
        kind="size",
        low=0.35,
        high=0.42,
    ),
    Check(
        id="later_births",
        text="Groups 3 and 4: about 30% of births",
        text_fr="Groupes 3 et 4 : environ 30 % des naissances",
        groups=("3", "4a", "4b"),
        kind="size",
        low=0.25,
        high=0.35,
    ),
    Check(
        id="scarred",
        text="Group 5: under 10% of births",
        text_fr="Groupe 5 : moins de 10 % des naissances",
        groups=("5",),
        kind="size",
        low=0.0,
        high=0.10,
    ),
    Check(
        id="breech",
        text="Groups 6 and 7: 3 to 4% of births",
        text_fr="Groupes 6 et 7 : 3 à 4 % des naissances",
        groups=("6", "7"),
        kind="size",
        low=0.03,
        high=0.04,
    ),
    Check(
        id="multiple",
        text="Group 8: 1.5 to 2% of births",
        text_fr="Groupe 8 : 1,5 à 2 % des naissances",
        groups=("8",),
        kind="size",
        low=0.015,
        high=0.02,
    ),
    Check(
        id="across",
        text="Group 9: under 1% of births",
        text_fr="Groupe 9 : moins de 1 % des naissances",
        groups=("9",),
        kind="size",
        low=0.0,
        high=0.01,
    ),
    Check(
        id="across_caesarean",
        text="Group 9: all by caesarean",
        text_fr="Groupe 9 : toutes par césarienne",
        groups=("9",),
        kind="rate",
        low=1.0,
        high=1.0,
    ),
    Check(
        id="preterm",
        text="Group 10: under 5% of births",
        text_fr="Groupe 10 : moins de 5 % des naissances",
        groups=("10",),
        kind="size",
        low=0.0,
        high=0.05,
    ),
    Check(
        id="unclassifiable",
        text="Could not be placed: under 1% of births",
        text_fr="Inclassables : moins de 1 % des naissances",
        groups=(UNCLASSIFIABLE,),
        kind="size",
        low=0.0,
        high=0.01,
    ),
)


def look(groups: Mapping[str, tuple[int, int, int]]) -> tuple[Looked, ...]:
    """Every check of a whole table.

    Args:
        groups: group to its caesareans, its births with known way of birth, and its births that are unknown.
    """
    births = sum(placed + unknown for _, placed, unknown in groups.values())
    return tuple(_looked(check, groups, births) for check in CHECKS)


def _looked(check: Check, groups: Mapping[str, tuple[int, int, int]], births: int) -> Looked:
    counted = [groups.get(name, (0, 0, 0)) for name in check.groups]
    of = births if check.kind == "size" else sum(placed for _, placed, _ in counted)
    if births < LEAST_BIRTHS or not of:
        return Looked(check=check, found=None, verdict="too few to say")
    part = sum(placed + unknown if check.kind == "size" else events for events, placed, unknown in counted)
    found = part / of
    return Looked(check=check, found=found, verdict="as expected" if check.low <= found <= check.high else "look")
