"""What is known of an incident, by name and in both languages: what every filing and notice takes its words from. Pure.

    facts (written by people, each with source and date) + scope (counted) -> known values | not known

A value is a sentence ready to be read. What nobody has written and nothing has counted is not there: a form then says
"not known yet", and never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swaddle.dictionary.words import Language
from swaddle.feedback.tongue import tongue

COUNTED = "scope"  # the source of what Swaddle counted itself
_IDENTIFIES = "direct identifier"
PLACES: Mapping[str, tuple[str, str]] = {
    "gateway": ("the gateway, which passes sealed transfers on", "la passerelle, qui transmet des envois scellés"),
    "door": ("the SFTP door of the gateway", "la porte SFTP de la passerelle"),
    "store": ("the registry's encrypted store", "le stockage chiffré du registre"),
    "backup": ("a backup", "une copie de sauvegarde"),
    "laptop": ("a portable computer", "un ordinateur portable"),
    "release": ("an extract that was released", "un extrait qui a été remis"),
    "other": ("another organisation's server", "le serveur d'un autre organisme"),
}
PROTECTIONS: Mapping[str, tuple[str, str]] = {
    "sealed": (
        "sealed from end to end; the key was not at that place",
        "scellés de bout en bout; la clé n'était pas à cet endroit",
    ),
    "sealed-key-safe": ("sealed from end to end; the key was safe", "scellés de bout en bout; la clé était en sûreté"),
    "sealed-key-at-risk": ("sealed, but the key was at risk too", "scellés, mais la clé était aussi à risque"),
    "door": (
        "in the clear in the memory of the SFTP door while it arrived, then sealed",
        "en clair dans la mémoire de la porte SFTP pendant l'arrivée, puis scellés",
    ),
    "readable": ("readable", "lisibles"),
}
CATEGORIES_FR: Mapping[str, str] = {
    "gave birth": "a accouché",
    "pregnancy care": "soins de grossesse",
    "fertility treatment": "traitement de fertilité",
    "newborn or child": "nouveau-né ou enfant",
}


@dataclass(frozen=True)
class Known:
    """One value, as a sentence in English and French, who said it, and when (an instant or a day; None for counts)."""

    en: str
    fr: str
    source: str
    at: str | None = None

    def told(self, language: Language) -> str:
        """The sentence in a language."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True)
class Case:
    """What is known of one incident.

    Attributes:
        incident: its id.
        values: by name; what is not there is not known.
        instants: `discovered`, `contained`, `letters_sent` and so on, for clocks: instants or days as text.
        individuals: the least and the most distinct persons, for thresholds; None where nothing was counted.
        window: first and last possible moment, as instants.
        scope: the object of `incident scope --json`.
    """

    incident: str
    values: Mapping[str, Known]
    instants: Mapping[str, str]
    individuals: tuple[int, int] | None
    window: tuple[str, str]
    scope: Mapping[str, Any]


def case_of(facts: Mapping[str, Mapping[str, Any]], scope: Mapping[str, Any]) -> Case:
    """The case of an incident.

    Args:
        facts: name -> `value`, `source`, `at`; a value "unknown" is as if it were not there.
        scope: the object of `incident scope --json`.
    """
    written = {
        name: Known(str(fact["value"]), str(fact["value"]), str(fact["source"]), fact.get("at"))
        for name, fact in facts.items()
        if fact.get("value") not in {None, "", "unknown"}
    }
    persons = scope.get("persons") or {}
    return Case(
        incident=str(scope["incident"]),
        values={**counted(scope), **written},
        instants={name: each.en for name, each in written.items()},
        individuals=(int(persons["lower"]), int(persons["upper"])) if persons else None,
        window=(scope["window"][0], scope["window"][1]),
        scope=scope,
    )


def counted(scope: Mapping[str, Any]) -> dict[str, Known]:
    """What the scope says, as sentences; no name of a submitter, and no person's value."""
    found = {
        "window": (_window(scope, "en"), _window(scope, "fr")),
        "place": PLACES.get(str(scope.get("place", "gateway"))),
        "individuals": _both(_individuals, scope),
        "categories": _both(_categories, scope),
        "not_known_who": _both(_unknown, scope),
        "data_elements": _both(_elements, scope),
        "protection": _both(_protection, scope),
        "transfers": _both(_transfers, scope),
        "submitters": _both(_submitters, scope),
    }
    return {
        name: Known(pair[0], pair[1], COUNTED)
        for name, pair in found.items()
        if pair is not None and pair[0] and pair[1]
    }


