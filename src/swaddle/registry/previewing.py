"""What a version of the dictionary would say of last month's data: the same rows, checked by today's version and by it.

The rows that were stored are written out again as the plain layout of their form and checked twice, rules over one row
and over one file; nothing of the store changes. Rows that were rejected are not in the store and so not in the preview;
rules that look records up are not asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from swaddle.dictionary import versions
from swaddle.dictionary.compare import compare
from swaddle.dictionary.model import HEADER, PERSONS, Dictionary, WideField
from swaddle.intake.engine import identifier, literal
from swaddle.intake.mapping import Mapping as Layout
from swaddle.intake.mapping import Source
from swaddle.intake.tables import Checked, Staged
from swaddle.intake.validate import validate
from swaddle.registry.inside import Registry
from swaddle.registry.records import DELIVERY, MISSING, TABLES
from swaddle.registry.store import Store
from swaddle.registry.store_tables import bare
from swaddle.registry.views import current

NO_DIGEST = "0" * 64  # the rows have their own numbers: nothing is derived from a file
DAYS = 31
_ORDER = ("error", "warning", "review", "info")


@dataclass(frozen=True)
class Group:
    """Rows of one submitter, form and layout: what is checked together, as a file would be."""

    submitter: str
    form: str
    not_carried: frozenset[str]
    loads: tuple[int, ...]


@dataclass
class Tally:
    """What one version said of all groups."""

    rejected: int = 0
    refused: list[str] = field(default_factory=list)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    words: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def add(self, submitter: str, checked: Checked) -> None:
        """Count what was found in one group."""
        self.rejected += checked.rejected
        if checked.refused and submitter not in self.refused:
            self.refused.append(submitter)
        for each in checked.findings:
            self.found[each.rule, each.field] += each.count
            self.words[each.rule, each.field] = (each.severity, each.text)


def preview(inside: Registry, version: str, days: int = DAYS) -> dict[str, Any]:
    """What `version` would say of the rows that came in the last `days` days, beside what today's says.

    Raises:
        VersionUnknown: there is no such version.
        DictionaryUnusable: its files contradict themselves.
    """
    store = inside.store
    current_one = versions.of(versions.shipped()[-1])
    next_one = versions.of(version, inside.home / versions.FOLDER)
    at = inside.now()
    today, then, rows, lost = Tally(), Tally(), 0, []
    names = {each.id: each.name for each in inside.state.submitters()}
    with closing(store.cursor()) as tables:
        for group in groups(tables, at - timedelta(days=days)):
            name = names.get(group.submitter, group.submitter)
            if group.form not in next_one.forms or group.form not in current_one.forms:
                lost.append(group.form)
                continue
            rows += write_out(tables, store, group)
            today.add(name, check(tables, current_one, store.dictionary, group, at))
            then.add(name, check(tables, next_one, store.dictionary, group, at))
    return {
        "version": version,
        "beside": current_one.version,
        "days": days,
        "rows": rows,
        "rejected": then.rejected,
        "rejected_today": today.rejected,
        "refused": then.refused,
        "forms_lost": sorted(set(lost)),
        "findings": list(_findings(today, then)),
        "changes": sum(not each.only_words for each in compare(current_one, next_one)),
    }


def groups(tables: duckdb.DuckDBPyConnection, since: datetime) -> list[Group]:
    """The loads since then that still have rows that count, by submitter, form and what their layout lacks."""
    found = tables.execute(
        "select submitter, form, not_carried, list(load_id order by load_id) from clinical.loads"
        f" where loaded_at >= ? and load_id in (select load_id from {current()}) group by all order by all",
        [since.astimezone(UTC).replace(tzinfo=None)],
    ).fetchall()
    return [Group(submitter, form, frozenset(lacking or ()), tuple(loads)) for submitter, form, lacking, loads in found]


def write_out(tables: duckdb.DuckDBPyConnection, store: Store, group: Group) -> int:
    """The group's rows as their submitter could have written them, as staged_raw; how many."""
    cells = [f"{_text(each)} as c{n}" for n, each in enumerate(carried(store.dictionary, group))]
    slots = store.dictionary.forms[group.form].slots
    kinds = (store.dictionary.slots()[slot][0].name for slot in slots)
    types = dict.fromkeys(TABLES[each] for each in kinds if each in TABLES)
    sql = (
        f"select row_number() over (order by kept.load_id, kept.line) as line, {', '.join(cells)} from {current()} kept"
    )
    sql += " left join identifiers.records told on (told.load_id, told.line) = (kept.load_id, kept.line)"
    for slot in slots:
        if slot in PERSONS:
            sql += (
                f" left join identifiers.persons {slot} on ({slot}.load_id, {slot}.line, {slot}.role)"
                f" = (kept.load_id, kept.line, {literal(slot)})"
            )
    for table in types:
        line = "kept.delivery_line" if table == TABLES[DELIVERY] else "kept.line"
        sql += f" left join clinical.{table} on ({table}.load_id, {table}.line) = (kept.load_id, {line})"
    loads = ", ".join(str(int(each)) for each in group.loads)
    tables.execute(f"create or replace temp table staged_raw as {sql} where kept.load_id in ({loads})")
    tables.execute("create or replace temp table staged_broken (line bigint, why varchar, raw varchar)")
    found = tables.execute("select count(*) from staged_raw").fetchone()
    assert found is not None
    return int(found[0])


