"""The data dictionary as a page for people, written from the same objects that check the files.

`python -c "from swaddle.dictionary.publish import page; print(page(), end='')"` prints docs/data-dictionary.md; a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from swaddle.dictionary.load import load
from swaddle.dictionary.model import (
    CLASSES,
    MISSING_REASONS,
    REQUIREMENTS,
    Check,
    Dictionary,
    Field,
    RecordType,
    Rule,
)

_OPENING = """\
<!-- Written by src/swaddle/dictionary/publish.py from the files that check the data. Change those, not this. -->

One row of a file is one birth. It makes records of three types: the mother and the child as persons, the delivery,
and the birth. The plain layout (`--as births`) is a CSV or Parquet file whose columns bear the names below; other
layouts are turned into it by a mapping file ([guide](guide-mapping.md)). A file needs `local_record_id`, `event_date`
and `outcome`; of the other columns it brings those that it has, and says so by leaving the rest out.
"""
_MISSING = """\
**Missing reasons** stand in place of a value, in capitals; in a name with a question mark (`?NA`), because Na and Ni
are names. A code such as 9, 99 or 9999 for unknown is an error unless the mapping declares it.
"""
_TYPES = {
    "text": "text",
    "name": "name, taken literally",
    "id": "identifier",
    "hcn": "health card number",
    "postal": "postal code",
    "date": "date, YYYY-MM-DD",
    "datetime": "date or date and time, YYYY-MM-DDThh:mm",
    "event": "date at any precision",
    "int": "whole number",
    "decimal": "number",
    "code": "one code",
    "codes": "codes, apart by semicolons",
    "yesno": "Y or N",
    "pairs": "code=value, apart by semicolons",
}
_SEVERITIES = {
    "error": "the row is rejected; the rest of the file is not",
    "warning": "the row is kept; correct it, or answer once that it is verified",
    "review": "the row is kept and looked at by the registry",
    "info": "nothing has to be done",
}
_SCOPES = {
    "row": "one row by itself",
    "file": "rows of one file together",
    "registry": "what the registry holds; `swaddle check` cannot ask it",
}


def page(version: str = "1") -> str:
    """The Markdown page of a dictionary version."""
    dictionary = load(version)
    parts = [_opening(dictionary), _words()]
    parts += [_record_type(each) for each in (dictionary.header, *dictionary.record_types)]
    parts += ["## Checks of single fields and of a file's form\n\n" + _checks(dictionary.checks)]
    parts += ["## Rules between fields and between rows\n\n" + _rules(dictionary.rules)]
    return "\n".join(parts)


def _opening(dictionary: Dictionary) -> str:
    return f"# Data dictionary, version {dictionary.version}\n\n{_OPENING}"


def _words() -> str:
    return "\n".join(
        [
            "## Words\n",
            "**Required**\n",
            *_definitions(REQUIREMENTS),
            _MISSING,
            *_definitions(MISSING_REASONS),
            "**Class**\n",
            *_definitions(CLASSES),
            "**Severity**\n",
            *_definitions(_SEVERITIES),
            "**Scope**\n",
            *_definitions(_SCOPES),
        ]
    )


def _definitions(words: Mapping[str, str]) -> list[str]:
    return [*(f"- `{word}` {meaning}" for word, meaning in words.items()), ""]


def _record_type(record_type: RecordType) -> str:
    slots = [f"`{prefix}`" for prefix in record_type.slots.values() if prefix]
    names = f" In a row its columns begin with {' or '.join(slots)}." if slots else ""
    lines = [f"## {record_type.title} (`{record_type.name}`)\n", record_type.text + names + "\n"]
    lines += ["| Field | Required | Type | Limits | What it is | Class |", "|-|-|-|-|-|-|"]
    lines += [_row(each) for each in record_type.fields]
    picks = [each for each in record_type.fields if each.values]
    if picks:
        lines.append("\n**Pick lists**\n")
        for each in picks:
            lines.append(f"- `{each.name}`: " + "; ".join(f"`{code}` {words}" for code, words in each.values.items()))
    return "\n".join(lines) + "\n"


def _row(field: Field) -> str:
    required = ", ".join(f"{role} {need}" if role else need for role, need in field.required.items())
    kind = _TYPES[field.type] + (f", in {field.unit}" if field.unit else "")
    limits = [f"{field.hard[0]:g} to {field.hard[1]:g}"] if field.hard and None not in field.hard else []
    limits += [f"usually {field.soft[0]:g} to {field.soft[1]:g}"] if field.soft and None not in field.soft else []
    about = f"**{field.title}.** {field.text}" + (f" {field.system}." if field.system else "")
    cells = (f"`{field.name}`", required, kind, "; ".join(limits), about, field.sensitivity)
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def _checks(checks: Mapping[str, Check]) -> str:
    lines = ["| Check | Severity | Scope | Text | Fix |", "|-|-|-|-|-|"]
    lines += [f"| {each.id} | {each.severity} | {each.scope} | {each.text} | {each.fix} |" for each in checks.values()]
    return "\n".join(lines) + "\n"


def _rules(rules: tuple[Rule, ...]) -> str:
    out = ["A row that lacks one of a rule's fields is not evaluated by it, and is counted so.\n"]
    for rule in rules:
        fields = ", ".join(f"`{each}`" for each in (*rule.fields, *rule.reads))
        out += [
            f"### {rule.id} ({rule.severity}, {rule.scope}): {rule.text}\n",
            f"- Fix: {rule.fix}",
            f"- Reads: {fields}",
            f"- Holds: `{' '.join(rule.holds.split())}`" + (f" (window `{rule.window}`)" if rule.window else ""),
            f"- Passes: {'; '.join(_example(each) for each in rule.passes)}",
            f"- Fails: {'; '.join(_example(each) for each in rule.fails)}\n",
        ]
    return "\n".join(out)


def _example(rows: tuple[Mapping[str, object], ...]) -> str:
    return " and ".join(", ".join(f"`{name}` {value}" for name, value in row.items()) for row in rows)
