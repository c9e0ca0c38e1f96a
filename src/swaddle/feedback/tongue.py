"""The language of a page: its numbers and counted things, its sentences, and its templates.

A template is written in English, in whole runs of text; its French is made when it is loaded, run by run, from
templates/french.toml. A run that stands nowhere there stays English, and a test is red (tests/unit/feedback). Nothing
from a submission is ever part of a template.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from swaddle.dictionary.words import LANGUAGES, Language
from swaddle.feedback import french, words

__all__ = ["LANGUAGES", "Language", "Tongue", "runs", "tongue", "translated"]

# Jinja's blocks, then a page's tags: what stands between is what somebody reads.
_MARKS = re.compile(r"(\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<(?:[^<>\"]|\"(?:\{\{.*?\}\}|[^\"])*\")*>)", re.DOTALL)
_SAID = re.compile(r"\"([^\"{}]*)\"")
_LETTER = re.compile(r"[^\W\d_]")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# Attributes that are read out or shown.
_READ = re.compile(r"(?:data-label|aria-label)=\"([^\"{}]+)\"")


@dataclass(frozen=True)
class Tongue:
    """How a page speaks."""

    language: Language
    number: Callable[[int], str]
    counted: Callable[..., str]
    percent: Callable[[float], str]
    interval: Callable[[float, float], str]
    moment: Callable[..., str]
    day: Callable[..., str]
    listed: Callable[..., str]
    years: Callable[[str], str]


@cache
def tongue(language: Language) -> Tongue:
    """The tongue of a language."""
    room = french if language == "fr" else words
    return Tongue(
        language, room.number, room.counted, room.percent, room.interval, room.moment, room.day, room.listed, room.years
    )


@cache
def catalogue(table: str) -> Mapping[str, str]:
    """English to French: `words` are runs of text and labels, `said` what stands in quotes inside an expression."""
    text = files("swaddle.feedback").joinpath("templates", "french.toml").read_text(encoding="utf-8")
    told: Mapping[str, str] = tomllib.loads(text)[table]
    return told


def translated(source: str, language: Language) -> str:
    """A template in a language."""
    if language == "en":
        return source
    pieces = _MARKS.split(source)
    return "".join(_in_mark(piece) if place % 2 else _in_text(piece) for place, piece in enumerate(pieces))


def _in_text(piece: str) -> str:
    known = catalogue("words")
    run = " ".join(piece.split())
    if run not in known:
        return piece
    before, after = piece[: len(piece) - len(piece.lstrip())], piece[len(piece.rstrip()) :]
    return before + known[run] + after


def _in_mark(piece: str) -> str:
    """What is said inside a mark: words in an expression, and a tag's labels."""
    if piece.startswith("<"):
        whole = _READ.sub(lambda match: _known(match, "words"), piece)
        return _EXPRESSION.sub(lambda inner: _SAID.sub(lambda match: _known(match, "said"), inner[0]), whole)
    return _SAID.sub(lambda match: _known(match, "said"), piece)


def _known(match: re.Match[str], table: str) -> str:
    core = match[1].strip()
    french_core = catalogue(table).get(core)
    return match[0] if french_core is None or not core else match[0].replace(core, french_core)


def _is_words(text: str) -> bool:
    return bool(_LETTER.search(text))


def runs(source: str) -> Iterator[str]:
    """The runs of text of a template that need a French one."""
    pieces = _MARKS.split(source)
    for place, piece in enumerate(pieces):
        if place % 2 == 0 and _is_words(piece):
            yield " ".join(piece.split())
        elif place % 2 and piece.startswith("<"):
            yield from _READ.findall(piece)
