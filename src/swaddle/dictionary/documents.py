"""Which pages of docs/ are written whole from the dictionary. Pure."""

from __future__ import annotations

from swaddle.dictionary.guide import guide
from swaddle.dictionary.load import load
from swaddle.dictionary.publish import page


def documents(version: str = "1") -> dict[str, str]:
    """File name to Markdown text: the data dictionary and the submission guide, each in English and in French."""
    dictionary = load(version)
    return {
        "data-dictionary.md": page(version),
        "data-dictionary-fr.md": page(version, "fr"),
        "submission-guide.md": guide(dictionary, "en"),
        "submission-guide-fr.md": guide(dictionary, "fr"),
    }
