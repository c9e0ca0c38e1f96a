"""One address written two ways is one address: the key that a household's letters meet by. Pure.

Case, accents, punctuation and the common abbreviations of English and French Canada go; the number of a unit stays,
since two families live behind one door number. Where the postal code is there it counts with the first line; a key is
never made of a postal code alone: half a village can share one.
"""

from __future__ import annotations

import re
import unicodedata

# Canada Post's own abbreviations of street types, units and directions, both ways to one.
_ONE = {
    "STREET": "ST", "STR": "ST", "AVENUE": "AVE", "AV": "AVE", "ROAD": "RD", "DRIVE": "DR", "BOULEVARD": "BLVD",
    "BOUL": "BLVD", "BVD": "BLVD", "COURT": "CRT", "CT": "CRT", "CRESCENT": "CRES", "LANE": "LN", "PLACE": "PL",
    "CIRCLE": "CIR", "HIGHWAY": "HWY", "TERRACE": "TERR", "SQUARE": "SQ", "TRAIL": "TRAIL", "PARKWAY": "PKY",
    "CHEMIN": "CH", "ROUTE": "RTE", "PROMENADE": "PROM", "RANG": "RANG",
    "APARTMENT": "UNIT", "APT": "UNIT", "APPARTEMENT": "UNIT", "APP": "UNIT", "SUITE": "UNIT", "BUREAU": "UNIT",
    "UNITE": "UNIT",
    "NORTH": "N", "NORD": "N", "SOUTH": "S", "SUD": "S", "EAST": "E", "EST": "E", "WEST": "W", "OUEST": "W", "O": "W",
    "SAINT": "ST", "SAINTE": "STE",
}  # fmt: skip
_UNIT_BEFORE_NUMBER = frozenset({"STE", "NO"})  # "Ste 4" is a unit, "rue Ste-Anne" is a street
_UNIT_FIRST = re.compile(r"^(\w+)-(\d+\b)")  # 4-12 Main: unit 4 of number 12
_APART = re.compile(r"[^A-Z0-9]+")


def key(line: str | None, city: str | None, postal_code: str | None) -> str | None:
    """What an address is told apart by; None where it is not enough of one to send a letter to.

    Args:
        line: street and number.
        city: place of residence.
        postal_code: in any spacing.
    """
    if not (line or "").strip():
        return None
    street = " ".join(_words(str(line)))
    postal = "".join(_APART.split(_plain(postal_code or "")))
    if not street:
        return None
    if postal:
        return f"{street}|{postal}"
    town = " ".join(_APART.split(_plain(city or ""))).strip()
    return f"{street}|{town}" if town else None


def _words(line: str) -> list[str]:
    plain = _plain(line).replace("#", " UNIT ")
    apart = _UNIT_FIRST.match(plain.strip())
    if apart:
        plain = f"{plain.strip()[apart.end(1) + 1 :]} UNIT {apart.group(1)}"
    raw = [word for word in _APART.split(plain) if word]
    words = [
        "UNIT" if word in _UNIT_BEFORE_NUMBER and after[:1].isdigit() else _ONE.get(word, word)
        for word, after in zip(raw, [*raw[1:], ""], strict=False)
    ]
    unit = [place for place, word in enumerate(words) if word == "UNIT" and place + 1 < len(words)]
    if not unit:
        return [word for word in words if word != "UNIT"]
    number = words[unit[0] + 1]
    rest = [word for place, word in enumerate(words) if place not in {unit[0], unit[0] + 1} and word != "UNIT"]
    return [*rest, "UNIT", number]


def _plain(text: str) -> str:
    flat = unicodedata.normalize("NFKD", text)
    return "".join(each for each in flat if not unicodedata.combining(each)).upper()
