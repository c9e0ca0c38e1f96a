"""What the values of a column look like: the share of them that has each form. Pure.

A form with a check digit is strong (one number in ten passes by chance); a form like "five digits" is weak and counts
only beside other columns. Sources of the forms: dictionary/identifiers.py and python-stdnum for numbers, Regenstrief
for LOINC (Luhn's check digit), SNOMED International for identifiers (Verhoeff's), WHO and CIHI for ICD-10.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stdnum import luhn, verhoeff
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.fr import nir

from swaddle.dictionary import identifiers
from swaddle.incident.columns_dates import day_of, order_of
from swaddle.incident.columns_names import FAMILY, GIVEN

DATE, EMAIL, PHONE, ADDRESS, ORGANISATION, URL = "date", "e-mail", "phone", "address", "organisation", "url"
POSTAL, ZIP, US_STATE, COUNTRY, PLACE = "postal code", "zip", "us state", "country", "place"
CARD, CARD_BAD, SSN, SIN, NATIONAL = "health card", "card without check", "ssn", "sin", "national number"
ICD, LOINC, SNOMED = "icd-10", "loinc", "snomed"
NAME, PERSON, WORDS, NUMBER, DECIMAL, CODE, CREDIT = (
    "name shape",
    "person",
    "words",
    "number",
    "decimal",
    "code",
    "credit",
)

LIMIT_VALUE = 300  # characters of a value that are looked at
_LETTERS = r"[^\W\d_]"
_NAME = re.compile(rf"{_LETTERS}{{1,}}(?:[ '\u2019.,-]{{1,2}}{_LETTERS}+)*\.?")
_EMAIL = re.compile(r"[\w.+'%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_URL = re.compile(r"(?:https?|ftp)://\S+|www\.\S+|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PHONE = re.compile(
    r"(?:\+?1[-. ]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[0-9]{3}[-. ][0-9]{4}"
    r"(?: ?(?:x|ext\.?|poste) ?[0-9]{1,6})?"
    r"|\+[1-9][0-9]{0,2}[-. ]?(?:\(?[0-9]{1,4}\)?[-. ]?){2,5}[0-9]{2,4}"
    r"|0[1-9](?:[ .-][0-9]{2}){4}|0[0-9]{3,4} [0-9]{3} ?[0-9]{3,4}"
)
_SSN = re.compile(r"(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}")
_SIN = re.compile(r"[1-9][0-9]{2}[- ][0-9]{3}[- ][0-9]{3}")
_RAMQ = re.compile(
    r"[A-Z]{4} ?[0-9]{2}(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12][0-9]|3[01]) ?[0-9]{2}|[A-Z]{4} [0-9]{4} [0-9]{4}"
)
_MBI = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?"
    r"[AC-HJKMNP-RT-Y]{2}[0-9]{2}"
)
_ZIP = re.compile(r"[0-9]{5}(?:-[0-9]{4})?")
_ICD = re.compile(r"[A-TV-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
_LOINC = re.compile(r"([0-9]{1,7})-([0-9])")
_STREET = re.compile(
    r"\b(?:st|street|ave|avenue|av|rd|road|dr|drive|blvd|boulevard|boul|lane|ln|court|ct|cres|crescent|way|place|pl|"
    r"terrace|close|circuit|hwy|highway|trail|pkwy|parkway|sq|square|rue|chemin|ch|rang|allee|montee|apt|apartment|"
    r"suite|unit|po box|p\.o\. box|rr|concession|calle|rua|route|gardens|grove|rise|parade|crst|cir|circle|loop|mews|"
    r"gate)\b\.?",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(
    r"\b(?:inc|llc|ltd|corp|corporation|company|co|hospital|hôpital|health|healthcare|clinic|clinique|medical|centre|"
    r"center|university|school|bank|group|services|service|associates|department|county of|state of|foundation|"
    r"pharmacy|"
    r"laborator(?:y|ies)|lab|insurance|system|systems|network|institute|authority|agency|trust|society|plc|pllc|"
    r"maternity|ministry|board|program|systems|care|partners|dental|solutions|obstetrics|midwifery|midwives)\b",
    re.IGNORECASE,
)
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
)
_US_STATES = frozenset(_STATES.split())
_DIGITS = re.compile(r"[0-9]+")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]*[.,][0-9]+(?:[eE][+-]?[0-9]+)?")
_CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9_/.:-]{3,39}")
_CARD_AUTHORITIES = ("ON", "BC", "NHS")
_WORD = re.compile(rf"{_LETTERS}+(?:['\u2019-]{_LETTERS}+)*")


@dataclass(frozen=True)
class Profile:
    """The forms of a column's values.

    Attributes:
        seen: values that are not blank.
        asked: rows that were looked at, blank ones too.
        distinct: share of different values among those seen.
        shares: form -> share of the values that have it.
        years: first and last year of the middle nine tenths of its dates; None where it holds none.
        order: how its dates are read.
        longest: characters of the longest value; `mean` of the average one.
        known_names: share of the values in which a common given or family name stands.
    """

    seen: int = 0
    asked: int = 0
    distinct: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    order: str = ""
    longest: int = 0
    mean: float = 0.0
    known_names: float = 0.0
    values: int = 0

    def share(self, form: str) -> float:
        """Share of the values that have a form."""
        return self.shares.get(form, 0.0)


def plain_letters(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in parts if not unicodedata.combining(each))


def card_passes(text: str) -> bool:
    """Whether it is a health card number whose check digit (or, in Québec and US Medicare, whose form) holds."""
    return _RAMQ.fullmatch(text) is not None or _MBI.fullmatch(text) is not None or _checked(text)


def _checked(text: str) -> bool:
    if not 10 <= len(text) <= 16:
        return False
    return any(_status(text, each) == "ok" for each in _CARD_AUTHORITIES)


def _status(text: str, authority: str) -> str:
    said = identifiers.validate(text, authority)
    return said.status if said else ""


def _ten_digits(text: str) -> bool:
    return len(text) <= 16 and any(_status(text, each) == "bad_check" for each in _CARD_AUTHORITIES)


def postal_passes(text: str) -> bool:
    """Whether it is a postal code of Canada or the United Kingdom."""
    if not 5 <= len(text) <= 8:
        return False
    upper = text.upper()
    return any(
        (said := identifiers.validate(upper, each, "postal code")) and said.status == "ok" for each in ("CA", "GB")
    )


def _loinc(text: str) -> bool:
    found = _LOINC.fullmatch(text)
    return found is not None and luhn.is_valid(found[1] + found[2])


def _snomed(text: str) -> bool:
    return 6 <= len(text) <= 18 and text.isdecimal() and text[-3:-1] in {"00", "01", "10"} and verhoeff.is_valid(text)


def _national(text: str) -> bool:
    return (len(text) in {11, 14} and cpf.is_valid(text)) or (len(text) >= 13 and nir.is_valid(text))


def _credit(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    return 13 <= len(digits) <= 19 and digits.isdecimal() and digits[0] in "3456" and luhn.is_valid(digits)


def _person(text: str) -> bool:
    """Several words like a name, one of them a common one: `Tremblay, Marie`."""
    words = [plain_letters(each) for each in _WORD.findall(text)]
    return 2 <= len(words) <= 5 and any(each in GIVEN or each in FAMILY for each in words)


_FORMS: tuple[tuple[str, Callable[[str], object]], ...] = (
    (EMAIL, _EMAIL.fullmatch),
    (URL, _URL.fullmatch),
    (PHONE, _PHONE.fullmatch),
    (SSN, _SSN.fullmatch),
    (SIN, lambda text: _SIN.fullmatch(text) and sin.is_valid(text)),
    (NATIONAL, _national),
    (CARD, card_passes),
    (CARD_BAD, _ten_digits),
    (POSTAL, postal_passes),
    (ZIP, _ZIP.fullmatch),
    (US_STATE, _US_STATES.__contains__),
    (ICD, _ICD.fullmatch),
    (LOINC, _loinc),
    (SNOMED, _snomed),
    (CREDIT, _credit),
    (ADDRESS, lambda text: any(each.isdigit() for each in text) and " " in text and _STREET.search(text)),
    (ORGANISATION, _ORGANISATION.search),
    (NAME, lambda text: len(text) <= 60 and _NAME.fullmatch(text)),
    (PERSON, _person),
    (NUMBER, _PLAIN_NUMBER.fullmatch),
    (DECIMAL, _DECIMAL.fullmatch),
    (CODE, _CODE.fullmatch),
    (WORDS, lambda text: text.count(" ") >= 4),
)


def profile(values: Sequence[str]) -> Profile:
    """The forms of the values of one column; blank ones are left out."""
    counted = Counter(each.strip()[:LIMIT_VALUE] for each in values)
    counted.pop("", None)
    for blank in ("NULL", "null", "NA", "N/A", "NaN", "None", "nan", "unknown", "Unknown"):
        counted.pop(blank, None)
    seen = counted.total()
    if not seen:
        return Profile(asked=len(values))
    shares: Counter[str] = Counter()
    known = 0
    for text, times in counted.items():
        for form, fits in _FORMS:
            if fits(text):
                shares[form] += times
        known += times * _known(text)
    order = order_of(counted)
    days = sorted(day for each in counted if (day := day_of(each, order)) is not None)
    shares[DATE] = sum(times for text, times in counted.items() if day_of(text, order) is not None)
    cut = len(days) // 20
    years = (_year(days[cut]), _year(days[-1 - cut])) if days else None
    return Profile(
        seen=seen,
        asked=len(values),
        distinct=len(counted) / seen,
        shares={form: count / seen for form, count in shares.items() if count},
        years=years,
        order=order,
        longest=max(map(len, counted)),
        mean=sum(len(text) * times for text, times in counted.items()) / seen,
        known_names=known / seen,
        values=len(counted),
    )


def _known(text: str) -> bool:
    return len(text) <= 60 and any(
        word in GIVEN or word in FAMILY for word in map(plain_letters, _WORD.findall(text)) if len(word) > 1
    )


def _year(day: int) -> int:
    return int(day / 365.2425) + 1
