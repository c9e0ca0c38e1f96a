"""What becomes of the rows of a submission beside what the store holds: the table of lifecycle.py, a file at a time.

After `live`, the connection holds load_lives(line, local_record_id, content, version…, step, seq) for the rows that the
check accepted; what is to be said of a row is in checked_findings and checked_marks, so that it stands in the report
and among the rejected rows like any other finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from swaddle.dictionary.model import Dictionary
from swaddle.intake.engine import identifier, literal
from swaddle.intake.findings import sort_key, words
from swaddle.intake.summarise import EXAMPLES
from swaddle.intake.tables import REFUSED_OVER, Checked, Example, FindingSummary
from swaddle.registry.lifecycle import Sent, Step, age_sql, step_sql
from swaddle.registry.records import MISSING

KEY = "local_record_id"
# What a step is told as; the words are in the dictionary's checks. The others need no word.
TOLD: Mapping[Step, str] = {Step.LATE: "L1", Step.NOTHING_TO_VOID: "L2", Step.REVIVED: "L3"}
# How to order versions is no content: the same record under a later version is unchanged.
NO_CONTENT = frozenset({"action", "record_version"})

# The accepted rows, each with its content as one digest and what orders it.
ACCEPTED = """
create or replace temp table load_sent as
select line, {key}, {sent} as sent, {content}::uuid as content,
    {number} as version_number, {instant} as version_instant, $sent_at::timestamp as sent_at
from checked_rows where verdict = 'accepted' and not duplicate
"""
# What stands under these numbers: the latest row of each, whatever became of it.
HEADS = """
create or replace temp table load_heads as
select {key}, case when step in ('voided', 'voided before') then 'tombstone' else 'record' end as known,
    content::uuid as content, version_number, version_instant, sent_at
from clinical.stored_rows
where submitter = $submitter and form = $form and {key} in (select {key} from load_sent)
qualify row_number() over (partition by {key} order by load_id desc, seq desc) = 1
"""
BESIDE = """
create or replace temp table load_beside as
select load_sent.*, coalesce(head.known, 'nothing') as known,
    case when head.known is null then 'newer' else {age} end as age,
    coalesce(head.content = load_sent.content, false) as same,
    count(*) over (partition by {key}) > 1 as several
from load_sent left join load_heads head using ({key})
"""
# A file may hold several versions of one record: each is judged beside the one before it, late ones set aside.
STEPS = """
create or replace temp table load_lives as
with alone as (
    select *, 0 as seq from load_beside where not several or age = 'older'
), ordered as (
    select *, row_number() over versions as seq, lag(sent) over versions as sent_before,
        lag(content) over versions as content_before,
        count(*) filter (sent = 'record') over (versions rows between unbounded preceding and 1 preceding) as records
    from load_beside where several and age = 'newer'
    window versions as (partition by {key} order by version_number nulls first, version_instant nulls first, line)
), together as (
    select * exclude (sent_before, content_before, records) replace (
        case when sent_before is null or (known = 'nothing' and records = 0) then known
            when sent_before = 'void' then 'tombstone' else 'record' end as known,
        case when sent_before is null then same else content_before = content end as same)
    from ordered
    union all by name from alone
)
select * exclude (known, age, same, several), known = 'nothing' as is_first, age, {step} as step from together
"""


@dataclass(frozen=True, kw_only=True)
class Life:
    """What became of the accepted rows."""

    steps: Mapping[str, int]

    def of(self, step: Step) -> int:
        """Rows that took this step."""
        return self.steps.get(step.value, 0)


def live(
    connection: duckdb.DuckDBPyConnection,
    *,
    submitter: str,
    form: str,
    carried: Iterable[str],
    sent_at: datetime,
) -> Life:
    """Find what becomes of each accepted row; makes load_lives.

    Args:
        connection: a cursor of the store in which `validate` and `link` ran.
        submitter: whose records these are; nobody else's are looked at.
        form: what a row of the file is.
        carried: wide fields that the layout holds.
        sent_at: when the sender sealed the file; it orders versions that state none.
    """
    carried = tuple(carried)
    has = set(carried)
    version = "record_version::varchar" if "record_version" in has else "null::varchar"
    connection.execute(
        ACCEPTED.format(
            key=KEY,
            sent=f"case when action = '{Sent.VOID.value}' then 'void' else 'record' end"
            if "action" in has
            else "'record'",
            content=digest(name for name in carried if name not in NO_CONTENT),
            number=f"try_cast({version} as bigint)",
            instant=f"try_cast({version} as timestamp)",
        ),
        {"sent_at": sent_at.astimezone(UTC).replace(tzinfo=None)},
    )
    connection.execute(HEADS.format(key=KEY), {"submitter": submitter, "form": form})
    connection.execute(BESIDE.format(key=KEY, age=age_sql("head", "load_sent")))
    connection.execute(STEPS.format(key=KEY, step=step_sql("known", "sent", "age", "same")))
    for table in ("load_sent", "load_heads", "load_beside"):
        connection.execute(f"drop table {table}")
    counted = connection.execute("select step, count(*) from load_lives group by step").fetchall()
    return Life(steps=dict(counted))


def told(connection: duckdb.DuckDBPyConnection, checked: Checked, dictionary: Dictionary, life: Life) -> Checked:
    """What was found, with what only the store could tell; the tables of the check say the same."""
    findings = list(checked.findings)
    for step, check in TOLD.items():
        count = life.of(step)
        if not count:
            continue
        about = dictionary.checks[check]
        text, fix = words(dictionary, check, KEY, None, {})
        text_fr, fix_fr = words(dictionary, check, KEY, None, {}, "fr")
        lines = f"select line from load_lives where step = {literal(step.value)}"
        connection.execute(
            f"insert into checked_findings select line, {literal(check)}, {literal(about.severity)}, '{KEY}', {KEY}"
            f" from load_lives where line in ({lines})"
        )
        connection.execute("insert into checked_fixes values (?, ?, ?, ?)", [check, KEY, text, fix])
        if about.severity == "error":
            connection.execute(f"insert into checked_marks select line, true from ({lines})")
        shown = connection.execute(
            f"select line, {KEY} from load_lives where line in ({lines}) order by line limit ?", [EXAMPLES]
        ).fetchall()
        findings.append(
            FindingSummary(
                rule=check, scope=about.scope, severity=about.severity, count=count, field=KEY, text=text, fix=fix,
                text_fr=text_fr, fix_fr=fix_fr,
                examples=tuple(Example(line=line, field=KEY, value=key) for line, key in shown),
            )
        )  # fmt: skip
    rejected = checked.rejected + life.of(Step.NOTHING_TO_VOID)
    return replace(
        checked,
        findings=tuple(sorted(findings, key=sort_key)),
        accepted=checked.rows_read - rejected,
        rejected=rejected,
        refused=checked.refused or rejected > checked.rows_read * REFUSED_OVER,
    )


def digest(names: Iterable[str]) -> str:
    """SQL: one digest over fields; a missing value is told apart from an empty one, and by its reason."""
    parts = [f"coalesce({identifier(n)}::varchar, chr(1) || {identifier(n + MISSING)}, chr(1))" for n in names]
    return f"md5(concat_ws({', '.join(['chr(31)', 'chr(2)', *parts])}))"
