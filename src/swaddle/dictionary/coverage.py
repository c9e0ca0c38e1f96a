"""What the rules cover, as a table: each rule with its severity, where it is asked and over what, and its cases.

Pure. Stands in docs/guide-rules.md, written by tools/pages.py.
"""

from __future__ import annotations

from swaddle.dictionary.lint import COUNT
from swaddle.dictionary.model import HEADER, Dictionary, Rule, Severity

_HEADINGS = ("rule", "severity", "asked of", "in one row of", "over records found", "cases", "what is said")
SHOWN = 2  # forms that are named; more are "every form"
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "review", "info")


def table(dictionary: Dictionary) -> str:
    """The rules in Markdown: a count by severity and scope, then a line for each rule."""
    return "\n".join([*_counts(dictionary), "", *_lines(dictionary)])


def _counts(dictionary: Dictionary) -> list[str]:
    """How many rules of each severity and scope; one for several persons counts once."""
    columns = ("one row", "row, or records found", "rows of a file", "registry alone")
    lines = [f"| severity | {' | '.join(columns)} |", "|-" * (len(columns) + 1) + "|"]
    once = {rule.id: rule for rule in dictionary.rules}.values()
    for severity in _SEVERITIES:
        told = [_where(rule, dictionary) for rule in once if rule.severity == severity]
        lines.append(f"| {severity} | {' | '.join(str(told.count(each)) for each in columns)} |")
    return lines


def _where(rule: Rule, dictionary: Dictionary) -> str:
    if rule.scope == "registry":
        return "registry alone"
    if rule.window:
        return "rows of a file"
    return "row, or records found" if _beyond(rule, dictionary) else "one row"


def _lines(dictionary: Dictionary) -> list[str]:
    told: dict[str, list[Rule]] = {}
    for rule in dictionary.rules:
        told.setdefault(rule.id, []).append(rule)
    lines = [f"| {' | '.join(_HEADINGS)} |", "|-" * len(_HEADINGS) + "|"]
    for name in sorted(told, key=_by_number):
        rules = told[name]
        first = rules[0]
        cases = f"{sum(len(rule.passes) for rule in rules)} pass, {sum(len(rule.fails) for rule in rules)} fail"
        asked = ", ".join(dict.fromkeys(rule.on for rule in rules))
        cells = (name, first.severity, asked, _forms(first, dictionary), _found(first, dictionary), cases, first.text)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _by_number(name: str) -> tuple[int, str]:
    digits = "".join(each for each in name if each.isdigit())
    return int(digits or 0), name


def _forms(rule: Rule, dictionary: Dictionary) -> str:
    """The forms whose row holds all that the rule reads."""
    if rule.scope == "registry":
        return "registry alone" + (f", after {rule.after_days} days" if rule.after_days is not None else "")
    forms = _asked(rule, dictionary)
    whole = [name for name in forms if set(rule.named) <= set(dictionary.wide(name))]
    if whole == forms and len(forms) > SHOWN:
        return "every form that has it"
    return ", ".join(whole) + (" (rows of one file together)" if rule.window else "")


def _found(rule: Rule, dictionary: Dictionary) -> str:
    """The slots whose records are looked up where a row does not hold them."""
    return ", ".join(_beyond(rule, dictionary))


def _asked(rule: Rule, dictionary: Dictionary) -> list[str]:
    return [name for name, form in dictionary.forms.items() if rule.on in {HEADER, *form.slots}]


def _beyond(rule: Rule, dictionary: Dictionary) -> list[str]:
    wide = dictionary.wide()
    slots = [wide[name].slot if name in wide else name.removesuffix(COUNT) for name in rule.named]
    return [slot for slot in dict.fromkeys(slots) if slot not in {HEADER, rule.on, "mother", "child", "person"}]
