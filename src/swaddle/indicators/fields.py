"""What definitions may ask of each unit: the dictionary's fields of its records, and what the registry itself knows.

A unit is what is counted: a birth, a delivery, a card of newborn screening, a stay in intensive care, a cycle of
fertility treatment. Each is a relation of the connection that the indicators read, one row a unit: `submitter`,
`source`, `event_year`, `event_month`, and every field with a column `…_missing` that holds the missing reason. A field
whose column the relation has not is not carried by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from swaddle.dictionary.load import load as load_dictionary
from swaddle.dictionary.model import HEADER, WideField

SQL_TYPES = {"int": "BIGINT", "decimal": "DOUBLE", "date": "DATE", "datetime": "TIMESTAMP", "yesno": "BOOLEAN"}

# Words for fields that stand in the middle of a sentence of a report; others take the dictionary's title.
FIELDS: dict[str, str] = {
    "outcome": "live or stillborn",
    "ga_weeks": "weeks of gestation",
    "birth_weight_g": "birth weight",
    "n_fetuses": "number of babies",
    "presentation": "position of the baby",
    "onset_labour": "how labour began",
    "birth_type": "way of birth",
    "para": "earlier births",
    "previous_cs": "earlier caesareans",
}
FIELDS_FR: dict[str, str] = {
    "outcome": "naissance vivante ou mortinaissance",
    "ga_weeks": "semaines de grossesse",
    "birth_weight_g": "poids de naissance",
    "n_fetuses": "nombre de bébés",
    "presentation": "présentation du bébé",
    "onset_labour": "début du travail",
    "birth_type": "mode d'accouchement",
    "para": "accouchements antérieurs",
    "previous_cs": "césariennes antérieures",
}
OTHER = "other"  # the reason of an unknown whose fields are all answered, but not closely enough
_OTHER = {"en": "an answer that does not tell", "fr": "une réponse qui ne suffit pas"}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is counted.

    Attributes:
        relation: the relation that has one row for each.
        slots: the dictionary's slots whose fields it has.
        same: the column that several rows of one unit and submitter share; "" where each row is one. A row without a
            value is one of its own: a layout without a key of the delivery tells of each birth alone.
        first: the order of those rows; the first stands for the unit.
    """

    id: str
    relation: str
    many: str
    many_fr: str
    slots: tuple[str, ...]
    same: str = ""
    first: tuple[str, ...] = ()


_OF_A_BIRTH = (HEADER, "mother", "child", "delivery", "birth", "antenatal", "postpartum", "newborn")
UNITS: Mapping[str, Unit] = {
    unit.id: unit
    for unit in (
        Unit(id="birth", relation="births", many="births", many_fr="naissances", slots=_OF_A_BIRTH),
        Unit(
            id="delivery",
            relation="births",
            many="deliveries",
            many_fr="accouchements",
            slots=_OF_A_BIRTH,
            same="delivery_local_id",
            first=("birth_order", "load_id", "line"),
        ),
        Unit(
            id="screen",
            relation="screens",
            many="screening cards",
            many_fr="cartes de dépistage",
            slots=(HEADER, "child", "screen"),
        ),
        Unit(
            id="nicu_stay",
            relation="nicu_stays",
            many="stays in intensive care",
            many_fr="séjours en soins intensifs",
            slots=(HEADER, "child", "nicu"),
        ),
        Unit(
            id="cycle",
            relation="cycles",
            many="cycles of treatment",
            many_fr="cycles de traitement",
            slots=(HEADER, "mother", "cycle"),
        ),
    )
}

# What the registry knows of a record beside what it was sent: name -> (SQL type, words, words in French).
KNOWN: Mapping[str, tuple[str, str, str]] = {
    "data_days": ("DOUBLE", "days from the event to the registry", "jours entre l'événement et le registre"),
    "data_open_warnings": ("BIGINT", "warnings not answered", "avertissements sans réponse"),
    "death_days": ("DOUBLE", "age at death in days", "âge au décès, en jours"),
    "heart_screen_hours": (
        "DOUBLE",
        "age at the heart screen in hours",
        "âge au dépistage cardiaque, en heures",
    ),
}


@cache
def fields_of(unit: str) -> Mapping[str, str]:
    """Field to SQL type, for everything that a definition of this unit may name.

    Direct identifiers (class D) are not among them: no indicator needs a name, a card number or a full date of birth.
    """
    slots = UNITS[unit].slots
    told = {
        each.name: SQL_TYPES.get(each.field.type, "VARCHAR")
        for each in load_dictionary().wide_fields()
        if each.slot in slots and _may_be_asked(each)
    }
    return told | {name: kind for name, (kind, _, _) in KNOWN.items()}


def _may_be_asked(each: WideField) -> bool:
    if each.field.sensitivity == "D":
        return False
    return each.slot != HEADER or each.field.type == "code" or each.name == "site_id"


def words(name: str, language: str = "en") -> str:
    """A field as it is called inside a sentence: `position of the baby`."""
    if name == OTHER:
        return _OTHER[language]
    if name in KNOWN:
        return KNOWN[name][1 if language == "en" else 2]
    near = FIELDS if language == "en" else FIELDS_FR
    if name in near:
        return near[name]
    wide = load_dictionary().wide().get(name)
    if wide is None:
        return name
    title = wide.title if language == "en" else wide.title_fr
    return title if title[:2].isupper() else title[0].lower() + title[1:]


def values_of(name: str) -> Mapping[str, str]:
    """The codes of a field, where it has a pick list."""
    wide = load_dictionary().wide().get(name)
    return wide.field.values if wide is not None else {}
