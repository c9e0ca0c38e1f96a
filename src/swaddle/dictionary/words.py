"""The fixed words of the dictionary's pages, in English and in French. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from swaddle.dictionary.model import CLASSES, MISSING_REASONS, REQUIREMENTS

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
Words = Mapping[str, tuple[str, str]]

TYPES: Words = {
    "text": ("text", "texte"),
    "name": ("name, taken literally", "nom, pris au pied de la lettre"),
    "id": ("identifier", "identifiant"),
    "hcn": ("health card number", "numéro de carte Santé"),
    "postal": ("postal code", "code postal"),
    "date": ("date, YYYY-MM-DD", "date, AAAA-MM-JJ"),
    "datetime": ("date, or date and time, YYYY-MM-DDThh:mm", "date, ou date et heure, AAAA-MM-JJThh:mm"),
    "event": ("date at any precision", "date de toute précision"),
    "int": ("whole number", "nombre entier"),
    "decimal": ("number", "nombre"),
    "code": ("one code", "un code"),
    "codes": ("codes, separated by semicolons", "codes, séparés par des points-virgules"),
    "yesno": ("Y or N", "Y (oui) ou N (non)"),
    "pairs": ("code=value, separated by semicolons", "code=valeur, séparés par des points-virgules"),
}
_REQUIREMENTS_FR = {
    "K": "clé : doit avoir une valeur",
    "R": "doit avoir une réponse : une valeur ou un motif d'absence",
    "W": "souhaité : laissé vide, c'est un avertissement",
    "C": "exigé par une règle dans certains enregistrements",
    "O": "facultatif",
}
_CLASSES_FR = {
    "D": "identifiant direct",
    "Q": "quasi-identifiant",
    "C": "clinique",
    "A": "administratif",
}
_MISSING_FR = {
    "NI": "non demandé",
    "ASKU": "demandé, mais inconnu",
    "NA": "sans objet",
    "MSK": "retenu",
    "NC": "non porté par cette structure (fixé par une table de correspondance, jamais écrit dans un fichier)",
}


def _beside(english: Mapping[str, str], french: Mapping[str, str]) -> Words:
    return {key: (words, french[key]) for key, words in english.items()}


NEEDS: Words = _beside(REQUIREMENTS, _REQUIREMENTS_FR)
KINDS: Words = _beside(CLASSES, _CLASSES_FR)
REASONS: Words = _beside(MISSING_REASONS, _MISSING_FR)
SEVERITIES: Words = {
    "error": (
        "the row is rejected; the rest of the file is not",
        "la ligne est rejetée; le reste du fichier ne l'est pas",
    ),
    "warning": (
        "the row is kept; correct it, or answer once that it is verified",
        "la ligne est gardée; corrigez-la, ou confirmez une seule fois qu'elle est vérifiée",
    ),
    "review": (
        "the row is kept and looked at by the registry",
        "la ligne est gardée et le registre l'examine",
    ),
    "info": ("nothing has to be done", "rien à faire"),
}
SEVERITY_NAMES: Words = {
    "error": ("error", "erreur"),
    "warning": ("warning", "avertissement"),
    "review": ("review", "examen"),
    "info": ("information", "information"),
}
SCOPES: Words = {
    "row": ("one row by itself", "une ligne prise seule"),
    "file": ("rows of one file together", "les lignes d'un fichier prises ensemble"),
    "registry": (
        "what the registry holds; `swaddle check` cannot ask it",
        "ce que détient le registre; `swaddle check` ne peut pas le demander",
    ),
}
SCOPE_NAMES: Words = {"row": ("row", "ligne"), "file": ("file", "fichier"), "registry": ("registry", "registre")}
UNITS: Words = {
    "years": ("years", "années"),
    "months": ("months", "mois"),
    "weeks": ("weeks", "semaines"),
    "days": ("days", "jours"),
    "h": ("hours", "heures"),
    "Cel": ("degrees Celsius", "degrés Celsius"),
    "cigarettes/day": ("cigarettes/day", "cigarettes/jour"),
    "umol/L": ("µmol/L", "µmol/L"),
    "kg/m2": ("kg/m²", "kg/m²"),
}


def pick(pair: tuple[str, str], language: Language) -> str:
    """The words in that language; English where there is no French."""
    return pair[1] or pair[0] if language == "fr" else pair[0]


def unit(name: str, language: Language) -> str:
    """A unit as people write it."""
    return pick(UNITS.get(name, (name, name)), language)


def colon(language: Language) -> str:
    """A colon as the language sets it: French puts a space before it."""
    return " :" if language == "fr" else ":"
