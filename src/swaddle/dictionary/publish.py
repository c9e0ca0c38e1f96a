"""The data dictionary as a page for people, written from the same objects that check the files.

`swaddle dictionary show --page` prints it, in English or in French; docs/data-dictionary.md and
docs/data-dictionary-fr.md are its output, and a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from swaddle.dictionary.load import load
from swaddle.dictionary.model import HEADER, Check, Dictionary, Field, RecordType, Rule
from swaddle.dictionary.words import (
    KINDS,
    NEEDS,
    REASONS,
    SCOPE_NAMES,
    SCOPES,
    SEVERITIES,
    SEVERITY_NAMES,
    TYPES,
    Language,
    Words,
    colon,
    pick,
    unit,
)

Say = Callable[[str, str], str]  # English, French: the one that is wanted

_NOT_HERE = "<!-- Written by src/swaddle/dictionary/publish.py from the files that check the data. Change those. -->\n"
_OPENING = (
    """\
One row of a file is one record of a *form*: a birth, a card of newborn screening, a stay in intensive care. The row of
a form holds the fields of the header and those of one record type or several, side by side. The plain layouts are CSV,
Excel, Parquet or NDJSON files whose columns bear the names below; other layouts are turned into them by a mapping file
([guide](guide-mapping.md)). Of the other columns a file brings those that it has, and says so by leaving the rest out.
How files are written, sent and answered is in the [submission guide](submission-guide.md).
""",
    """\
Une ligne d'un fichier est un enregistrement d'un *formulaire* : une naissance, une carte de dépistage néonatal, un
séjour en soins intensifs. La ligne d'un formulaire porte les champs de l'en-tête et ceux d'un ou de plusieurs types
d'enregistrement, côte à côte. Les structures simples sont des fichiers CSV, Excel, Parquet ou NDJSON dont les colonnes
portent les noms ci-dessous; une table de correspondance y ramène les autres structures
([guide, en anglais](guide-mapping.md)). Un fichier apporte les colonnes qu'il possède et omet les autres. Le
[guide de soumission](submission-guide-fr.md) dit comment les fichiers sont écrits, envoyés et traités.
""",
)
_MISSING = (
    """\
**Missing reasons** stand in place of a value, in capitals; in a name with a question mark (`?NA`), because Na and Ni
are names. A code such as 9, 99 or 9999 for unknown is an error unless the mapping declares it.
""",
    """\
