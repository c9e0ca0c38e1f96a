"""The synthetic cohort: mothers, newborns, twins, as three made-up places would write them down.

The places differ, so that their reports have something to say: a large one that does well, one of middle size whose
first births have ended in a caesarean more often of late, and one with too few births for most figures.

Pure: the same seed, count and last day give the same births, in any process. Nobody in it is real. It has what makes
real files hard: twins who share a mother and a delivery, children without a name yet ("BABY GIRL"), a name typed
differently in a twin's second row, capitals, apostrophes, accents, families called Null, mothers without a health
card. Health card numbers have the Ontario form and a true check digit and all begin with 9, away from numbers that
clocks and counters make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from swaddle.demo import names, obstetrics

SEED = 2026
DEFAULT_BIRTHS = 8_000
_DAYS = 365
HISTORY_DAYS = 730  # a chart over time needs twelve months to hold the later ones against
_CARD_SPACE = 99_999_989  # prime, so that the stride below meets every number once
_CARD_STRIDE = 48_271_307


@dataclass(frozen=True, slots=True)
class Site:
    """A made-up place that sends births."""

    name: str
    folder: str
    letters: str
    share: int  # of DEFAULT_BIRTHS
    midwives: bool
    ways: obstetrics.Ways = obstetrics.USUAL
    of_late: obstetrics.Ways | None = None  # its ways in the last LATE_DAYS, where they changed


LATE_DAYS = 273  # nine months
SITES: tuple[Site, ...] = (
    Site(
        "Northshore General", "northshore-general", "NSG", 4_996, midwives=False,
        ways=obstetrics.Ways(early=0.6, first_caesareans=0.7),
    ),
    Site(
        "Lakeview Women's", "lakeview-womens", "LVW", 2_980, midwives=False,
        of_late=obstetrics.Ways(first_caesareans=1.8),
    ),
    Site("Riverbend Midwives", "riverbend-midwives", "RBM", 24, midwives=True),
)  # fmt: skip


@dataclass(slots=True)
class Birth:
    """One row: a child born, the delivery, the mother. Rows of one delivery share its id and the mother's."""

    record: str
    site: str
    delivery: str
    mother_id: str
    mother_card: str
    mother_card_version: str
    mother_family: str
    mother_given: str
    mother_born: date
    mother_postal: str
    child_id: str
    child_family: str
    child_given: str
    child_card: str
    born: date
    minute: int  # of the day
    admitted: date | None
    order: int
    about: obstetrics.Delivery
    child: obstetrics.Newborn


def split(births: int) -> tuple[int, ...]:
    """How many of `births` each of SITES has, in the default's proportion, adding up exactly.

    Raises:
        ValueError: fewer than 40, too few for three places.
    """
    if births < 40:
        raise ValueError("a cohort has 40 births or more")
    middle, small = (max(1, round(births * site.share / DEFAULT_BIRTHS)) for site in SITES[1:])
    return births - middle - small, middle, small


def births(site: Site, count: int, *, seed: int, last_day: date, days: int = _DAYS) -> Iterator[Birth]:
    """The `count` births at `site` in the `days` that end on `last_day`."""
    rng = Random(f"{seed}/{site.letters}")  # noqa: S311  seeded on purpose: nothing secret is drawn
    number = 0
    delivery = 0
    place = next(index for index, each in enumerate(SITES) if each.letters == site.letters)
    while number < count:
        delivery += 1
        drawn = obstetrics.delivery(rng, midwives=site.midwives, ways=site.ways)
        born = last_day - timedelta(days=int(rng.random() * days))
        ways = site.of_late if site.of_late and (last_day - born).days < LATE_DAYS else site.ways
        for order, birth in enumerate(_delivered(rng, site, place, drawn, delivery, born, ways), 1):
            if number == count:
                return
            number += 1
            birth.record = f"{site.letters}-B{number:08d}"
            birth.child_id = f"{site.letters}-C{number:08d}"
            birth.order = order
            yield birth


