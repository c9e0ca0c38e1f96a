"""Checks every row of a file against the dictionary: the same on the submitter's machine and inside the registry.

The SQL comes from plan.py. One pass over the rows makes the typed values and a bit for each thing that is wrong; what is
said about a row is then looked up for the rows with a bit set. `check` and the registry agree to the letter on row and
file rules because both call `validate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from swaddle.dictionary.model import Dictionary, Rule
from swaddle.errors import OurBug
from swaddle.intake import cast
from swaddle.intake.engine import literal
from swaddle.intake.faults import MappingFault, TooLarge
from swaddle.intake.findings import report_json, sort_key, words
from swaddle.intake.layers import BITS_A_MASK
from swaddle.intake.plan import Bit, Plan, build
from swaddle.intake.rejected import write_rejected_csv
from swaddle.intake.tables import (
    REFUSED_OVER,
    VALUE_SHOWN,
    Checked,
    Example,
    Finding,
    FindingSummary,
    Staged,
)

__all__ = ["report_json", "validate", "write_rejected_csv"]

EXAMPLES = 5


def validate(
    staged: Staged,
    dictionary: Dictionary,
    connection: duckdb.DuckDBPyConnection,
    *,
    submitter: str,
    sites: set[str] | None,
    at: datetime,
    historical: bool = False,
) -> Checked:
    """Check what `read` staged; makes checked_rows and checked_findings (intake/tables.py).

    Args:
        staged: from `read.read`, over the same connection.
        dictionary: the version that the mapping is for.
        connection: holds the staged tables.
        submitter: who sends, from the verified manifest; another one in the file is an error.
        sites: the submitter's registered sites; None (on the submitter's machine) leaves that to the registry.
        at: when; nothing after it can have happened.
        historical: births of long ago are expected.

    Raises:
        MappingFault: an expression of the mapping fails on this file.
        TooLarge: the rows do not fit in the memory that is allowed.
    """
    plan = build(
        staged.mapping,
        staged.columns,
        dictionary,
        file_digest=staged.file_digest,
        submitter=submitter,
        sites=sites,
        submitted_on=at.date(),
        historical=historical or staged.mapping.historical,
    )
    try:
        return _Check(staged, dictionary, connection, plan).run(sites_known=sites is not None)
    except duckdb.OutOfMemoryException:
        raise TooLarge("its rows do not fit in the memory that is allowed") from None


@dataclass(frozen=True)
class _Hit:
    """A kind of finding that occurred: what, where to find its lines, how often."""

    bit: Bit
    lines_sql: str
    count: int


class _Check:
    """One check of one file: the steps in order, each leaving its table."""

    def __init__(
        self, staged: Staged, dictionary: Dictionary, connection: duckdb.DuckDBPyConnection, plan: Plan
    ) -> None:
        self.staged = staged
        self.dictionary = dictionary
        self.connection = connection
        self.plan = plan

    def run(self, *, sites_known: bool) -> Checked:
        self._make_rows()
        self._make_file_hits()
        hits = self._hits()
        self._make_findings(hits)
        self._make_marks()
        self._make_view()
        self._make_words(hits)
        return self._summary(hits, sites_known=sites_known)

    def _one(self, sql: str) -> tuple[int, ...]:
        row = self.connection.execute(sql).fetchone()
        if row is None:
            raise OurBug("a count came back empty")
        return tuple(int(each or 0) for each in row)

    def _make_rows(self) -> None:
        try:
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE checked_base AS {self.plan.select}")
        except duckdb.OutOfMemoryException:
            raise
        except (duckdb.ConversionException, duckdb.BinderException, duckdb.OutOfRangeException) as error:
            if any(source.derived for source in self.staged.mapping.fields.values()):
                raise MappingFault("an expression in it does not fit the values (text and numbers mixed?)") from None
            raise OurBug(f"a check could not be made ({type(error).__name__})") from None
        self.connection.execute("INSERT INTO checked_base BY NAME SELECT line FROM staged_broken")
        (rows,) = self._one("SELECT count(*) FROM checked_base")
        if rows != self.staged.rows_read:
            raise OurBug("the rows checked are not the rows read")

    def _make_file_hits(self) -> None:
        """Lines that break a rule over the file, and rows that stand in it twice."""
        run = self.connection.execute
        run("CREATE OR REPLACE TEMP TABLE checked_file_hits (line BIGINT, id VARCHAR, field VARCHAR)")
        for rule in self.plan.file_rules:
            known = " AND ".join(f"{name} IS NOT NULL" for name in rule.fields)
            run(
                f"INSERT INTO checked_file_hits SELECT line, {literal(rule.id)}, {literal(rule.shows)} FROM "
                f"(SELECT line, ({rule.holds}) AS holds FROM checked_base WHERE {known} WINDOW {rule.window}) WHERE NOT holds"
            )
        run("CREATE OR REPLACE TEMP TABLE checked_duplicates (line BIGINT)")
        if not self.staged.mapping.keys_derived:
            content = (
                "concat_ws(chr(31), "
                + ", ".join(f"coalesce(c{n}, chr(30))" for n in range(len(self.staged.columns)))
                + ")"
            )
            run(
                "CREATE OR REPLACE TEMP TABLE checked_twice AS SELECT b.line, b.local_record_id AS key, "
                f"{content} AS content FROM checked_base b JOIN staged_raw USING (line) WHERE b.local_record_id IN "
                "(SELECT local_record_id FROM checked_base WHERE local_record_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1)"
            )
            run(
                "INSERT INTO checked_file_hits SELECT line, 'D1', 'local_record_id' FROM checked_twice WHERE key IN "
                "(SELECT key FROM checked_twice GROUP BY key HAVING count(DISTINCT content) > 1)"
            )
            run(
                "INSERT INTO checked_duplicates SELECT line FROM (SELECT line, line = min(line) OVER (PARTITION BY key) AS "
                "first FROM checked_twice) WHERE NOT first AND line NOT IN (SELECT line FROM checked_file_hits WHERE id = 'D1')"
            )
            run("DROP TABLE checked_twice")

    def _hits(self) -> list[_Hit]:
        """Every kind of finding about rows that occurred."""
        hits: list[_Hit] = []
        bits = self.plan.bits
        if bits:
            tests = ", ".join(
                f"count_if((mask{n // BITS_A_MASK} & {1 << n % BITS_A_MASK}::UBIGINT) <> 0)" for n in range(len(bits))
            )
            for n, count in enumerate(self._one(f"SELECT {tests} FROM checked_base")):
                if count:
                    hits.append(_Hit(bits[n], f"SELECT line FROM checked_base WHERE {self.plan.test([n])}", count))
        rules = {(rule.id, rule.shows): rule for rule in self.plan.file_rules}
        over_file = self.connection.execute("SELECT id, field, count(*) FROM checked_file_hits GROUP BY ALL").fetchall()
        for check, field, count in over_file:
            rule = rules.get((check, field))
            severity = rule.severity if rule else self.dictionary.checks[check].severity
            bit = Bit(id=check, severity=severity, field=field, fires="", rule=rule)
            lines = f"SELECT line FROM checked_file_hits WHERE id = {literal(check)} AND field = {literal(field)}"
            hits.append(_Hit(bit, lines, count))
        return hits

    def _tells_once(self, hit: _Hit) -> bool:
        """Whether it is told once for the file: it fires on over half of the rows and rejects none of them."""
        return hit.count * 2 > self.staged.rows_read and hit.bit.severity != "error"

    def _make_findings(self, hits: list[_Hit]) -> None:
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE checked_findings "
            "(line BIGINT, rule VARCHAR, severity VARCHAR, field VARCHAR, value VARCHAR)"
        )
        for hit in hits:
            limit = f" ORDER BY line LIMIT {EXAMPLES}" if self._tells_once(hit) else ""
            run(
                f"INSERT INTO checked_findings SELECT line, {literal(hit.bit.id)}, {literal(hit.bit.severity)}, "
                f"{literal(hit.bit.field)}, left({self._cell(hit.bit.field)}, {VALUE_SHOWN}) "
                f"FROM staged_raw WHERE line IN ({hit.lines_sql}){limit}"
            )
        run(
            "INSERT INTO checked_findings SELECT line, why, 'error', '', left(raw, ?) FROM staged_broken", [VALUE_SHOWN]
        )

    def _cell(self, field: str) -> str:
        """SQL for what the file says in a field."""
        if field == "submitter":
            place = [name.strip().casefold() for name in self.staged.columns].index("submitter")
            return f"c{place}"
        return self.plan.cells.get(field, "NULL")

    def _make_marks(self) -> None:
        """Lines that are rejected, and lines that are duplicates; most lines are neither."""
        errors = [n for n, bit in enumerate(self.plan.bits) if bit.severity == "error"]
        fatal = [rule.id for rule in self.plan.file_rules if rule.severity == "error"] + ["D1"]
        listed = ", ".join(literal(each) for each in fatal)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE checked_marks AS SELECT line, bool_or(rejected) AS rejected FROM ("
            f"SELECT line, true AS rejected FROM checked_base WHERE {self.plan.test(errors)} "
            "UNION ALL SELECT line, true FROM staged_broken "
            f"UNION ALL SELECT line, true FROM checked_file_hits WHERE id IN ({listed}) "
            "UNION ALL SELECT line, false FROM checked_duplicates) GROUP BY line"
        )

    def _make_view(self) -> None:
        columns = ["b.line", "CASE WHEN m.rejected THEN 'rejected' ELSE 'accepted' END AS verdict"]
        columns += ["coalesce(NOT m.rejected, false) AS duplicate", "b.event_first", "b.event_last"]
        carried = {each.name for each in self.plan.carried}
        for each in self.dictionary.wide_fields():
            if each.name in carried:
                columns += [f"b.{each.name}", f"CAST(b.{each.name}_missing AS VARCHAR) AS {each.name}_missing"]
            else:
                columns.append(f"CAST(NULL AS {cast.TYPES[each.field.type]}) AS {each.name}")
                columns.append(f"CASE WHEN b.mask0 IS NOT NULL THEN 'NC' END AS {each.name}_missing")
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW checked_rows_unlinked AS SELECT {', '.join(columns)} "
            "FROM checked_base b LEFT JOIN checked_marks m USING (line)"
        )
        self.connection.execute("CREATE OR REPLACE TEMP VIEW checked_rows AS FROM checked_rows_unlinked")

    def _make_words(self, hits: list[_Hit]) -> None:
        """The file's column names and the fixes of what occurred, for whoever writes the rejected rows out."""
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE checked_columns AS SELECT unnest(range(?)) AS place, unnest(?::VARCHAR[]) AS name",
            [len(self.staged.columns), list(self.staged.columns)],
        )
        run("CREATE OR REPLACE TEMP TABLE checked_fixes (rule VARCHAR, field VARCHAR, fix VARCHAR)")
        kinds = [(hit.bit.id, hit.bit.field, hit.bit.rule) for hit in hits]
        kinds += [(why, "", None) for (why,) in run("SELECT DISTINCT why FROM staged_broken").fetchall()]
        for check, field, rule in kinds:
            run(
                "INSERT INTO checked_fixes VALUES (?, ?, ?)",
                [check, field, words(self.dictionary, check, field, rule, {})[1]],
            )

    def _summary(self, hits: list[_Hit], *, sites_known: bool) -> Checked:
        rejected, duplicates = self._one("SELECT count_if(rejected), count_if(NOT rejected) FROM checked_marks")
        read = self.staged.rows_read
        return Checked(
            rows_read=read,
            accepted=read - rejected,
            rejected=rejected,
            duplicates=duplicates,
            refused=rejected > read * REFUSED_OVER,
            findings=tuple(sorted([*self._row_findings(hits), *self._file_findings(duplicates)], key=sort_key)),
            not_carried=tuple(each.name for each in self.plan.not_carried),
            not_evaluated=self._not_evaluated(),
            records=self._records(),
            kind=self.staged.mapping.name,
            title=self.staged.mapping.title,
            dictionary_version=self.dictionary.version,
            keys_derived=self.staged.mapping.keys_derived,
            columns=self.staged.columns,
            registry_only=() if sites_known else ("H2",),
        )

    def _row_findings(self, hits: list[_Hit]) -> list[FindingSummary]:
        broken = self.connection.execute("SELECT why, count(*) FROM staged_broken GROUP BY why").fetchall()
        lineless = [_Hit(Bit(id=why, severity="error", field="", fires=""), "", count) for why, count in broken]
        summaries = []
        for hit in [*hits, *lineless]:
            bit = hit.bit
            text, fix = words(self.dictionary, bit.id, bit.field, bit.rule, {})
            scope = bit.rule.scope if bit.rule else self.dictionary.checks[bit.id].scope
            summaries.append(
                FindingSummary(
                    rule=bit.id,
                    scope="file" if self._tells_once(hit) else scope,
                    severity=bit.severity,
                    count=hit.count,
                    field=bit.field,
                    text=text,
                    fix=fix,
                    examples=self._examples(bit.id, bit.field),
                )
            )
        return summaries

    def _examples(self, rule: str, field: str) -> tuple[Example, ...]:
        rows = self.connection.execute(
            "SELECT line, value FROM checked_findings WHERE rule = ? AND field = ? ORDER BY line LIMIT ?",
            [rule, field, EXAMPLES],
        ).fetchall()
        return tuple(Example(line=line, field=field, value=value) for line, value in rows)

    def _file_findings(self, duplicates: int) -> list[FindingSummary]:
        found = list(self.staged.structural)
        if self.plan.not_carried:
            found.append(Finding("NC", facts={"names": ", ".join(each.name for each in self.plan.not_carried)}))
        if duplicates:
            found.append(Finding("D2", value=str(duplicates)))
        summaries = []
        for finding in found:
            text, fix = words(self.dictionary, finding.rule, "", None, finding.facts)
            count = int(finding.value) if finding.value else 1
            severity = self.dictionary.checks[finding.rule].severity
            summary = FindingSummary(
                rule=finding.rule,
                scope="file",
                severity=severity,
                count=count,
                field="",
                text=text,
                fix=fix,
                examples=(),
            )
            if finding.rule == "D2":
                rows = self.connection.execute(
                    "SELECT line FROM checked_duplicates ORDER BY line LIMIT ?", [EXAMPLES]
                ).fetchall()
                examples = tuple(Example(line=line, field="local_record_id", value=None) for (line,) in rows)
                summary = replace(summary, examples=examples)
            summaries.append(summary)
        return summaries

    def _not_evaluated(self) -> dict[str, int]:
        """Rule to rows on which a field that it needs is missing."""
        counts: dict[str, int] = {rule.id: self.staged.rows_read for rule in self.plan.off}
        asked: list[Rule] = [*self.plan.row_rules, *self.plan.file_rules]
        if asked:
            tests = ", ".join(
                "count_if(" + (" OR ".join(f"{name} IS NULL" for name in rule.fields) or "false") + ")"
                for rule in asked
            )
            for rule, count in zip(asked, self._one(f"SELECT {tests} FROM checked_base"), strict=True):
                # A rule for mother and child is one rule: it was evaluated where either could be.
                counts[rule.id] = min(count, counts.get(rule.id, self.staged.rows_read))
        return {rule: count for rule, count in sorted(counts.items()) if count}

    def _records(self) -> dict[str, int]:
        """Records that the accepted rows make, by type. Persons and deliveries without a number count once a row."""
        carried = {each.name for each in self.plan.carried}

        def distinct(name: str) -> str:
            return f"count(DISTINCT {name}) + count_if({name} IS NULL)" if name in carried else "count(*)"

        mothers, children, deliveries, births = self._one(
            f"SELECT {distinct('mother_local_id')}, {distinct('child_local_id')}, {distinct('delivery_local_id')}, count(*) "
            "FROM checked_rows WHERE verdict = 'accepted' AND NOT duplicate"
        )
        return {"person": mothers + children, "labour_birth_mother": deliveries, "birth_child": births}