def carried(dictionary: Dictionary, group: Group) -> list[WideField]:
    """The fields that the group's layout carries."""
    return [each for each in dictionary.wide_fields(group.form) if each.name not in group.not_carried]


def check(
    tables: duckdb.DuckDBPyConnection, dictionary: Dictionary, written: Dictionary, group: Group, at: datetime
) -> Checked:
    """What a version says of the rows that `write_out` wrote by the version `written`."""
    form = dictionary.forms[group.form]
    columns = tuple(each.name for each in carried(written, group))
    wide = dictionary.wide(group.form)
    keys = {each.name for each in wide.values() if each.required == "K" and each.slot == HEADER}
    layout = Layout(
        name=form.layout,
        title=form.title,
        dictionary=dictionary.version,
        form=form.name,
        recognise=(),
        fields={name: Source(column=name, optional=name not in keys) for name in wide},
        not_carried=frozenset(),
        historical=True,  # how old a row is was judged when it came
    )
    found = tables.execute("select count(*) from staged_raw").fetchone()
    assert found is not None
    staged = Staged(
        mapping=layout,
        rows_read=int(found[0]),
        columns=columns,
        structural=(),
        file_digest=NO_DIGEST,
        format="csv",
        encoding=layout.encoding,
    )
    return validate(staged, dictionary, tables, submitter=None, sites=None, at=at)


def _text(each: WideField) -> str:
    """SQL of a field's value as a file writes it: its missing reason where it has one."""
    direct = each.field.sensitivity == "D"
    if each.slot in PERSONS:
        source = (each.slot, bare(each.name, f"{each.slot}_")) if direct else ("kept", each.name)
    elif each.slot == HEADER:
        source = ("told" if direct else "kept", each.name)
    else:
        source = ("told" if direct else TABLES[each.record_type], each.name)
    value, reason = (f"{source[0]}.{identifier(name)}" for name in (source[1], source[1] + MISSING))
    mark = "'?' || " if each.field.type == "name" else ""
    told = {
        "date": f"strftime({value}, '%Y-%m-%d')",
        "datetime": f"strftime({value}, '%Y-%m-%dT%H:%M:%S')",
        "yesno": f"case when {value} then 'Y' when not {value} then 'N' end",
    }.get(each.field.type, f"cast({value} as varchar)")
    return f"coalesce({told}, {mark}nullif(cast({reason} as varchar), 'NC'))"


def _findings(today: Tally, then: Tally) -> Iterator[Mapping[str, Any]]:
    """What is found more often or less often, errors first, the greatest difference before others."""
    words = today.words | then.words
    moved = [each for each in words if then.found[each] != today.found[each]]
    moved.sort(key=lambda each: (_ORDER.index(words[each][0]), -abs(then.found[each] - today.found[each])))
    for each in moved:
        (rule, name), (severity, text) = each, words[each]
        counts = {"count": then.found[each], "count_today": today.found[each]}
        yield {"rule": rule, "field": name, "severity": severity, "text": text, **counts}
