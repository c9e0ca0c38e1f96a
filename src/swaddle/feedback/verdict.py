"""The first sentence of a report: what became of the file.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from swaddle.feedback.submission import FileResult, Refusal, Rows
from swaddle.feedback.words import counted, number


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A sentence, what it means for the reader, and how it is marked."""

    tone: Literal["good", "attention", "bad"]
    sentence: str
    meaning: str
    fix: str = ""


def verdict(rows: Rows, warnings: int, refused: Refusal | None) -> Verdict:
    """What became of the rows, in one sentence and one line."""
    if refused is not None:
        return Verdict(
            tone="bad",
            sentence="Nothing from this file is in the registry.",
            meaning=refused.why,
            fix=refused.fix if rows.read else "",
        )
    there = rows.stored + rows.duplicates
    if rows.rejected:
        some = (
            f"{number(there)} of {counted(rows.read, 'row')} are in the registry."
            if there
            else f"None of the {counted(rows.read, 'row')} is in the registry."
        )
        mend = "1 row needs mending" if rows.rejected == 1 else f"{number(rows.rejected)} rows need mending"
        only = "that 1 row" if rows.rejected == 1 else f"those {number(rows.rejected)} rows"
        return Verdict(
            tone="attention",
            sentence=f"{some} {mend}.",
            meaning=f"Your file arrived whole. What is stored already counts; send only {only} again."
            + _warnings(warnings),
        )
    if rows.duplicates and not rows.stored:
        every = "The row was" if rows.read == 1 else f"All {number(rows.read)} rows were"
        return Verdict(
            tone="good",
            sentence=f"{every} already in the registry.",
            meaning="Your file arrived whole and changes nothing. There is nothing to send again."
            + _warnings(warnings),
        )
    if not rows.read:
        return Verdict(tone="attention", sentence="This file holds no rows.", meaning="Nothing was stored or rejected.")
    already = f" {counted(rows.duplicates, 'row')} of them were there before." if rows.duplicates else ""
    return Verdict(
        tone="good",
        sentence="The row is in the registry."
        if rows.read == 1
        else f"All {number(rows.read)} rows are in the registry.",
        meaning=f"Your file arrived whole; there is nothing to send again.{already}" + _warnings(warnings),
    )


def of_notice(records: int) -> Verdict:
    """Of records that wait for another one: what is asked, and that nothing was refused."""
    one = records == 1
    return Verdict(
        tone="attention",
        sentence=f"{counted(records, 'record')} {'waits' if one else 'wait'} for another one that has not come.",
        meaning="What you sent is in the registry. Send what is missing, or answer once that it is right as it is:"
        " it is then not asked again.",
    )


def of_folder(one: Verdict, files: Sequence[FileResult]) -> Verdict:
    """The same of the files of a folder: how many of them were not taken in comes first."""
    wanting = sum(file.outcome != "stored" for file in files)
    sentence = one.sentence.replace("this file", "these files").replace("This file holds", "These files hold")
    meaning = one.meaning.replace("Your file arrived whole", "Your files arrived")
    if not wanting or one.tone == "bad":
        return replace(one, sentence=sentence, meaning=meaning)
    was = "was" if wanting == 1 else "were"
    return replace(
        one,
        tone="attention",
        sentence=f"{number(wanting)} of {counted(len(files), 'file')} {was} not taken in. {sentence}",
        meaning=meaning.replace("there is nothing to send again", "what became of each stands below"),
    )


def _warnings(warnings: int) -> str:
    if not warnings:
        return ""
    return f" {counted(warnings, 'warning')} {'asks' if warnings == 1 else 'ask'} you to look at a value."
