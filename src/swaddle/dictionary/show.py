"""One thing of the dictionary in plain words: a field, a form, a record type, a check or a rule. Pure."""

from __future__ import annotations

from swaddle.dictionary.model import Dictionary, Field, Rule, WideField
from swaddle.dictionary.publish import kind, limits, speaker
from swaddle.dictionary.words import KINDS, NEEDS, SCOPE_NAMES, SEVERITY_NAMES, Language, colon, pick


def overview(dictionary: Dictionary, language: Language = "en") -> str:
    """What the dictionary has: its forms, record types and numbers."""
    say = speaker(language)
    title = say("Data dictionary, version", "Dictionnaire de données, version")
    lines = [f"{title} {dictionary.version}", "", say("Forms", "Formulaires")]
    lines += [f"  {each.layout:<22} {say(each.title, each.title_fr)}" for each in dictionary.forms.values()]
    lines += ["", say("Record types", "Types d'enregistrement")]
    fields = say("fields", "champs")
    for each in (dictionary.header, *dictionary.record_types):
        lines.append(f"  {each.name:<22} {len(each.fields):>3} {fields}  {say(each.title, each.title_fr)}")
    ids = len({each.id for each in dictionary.rules})
    rules, checks = say("rules", "règles"), say("checks of single fields and forms", "contrôles de champ et de forme")
    return "\n".join([*lines, "", f"{ids} {rules}, {len(dictionary.checks)} {checks}"])


def one(dictionary: Dictionary, name: str, language: Language = "en") -> str | None:
    """What the dictionary says of that name, or None where it has no such thing."""
    if wide := dictionary.wide().get(name):
        return _field(dictionary, wide, language)
    for form in dictionary.forms.values():
        if name == form.layout:
            return _form(dictionary, form.name, language)
    for told in (dictionary.header, *dictionary.record_types):
        if told.name == name:
            return _fields(speaker(language)(told.title, told.title_fr), list(told.fields), language)
    if name in dictionary.forms:
        return _form(dictionary, name, language)
    if check := dictionary.checks.get(name):
        say = speaker(language)
        how = f"{pick(SEVERITY_NAMES[check.severity], language)}, {pick(SCOPE_NAMES[check.scope], language)}"
        return f"{check.id} ({how})\n{say(check.text, check.text_fr)}\n{say(check.fix, check.fix_fr)}"
    rules = [each for each in dictionary.rules if each.id == name]
    return "\n\n".join(_rule(each, language) for each in rules) or None


def _field(dictionary: Dictionary, wide: WideField, language: Language) -> str:
    say, after, field = speaker(language), colon(language), wide.field
    lines = [f"{wide.name}  {say(wide.title, wide.title_fr)}", say(field.text, field.text_fr), ""]
    told = {
        say("type", "type"): kind(field, language),
        say("limits", "limites"): limits(field, language),
        say("required", "exigence"): f"{wide.required}, {pick(NEEDS[wide.required], language)}",
        say("class", "classe"): pick(KINDS[field.sensitivity], language),
        "LOINC": field.loinc,
        say("code system", "système de codes"): field.system,
        say("missing reasons", "motifs d'absence"): " ".join(field.missing),
        say("record", "enregistrement"): wide.record_type,
        say("asked by", "vérifié par"): " ".join(
            dict.fromkeys(each.id for each in dictionary.rules if wide.name in each.named)
        ),
    }
    lines += [f"  {name}{after} {value}" for name, value in told.items() if value]
    if field.values:
        width = max(len(code) for code in field.values)
        lines.append("")
        for code, words in field.values.items():
            theirs = f"  ({field.codes[code]})" if code in field.codes else ""
            lines.append(f"  {code:<{width}}  {say(words, field.values_fr.get(code, ''))}{theirs}")
    return "\n".join(lines)


def _form(dictionary: Dictionary, name: str, language: Language) -> str:
    say, form = speaker(language), dictionary.forms[name]
    lines = [f"{form.layout}  {say(form.title, form.title_fr)}", say(form.text, form.text_fr), ""]
    lines += [
        f"  {each.name:<34} {each.required}  {say(each.title, each.title_fr)}" for each in dictionary.wide_fields(name)
    ]
    return "\n".join(lines)


def _fields(title: str, fields: list[Field], language: Language) -> str:
    say = speaker(language)
    lines = [title, ""]
    for each in fields:
        required = " ".join(f"{who}={need}" if who else need for who, need in each.required.items())
        lines.append(f"  {each.name:<26} {required:<28} {say(each.title, each.title_fr)}")
    return "\n".join(lines)


def _rule(rule: Rule, language: Language) -> str:
    say, after = speaker(language), colon(language)
    how = f"{pick(SEVERITY_NAMES[rule.severity], language)}, {pick(SCOPE_NAMES[rule.scope], language)}"
    return "\n".join(
        [
            f"{rule.id} ({how})",
            say(rule.text, rule.text_fr),
            say(rule.fix, rule.fix_fr),
            f"  {say('reads', 'lit')}{after} {' '.join(rule.named)}",
            f"  {say('holds', 'condition')}{after} {' '.join(rule.holds.split())}",
        ]
    )
