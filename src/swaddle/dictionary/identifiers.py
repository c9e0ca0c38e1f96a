"""Identifiers that carry a check of their own: health card numbers and postal codes, by who issued them.

Pure. A validator is a plug-in: those here, and any that an installed package offers under the entry point group
`swaddle.identifiers` (name = the code of the authority, object = a `Validator`). A validator with `sql` is asked inside
the database, row by row; one without is asked in Python, once for each distinct value (intake/identified.py).

    bad_format   cannot be a number of this authority: wrong length or characters
    bad_check    has the form, fails its check digit: kept, never used to link
    placeholder  written because something had to be written (all digits the same): kept, never used to link
    ok           passes; no proof that the number was ever issued (one random number in ten passes modulus 10)

An authority without a validator knows nothing about its numbers: `validate` says None, and no rule fires.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Literal, NamedTuple

from stdnum import luhn
from stdnum.ca import bc_phn
from stdnum.gb import nhs

from swaddle.errors import OurBug

Status = Literal["ok", "bad_format", "bad_check", "placeholder"]
Kind = Literal["health card", "postal code"]
GROUP = "swaddle.identifiers"
_AUTHORITY = re.compile("[A-Za-z][A-Za-z_-]{0,19}")


class Identified(NamedTuple):
    """What a validator says of one value.

    `normalised` is what is stored and compared, `display` what a person reads; both are the value itself, without
    blanks, where it has no form.
    """

    normalised: str
    status: Status
    display: str


@dataclass(frozen=True, kw_only=True)
class Validator:
    """A kind of identifier of one authority.

    Attributes:
        authority: its code in the dictionary: a province (ON), a service (NHS), for postal codes a country (CA).
        kind: what it identifies; a country and a province may share a code.
        title: what it is called, in English.
        title_fr: and in French.
        validate: a value as written to what is said of it; raises nothing, whatever the value.
        sql: the status as an SQL expression over the normalised `value`; "" where Python has to be asked.
        has_form_sql: whether it is not `bad_format`, where that is cheaper than the status; "" where it is not.
    """

    authority: str
    kind: Kind
    title: str
    title_fr: str
    validate: Callable[[str], Identified]
    sql: str = ""
    has_form_sql: str = ""


class IdentifierPluginUnusable(OurBug):
    """An installed package offers a validator that is none, or one that stands already."""

    code = "SWD-DICT-04"
    what = "a plug-in for identifiers cannot be used"
    fix = "remove the package that offers it, or ask its author"


def validate(value: str, authority: str, kind: Kind = "health card") -> Identified | None:
    """What the authority's validator says of `value`; None where there is none.

    Raises:
        IdentifierPluginUnusable: an installed plug-in is faulty.
    """
    validator = validators().get((kind, authority))
    return validator.validate(value) if validator else None


@cache
def validators() -> Mapping[tuple[Kind, str], Validator]:
    """Every validator by kind and authority: ours, then those of installed packages.

    Raises:
        IdentifierPluginUnusable: a package offers something else, or an authority that has one already.
    """
    known: dict[tuple[Kind, str], Validator] = {(each.kind, each.authority): each for each in _OURS}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        offered = point.load()
        if not isinstance(offered, Validator) or not _AUTHORITY.fullmatch(offered.authority):
            raise IdentifierPluginUnusable("it is no validator, or its authority is no plain word")
        if (offered.kind, offered.authority) in known:
            raise IdentifierPluginUnusable(f"there is a validator for {offered.authority} already")
        known[offered.kind, offered.authority] = offered
    return known


def bare(value: str) -> str:
    """Upper case, without spaces and hyphens."""
    return re.sub("[ -]", "", value).upper()


def _numbered(
    form: str, passes: Callable[[str], bool], show: Callable[[str], str], *, version: bool = False
) -> Callable[[str], Identified]:
    """A validator's function for numbers: a form, a check digit, a way to show it."""
    whole = re.compile(form, re.ASCII)

    def validate_number(value: str) -> Identified:
        number = bare(value)
        if version:  # letters of the version, written after the number
            number = re.sub(r"(?<=[0-9]{10})[A-Z]{1,2}$", "", number)
        if re.fullmatch(r"([0-9])\1{9}", number):
            return Identified(number, "placeholder", number)
        if not whole.fullmatch(number):
            return Identified(number, "bad_format", number)
        return Identified(number, "ok" if passes(number) else "bad_check", show(number))

    return validate_number


def _written(form: str, tail: int) -> Callable[[str], Identified]:
    """A validator's function for postal codes: a form, and how many characters stand after the space (0 no space)."""
    whole = re.compile(form, re.ASCII)

    def validate_code(value: str) -> Identified:
        code = bare(value)
        if not whole.fullmatch(code):
            return Identified(code, "bad_format", code)
        shown = f"{code[:-tail]} {code[-tail:]}" if tail else code
        return Identified(shown, "ok", shown)

    return validate_code


def _zip(value: str) -> Identified:
    code = bare(value)
    if not re.fullmatch("[0-9]{5}([0-9]{4})?", code, re.ASCII):
        return Identified(code, "bad_format", code)
    shown = f"{code[:5]}-{code[5:]}" if len(code) > 5 else code
    return Identified(shown, "ok", shown)


