"""The submission guide: formats, forms, record layouts, codes, calculated fields, what becomes of a file, changes.

Written from the dictionary, in English and in French, for those who write an export. docs/submission-guide.md and
docs/submission-guide-fr.md are its output, and a test compares them.
"""

from __future__ import annotations

from swaddle.dictionary.guide_words import ANSWERED, CALCULATED, CHANGES, FORMATS, OPENING, TYPES_TOLD
from swaddle.dictionary.model import Dictionary, Field, Form
from swaddle.dictionary.publish import definitions, kind, limits, speaker
from swaddle.dictionary.words import NEEDS, REASONS, TYPES, Language, colon

_NOT_HERE = "<!-- Written by src/swaddle/dictionary/guide.py from the files that check the data. Change those. -->\n"


def guide(dictionary: Dictionary, language: Language) -> str:
    """The Markdown text of the guide."""
    say = speaker(language)
    title = say("Submission guide, data dictionary version", "Guide de soumission, dictionnaire de données, version")
    parts = [
        f"# {title} {dictionary.version}\n\n{_NOT_HERE}\n{say(*OPENING)}",
        _section(say("What becomes of a file", "Ce que devient un fichier"), say(*ANSWERED)),
        _section(say("File formats", "Formats de fichier"), say(*FORMATS)),
        _section(say("Field types", "Types de champ"), _types(language)),
        _section(say("Record layouts", "Structures d'enregistrement"), _layouts(dictionary, language)),
        _section(say("Reference codes", "Codes de référence"), _codes(dictionary, language)),
        _section(say("Calculated fields", "Champs calculés"), _calculated(dictionary, language)),
        _section(say("Changes", "Modifications"), say(*CHANGES)),
    ]
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}"


def _types(language: Language) -> str:
    say = speaker(language)
    lines = ["| Type | |", "|-|-|"]
    lines += [f"| `{name}` | {say(*words)} |" for name, words in TYPES.items()]
    lines += ["", say(*TYPES_TOLD), *definitions(REASONS, language)]
    return "\n".join(lines)


def _layouts(dictionary: Dictionary, language: Language) -> str:
    say = speaker(language)
    lines = [
        say(
            "The columns of each plain layout. Their order does not matter; columns that a source does not have are"
            " left out, all but the keys (K).\n",
            "Les colonnes de chaque structure simple. Leur ordre est sans importance; on omet celles que la source n'a"
            " pas, sauf les clés (K).\n",
        ),
        *definitions(NEEDS, language),
    ]
    for form in dictionary.forms.values():
        lines += _layout(dictionary, form, language)
    return "\n".join(lines)


def _layout(dictionary: Dictionary, form: Form, language: Language) -> list[str]:
    say = speaker(language)
    about = f"{say(form.text, form.text_fr)} `swaddle check FILE --as {form.layout}`"
    lines = [f"### {say(form.title, form.title_fr)} (`{form.layout}`)\n", about + "\n"]
    lines += [
        say("| Column | Required | Type | Limits | |", "| Colonne | Exigence | Type | Limites | |"),
        "|-|-|-|-|-|",
    ]
    for each in dictionary.wide_fields(form.name):
        told, field = say(each.title, each.title_fr), each.field
        cells = (f"`{each.name}`", each.required, kind(field, language), limits(field, language), told)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    if form.optional:
        names = ", ".join(f"`{each}`" for each in form.slots if each in form.optional)
        lines.append(
            say(
                f"\nRequirements within {names} count only where the file carries a column of theirs.",
                f"\nLes exigences propres à {names} ne comptent que si le fichier en porte une colonne.",
            )
        )
    return [*lines, ""]


def _codes(dictionary: Dictionary, language: Language) -> str:
    say = speaker(language)
    lines = []
    for told in (dictionary.header, *dictionary.record_types):
        picks = [each for each in told.fields if each.values]
        if not picks:
            continue
        lines += [f"### {say(told.title, told.title_fr)}\n"]
        for field in picks:
            lines += _pick_list(field, list(told.slots.values()), language)
    return "\n".join(lines)


def _pick_list(field: Field, prefixes: list[str], language: Language) -> list[str]:
    say = speaker(language)
    names = ", ".join(f"`{prefix}{field.name}`" for prefix in prefixes)
    lines = [f"{names}{colon(language)} {say(field.title, field.title_fr)}\n"]
    system = f" {field.system} |" if field.codes else ""
    lines += [say("| Code | Meaning |", "| Code | Sens |") + system, "|-|-|" + ("-|" if system else "")]
    for code, words in field.values.items():
        theirs = f" {field.codes.get(code, '')} |" if system else ""
        lines.append(f"| `{code}` | {say(words, field.values_fr.get(code, ''))} |{theirs}")
    return [*lines, ""]


def _calculated(dictionary: Dictionary, language: Language) -> str:
    say = speaker(language)
    lines = [say(*CALCULATED)]
    derived = [each for each in dictionary.wide_fields() if each.field.derived]
    if derived:
        lines += [say("| Column | Calculated as |", "| Colonne | Calcul |"), "|-|-|"]
        lines += [f"| `{each.name}` | `{' '.join(each.field.derived.split())}` |" for each in derived]
    return "\n".join(lines) + "\n"
