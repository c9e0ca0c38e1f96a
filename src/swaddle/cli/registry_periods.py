"""`swaddle registry period | expected | report`: what counts in a period, who said so, and what was told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from swaddle.cli.registry_options import do, home_option, json_option, passphrase_option, registry_at, tell
from swaddle.cli.registry_person import key_options, sign_for

group = click.Group("period", help="Periods: open, preview, close, reopen; each step keeps a snapshot.")


@group.command()
@home_option
@click.argument("period")
@passphrase_option
@json_option
def preview(home_path: Path | None, period: str, passphrase_fd: int | None, as_json: bool) -> None:
    """What would count if PERIOD were final now."""
    tell(do(home_path, passphrase_fd, "period-step", period=period, event="preview"), as_json, step_words)


def _step(name: str, words: str) -> None:
    @group.command(name=name, help=words)
    @home_option
    @click.argument("period")
    @key_options(required=False)
    @passphrase_option
    @json_option
    def command(
        home_path: Path | None,
        period: str,
        key: Path | None,
        key_passphrase_fd: int | None,
        passphrase_fd: int | None,
        as_json: bool,
    ) -> None:
        with registry_at(home_path, passphrase_fd) as inside:
            said = inside.do("period-to-sign", period=period, event=name)
            word = sign_for(home_path, key, key_passphrase_fd, said)
            tell(inside.do("period-step", period=period, event=name, word=word), as_json, step_words)


_step(
    "close",
    "Close PERIOD: what counts now is its figures. What comes later marks it revised. Once the registry has people, one"
    " of them signs with --key.",
)
_step("reopen", "Open a closed PERIOD again; both snapshots stay. Signed like a closing.")


@group.command(name="open")
@home_option
@click.argument("period")
@passphrase_option
@json_option
def open_period(home_path: Path | None, period: str, passphrase_fd: int | None, as_json: bool) -> None:
    """Open PERIOD (2026, 2026-Q3 or 2026-10): submitters may sign it off."""
    tell(do(home_path, passphrase_fd, "period-open", period=period), as_json, period_words)


@group.command(name="list")
@home_option
@passphrase_option
@json_option
def list_periods(home_path: Path | None, passphrase_fd: int | None, as_json: bool) -> None:
    """Every period: where it is, and who signed it off."""
    result = do(home_path, passphrase_fd, "periods")
    tell(result, as_json, lambda r: "\n".join(map(period_words, r["periods"])) or "No period was opened yet.")


@group.command(name="show")
@home_option
@click.argument("snapshot")
@passphrase_option
@json_option
def show_snapshot(home_path: Path | None, snapshot: str, passphrase_fd: int | None, as_json: bool) -> None:
    """A SNAPSHOT as it was taken."""
    result = do(home_path, passphrase_fd, "snapshot", snapshot=snapshot)
    tell(result, as_json, lambda r: snapshot_words({"id": snapshot, **r}))


@click.command()
@home_option
@click.argument("period")
@click.option("--submitter", help="Its name, to note how many records it will have.")
@click.option("--form", default="birth", show_default=True, help="What is counted.")
@click.option("--number", type=click.IntRange(min=0), help="How many, by the submitter's own list.")
@passphrase_option
@json_option
def expected(
    home_path: Path | None,
    period: str,
    submitter: str | None,
    form: str,
    number: int | None,
    passphrase_fd: int | None,
    as_json: bool,
) -> None:
    """Records expected against received in PERIOD. Exit 0 also where some are missing: the numbers say it."""
    if submitter is not None and number is not None:
        result = do(home_path, passphrase_fd, "expect", name=submitter, period=period, form=form, number=number)
    else:
        result = do(home_path, passphrase_fd, "expected", period=period)
    tell(result, as_json, expected_words)


@click.command()
@home_option
@click.argument("transfer")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for its files.")
@passphrase_option
@json_option
def report(home_path: Path | None, transfer: str, out: Path, passphrase_fd: int | None, as_json: bool) -> None:
    """The report on TRANSFER byte for byte as it was issued, whatever is in the registry now."""
    result = do(home_path, passphrase_fd, "issued-report", transfer=transfer, out=str(out.resolve()))
    tell(result, as_json, lambda r: f"Issued {r['issued_at']}, sha256 {r['sha256']}.\n" + "\n".join(r["files"]))


def step_words(result: Mapping[str, Any]) -> str:
    """A period and the snapshot that a step took."""
    return period_words(result) + "\n" + snapshot_words(result["snapshot"])


def period_words(result: Mapping[str, Any]) -> str:
    """A period in lines."""
    revised = "; revised: data came after it was closed" if result["revised"] else ""
    lines = [f"{result['period']}: {result['state']}{revised}"]
    lines += [
        f"  signed off by {each['person']} ({each['role']}) of {each['name']}, {each['at']}"
        for each in result["signed_off"]
    ]
    lines += [f"  {each['act']}: {each['person']} ({each['role']}), {each['at']}" for each in result["decided_by"]]
    return "\n".join(lines)


def snapshot_words(snapshot: Mapping[str, Any]) -> str:
    """A snapshot in lines: each submitter's records."""
    lines = [f"snapshot {snapshot['id'][:16]} of {snapshot['made_at']}"]
    for each in snapshot["submitters"]:
        records = ", ".join(f"{number:,} {form}" for form, number in sorted(each["records"].items())) or "nothing"
        lines.append(f"  {each['submitter'][:8]}: {records}; {each['warnings']:,} warnings not answered")
    return "\n".join(lines)


def expected_words(result: Mapping[str, Any]) -> str:
    """Expected against received, a line each."""
    lines = [
        f"{row['name']}: {row['received']:,} {row['form']} received"
        + ("" if row["expected"] is None else f", {row['expected']:,} expected, {row['missing']:,} missing")
        for row in result["rows"]
    ]
    return "\n".join(lines) or f"Nothing was received or expected for {result['period']}."