def _both(say: Any, scope: Mapping[str, Any]) -> tuple[str, str]:
    return say(scope, "en"), say(scope, "fr")


def _window(scope: Mapping[str, Any], language: Language) -> str:
    first, last = scope["window"]
    return f"{first} à {last} (UTC)" if language == "fr" else f"{first} to {last} (UTC)"


def _individuals(scope: Mapping[str, Any], language: Language) -> str:
    persons = scope.get("persons")
    if not persons:
        return ""
    least, most = (tongue(language).number(int(persons[name])) for name in ("lower", "upper"))
    if language == "fr":
        return f"au plus {most} personnes distinctes, au moins {least}"
    return f"at most {most} distinct persons, at least {least}"


def _categories(scope: Mapping[str, Any], language: Language) -> str:
    rows: Sequence[Mapping[str, Any]] = scope.get("by_category") or ()
    said = []
    for row in rows:
        name = CATEGORIES_FR.get(row["category"], row["category"]) if language == "fr" else row["category"]
        between = ""
        if row.get("first"):
            between = f", {row['first']} à {row['last']}" if language == "fr" else f", {row['first']} to {row['last']}"
        said.append(f"{name} : {tongue(language).number(row['persons'])}{between}" if language == "fr" else
                    f"{name}: {tongue(language).number(row['persons'])}{between}")  # fmt: skip
    if not said:
        return ""
    tail = "une personne peut être dans deux catégories" if language == "fr" else "a person can be in two categories"
    return "; ".join(said) + f" ({tail})"


def _unknown(scope: Mapping[str, Any], language: Language) -> str:
    unknown = scope.get("unknown") or {}
    number = int(unknown.get("transfers") or 0)
    if not number:
        return ""
    stated = unknown.get("stated_count")
    speaks = tongue(language)
    if language == "fr":
        said = (
            f"{speaks.counted(number, 'envoi', 'envois')} que personne n'a ouverts : les personnes ne sont pas connues"
        )
        return said + (f"; les expéditeurs en ont déclaré {speaks.number(stated)}" if stated is not None else "")
    said = f"{speaks.counted(number, 'transfer')} that nobody opened: who is in them is not known"
    return said + (f"; their senders stated {speaks.number(stated)} persons" if stated is not None else "")


def _elements(scope: Mapping[str, Any], language: Language) -> str:
    """What identifies, each by its name; of the rest, how many."""
    rows: Sequence[Mapping[str, str]] = scope.get("data_elements") or ()
    key = "element_fr" if language == "fr" else "element"
    named = [row.get(key) or row["element"] for row in rows if row["class"] == _IDENTIFIES]
    others, speaks = len(rows) - len(named), tongue(language)
    if others and language == "fr":
        named.append(f"{speaks.number(others)} autres éléments sur la grossesse, la naissance et les soins")
    elif others:
        named.append(f"{speaks.number(others)} other elements of pregnancy, birth and care")
    return speaks.listed(named)


def _protection(scope: Mapping[str, Any], language: Language) -> str:
    said = []
    for row in scope.get("protection") or ():
        pair = PROTECTIONS.get(row["class"])
        if pair is None or not row["transfers"]:
            continue
        number = tongue(language).number(row["persons"])
        said.append(
            f"données de {number} personnes {pair[1]}" if language == "fr" else f"data of {number} persons {pair[0]}"
        )
    return "; ".join(said)


def _transfers(scope: Mapping[str, Any], language: Language) -> str:
    transfers = scope.get("transfers")
    if not transfers:
        return ""
    upper, lower = (tongue(language).number(int(transfers[name])) for name in ("upper", "lower"))
    if language == "fr":
        return f"au plus {upper} envois, au moins {lower}"
    return f"at most {upper} transfers, at least {lower}"


def _submitters(scope: Mapping[str, Any], language: Language) -> str:
    number = len(scope.get("by_submitter") or ())
    if not number:
        return ""
    speaks = tongue(language)
    if language == "fr":
        return f"{speaks.counted(number, 'organisme', 'organismes')} dont les données étaient là"
    return f"{speaks.counted(number, 'organisation')} whose data lay there"
