"""Indicators on demand over the store: what counts now, with the moment, the dictionary and the last load beside it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from swaddle.canonical import format_instant
from swaddle.indicators.definitions import strata
from swaddle.indicators.model import Language
from swaddle.indicators.running import run
from swaddle.indicators.shelf import FOLDER, NoSuchSplit, shelf
from swaddle.registry import snapshots, units
from swaddle.registry import told as told_before
from swaddle.registry.inside import Registry


def count(
    inside: Registry,
    *,
    indicators: Sequence[str] = (),
    submitter: str | None = None,
    by: str | None = None,
    period: str | None = None,
    language: Language = "en",
) -> dict[str, Any]:
    """Count indicators: of one submitter in full, or of all together with small numbers hidden.

    What is told of all together is remembered, and laid beside the next: two runs a week apart would give one birth
    away. Where only a few came or went, what was told before is told again.

    Raises:
        IndicatorUnknown, NoSuchSplit: there is none of that name.
        BadDefinition: the indicator's records have not the fields of the split.
    """
    there = shelf(inside.home / FOLDER)
    chosen = tuple(there.of(each) for each in indicators) or there.definitions
    if by is not None:
        if by not in strata():
            raise NoSuchSplit
        chosen = chosen if indicators else tuple(item for item in chosen if by in item.stratifiers)
    known = None if submitter is None else inside.state.submitter_named(submitter) or inside.state.submitter(submitter)
    at = format_instant(inside.now())
    with closing(inside.store.cursor()) as tables:
        for name in units.RELATIONS:
            where = f" where {snapshots.in_period(period)}" if period else ""
            tables.execute(
                f"create or replace temp view {name} as select * from"
                f" ({units.relation(name, inside.store.placement)}){where}"
            )
        told = run(
            tables,
            chosen,
            policy=told_before.policy_of(inside.settings),
            at=at,
            submitter=None if submitter is None else (known.id if known else submitter),
            by=by,
            language=language,
            period=period or "",
            earlier={} if submitter else told_before.earlier(inside, told_before.EVERYBODY),
            tell=lambda tables: told_before.remember_tables(inside, told_before.EVERYBODY, tables),
        )
    return {
        "as_of": at,
        "dictionary": inside.store.dictionary.version,
        "until_load": snapshots.last_load(inside.store),
        "snapshot": snapshots.state_of(inside.store),
        "submitter": known.id if known else submitter,
        "period": period,
        "by": by,
        "left_out": [{"file": each.file, "reason": each.reason} for each in there.left_out],
        "indicators": told,
    }
