"""The first sentence of a report: what became of the file. In English and in French.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from swaddle.feedback.submission import FileResult, Refusal, Rows
from swaddle.feedback.tongue import Language, tongue

# What is said of one file and, behind the slash, of the files of a folder; of one row and of many.
SAYINGS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "nothing": "Nothing from this file is in the registry./Nothing from these files is in the registry.",
        "empty": "This file holds no rows./These files hold no rows.",
        "nothing happened": "Nothing was stored or rejected.",
        "some": "{there} of {rows} are in the registry.",
        "none": "None of the {rows} is in the registry.",
        "all": "All {number} rows are in the registry.",
        "the one": "The row is in the registry.",
        "mend": "{number} rows need mending.",
        "mend one": "1 row needs mending.",
        "whole": "Your file arrived whole./Your files arrived.",
        "send": "What is stored already counts; send only those {number} rows again.",
        "send one": "What is stored already counts; send only that 1 row again.",
        "known": "All {number} rows were already in the registry.",
        "known one": "The row was already in the registry.",
        "no change": "Your file arrived whole and changes nothing./Your files arrived and change nothing.",
        "rest": "There is nothing to send again./What became of each stands below.",
        "before": "{rows} of them were there before.",
        "ask": "{warnings} ask you to look at a value.",
        "ask one": "1 warning asks you to look at a value.",
        "not taken": "{number} of {files} were not taken in.",
        "not taken one": "1 of {files} was not taken in.",
        "wait": "{records} wait for another one that has not come.",
        "wait one": "1 record waits for another one that has not come.",
        "notice": "What you sent is in the registry. Send what is missing, or answer once that it is right as it is:"
        " it is then not asked again.",
    },
    "fr": {
        "nothing": "Rien de ce fichier n'est dans le registre./Rien de ces fichiers n'est dans le registre.",
        "empty": "Ce fichier ne contient aucune ligne./Ces fichiers ne contiennent aucune ligne.",
        "nothing happened": "Rien n'a été enregistré ni rejeté.",
        "some": "{there} sur {rows} sont dans le registre.",
        "none": "Aucune des {rows} n'est dans le registre.",
        "all": "Les {number} lignes sont toutes dans le registre.",
        "the one": "La ligne est dans le registre.",
        "mend": "{number} lignes sont à corriger.",
        "mend one": "1 ligne est à corriger.",
        "whole": "Votre fichier est arrivé au complet./Vos fichiers sont arrivés.",
        "send": "Ce qui est enregistré compte déjà; ne renvoyez que ces {number} lignes.",
        "send one": "Ce qui est enregistré compte déjà; ne renvoyez que cette ligne.",
        "known": "Les {number} lignes étaient déjà toutes dans le registre.",
        "known one": "La ligne était déjà dans le registre.",
        "no change": "Votre fichier est arrivé au complet et ne change rien./Vos fichiers sont arrivés et ne changent"
        " rien.",
        "rest": "Il n'y a rien à renvoyer./Le sort de chacun est indiqué plus bas.",
        "before": "{rows} s'y trouvaient déjà.",
        "ask": "{warnings} vous demandent de vérifier une valeur.",
        "ask one": "1 avertissement vous demande de vérifier une valeur.",
        "not taken": "{number} fichiers sur {of} n'ont pas été acceptés.",
        "not taken one": "1 fichier sur {of} n'a pas été accepté.",
        "wait": "{records} en attendent un autre qui n'est pas venu.",
        "wait one": "1 enregistrement en attend un autre qui n'est pas venu.",
        "notice": "Ce que vous avez envoyé est dans le registre. Envoyez ce qui manque, ou répondez une fois que c'est"
        " exact : la question ne sera plus posée.",
    },
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A sentence, what it means for the reader, and how it is marked."""

    tone: Literal["good", "attention", "bad"]
    sentence: str
    meaning: str
    fix: str = ""


def verdict(
    rows: Rows, warnings: int, refused: Refusal | None, files: Sequence[FileResult] = (), language: Language = "en"
) -> Verdict:
    """What became of the rows, in one sentence and one line.

    Args:
        rows: that were read.
        warnings: that ask for an answer.
        refused: why nothing was stored, when nothing was.
        files: of a folder; how many of them were not taken in comes first.
        language: of the sentences.
    """
    say = _Speaker(language, is_folder=bool(files))
    if refused is not None:
        told = refused.told(language)
        return Verdict(tone="bad", sentence=say("nothing"), meaning=told.why, fix=told.fix if rows.read else "")
    one = _of_rows(rows, warnings, say)
    wanting = sum(file.outcome != "stored" for file in files)
    if not wanting:
        return one
    missed = say("not taken", wanting, number=wanting, files=len(files), of=len(files))
    return Verdict(tone="attention", sentence=f"{missed} {one.sentence}", meaning=one.meaning)


def _of_rows(rows: Rows, warnings: int, say: _Speaker) -> Verdict:
    there = rows.stored + rows.duplicates
    asks = [say("ask", warnings, warnings=warnings)] if warnings else []
    if rows.rejected:
        some = say("some", number=there, there=there, rows=rows.read) if there else say("none", rows=rows.read)
        meaning = [say("whole"), say("send", rows.rejected, number=rows.rejected), *asks]
        sentence = f"{some} {say('mend', rows.rejected, number=rows.rejected)}"
        return Verdict(tone="attention", sentence=sentence, meaning=" ".join(meaning))
    if not rows.read:
        return Verdict(tone="attention", sentence=say("empty"), meaning=say("nothing happened"))
    if not rows.stored:
        meaning = [say("no change"), say("rest"), *asks]
        return Verdict(tone="good", sentence=say("known", rows.read, number=rows.read), meaning=" ".join(meaning))
    before = [say("before", rows=rows.duplicates)] if rows.duplicates else []
    sentence = say("the one") if rows.read == 1 else say("all", number=rows.read)
    return Verdict(tone="good", sentence=sentence, meaning=" ".join([say("whole"), say("rest"), *before, *asks]))


def of_notice(records: int, language: Language = "en") -> Verdict:
    """Of records that wait for another one: what is asked, and that nothing was refused."""
    say = _Speaker(language, is_folder=False)
    return Verdict(tone="attention", sentence=say("wait", records, records=records), meaning=say("notice"))


class _Speaker:
    """Says a sentence of a language, of one file or of several, of one thing or of many."""

    def __init__(self, language: Language, *, is_folder: bool) -> None:
        self._sayings = SAYINGS[language]
        self._tongue = tongue(language)
        self._is_folder = is_folder

    def __call__(self, name: str, count: int = 2, **facts: int) -> str:
        text = self._sayings[f"{name} one" if count == 1 and f"{name} one" in self._sayings else name]
        one, _, several = text.partition("/")
        nouns = {"rows": "row", "warnings": "warning", "records": "record", "files": "file"}
        told = {
            key: self._tongue.counted(value, nouns[key]) if key in nouns else self._tongue.number(value)
            for key, value in facts.items()
        }
        return (several if self._is_folder and several else one).format(**told)