def _ontario_shown(number: str) -> str:
    return f"{number[:4]}-{number[4:7]}-{number[7:]}"


_SAME = "|".join(f"{digit}{{10}}" for digit in "0123456789")  # ten digits, all the same


def _digit(place: int) -> str:
    """SQL: the digit at that place, from 1, of a ten-digit number."""
    return f"((CAST(value AS BIGINT) // {10 ** (10 - place)}) % 10)"


def _status_sql(form: str, check: str) -> str:
    """SQL: the status of a number; CASE tries the check digit on digits alone."""
    return (
        f"CASE WHEN regexp_full_match(value, '{_SAME}') THEN 'placeholder' "
        f"WHEN NOT regexp_full_match(value, '{form}') THEN 'bad_format' WHEN {check} THEN 'ok' ELSE 'bad_check' END"
    )


def _has_form_sql(form: str) -> str:
    """SQL: whether a number has the form, or is a placeholder."""
    return f"regexp_full_match(value, '{form}|{_SAME}')"


def _form_sql(form: str) -> str:
    return f"CASE WHEN regexp_full_match(value, '{form}') THEN 'ok' ELSE 'bad_format' END"


# Modulus 10 (Luhn): every second digit doubled, the digits of that summed (2d, less 9 from five up); two at a time.
_PAIRS = [2 * first - (9 if first > 4 else 0) + second for first in range(10) for second in range(10)]
_LUHN_SQL = (
    "(" + " + ".join(f"{_PAIRS}[1 + (CAST(value AS BIGINT) // {100**pair}) % 100]" for pair in range(5)) + ") % 10 = 0"
)
# Modulus 11 of both kinds: a check of 10 has no digit, so such a number was never issued.
_BC_SQL = (
    "(11 - ("
    + " + ".join(f"({weight} * {_digit(n)}) % 11" for n, weight in enumerate((2, 4, 8, 5, 10, 9, 7, 3), 2))
    + f") % 11) % 11 = {_digit(10)}"
)
_NHS_SQL = "(" + " + ".join(f"{11 - n} * {_digit(n)}" for n in range(1, 11)) + ") % 11 = 0"
# Letters that never occur: D F I O Q U anywhere, W and Z first.
_CA_POSTAL = "[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] ?[0-9][ABCEGHJ-NPRSTV-Z][0-9]"
_UK_POSTAL = (
    "(GIR ?0AA|([A-Z][0-9]{1,2}|[A-Z][A-HJ-Y][0-9]{1,2}|[A-Z][0-9][A-Z]|[A-Z][A-HJ-Y][0-9][A-Z])"
    " ?[0-9][ABD-HJLNP-UW-Z]{2})"
)
_US_POSTAL = "[0-9]{5}(-?[0-9]{4})?"
# Sources: Ontario: ten digits, the first 1 to 9, modulus 10 (Health Card Validation Reference Manual); British Columbia
# and the NHS: python-stdnum, ca.bc_phn and gb.nhs; postal codes: Canada Post, BS 7666 as published by the UK
# government, USPS.
_OURS = (
    Validator(
        authority="ON",
        kind="health card",
        title="Ontario health card number",
        title_fr="numéro de carte Santé de l'Ontario",
        validate=_numbered("[1-9][0-9]{9}", luhn.is_valid, _ontario_shown, version=True),
        sql=_status_sql("[1-9][0-9]{9}", _LUHN_SQL),
        has_form_sql=_has_form_sql("[1-9][0-9]{9}"),
    ),
    Validator(
        authority="BC",
        kind="health card",
        title="British Columbia personal health number",
        title_fr="numéro de santé personnel de la Colombie-Britannique",
        validate=_numbered("9[0-9]{9}", bc_phn.is_valid, bc_phn.format),
        sql=_status_sql("9[0-9]{9}", _BC_SQL),
        has_form_sql=_has_form_sql("9[0-9]{9}"),
    ),
    Validator(
        authority="NHS",
        kind="health card",
        title="NHS number",
        title_fr="numéro du NHS (Royaume-Uni)",
        validate=_numbered("[0-9]{10}", nhs.is_valid, nhs.format),
        sql=_status_sql("[0-9]{10}", _NHS_SQL),
        has_form_sql=_has_form_sql("[0-9]{10}"),
    ),
    Validator(
        authority="CA",
        kind="postal code",
        title="Canadian postal code",
        title_fr="code postal canadien",
        validate=_written(_CA_POSTAL, 3),
        sql=_form_sql(_CA_POSTAL),
    ),
    Validator(
        authority="GB",
        kind="postal code",
        title="United Kingdom postcode",
        title_fr="code postal du Royaume-Uni",
        validate=_written(_UK_POSTAL, 3),
        sql=_form_sql(_UK_POSTAL),
    ),
    Validator(
        authority="US",
        kind="postal code",
        title="United States ZIP code",
        title_fr="code ZIP des États-Unis",
        validate=_zip,
        sql=_form_sql(_US_POSTAL),
    ),
)