Un **motif d'absence** tient lieu de valeur, en majuscules; dans un nom, il est précédé d'un point d'interrogation
(`?NA`), car Na et Ni sont des noms. Un code tel que 9, 99 ou 9999 pour « inconnu » est une erreur, sauf si la table de
correspondance le déclare.
""",
)


def page(version: str = "1", language: Language = "en", dictionary: Dictionary | None = None) -> str:
    """The Markdown page of a dictionary version."""
    told = dictionary or load(version)
    say = speaker(language)
    title = say("Data dictionary, version", "Dictionnaire de données, version")
    parts = [
        f"# {title} {told.version}\n\n{_NOT_HERE}\n{say(*_OPENING)}",
        _words(language),
        _forms(told, language),
    ]
    parts += [record_type(each, language) for each in (told.header, *told.record_types)]
    title = say("Checks of single fields and of a file's form", "Contrôles d'un seul champ et de la forme du fichier")
    parts += [f"## {title}\n\n" + checks(told.checks, language)]
    title = say("Rules between fields and between records", "Règles entre champs et entre enregistrements")
    parts += [f"## {title}\n\n" + _rules(told.rules, language)]
    return "\n".join(parts)


def speaker(language: Language) -> Say:
    """English or French, as wanted; English where there is no French."""
    return lambda english, french: pick((english, french), language)


def definitions(words: Words, language: Language) -> list[str]:
    """A list of codes with their meaning."""
    return [*(f"- `{word}` {pick(pair, language)}" for word, pair in words.items()), ""]


def named(words: Words, names: Words, language: Language) -> Words:
    """The same meanings under the names that people read."""
    return {pick(names[code], language): pair for code, pair in words.items()}


def _words(language: Language) -> str:
    say = speaker(language)
    lines = [f"## {say('Words', 'Termes')}\n", f"**{say('Required', 'Exigence')}**\n", *definitions(NEEDS, language)]
    lines += [say(*_MISSING), *definitions(REASONS, language)]
    lines += [f"**{say('Class', 'Classe')}**\n", *definitions(KINDS, language)]
    lines += [
        f"**{say('Severity', 'Gravité')}**\n",
        *definitions(named(SEVERITIES, SEVERITY_NAMES, language), language),
    ]
    lines += [f"**{say('Scope', 'Portée')}**\n", *definitions(named(SCOPES, SCOPE_NAMES, language), language)]
    return "\n".join(lines)


def _forms(dictionary: Dictionary, language: Language) -> str:
    say = speaker(language)
    lines = [f"## {say('Forms', 'Formulaires')}\n"]
    lines += [
        say(
            "| Form | Layout | One row is | Event date | Records |",
            "| Formulaire | Structure | Une ligne est | Date de l'évènement | Enregistrements |",
        )
    ]
    lines += ["|-|-|-|-|-|"]
    for form in dictionary.forms.values():
        slots = ", ".join(f"{each}?" if each in form.optional else each for each in form.slots)
        about = say(form.text, form.text_fr)
        lines += [f"| `{form.name}` | `{form.layout}` | {about} | {say(form.event, form.event_fr)} | {slots} |"]
    lines += [
        say(
            "\nA question mark: a record that is made only where the file carries a field of it.\n",
            "\nUn point d'interrogation : l'enregistrement n'est créé que si le fichier en porte un champ.\n",
        )
    ]
    return "\n".join(lines)


def record_type(told: RecordType, language: Language) -> str:
    """A record type: its fields as a table, and its pick lists."""
    say = speaker(language)
    slots = [f"`{prefix}`" for prefix in told.slots.values() if prefix]
    begin = say(" In a row its columns begin with ", " Dans une ligne, ses colonnes commencent par ")
    names = begin + say(" or ", " ou ").join(slots) + "." if slots else ""
    lines = [f"## {say(told.title, told.title_fr)} (`{told.name}`)\n", say(told.text, told.text_fr) + names + "\n"]
    lines += [
        say(
            "| Field | Required | Type | Limits | What it is | Class |",
            "| Champ | Exigence | Type | Limites | Ce que c'est | Classe |",
        )
    ]
    lines += ["|-|-|-|-|-|-|", *(_row(each, told, language) for each in told.fields)]
    picks = [each for each in told.fields if each.values]
    if picks:
        lines.append(f"\n**{say('Pick lists', 'Listes de codes')}**\n")
        lines += [_pick_list(each, language) for each in picks]
    return "\n".join(lines) + "\n"


def _row(field: Field, told: RecordType, language: Language) -> str:
    alone = len(told.slots) == 1 and told.name != HEADER
    required = ", ".join(need if alone or not who else f"{who} {need}" for who, need in field.required.items())
    cells = (f"`{field.name}`", required, kind(field, language), limits(field, language), about(field, language))
    return "| " + " | ".join(each.replace("|", "\\|") for each in (*cells, field.sensitivity)) + " |"


def kind(field: Field, language: Language) -> str:
    """Its type and unit in words."""
    apart = speaker(language)(", in ", ", en ")
    return pick(TYPES[field.type], language) + (apart + unit(field.unit, language) if field.unit else "")


def limits(field: Field, language: Language) -> str:
    """Its hard and its usual range in words."""
    say = speaker(language)

    def between(bounds: tuple[float | None, float | None]) -> str:
        low, high = bounds
        if low is None or high is None:
            return (
                say("at least", "au moins") + f" {low:g}"
                if low is not None
                else say("at most", "au plus") + f" {high:g}"
            )
        return f"{low:g} {say('to', 'à')} {high:g}"

    told = [between(field.hard)] if field.hard else []
    told += [f"{say('usually', 'habituellement')} {between(field.soft)}"] if field.soft else []
    return "; ".join(told)


def about(field: Field, language: Language) -> str:
    """Its title, its text and its place in a code system."""
    say = speaker(language)
    told = f"**{say(field.title, field.title_fr)}.** {say(field.text, field.text_fr)}"
    told += f" LOINC {field.loinc}." if field.loinc else ""
    return told + (f" {field.system}." if field.system and not field.codes else "")


def _pick_list(field: Field, language: Language) -> str:
    words = [
        f"`{code}` {speaker(language)(english, field.values_fr.get(code, ''))}"
        + (f" ({field.codes[code]})" if code in field.codes else "")
        for code, english in field.values.items()
    ]
    system = f" ({field.system})" if field.codes else ""
    return f"- `{field.name}`{system}{colon(language)} " + "; ".join(words)


def checks(told: Mapping[str, Check], language: Language) -> str:
    """The checks as a table."""
    say = speaker(language)
    lines = [
        say("| Check | Severity | Scope | Text | Fix |", "| Contrôle | Gravité | Portée | Texte | Correction |"),
        "|-|-|-|-|-|",
    ]
    lines += [
        f"| {each.id} | {pick(SEVERITY_NAMES[each.severity], language)} | {pick(SCOPE_NAMES[each.scope], language)} | "
        f"{say(each.text, each.text_fr)} | {say(each.fix, each.fix_fr)} |"
        for each in told.values()
    ]
    return "\n".join(lines) + "\n"


def _rules(rules: tuple[Rule, ...], language: Language) -> str:
    say, after = speaker(language), colon(language)
    out = [
        say(
            "A row that lacks one of a rule's fields is not evaluated by it, and is counted so.\n",
            "Une ligne à laquelle manque un champ d'une règle n'est pas évaluée par celle-ci, et est comptée ainsi.\n",
        )
    ]
    for rule in rules:
        fields = ", ".join(f"`{each}`" for each in (*rule.fields, *rule.reads))
        how = f"{pick(SEVERITY_NAMES[rule.severity], language)}, {pick(SCOPE_NAMES[rule.scope], language)}"
        window = f" ({say('window', 'fenêtre')} `{rule.window}`)" if rule.window else ""
        out += [
            f"### {rule.id} ({how}){after} {say(rule.text, rule.text_fr)}\n",
            f"- {say('Fix', 'Correction')}{after} {say(rule.fix, rule.fix_fr)}",
            f"- {say('Asked of', 'Posée à')}{after} `{rule.on}`. {say('Reads', 'Lit')}{after} {fields}",
            f"- {say('Holds', 'Condition')}{after} `{' '.join(rule.holds.split())}`{window}",
            f"- {say('Passes', 'Réussit')}{after} {'; '.join(_example(each, language) for each in rule.passes)}",
            f"- {say('Fails', 'Échoue')}{after} {'; '.join(_example(each, language) for each in rule.fails)}\n",
        ]
    return "\n".join(out)


def _example(rows: tuple[Mapping[str, object], ...], language: Language) -> str:
    joined = speaker(language)(" and ", " et ")
    return joined.join(", ".join(f"`{name}` {value}" for name, value in row.items()) for row in rows)
