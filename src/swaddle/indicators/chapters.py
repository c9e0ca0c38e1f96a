"""What an indicator is about: the order and the headings of every list of them."""

from __future__ import annotations

from collections.abc import Mapping

from swaddle.indicators.model import Language

OWN = "own"  # of a registry's own definitions
CHAPTERS: Mapping[str, tuple[str, str]] = {
    "birth": ("Birth and growth", "Naissance et croissance"),
    "caesarean": ("Caesarean", "Césarienne"),
    "labour": ("Labour and the mother", "Travail et mère"),
    "newborn": ("The newborn", "Le nouveau-né"),
    "screening": ("Newborn screening", "Dépistage néonatal"),
    "intensive": ("Intensive care", "Soins intensifs"),
    "pregnancy": ("Pregnancy", "Grossesse"),
    "fertility": ("Fertility treatment", "Traitement de fertilité"),
    "data": ("The data themselves", "Les données elles-mêmes"),
    OWN: ("The registry's own", "Propres au registre"),
}


def heading(chapter: str, language: Language) -> str:
    """The heading of a chapter; one that nobody knows is the registry's own."""
    return CHAPTERS.get(chapter, CHAPTERS[OWN])[1 if language == "fr" else 0]


def place(chapter: str) -> int:
    """Where a chapter stands among the others."""
    return list(CHAPTERS).index(chapter if chapter in CHAPTERS else OWN)
