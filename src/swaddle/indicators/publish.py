"""The page docs/indicators.md, made from the definitions; a test compares, so it cannot fall behind.

Pure but for the definitions it is given.
"""

from __future__ import annotations

from collections.abc import Sequence

from swaddle.indicators.definitions import FIELDS, Definition, Example

_OUTCOME = {"counts": "counts", "placed": "placed, does not count", "unknown": "unknown", "out": "left out"}
_DIRECTION = {
    "lower": "lower is better, other things equal",
    "higher": "higher is better, other things equal",
    "context": "neither high nor low is better by itself",
}

INTRODUCTION = """\
# Indicators

<!-- Made by `python -m swaddle.indicators.publish > docs/indicators.md`; tests/unit/indicators compares. -->

Each indicator is one file in `src/swaddle/indicators/v1/`: what is counted, of what, in SQL of three values and in
words, and ten made-up births that say what becomes of each. The ten births are the indicator's test.

A birth is in the denominator, out of it, or *unknown*: a field that should have answered is missing. An unknown
birth is counted as unknown, under the first field that is missing, and never read as No. A birth known to be out is
out, whatever else is missing. When a field that an indicator needs is `NC` (not carried by the layout) for every
birth of the submitter, the indicator is not answered, and the report says which field is the reason.

Shares have 95 % Wilson intervals. A difference from the others is called only when the Newcombe interval of the
difference leaves zero out and both sides have ten births. No target or threshold is shown: none has a verified
source.

## Other hospitals

"Others" are all other submitters together, births of the same years as one's own. Own figures are shown in full.
About others:

- a count of 1 to 5 is hidden (threshold 6, a habit of Ontario, no verified source), and so are its complement of 1
  to 5, a denominator of 1 to 5, and with them the rate, the interval, the size and the contributions;
- in a table of groups, further groups are hidden until no hidden group can be computed from the total, nor from
  another indicator that is a part of it (NTSV is Robson 1, 2a and 2b), and until what is hidden adds up to no small
  number itself;
- two indicators, one inside the other, may not differ by 1 to 5 births: the narrower one then loses its unknowns,
  or is hidden.

Not covered: two reports of different days subtracted from each other, and hospitals that put their own figures
together.

## What is read

One relation `births`, a row for each child: `submitter`, `source` (the layout), `transfer`, `event_year`, and each
of these with a column `…_missing` that holds the missing reason:

"""


def page(definitions: Sequence[Definition]) -> str:
    """The whole page."""
    fields = "\n".join(f"- `{name}`: {text}" for name, text in FIELDS.items())
    return INTRODUCTION + fields + "\n" + "".join(_section(item) for item in definitions)


def _section(item: Definition) -> str:
    lines = [
        f"\n## {item.title}\n",
        f"{item.question}\n",
        f"- **Of** {item.of}",
        f"- **Counted** {item.counted}",
        f"- **Left out** {item.left_out}",
        f"- **Needs** {', '.join(f'`{name}`' for name in item.needs)}",
        f"- **Direction** {_DIRECTION[item.direction]}",
        f"- **Source** {item.source}\n",
        f"{item.words}\n",
        "```sql",
        f"-- denominator\n{item.denominator}",
        f"-- numerator\n{item.numerator}",
        *(f"-- {band.label}\n{band.holds}" for band in item.bands),
        *((f"-- group\n{item.partition}",) if item.partition else ()),
        "```\n",
    ]
    if item.groups:
        lines += ["| Group | |", "|---|---|", *(f"| {name} | {label} |" for name, label in item.groups.items()), ""]
    return "\n".join([*lines, *_worked(item)]) + "\n"


def _worked(item: Definition) -> list[str]:
    counts, placed, unknown = (
        sum(row.outcome == name for row in item.examples) for name in ("counts", "placed", "unknown")
    )
    of = counts + placed
    return [
        "Worked example:\n",
        f"| {' | '.join(f'`{name}`' for name in item.needs)} | Group | Becomes | Why |",
        "|" + "---|" * (len(item.needs) + 3),
        *(_birth(item, row) for row in item.examples),
        "",
        f"{counts} of {of}, {unknown} unknown, {len(item.examples) - of - unknown} left out.",
    ]


def _birth(item: Definition, row: Example) -> str:
    values = " | ".join(str(row.birth.get(name, "")) for name in item.needs)
    group = "" if row.group == "all" else row.group
    return f"| {values} | {group} | {_OUTCOME[row.outcome]} | {row.why} |"


if __name__ == "__main__":
    import sys

    from swaddle.indicators.definitions import load

    sys.stdout.write(page(load()))
