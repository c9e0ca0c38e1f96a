"""What a page shows of a submission, in words of its language: findings by rule, what became of the rows, places.

Pure. A finding's own words come with it in both languages; what is not there in French is shown in English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swaddle.dictionary.load import load as load_dictionary
from swaddle.feedback.submission import RejectedRow, SubmissionReport
from swaddle.feedback.tongue import Language, tongue

Both = Mapping[str, tuple[str, str]]

SEVERITIES: Both = {
    "error": (
        "Errors: the row is not in the registry until fixed",
        "Erreurs : la ligne n'est pas dans le registre tant qu'elle n'est pas corrigée",
    ),
    "warning": (
        "Warnings: the row is in; check the value",
        "Avertissements : la ligne est acceptée; vérifiez la valeur",
    ),
    "review": ("To review: the registry looks at these", "À examiner : le registre s'en occupe"),
    "info": ("For information: nothing to do", "Pour information : rien à faire"),
}
# How they are summed: one, many.
_SUMS: Both = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "review": ("to review", "to review"),
    "info": ("for information", "for information"),
}
# What a reader of a format calls the place of a record (intake/sheet.py).
PLACES: Both = {
    "line": ("line", "ligne"),
    "row": ("row", "ligne"),
    "record": ("record", "enregistrement"),
    "message": ("message", "message"),
    "entry": ("entry", "entrée"),
}
# What became of a row beside what was held of its record (registry/lifecycle.py), in the order of a page.
STEPS: Both = {
    "new": ("new", "nouvelles"),
    "replaced": ("in the place of an earlier version", "à la place d'une version antérieure"),
    "unchanged": ("there before, unchanged", "déjà là, sans changement"),
    "late": ("older than what is held: set aside", "plus anciennes que ce qui est conservé : écartées"),
    "voided": ("taken back", "retirées"),
    "voided before": ("taken back before", "déjà retirées"),
    "revived": ("sent again after they were taken back", "renvoyées après avoir été retirées"),
    "nothing to void": ("to be taken back, but not there", "à retirer, mais absentes"),
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One rule as the table shows it: `open` findings and those `answered` before, which are not asked again."""

    rule: str
    is_of_file: bool
    text: str
    fix: str
    open: int
    answered: int
    example: Place | None

    @property
    def times(self) -> int:
        """How often it was found, answered or not."""
        return self.open + self.answered


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something was found, and what stood there."""

    called: str
    number: int
    field: str
    value: str
    file: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The rules of one severity, the most frequent first."""

    severity: str
    title: str
    items: tuple[Shown, ...]
    summed: str

    @property
    def open(self) -> int:
        """Findings that stand."""
        return sum(item.open for item in self.items)

    @property
    def answered(self) -> int:
        """Findings that were answered before."""
        return sum(item.answered for item in self.items)

    @property
    def times(self) -> int:
        """All of them."""
        return self.open + self.answered


def said(both: Both, name: str, language: Language) -> str:
    """One of two words; a name that is not there stands for itself."""
    english, french = both.get(name, (name, name))
    return french if language == "fr" else english


def groups(submission: SubmissionReport, language: Language) -> tuple[Group, ...]:
    """What was found by rule: errors first, then what is to be answered."""
    findings = submission.checked.get("findings", ())
    answered = {(each["rule"], each["field"]): each for each in submission.checked.get("answered", ())}
    shown: dict[str, list[Shown]] = {severity: [] for severity in SEVERITIES}
    for found in findings:
        known = answered.pop((found["rule"], found.get("field", "")), None)
        shown[found["severity"]].append(_shown(found, int(known["count"]) if known else 0, submission, language))
    for each in answered.values():  # all of it was answered: it is told of, and nothing is asked
        whole = {**each, "count": 0, "scope": "row", "fix": "", "examples": ()}
        shown["warning"].append(_shown(whole, int(each["count"]), submission, language))
    return tuple(
        Group(
            severity=severity,
            title=said(SEVERITIES, severity, language),
            items=tuple(sorted(items, key=lambda item: (-item.times, item.rule))),
            summed=tongue(language).counted(sum(item.open for item in items), *_SUMS[severity]),
        )
        for severity, items in shown.items()
        if items
    )


def _shown(found: Mapping[str, Any], answered: int, submission: SubmissionReport, language: Language) -> Shown:
    examples: Sequence[Mapping[str, Any]] = found.get("examples", ())
    return Shown(
        rule=str(found["rule"]),
        is_of_file=found.get("scope") == "file",
        text=in_language(found, "text", language),
        fix=in_language(found, "fix", language),
        open=int(found["count"]),
        answered=answered,
        example=_place(examples[0], submission, language) if examples else None,
    )


def _place(example: Mapping[str, Any], submission: SubmissionReport, language: Language) -> Place:
    value = example.get("value")
    return Place(
        called=said(PLACES, str(example.get("where", submission.where)), language),
        number=int(example["line"]),
        field=str(example["field"]),
        value="" if value is None else str(value),
        file=str(example.get("file", "")),
    )


def in_language(told: Mapping[str, Any], name: str, language: Language) -> str:
    """A finding's words in a language, where it has them."""
    return str((told.get(f"{name}_fr") if language == "fr" else None) or told.get(name, ""))


def row_words(row: RejectedRow, language: Language) -> tuple[str, str]:
    """Text and fix of a rejected row's finding."""
    return (row.text_fr or row.text, row.fix_fr or row.fix) if language == "fr" else (row.text, row.fix)


def called(submission: SubmissionReport, language: Language) -> str:
    """What a line of this submission is called, at the head of a column."""
    return said(PLACES, submission.where, language).capitalize()


def life(submission: SubmissionReport, language: Language) -> tuple[tuple[str, int], ...]:
    """What became of the rows beside what was held of their records; nothing where all of them were new."""
    steps = {str(name): int(count) for name, count in submission.checked.get("life", {}).items() if count}
    if set(steps) <= {"new"}:
        return ()
    return tuple((said(STEPS, name, language), steps[name]) for name in STEPS if name in steps)


def records(submission: SubmissionReport, language: Language) -> tuple[tuple[str, int], ...]:
    """The records that the rows made, by the dictionary's names for them."""
    titles = {each.name: (each.title, each.title_fr or each.title) for each, _ in load_dictionary().slots().values()}
    told = submission.checked.get("records", {})
    return tuple((said(titles, str(name), language), int(count)) for name, count in told.items())
