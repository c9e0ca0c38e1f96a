"""A quality report as a terminal prints it, in English or in French: what needs somebody; nothing where all is well.

The words of a finding are the report's own: `check` and the registry say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from swaddle.cli.submitter_words import plain

if TYPE_CHECKING:
    from swaddle.dictionary.words import Language

MOST_FINDINGS = 20
MOST_EXAMPLES = 2
SAID: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "refused": "the registry would refuse this file: more rows than it allows have errors",
        "registry only": "rules that need other files or earlier years are asked by the registry only",
        "whole": "the whole report",
        "rows": "rows",
        "read": "read",
        "good": "good",
        "stored": "stored",
        "rejected": "rejected",
        "duplicates": "repeated",
        "error": "error",
        "warning": "warning",
        "review": "review",
        "info": "info",
        "fix": "fix",
        "blank": "(blank)",
        "line": "line",
        "row": "row",
        "record": "record",
        "message": "message",
        "entry": "entry",
        "more": "and {number} more kinds of finding; --json names them all",
        "answered": "{number} were answered before and are not asked again",
        "files": "files: {number}, of which {good} were taken in without a rejected row",
        "rows rejected": "{rejected} of {read} rows rejected",
        "more files": "and {number} more; report.json names them all",
        "life": "of records known before",
        "replaced": "{number} replaced",
        "unchanged": "{number} unchanged",
        "late": "{number} older than what is held, set aside",
        "voided": "{number} taken back",
        "voided before": "{number} taken back before",
        "revived": "{number} sent again after they were taken back",
        "nothing to void": "{number} to be taken back, but not there",
    },
    "fr": {
        "refused": "le registre refuserait ce fichier : trop de lignes comportent une erreur",
        "registry only": "les règles qui demandent d'autres fichiers ou d'autres années relèvent du seul registre",
        "whole": "le rapport complet",
        "rows": "lignes",
        "read": "lues",
        "good": "bonnes",
        "stored": "enregistrées",
        "rejected": "rejetées",
        "duplicates": "répétées",
        "error": "erreur",
        "warning": "avertis.",
        "review": "examen",
        "info": "info",
        "fix": "correction",
        "blank": "(vide)",
        "line": "ligne",
        "row": "ligne",
        "record": "enregistrement",
        "message": "message",
        "entry": "entrée",
        "more": "et {number} autres sortes de constats; --json les nomme toutes",
        "answered": "{number} ont déjà leur réponse et ne sont plus demandés",
        "files": "fichiers : {number}, dont {good} acceptés sans ligne rejetée",
        "rows rejected": "{rejected} lignes rejetées sur {read}",
        "more files": "et {number} autres; report.json les nomme tous",
        "life": "d'enregistrements déjà connus",
        "replaced": "{number} remplacées",
        "unchanged": "{number} sans changement",
        "late": "{number} plus anciennes que ce qui est conservé, écartées",
        "voided": "{number} retirées",
        "voided before": "{number} déjà retirées",
        "revived": "{number} renvoyées après avoir été retirées",
        "nothing to void": "{number} à retirer, mais absentes",
    },
}
_STEPS = ("replaced", "unchanged", "late", "voided", "voided before", "revived", "nothing to void")


def is_well(answer: Mapping[str, Any]) -> bool:
    """Whether nothing of a file needs anybody: nothing rejected, nothing asked."""
    rows = answer["rows"]
    needs = any(found["severity"] != "info" for found in answer["findings"])
    files = any(file["outcome"] != "stored" for file in answer.get("files", ()))
    return bool(rows["read"]) and not (rows["rejected"] or answer.get("refused") or needs or files)


def report(answer: Mapping[str, Any], name: str, *, is_check: bool = False, language: Language = "en") -> str:
    """A quality report: rows, then findings. Before sending nothing is stored yet: the rows only could be.

    A checked file of which all is well is not spoken of: the text is empty.
    """
    if is_check and is_well(answer):
        return ""
    say = SAID[language]
    rows = answer["rows"]
    told = {"read": "read", "stored": "good" if is_check else "stored", "rejected": "rejected"}
    told["duplicates"] = "duplicates"
    counts = ", ".join(f"{rows[key]:,} {say[word]}" for key, word in told.items() if key in rows)
    between = " : " if language == "fr" else ": "
    lines = [plain(name), f"{say['rows']}{between}{counts}", *_life(answer, language)]
    findings = answer["findings"]
    for found in findings[:MOST_FINDINGS]:
        text, fix = ((language == "fr" and found.get(f"{part}_fr")) or found[part] for part in ("text", "fix"))
        lines.append(f"{say[found['severity']]:8} {found['rule']:6} {found['count']:>8,}  {plain(text)}")
        lines.append(f"{'':25}{say['fix']}{between}{plain(fix)}")
        lines += [_place(at, answer, language) for at in found["examples"][:MOST_EXAMPLES]]
    if len(findings) > MOST_FINDINGS:
        lines.append(say["more"].format(number=len(findings) - MOST_FINDINGS))
    if answer.get("answered_before"):
        lines.append(say["answered"].format(number=f"{answer['answered_before']:,}"))
    return "\n".join([*lines, *_files(answer.get("files", ()), language)])


def _life(answer: Mapping[str, Any], language: Language) -> list[str]:
    """What became of rows whose records were known before."""
    life, say = answer.get("life", {}), SAID[language]
    told = [say[step].format(number=f"{life[step]:,}") for step in _STEPS if life.get(step)]
    return [f"{say['life']}{' : ' if language == 'fr' else ': '}{', '.join(told)}"] if told else []


def _place(at: Mapping[str, Any], answer: Mapping[str, Any], language: Language) -> str:
    """Where an example stands, and its value."""
    say = SAID[language]
    where = str(at.get("where") or answer.get("where", "line"))
    value = say["blank"] if at["value"] is None else plain(at["value"])
    between = " : " if language == "fr" else ": "
    file = f"{plain(at['file'])}, " if at.get("file") else ""
    return f"{'':25}{file}{say.get(where, where)} {at['line']}, {plain(at['field'])}{between}{value}"


def _files(files: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    """The files of a folder that need somebody, and how many there were."""
    wanting = [file for file in files if file["outcome"] != "stored" or file["rows"]["rejected"]]
    if not files:
        return []
    say = SAID[language]
    lines = [say["files"].format(number=f"{len(files):,}", good=f"{len(files) - len(wanting):,}")]
    for file in wanting[:MOST_FINDINGS]:
        counts = {name: f"{file['rows'][name]:,}" for name in ("rejected", "read")}
        why = plain((file["reason"] or {}).get("why", ""))
        told = why if file["outcome"] != "stored" else say["rows rejected"].format(**counts)
        lines.append(f"    {plain(file['name'])}: {told}")
    if len(wanting) > MOST_FINDINGS:
        lines.append("    " + say["more files"].format(number=f"{len(wanting) - MOST_FINDINGS:,}"))
    return lines
