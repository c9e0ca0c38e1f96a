"""Rows that break a rule each, as real submitters break them: swapped, pasted, mistyped, in the wrong unit.

Who the rows are about stays as it was, so that what was sent can still be named; only what is said of them is wrong.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from random import Random

from swaddle.demo.layout import Row

SHARE = 0.05

# Rule of the dictionary, and what is written in place of what was right. Each alone makes the row an error.
BREAKS: tuple[tuple[str, Callable[[Row], Row]], ...] = (
    ("X2", lambda row: {"mother_hcn": row["mother_hcn"][:9], "mother_hcn_authority": "ON"}),
    ("X3", lambda row: {"child_hcn": row["mother_hcn"], "child_hcn_authority": "ON", "child_no_hcn_reason": ""}),
    ("X5", lambda row: {"admit_dt": f"{int(row['event_date'][:4]) + 1}{row['event_date'][4:10]}"}),
    ("X5b", lambda row: {"mother_birth_date": row["event_date"][:10]}),
    ("X6", lambda row: {"event_date": f"20{90 - int(row['event_date'][2:4])}{row['event_date'][4:]}"}),
    ("X9", lambda row: {"ga_weeks": "4", "ga_days": row["ga_days"]}),
    ("X13", lambda _: {"outcome": "stillbirth_unknown", "apgar1": "8", "apgar5": "9"}),
    ("X17", lambda _: {"para": "0", "previous_cs": "1"}),
    ("X18", lambda _: {"para": "1", "previous_cs": "3", "gravida": "4"}),
    ("X24", lambda _: {"birth_type": "caesarean", "cs_type": "unplanned", "perineum": "NA", "episiotomy": "midline"}),
    ("X25", lambda _: {"birth_type": "vaginal", "cs_type": "planned", "onset_labour": "spontaneous"}),
    ("X26", lambda _: {"onset_labour": "no_labour_cs", "birth_type": "vaginal", "cs_type": "NA"}),
    ("X33", lambda _: {"birth_type": "caesarean", "cs_type": "unplanned", "perineum": "fourth", "episiotomy": "none"}),
    ("F1", lambda _: {"child_sex": ""}),
    ("F2", lambda row: {"mother_birth_date": f"31/02/{row['mother_birth_date'][:4]}"}),
    ("F3", lambda _: {"presentation": "feet first"}),
    ("F4", lambda _: {"apgar5": "11"}),
    ("F6", lambda row: {"birth_weight_g": f"{int(row['birth_weight_g']) / 453.6:.1f}"}),  # pounds
    ("F7", lambda _: {"birth_weight_g": "9999"}),
)


def break_some(rows: list[Row], seed: int) -> dict[int, str]:
    """Break 5 % of `rows` where they stand; which rows (from 0) break which rule.

    A row whose mother has no card is not chosen, since two of the breaks need the number.
    """
    rng = Random(f"{seed}/broken")  # noqa: S311  seeded on purpose: nothing secret is drawn
    may_be = [place for place, row in enumerate(rows) if row["mother_hcn"].isdigit()]
    chosen = sorted(rng.sample(may_be, round(SHARE * len(rows))))
    broken = {}
    for turn, place in enumerate(chosen):
        rule, wrong = BREAKS[turn % len(BREAKS)]
        rows[place].update(wrong(rows[place]))
        broken[place] = rule
    return broken


def picture(side: int = 96) -> bytes:
    """A small true PNG: what somebody sends who picked the wrong file."""
    pixels = b"".join(b"\0" + bytes(value for x in range(side) for value in (x * 2, y * 2, 160)) for y in range(side))
    header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    body = b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
