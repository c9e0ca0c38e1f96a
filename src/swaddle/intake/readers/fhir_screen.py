"""What a FHIR record says of a newborn's blood spot where one place is not enough. Pure.

The tables of codes and words are those of the HL7 v2 reader (readers/hl7_screen.py): most bundles are such messages,
turned into FHIR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from swaddle.intake.readers import hl7_screen as tables
from swaddle.intake.readers.fhir_record import FhirRecord, objects, said, text_of
from swaddle.intake.readers.fhir_values import shown

_DEAD = frozenset(["cancelled", "entered-in-error"])
_LOINC = re.compile(r"[0-9]{1,6}-[0-9]")


class Observed(NamedTuple):
    """One answer: its question's code and words, its own code or text, its words."""

    code: str
    asked: str
    answer: str
    words: str


def observed(record: FhirRecord, *codes: str) -> Iterator[Observed]:
    """The answers to these codes (all where none is named): of observations, and of their components."""
    for each in record.by_type.get("Observation", ()):
        if text_of(each, "status") in _DEAD:
            continue
        for one in (each, *objects(each.get("component"))):
            code = _code(one.get("code"))
            value = next((found for key, found in one.items() if key.startswith("value")), None)
            if value is None or (codes and code not in codes):
                continue
            for part in objects(value.get("coding")) if isinstance(value, dict) and "coding" in value else [value]:
                answer = shown({"coding": [part]}) if isinstance(part, dict) and "code" in part else shown(part)
                if answer and not answer.startswith("?"):
                    yield Observed(code, _words(one.get("code")), answer, f"{_words(value)} {answer}".casefold())


def _code(concept: Any) -> str:
    codes = sorted(said(concept))
    return next((each for each in codes if _LOINC.fullmatch(each)), codes[0] if codes else "")


def _words(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    displays = (text_of(each, "display") for each in objects(concept.get("coding")))
    return " ".join([text_of(concept, "text"), *displays]).strip()


def analytes(record: FhirRecord) -> str:
    """`LOINC=value unit;…`: every value measured in the blood."""
    found: dict[str, str] = {}
    for each in record.by_type.get("Observation", ()):
        if text_of(each, "status") in _DEAD:
            continue
        for one in (each, *objects(each.get("component"))):
            value, code = one.get("valueQuantity"), _code(one.get("code"))
            if isinstance(value, dict) and _LOINC.fullmatch(code) and code not in tables.MEASURES:
                unit = text_of(value, "unit") or text_of(value, "code")
                if text_of(value, "value"):
                    found[code] = tables.safe(f"{text_of(value, 'comparator')}{text_of(value, 'value')} {unit}")
    return tables.joined(found)


def conditions(record: FhirRecord) -> str:
    """`condition=result;…` for each condition tested, by its LOINC answer, and for each interpretation, by its LOINC.

    A condition that is listed as tested and not among the positive ones is in range only where there is a list of
    positive ones, be it empty (LA137-2, none).
    """
    found: dict[str, str] = {}
    listed = False
    for each in observed(record, tables.POSITIVE, tables.EQUIVOCAL):
        listed = listed or each.code == tables.POSITIVE
        if each.answer != tables.NONE:
            found[tables.key_of(each.answer)] = "out_of_range" if each.code == tables.POSITIVE else "borderline"
    for each in observed(record, tables.TESTED):
        if each.answer != tables.NONE:
            found.setdefault(tables.key_of(each.answer), "in_range" if listed else "tested")
    for each in observed(record, *tables.INTERPRETATIONS):
        result = tables.RESULTS.get(each.answer.casefold()) or tables.RESULTS.get(each.words.strip(), "")
        if result:
            found[each.code] = result
    return tables.joined(found)


def quality(record: FhirRecord) -> str:
    """`acceptable`, `unsatisfactory`, or "" where the record does not say."""
    answers = {each.answer.casefold() for each in observed(record, tables.QUALITY)}
    return "" if not answers else "acceptable" if answers <= tables.ACCEPTABLE else "unsatisfactory"


def unsatisfactory_reasons(record: FhirRecord) -> str:
    """Why the sample could not be tested: the dictionary's words, apart by semicolons."""
    found: dict[str, None] = {}
    for each in observed(record, tables.QUALITY):
        if each.answer.casefold() not in tables.ACCEPTABLE | {"unsatisfactory", "unacceptable"}:
            found.update(dict.fromkeys(tables.named(tables.UNSATISFACTORY, each.answer, each.words) or ["other"]))
    return ";".join(found)


def factors(record: FhirRecord) -> str:
    """What may change the result: the dictionary's words, apart by semicolons; `none` where the record says so."""
    found: dict[str, None] = {}
    for each in observed(record, tables.FACTORS):
        yes_or_no = tables.YES_OR_NO.get(each.answer.split(",")[0].strip().casefold(), "")
        if each.answer == tables.NONE or yes_or_no == "N":
            found.update({"none": None} if each.answer == tables.NONE else {})
            continue
        words = f"{each.asked.casefold() if yes_or_no else ''} {each.words}"
        found.update(dict.fromkeys(tables.named(tables.FACTOR_NAMES, each.answer, words) or ["other"]))
    return ";".join(name for name in found if name != "none" or len(found) == 1)


def in_intensive_care(record: FhirRecord) -> str:
    """`Y`, `N`, or "" where the record does not say. A list of factors without this one says nothing."""
    return _factor("nicu", "", "", record)


def transfused(record: FhirRecord) -> str:
    """`Y`, `N`, or "" where the record does not say."""
    return _factor("transfusion", tables.TRANSFUSION_DATE, tables.TRANSFUSION, record)


def _factor(name: str, date: str, yes_or_no: str, record: FhirRecord) -> str:
    answer_code, words = tables.FACTOR_NAMES[name]
    found = ""
    for each in observed(record, tables.FACTORS, date, yes_or_no):
        if each.code and (each.code == date or each.answer == answer_code):
            return "Y"
        own = each.code == yes_or_no or re.search(words, each.asked, re.IGNORECASE) is not None
        told = "no" if each.answer == tables.NONE else each.answer.split(",")[0] if own else ""
        found = tables.YES_OR_NO.get(told.strip().casefold(), "") or found
    return found
