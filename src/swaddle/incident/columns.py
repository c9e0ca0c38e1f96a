"""Which columns of a table are identifiers, and what the others tell: from their names and from their values. Pure.

The name says what somebody meant, the values what is there. Where the values have a form of their own (an e-mail
address, a check digit that holds), they decide; where the name is clear, values only veto it; where there is no header,
values decide alone. A column that neither knows is called nothing: the scan says how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from swaddle.incident import columns_values as form
from swaddle.incident import columns_words as words
from swaddle.incident.columns_heard import LIMIT_HEADER, Said, heard
from swaddle.incident.columns_values import Profile, profile

SURE, LIKELY = "sure", "likely"
BY_NAME, BY_VALUES, BY_BOTH = "name", "values", "name and values"
_LOOSE = frozenset(["name", "full"])
_SHORTEST = {  # characters that a number of this kind has on average, at least
    words.HEALTH_CARD: 7, words.NATIONAL_NUMBER: 6, words.PHONE: 6, words.POLICY_NUMBER: 4, words.ACCOUNT_NUMBER: 4,
}  # fmt: skip
_FEW = 8  # values below which a form proves little


@dataclass(frozen=True, kw_only=True)
class Column:
    """What one column is.

    Attributes:
        place: from 1.
        name: its header, where that is made of known words; "" where it is not shown.
        element: what it holds (columns_words.py); "" where nobody can tell.
        whose: mother, child, father, patient, contact, staff; "" where the header does not say.
        by: name, values, or both.
        profile: of its values.
    """

    place: int
    name: str
    element: str
    whose: str
    by: str
    profile: Profile

    @property
    def identifies(self) -> bool:
        """Whether it tells by itself who somebody is."""
        return self.element in words.IDENTIFIERS


def classify(names: Sequence[str], samples: Sequence[Sequence[str]]) -> list[Column]:
    """What each column is.

    Args:
        names: the headers, or empty texts where there is no header.
        samples: for each column, values of some rows.
    """
    said = [heard(each) for each in names]
    profiles = [profile(each) for each in samples]
    first = [_judge(place, *each) for place, each in enumerate(zip(names, said, profiles, strict=True), start=1)]
    return [_beside(column, heard_, first) for column, heard_ in zip(first, said, strict=True)]


def _judge(place: int, name: str, said: Said, seen: Profile) -> Column:
    """One column alone."""
    by_values = _by_values(seen)
    element, by = "", ""
    if said.element and not _vetoed(said, seen, by_values):
        element, by = said.element, BY_BOTH if _agrees(said.element, seen) else BY_NAME
    elif by_values and not (said.thing and by_values in words.NAMES):
        element, by = by_values, BY_VALUES
    elif said.whose and not said.thing and said.words <= _LOOSE and _may_be_name(seen):
        element, by = words.NAME, BY_BOTH  # `Recipient`, over names
    elif said.whose and not said.words and _may_be_number(seen):
        element, by = words.RECORD_NUMBER, BY_BOTH  # `guardian_1`, over numbers
    shown = name[:LIMIT_HEADER] if said.known and name.isprintable() else ""
    return Column(place=place, name=shown, element=element, whose=said.whose, by=by, profile=seen)


def _by_values(seen: Profile) -> str:
    """What the values say alone; only forms that hardly anything else has."""
    if seen.seen < 3:
        return ""
    enough = 0.8
    strong = (
        (form.EMAIL, words.EMAIL),
        (form.SSN, words.NATIONAL_NUMBER),
        (form.SIN, words.NATIONAL_NUMBER),
        (form.NATIONAL, words.NATIONAL_NUMBER),
        (form.PHONE, words.PHONE),
        (form.URL, words.ONLINE),
        (form.CREDIT, words.ACCOUNT_NUMBER),
        (form.LOINC, words.CLINICAL_CODE),
        (form.POSTAL, words.POSTAL_CODE),
        (form.ADDRESS, words.ADDRESS),
    )
    for each, element in strong:
        if seen.share(each) >= enough:
            return element
    if seen.share(form.CARD) >= enough and seen.seen >= 3:
        return words.HEALTH_CARD
    if seen.share(form.SNOMED) >= enough and seen.values >= 2:
        return words.CLINICAL_CODE
    if seen.share(form.DATE) >= enough:
        return _which_date(seen)
    if seen.share(form.ICD) >= 0.9 and seen.mean >= 3 and seen.share(form.NUMBER) == 0:
        return words.CLINICAL_CODE
    if seen.share(form.WORDS) >= 0.5 and seen.mean > 30:
        return words.NOTES
    return _name_by_values(seen)


def _name_by_values(seen: Profile) -> str:
    """Names: nearly all have the shape, many are common ones, and no few of them repeat."""
    if seen.seen < _FEW or seen.share(form.NAME) < 0.9 or seen.share(form.ORGANISATION) > 0.2:
        return ""
    varied = seen.values >= min(20, seen.seen * 0.4)
    if seen.known_names >= 0.35 and varied and seen.mean >= 3:
        return words.NAME
    return ""


def _which_date(seen: Profile) -> str:
    """A birth date where dates lie over many years, as those of grown people do."""
    first, last = seen.years or (0, 0)
    return words.BIRTH_DATE if last - first >= 12 and first < 2005 and seen.seen >= _FEW else words.EVENT_DATE


def _vetoed(said: Said, seen: Profile, by_values: str) -> bool:
    """Whether the values cannot be what the header says."""
    element = said.element
    if not seen.seen:
        return said.thing and element in words.IDENTIFIERS
    if element in words.NAMES:
        return _no_name(said, seen)
    if said.thing and element in {
        words.ADDRESS,
        words.RECORD_NUMBER,
        words.PHONE,
        words.POSTAL_CODE,
        words.MUNICIPALITY,
    }:
        return not said.whose
    if by_values in {words.EMAIL, words.NATIONAL_NUMBER, words.PHONE, words.HEALTH_CARD} and element != by_values:
        return element not in {words.RECORD_NUMBER, words.POLICY_NUMBER, words.ACCOUNT_NUMBER,
                               words.FACILITY, words.NOTES,
                               words.HEALTH_CARD, words.NATIONAL_NUMBER}  # fmt: skip
    if element in {words.BIRTH_DATE, words.EVENT_DATE, words.DEATH_DATE}:
        return seen.share(form.DATE) < 0.5 and (seen.longest < 6 or seen.share(form.DECIMAL) > 0.5)
    if element == words.ADDRESS:
        return seen.share(form.NAME) > 0.8 and seen.longest < 3
    if element in {words.HEALTH_CARD, words.NATIONAL_NUMBER, words.PHONE, words.RECORD_NUMBER, words.POLICY_NUMBER}:
        return _too_few(said, seen)
    if element == words.ONLINE:
        return seen.longest < 5 and seen.share(form.URL) < 0.5
    return element == words.EMAIL and seen.share(form.EMAIL) < 0.3


def _too_few(said: Said, seen: Profile) -> bool:
    """Whether there are far fewer values than rows, as codes have and numbers of persons have not; or short flags."""
    return (
        seen.mean < _SHORTEST.get(said.element, 0)
        or (seen.seen >= 30 and seen.values <= max(2, seen.seen * 0.02))
        or (seen.longest <= 1 and seen.seen >= 12)
    )


def _no_name(said: Said, seen: Profile) -> bool:
    if said.thing and not said.whose:
        return not (seen.share(form.PERSON) > 0.6)
    if seen.share(form.NUMBER) + seen.share(form.DECIMAL) > 0.5 or seen.share(form.DATE) > 0.5:
        return True
    if seen.share(form.ORGANISATION) > 0.3 and seen.known_names < 0.5:
        return True
    bare = said.element == words.FULL_NAME and not said.whose
    if bare and seen.seen >= _FEW:
        return seen.known_names < 0.25 and seen.share(form.PERSON) < 0.25
    return seen.share(form.WORDS) > 0.5


def _agrees(element: str, seen: Profile) -> bool:
    needed = {
        words.EMAIL: form.EMAIL, words.PHONE: form.PHONE, words.BIRTH_DATE: form.DATE, words.EVENT_DATE: form.DATE,
        words.HEALTH_CARD: form.CARD, words.ADDRESS: form.ADDRESS, words.CLINICAL_CODE: form.ICD,
        words.GIVEN_NAME: form.NAME, words.FAMILY_NAME: form.NAME, words.FULL_NAME: form.NAME,
    }.get(element, "")  # fmt: skip
    if element == words.POSTAL_CODE:
        return seen.share(form.POSTAL) + seen.share(form.ZIP) > 0.5
    return bool(needed) and seen.share(needed) > 0.5


def _beside(column: Column, said: Said, table: Sequence[Column]) -> Column:
    """One column beside the others: what is weak alone and clear among them."""
    others = [each for each in table if each.place != column.place]
    persons = any(
        each.element in words.IDENTIFIERS - {words.RECORD_NUMBER} and each.whose != words.STAFF for each in others
    )
    seen = column.profile
    if not column.element and seen.share(form.ZIP) >= 0.8 and seen.seen >= 3 and seen.values > 1:
        near = any(each.element == words.ADDRESS or each.profile.share(form.US_STATE) > 0.8 for each in others)
        if near and not said.known:
            return replace(column, element=words.POSTAL_CODE, by=BY_VALUES)
    if (
        not column.element
        and not said.known
        and seen.share(form.US_STATE) >= 0.9
        and seen.seen >= _FEW
        and seen.mean == 2
    ):
        return replace(column, element=words.REGION, by=BY_VALUES)
    if column.element == words.RECORD_NUMBER and said.words <= {"id", "number"} and not said.whose and not persons:
        care = any(each.element in _CARE for each in others)
        return column if care else replace(column, element="", by="")
    if column.element in _REACHED and not column.whose and not persons_named(others):
        places = said.thing or any(heard(each.name).words & {"facility"} for each in others)
        return replace(column, element="", by="") if places or column.element == words.ONLINE else column
    if (
        "unit" in said.words
        and column.element == words.ADDRESS
        and not any(each.element == words.ADDRESS for each in others)
    ):
        return replace(column, element="", by="")
    if column.element == words.EVENT_DATE and column.by == BY_VALUES and _long_before(seen, others):
        return replace(column, element=words.BIRTH_DATE)
    unnamed = not column.element and persons_named(others) and not said.thing
    if unnamed and said.words & {"number", "ref", "id"} and _may_be_number(seen):
        return replace(column, element=words.RECORD_NUMBER, by=BY_BOTH)  # a number of its own, among a person's data
    if (
        not column.element
        and not said.known
        and _may_be_name(seen)
        and any(each.element in _OF_A_PERSON for each in others)
    ):
        return replace(column, element=words.NAME, by=BY_VALUES)
    return column


def _long_before(seen: Profile, others: Sequence[Column]) -> bool:
    """Whether dates lie so long before those of another column that they are births of those who gave birth then."""
    last = seen.years[1] if seen.years else 9999
    varied = seen.values >= max(3, seen.seen * 0.3)
    return varied and any(each.profile.years and each.profile.years[0] - last >= 12 for each in others)


def persons_named(columns: Sequence[Column]) -> bool:
    """Whether columns are about persons, not places."""
    return any(
        each.element in words.NAMES | _OF_A_PERSON | {words.RECORD_NUMBER, words.AGE, words.SEX} for each in columns
    )


def _may_be_name(seen: Profile) -> bool:
    """A column of single words that hardly repeat: a name, where the columns beside it are a person's."""
    return (
        seen.seen >= _FEW
        and seen.share(form.NAME) >= 0.95
        and seen.share(form.WORDS) == 0
        and seen.share(form.ORGANISATION) < 0.1
        and seen.share(form.ICD) < 0.1
        and seen.values >= max(6, min(20, seen.seen * 0.4))
        and 3 <= seen.mean <= 25
        and (seen.known_names >= 0.1 or seen.distinct > 0.6)
    )


def _may_be_number(seen: Profile) -> bool:
    return seen.share(form.CODE) + seen.share(form.DECIMAL) > 0.9 and seen.distinct > 0.5 and seen.mean >= 4


_OF_A_PERSON = frozenset([words.BIRTH_DATE, words.HEALTH_CARD, words.NATIONAL_NUMBER])
_REACHED = frozenset([words.ADDRESS, words.PHONE, words.POSTAL_CODE, words.EMAIL, words.ONLINE])
_CARE = frozenset([
    words.CLINICAL_CODE, words.LAB_RESULT, words.BIRTH_MEASURE, words.PREGNANCY, words.BIRTH, words.FERTILITY,
    words.OUTCOME, words.AGE, words.SEX,
])  # fmt: skip