def _delivered(
    rng: Random, site: Site, place: int, drawn: obstetrics.Delivery, number: int, born: date, ways: obstetrics.Ways
) -> list[Birth]:
    """The rows of one delivery."""
    draw = rng.random
    mother_born = born - timedelta(days=int(drawn.mother_age_years * 365.25) + 1 + int(draw() * 363))
    family, given = _called(rng, names.FAMILY), _called(rng, names.GIVEN_OF_MOTHERS)
    if draw() < 0.12:
        given = f"{given} {_called(rng, names.GIVEN_OF_MOTHERS)}"
    if draw() < 0.1:
        family, given = family.upper(), given.upper()
    card = "" if draw() < 0.04 else health_card(3 * number + place, half=0)
    version = "" if not card or draw() < 0.08 else _letters(rng, 2)
    postal = "" if draw() < 0.004 else _postal_code(rng)
    minute = int(draw() * 1_400)
    rows = []
    for order in range(drawn.fetuses):
        child = obstetrics.newborn(rng, drawn, ways)
        child_family = family if draw() < 0.8 else _called(rng, names.FAMILY)
        child_card = health_card(3 * number + place, half=1 + order) if child.outcome == "live" and draw() < 0.4 else ""
        rows.append(
            Birth(
                record="",
                site=site.letters,
                delivery=f"{site.letters}-D{number:08d}",
                mother_id=f"{site.letters}-M{number:08d}",
                mother_card=card,
                mother_card_version=version,
                mother_family=typed_wrong(rng, family) if order and draw() < 0.2 else family,
                mother_given=given,
                mother_born=mother_born,
                mother_postal=postal,
                child_id="",
                child_family=child_family,
                child_given=_child_name(rng, child.sex, order, drawn.fetuses),
                child_card=child_card,
                born=born,
                minute=minute + 9 * order,
                admitted=None if drawn.planned_at_home else born - timedelta(days=minute < 700),
                order=order,
                about=drawn,
                child=child,
            )
        )
    return rows


def health_card(number: int, *, half: int) -> str:
    """A health card number of the Ontario form: ten digits, the last by Luhn, the first a 9.

    Args:
        number: which one; different numbers give different cards.
        half: 0 for a mother, 1 and up for her children: never the same card.
    """
    body = f"9{((number * 4 + half) * _CARD_STRIDE) % _CARD_SPACE:08d}"
    return body + luhn_digit(body)


def luhn_digit(body: str) -> str:
    """The check digit that makes `body` and it pass Luhn's sum."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def typed_wrong(rng: Random, text: str) -> str:
    """`text` with two neighbouring letters in each other's place, as hurried fingers do."""
    if len(text) < 3:
        return text
    at = rng.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _child_name(rng: Random, sex: str, order: int, fetuses: int) -> str:
    at = rng.random()
    if fetuses > 1 and at < 0.5:
        return f"TWIN {'AB'[order]}"
    if at < 0.35:
        return _called(rng, names.PLACEHOLDERS_GIRL if sex == "F" else names.PLACEHOLDERS_BOY)
    return _called(rng, names.GIVEN_OF_CHILDREN)


def _called(rng: Random, pool: tuple[str, ...]) -> str:
    """One of `pool`; twice as fast as `choice`, and there are five a row."""
    return pool[int(rng.random() * len(pool))]


def _letters(rng: Random, count: int) -> str:
    return "".join(_called(rng, tuple(names.POSTAL_LETTERS)) for _ in range(count))


def _postal_code(rng: Random) -> str:
    at = rng.randrange(5 * 20 * 20 * 1000)
    digits, letters = at % 1000, at // 1000
    first = names.POSTAL_FIRST[letters % 5]
    second, third = names.POSTAL_LETTERS[letters // 5 % 20], names.POSTAL_LETTERS[letters // 100]
    return f"{first}{digits // 100}{second} {digits // 10 % 10}{third}{digits % 10}"
