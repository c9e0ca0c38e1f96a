"""What a dictionary lacks for the people who read it: French, titles that repeat, ranges that cannot be. Pure.

`lint` (lint.py) refuses what the program cannot use; this tells what it can use and people cannot, and is asked by
`swaddle dictionary lint` and by a test of the versions that are shipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from swaddle.dictionary.model import Dictionary, Field, RecordType

# French sets no space before these signs (in Canada), and a space before a colon.
_TYPOGRAPHY = re.compile(r" [;!?](?!NI|ASKU|NA|MSK)|\w: ")
_LOINC = re.compile(r"[0-9]{1,6}-[0-9]")
_LOINC_ANSWER = re.compile(r"LA[0-9]{1,6}-[0-9]")
_LOINC_WEIGHTS = 2


def gaps(dictionary: Dictionary) -> Iterator[str]:
    """Every place that lacks something for its readers, in plain words."""
    for kind in (dictionary.header, *dictionary.record_types):
        yield from _words(kind.name, kind)
        for field in kind.fields:
            yield from _of_field(kind, field)
    for form in dictionary.forms.values():
        yield from _words(f"form {form.name}", form, "title", "text", "event")
    for check in dictionary.checks.values():
        yield from _words(f"check {check.id}", check, "text", "fix")
    for rule in dictionary.rules:
        yield from _words(f"rule {rule.id} ({rule.shows})", rule, "text", "fix")


def _of_field(kind: RecordType, field: Field) -> Iterator[str]:
    where = f"{kind.name}.{field.name}"
    yield from _words(where, field)
    if lacking := sorted(set(field.values) - set(field.values_fr)):
        yield f"{where}: no French for {', '.join(lacking)}"
    for named, words in (("values", field.values), ("values_fr", field.values_fr)):
        if len(set(words.values())) < len(words):
            yield f"{where}: two codes have the same words in {named}"
    if field.mistaken_unit and not field.mistaken_unit_fr:
        yield f"{where}: no French for mistaken_unit"
    if field.codes and not field.system:
        yield f"{where}: codes without their system"
    if field.loinc and not _is_loinc(field.loinc):
        yield f"{where}: {field.loinc} is no LOINC code (its check digit is wrong)"
    for code in field.codes.values() if field.system == "LOINC" else ():
        if not _LOINC_ANSWER.fullmatch(code):
            yield f"{where}: {code} is no answer code of LOINC"
    if field.hard and field.soft and not _within(field.soft, field.hard):
        yield f"{where}: its usual range is not within the possible one"


def _words(where: str, told: object, *names: str) -> Iterator[str]:
    for name in names or ("title", "text"):
        if not getattr(told, name):
            yield f"{where}: no {name}"
        french = getattr(told, f"{name}_fr")
        if not french:
            yield f"{where}: no French {name}"
        elif _TYPOGRAPHY.search(re.sub(r"`[^`]*`|[0-9]{1,2}:[0-9]|https?:", "", french)):
            yield f"{where}: the French {name} has a space before ; ! or ?, or none before a colon"


def _within(inner: tuple[float | None, float | None], outer: tuple[float | None, float | None]) -> bool:
    low, high = outer
    return (low is None or inner[0] is None or inner[0] >= low) and (
        high is None or inner[1] is None or inner[1] <= high
    )


def _is_loinc(code: str) -> bool:
    """Whether its check digit (modulus 10, LOINC Users' Guide) is right."""
    if not _LOINC.fullmatch(code):
        return False
    digits, check = code.split("-")
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (_LOINC_WEIGHTS if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return (10 - total % 10) % 10 == int(check)
