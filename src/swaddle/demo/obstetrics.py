"""How made-up deliveries go: plausible shares and weights, and nothing that a rule of the dictionary calls an error.

Pure; the randomness is an argument. Shares are round numbers near those published for high-income countries (about
8 % preterm, 30 % caesareans, 1.6 % multiple deliveries, half a per cent stillborn), so that an indicator looks like
one; they describe no real hospital.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")

# Median weight in grams by completed week, boys and girls together, rounded; made up along the usual curve.
_WEIGHT_G: dict[int, int] = {
    23: 570, 24: 660, 25: 770, 26: 890, 27: 1010, 28: 1130, 29: 1290, 30: 1460, 31: 1640, 32: 1830, 33: 2030, 34: 2250,
    35: 2480, 36: 2710, 37: 2950, 38: 3170, 39: 3340, 40: 3480, 41: 3590, 42: 3650,
}  # fmt: skip
_TERM_WEEKS = 37
_LEAST_DAYS = 23 * 7
_MOST_DAYS = 42 * 7 + 2


@dataclass(frozen=True, slots=True)
class Ways:
    """How a place differs from the usual: factors on shares.

    Attributes:
        early: on the share of the long early tail of gestation.
        first_caesareans: on the share of first births that end in a caesarean after labour.
    """

    early: float = 1.0
    first_caesareans: float = 1.0


USUAL = Ways()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery, the mother's side."""

    mother_age_years: int
    para: int
    gravida: int
    previous_caesareans: int
    fetuses: int
    gestation_days: int
    onset: str  # spontaneous, induced, no_labour_cs
    planned_at_home: bool


@dataclass(frozen=True, slots=True)
class Newborn:
    """One child of a delivery, and how it was born."""

    sex: str  # F, M
    weight_g: int
    presentation: str  # vertex, breech, transverse_oblique
    birth_type: str  # vaginal, vacuum, forceps, caesarean
    perineum: str  # intact, first, second, third_a; empty after a caesarean
    episiotomy: str  # none, mediolateral, midline
    outcome: str  # live, stillbirth_antepartum
    apgar_1: int | None
    apgar_5: int | None
    nicu: bool
    resuscitation: str  # none, cpap, ppv


def delivery(rng: Random, *, midwives: bool, ways: Ways = USUAL) -> Delivery:
    """Draw a delivery; midwives see low-risk pregnancies of one child, some of them at home."""
    draw = rng.random
    age = min(49, max(16, round(rng.gauss(31.4, 5.1))))
    para = _pick(draw(), ((0.43, 0), (0.79, 1), (0.93, 2), (0.98, 3), (1.0, 4)))
    para = min(para, max(0, (age - 16) // 2))
    previous = 0
    if para and not midwives and draw() < 0.26:
        previous = 1 if para == 1 or draw() < 0.75 else 2
    gravida = para + 1 + _pick(draw(), ((0.72, 0), (0.93, 1), (1.0, 2)))
    fetuses = 1 if midwives or draw() >= 0.016 else 2
    days = _gestation(rng, fetuses, ways, midwives=midwives)
    home = midwives and days >= _TERM_WEEKS * 7 and draw() < 0.3
    onset = "spontaneous" if home else _onset(draw(), para, previous, fetuses)
    return Delivery(age, para, gravida, previous, fetuses, days, onset, home)


def newborn(rng: Random, of: Delivery, ways: Ways = USUAL) -> Newborn:
    """Draw one child of the delivery `of`."""
    draw = rng.random
    sex = "F" if draw() < 0.487 else "M"
    weeks = of.gestation_days // 7
    median = _WEIGHT_G[weeks] * (1.02 if sex == "M" else 0.98) * (0.9 if of.fetuses > 1 else 1.0)
    weight = round(median * min(1.34, max(0.68, rng.gauss(1.0, 0.118))))
    presentation = "vertex"
    if not of.planned_at_home:
        presentation = _pick(draw(), ((0.955, "vertex"), (0.993, "breech"), (1.0, "transverse_oblique")))
    if of.onset == "no_labour_cs" or presentation == "transverse_oblique":
        birth_type = "caesarean"
    elif of.planned_at_home:
        birth_type = "vaginal"
    else:
        birth_type = _birth_type(draw(), draw(), of, presentation, ways)
    perineum, episiotomy = "", "none"
    if birth_type != "caesarean":
        perineum = _pick(draw(), ((0.35, "intact"), (0.6, "first"), (0.97, "second"), (1.0, "third_a")))
        cut = 0.06 if birth_type == "vaginal" else 0.4
        episiotomy = _pick(draw(), ((cut, "mediolateral"), (cut * 1.2, "midline"), (1.0, "none")))
    if not of.planned_at_home and draw() < (0.0035 if weeks >= _TERM_WEEKS else 0.02):
        return Newborn(
            sex,
            weight,
            presentation,
            birth_type,
            perineum,
            episiotomy,
            "stillbirth_antepartum",
            None,
            None,
            nicu=False,
            resuscitation="none",
        )
    first = _pick(draw(), ((0.02, 4), (0.06, 6), (0.16, 7), (0.42, 8), (1.0, 9)))
    if weeks < 32:
        first = max(3, first - 3)
    fifth = min(10, max(first, 7 if weeks >= 32 else 6) + (1 if draw() < 0.6 else 0))
    nicu = draw() < (0.98 if weeks < 33 else 0.45 if weeks < _TERM_WEEKS else 0.04) and not of.planned_at_home
    resuscitation = "none" if first >= 7 else "ppv" if first < 6 else "cpap"
    return Newborn(
        sex, weight, presentation, birth_type, perineum, episiotomy, "live", first, fifth, nicu, resuscitation
    )


def _gestation(rng: Random, fetuses: int, ways: Ways, *, midwives: bool) -> int:
    """Days from the last period: a bell with a long early tail; twins come three weeks sooner."""
    if fetuses > 1:
        days = rng.gauss(252, 16)
    elif not midwives and rng.random() < 0.05 * ways.early:
        days = 258 - rng.expovariate(1 / 20)
    else:
        days = rng.gauss(277, 8.5)
        if midwives:
            days = max(days, 260)
    return min(_MOST_DAYS, max(_LEAST_DAYS, round(days)))


def _onset(at: float, para: int, previous: int, fetuses: int) -> str:
    if fetuses > 1:
        return _pick(at, ((0.35, "spontaneous"), (0.6, "induced"), (1.0, "no_labour_cs")))
    if previous:
        return _pick(at, ((0.28, "spontaneous"), (0.36, "induced"), (1.0, "no_labour_cs")))
    if para:
        return _pick(at, ((0.69, "spontaneous"), (0.95, "induced"), (1.0, "no_labour_cs")))
    return _pick(at, ((0.6, "spontaneous"), (0.95, "induced"), (1.0, "no_labour_cs")))


def _birth_type(at: float, instrument: float, of: Delivery, presentation: str, ways: Ways) -> str:
    """How a birth after labour ended."""
    if presentation == "breech":
        share = 0.88
    elif of.previous_caesareans:
        share = 0.3
    elif of.para:
        share = 0.04
    else:
        share = (0.3 if of.onset == "induced" else 0.16) * ways.first_caesareans
    if at < share:
        return "caesarean"
    if instrument < (0.03 if of.para else 0.14):
        return "vacuum" if instrument < (0.022 if of.para else 0.1) else "forceps"
    return "vaginal"


def _pick(at: float, steps: tuple[tuple[float, T], ...]) -> T:
    """The value of the first step that `at` lies below."""
    for limit, value in steps:
        if at < limit:
            return value
    return steps[-1][1]
