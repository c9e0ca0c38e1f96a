"""FHIR's data types as the text of a cell: codes, quantities in a unit, dates as precise as they are, absence.

Pure. Units are UCUM's, and the words that senders write for them (unitsofmeasure.org, table of 2017).
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from swaddle.intake.readers.fhir_record import objects, said, text_of

# HL7 v3 NullFlavor and FHIR data-absent-reason -> the dictionary's missing reason.
REASONS: dict[str, str] = {
    **dict.fromkeys(["UNK", "ASKU", "NAV", "unknown", "asked-unknown", "temp-unknown"], "?ASKU"),
    **dict.fromkeys(["NI", "NASK", "NP", "not-asked", "not-performed", "error", "unsupported", "as-text"], "?NI"),
    **dict.fromkeys(["NA", "not-applicable", "not-permitted"], "?NA"),
    **dict.fromkeys(["MSK", "masked", "asked-declined"], "?MSK"),
}
_NULL_SYSTEMS = ("v3-nullflavor", "data-absent-reason", "nullflavor", "2.16.840.1.113883.5.1008")
_UNKNOWN = frozenset(["261665006", "163518000"])  # SNOMED CT: unknown; fetal presentation unsure
_ANSWER = re.compile(r"LA[0-9]{1,6}-[0-9]")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})?")
_DATE_PARTS = (("year", r"[0-9]{4}"), ("month", r"[0-9]{1,2}"), ("day", r"[0-9]{1,2}"))
# What senders write -> (measure, how many of the smallest)
_UNITS: dict[str, tuple[str, Decimal]] = {
    **dict.fromkeys(["mg"], ("mass", Decimal("0.001"))),
    **dict.fromkeys(["g", "gm", "gr", "gram", "grams"], ("mass", Decimal(1))),
    **dict.fromkeys(["kg", "kilogram", "kilograms"], ("mass", Decimal(1000))),
    **dict.fromkeys(["lb", "lbs", "[lb_av]", "pound", "pounds"], ("mass", Decimal("453.59237"))),
    **dict.fromkeys(["oz", "[oz_av]", "ounce", "ounces"], ("mass", Decimal("28.349523125"))),
    **dict.fromkeys(["min", "minute", "minutes"], ("time", Decimal(1))),
    **dict.fromkeys(["h", "hr", "hour", "hours"], ("time", Decimal(60))),
    **dict.fromkeys(["d", "day", "days"], ("time", Decimal(1440))),
    **dict.fromkeys(["wk", "w", "week", "weeks"], ("time", Decimal(10080))),
    **dict.fromkeys(["a", "y", "yr", "year", "years"], ("time", Decimal(525960))),
    **dict.fromkeys(["mm", "millimeter", "millimetre"], ("length", Decimal("0.1"))),
    **dict.fromkeys(["cm", "centimeter", "centimetre"], ("length", Decimal(1))),
    **dict.fromkeys(["m", "meter", "metre"], ("length", Decimal(100))),
    **dict.fromkeys(["in", "[in_i]", "[in_us]", "inch", "inches"], ("length", Decimal("2.54"))),
    **dict.fromkeys(["ft", "[ft_i]", "foot", "feet"], ("length", Decimal("30.48"))),
    **dict.fromkeys(["ml"], ("volume", Decimal(1))),
    **dict.fromkeys(["l", "liter", "litre"], ("volume", Decimal(1000))),
}
_DAYS_OVER = "d%7"  # days beyond completed weeks
_WHOLE = frozenset(["g", "wk", "d", "ml", "a"])
UNIT_NAMES = frozenset(["g", "kg", "cm", "h", "d", "wk", "a", "ml", _DAYS_OVER])


def shown(element: Any) -> str:
    """The text of an element; "" where it has none that a cell could hold."""
    if isinstance(element, str):
        return _moment(element)
    if isinstance(element, bool):
        return "true" if element else "false"
    if not isinstance(element, dict):
        return ""
    if "coding" in element or (text_of(element, "text") and set(element) <= {"text", "extension", "id"}):
        return coded(element)
    if "code" in element and "system" in element and "value" not in element:
        return coded({"coding": [element]})
    for key in ("value", "start", "end", "reference", "code", "text", "display"):
        found = element.get(key)
        if isinstance(found, str) and found:
            return _moment(found)
    return _partial(element) or absent(element)


def coded(concept: dict[str, Any]) -> str:
    """A CodeableConcept: a LOINC answer, else the first code, else the words; a null flavour as a missing reason."""
    codings = objects(concept.get("coding"))
    for each in codings:
        if _ANSWER.fullmatch(text_of(each, "code")):
            return text_of(each, "code")
    for each in codings:
        code = text_of(each, "code")
        if code and _is_null(each):
            return REASONS.get(code, code)
        if code in _UNKNOWN:
            return "?ASKU"
        if code:
            return code
    words = text_of(concept, "text") or next((text_of(each, "display") for each in codings), "")
    return words.strip() or absent(concept)


def measured(element: Any, unit: str) -> str:
    """A quantity in `unit`, or a bare number taken to be in it; with an unknown unit as it is written, unit and all."""
    if not isinstance(element, dict) or "value" not in element:
        return shown(element)
    number, named = text_of(element, "value"), text_of(element, "code") or text_of(element, "unit")
    if text_of(element, "comparator"):
        return f"{element['comparator']}{number} {named}".strip()
    measure, size = _UNITS.get(named.casefold(), ("", Decimal(0))) if named else _UNITS[unit.removesuffix("%7")]
    if not measure:
        measure, size = _UNITS.get(text_of(element, "unit").casefold(), ("", Decimal(0)))
    wanted, one = _UNITS[unit.removesuffix("%7")]
    if measure != wanted or not _NUMBER.fullmatch(number):
        return f"{number} {named}".strip()
    if unit == _DAYS_OVER:
        return str(int(Decimal(number) % 7)) if size == one else ""
    return _plain(Decimal(number) * size / one, unit, exact=size == one)


def day_of(text: str) -> str:
    """A date or a moment without the time of day."""
    return text[:10] if _DAY.match(text) else text


def absent(element: dict[str, Any]) -> str:
    """The missing reason that an element states: by dataAbsentReason, or by the extension of that name."""
    if "dataAbsentReason" not in element and "extension" not in element:
        return ""
    stated = element.get("dataAbsentReason")
    if isinstance(stated, dict):
        return next((REASONS[code] for code in sorted(said(stated)) if code in REASONS), "?NI")
    for each in objects(element.get("extension")):
        if text_of(each, "url").endswith("data-absent-reason"):
            return REASONS.get(text_of(each, "valueCode"), "?NI")
    return ""


def is_code(concept: Any, codes: AbstractSet[str]) -> bool:
    """Whether a concept bears one of these codes."""
    return not said(concept).isdisjoint(codes)


def in_utc(text: str) -> bool:
    """Whether a time is written in UTC."""
    return text.endswith("Z") and _MOMENT.fullmatch(text) is not None


def _is_null(coding: dict[str, Any]) -> bool:
    return text_of(coding, "system").casefold().endswith(_NULL_SYSTEMS)


def _moment(text: str) -> str:
    found = _MOMENT.fullmatch(text)
    return found[1] if found else text


def _partial(element: dict[str, Any]) -> str:
    """A date of which only parts are known (vital records' extension), as far as it is known from the year on."""
    for each in objects(element.get("extension")):
        if "partialdate" not in text_of(each, "url").casefold().replace("-", ""):
            continue
        parts: dict[str, str] = {}
        for part in objects(each.get("extension")):
            name = text_of(part, "url").casefold().rsplit("/", 1)[-1]
            value = next((v for k, v in part.items() if k.startswith("value") and isinstance(v, str)), "")
            for known, form in _DATE_PARTS:
                if known in name and re.fullmatch(form, value):
                    parts[known] = value.zfill(2)
        said_parts: list[str] = []
        for known, _ in _DATE_PARTS:
            if known not in parts:
                break
            said_parts.append(parts[known])
        return "-".join(said_parts) or "?ASKU"
    return ""


def _plain(number: Decimal, unit: str, *, exact: bool) -> str:
    """Whole where the dictionary counts whole ones (grams rounded, the rest completed); else as it is written."""
    if exact and unit not in _WHOLE:
        return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
    if unit == "g":
        return str(int(number + Decimal("0.5")))
    if unit in _WHOLE:
        return str(int(number + Decimal("0.000001")))
    return f"{number:.3f}".rstrip("0").rstrip(".")
