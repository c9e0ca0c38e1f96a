"""What a person sees of the demo: phases while it runs, and at its end what was shown and what was not.

On a terminal in colour with moving bars; anywhere else plain lines, one to a phase, so that a log reads well.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from textwrap import wrap

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from swaddle.demo.outcome import Incident, Outcome, sought_in_words
from swaddle.demo.raid import Found

_BAR = 24
_WIDTH = 80
_HEADING = "bold cyan"

Tell = Callable[[str], None]


class Screen:
    """Draws on one console; `phase` while the demo runs, `end` once."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`."""
        self._console = console
        self._progress: Progress | None = None

    def begin(self, outcome: Outcome, places: int) -> None:
        """The first lines: what this is, and whose births."""
        self._line(
            ("Swaddle demo", "bold"),
            f"  one gateway, one registry, {_count(places)} submitters, real TLS, on this machine",
        )
        if outcome.synthetic:
            words = f"Synthetic births, seed {outcome.seed}. Nobody in them is real."
        else:
            words = (
                f"Births published by NCHS, dealt to {_count(places)} made-up sites by a hash, seed {outcome.seed}; "
                "one made-up file goes along."
            )
        self._line((words, "dim"))
        if outcome.missing_sources:
            self._line((f"Not there, so left out: {', '.join(outcome.missing_sources)}.", "yellow"))
        self._line()

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[Tell]:
        """A bar that moves while the block runs; the block tells what came of it."""
        said = [""]
        began = time.monotonic()

        def tell(words: str) -> None:
            said[0] = words

        if not self._console.is_terminal:
            yield tell
            self._line(f"  {name:<9} done {time.monotonic() - began:6.1f} s   {said[0]}")
            return
        bars = self._bars()
        task = bars.add_task(name, total=None, state="    ", seconds="", said="")
        try:
            yield tell
        except BaseException:
            bars.update(task, total=1, completed=0, state="[red]stop[/]")
            self.stop()
            raise
        self._finish(bars, task, time.monotonic() - began, said[0])

    def stop(self) -> None:
        """Stop moving bars, so that other lines can follow."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def end(self, outcome: Outcome) -> None:
        """Everything that was shown."""
        self.stop()
        self._line()
        self._console.print(_table(outcome))
        self._proofs(outcome)
        for number, raid in enumerate(outcome.raids, 1):
            self._raid(number, raid, outcome.needles_checked)
        self._incidents(outcome)
        self._line()
        self._line(
            ("  Not proved here: ", "bold yellow"), "a gateway that ", ("stays", "bold"),
            " hacked can drop transfers or serve a changed",
        )  # fmt: skip
        self._line("  page. docs/attacks.md says what is done about it, and what is not.")
        self._accounts(outcome)
        self._line()
        verdict = ("All proved", "green") if outcome.all_hold else ("Not all proved", "bold red")
        self._line(verdict, f" in {outcome.seconds:.1f} s. Reports: ", (outcome.reports, "bold"))

    def _accounts(self, outcome: Outcome) -> None:
        """What each report says, in its own sentences, and which page to open."""
        if outcome.accounts:
            self._line()
            self._line(("  What the reports say", _HEADING))
        for each in outcome.accounts:
            self._line("  ", (each.name, "bold"))
            for line in wrap(" ".join(each.says), _WIDTH - 4):
                self._line(f"    {line}")
            self._line(f"    {each.page}")

    def _proofs(self, outcome: Outcome) -> None:
        self._line()
        self._line(("  What was proved", _HEADING))
        for proof in outcome.proofs:
            self._line(*_mark(proof.holds), f" {proof.words:<50}", (proof.figure, "bold"))

    def _raid(self, number: int, raid: Found, checked: int) -> None:
        when = "while the transfers lie there" if number == 1 else "at the end"
        taken = raid.taken
        processes = f"{taken.processes} process{'es' if taken.processes > 1 else ''}"
        self._line()
        self._line((f"  Raid {when}: the gateway's whole home and memory, copied and searched", _HEADING))
        self._line(
            (
                (
                    f"    {taken.files} files ({_megabytes(taken.home_bytes)}), memory of {processes}"
                    f" ({_megabytes(taken.memory_bytes)})"
                ),
                "dim",
            )
        )
        for words, sought, found in sought_in_words(raid):
            self._line(f"    {words:<44}{sought:>11,} sought    found ", (f"{found:,}", "bold"))
        tried = raid.keys_tried + raid.private_keys_tried
        self._line(
            f"    {'strings of 32 bytes, as keys':<44}{tried:>11,} tried     opened ", (f"{len(raid.opened)}", "bold")
        )
        self._line(
            f"    {'transfers copied while they lay there':<44}{raid.transfers:>11,} tried     opened ",
            ("0" if not raid.opened else "some", "bold"),
        )
        if raid.is_proof:
            words = f" {raid.markers_found} planted markers were found"
            words += f"; the same search of what was sent finds all {checked:,}." if number == 1 else "."
            self._line(*_mark(holds=True), (" Nothing found.", "bold"), (words, "dim"))
        else:
            self._line(*_mark(holds=False), (" Not proved.", "bold red"), f" {_short_of(raid)}")

    def _incidents(self, outcome: Outcome) -> None:
        if not outcome.incidents:
            return
        first = outcome.incidents[0]
        self._line()
        self._line((f"  Incident scoped in {first.seconds:.1f} s", _HEADING))
        self._line(
            "    present    ", (f"{first.transfers} transfers, {first.persons:,} persons", "bold"), _categories(first)
        )
        sealed = sum(count for _, count in first.protection)
        self._line(
            "    readable   ", ("0", "bold"), "; sealed with the key safe ", (f"{sealed}", "bold"),
            "; equal to what was sent ", _tick(first.is_exact),
        )  # fmt: skip
        gone = [
            f"{each.transfer[:8]} after {each.destroyed_after_s:.1f} s"
            for each in outcome.sent
            if each.destroyed_after_s is not None
        ]
        for start in range(0, len(gone), 3):
            self._line(f"    {'destroyed' if not start else '':<11}{',  '.join(gone[start : start + 3])}")
        for later in outcome.incidents[1:]:
            self._line(f"    at the end {later.transfers} transfers, {later.persons:,} persons ", _tick(later.is_exact))

    def _bars(self) -> Progress:
        if self._progress is None:
            self._progress = Progress(
                TextColumn("  {task.description:<9}"),
                BarColumn(_BAR, complete_style="green", finished_style="green", pulse_style="cyan"),
                TextColumn("[green]{task.fields[state]}"),
                TextColumn("{task.fields[seconds]:>6}"),
                TextColumn("[dim]{task.fields[said]}"),
                console=self._console,
            )
            self._progress.start()
        return self._progress

    def _finish(self, bars: Progress, task: TaskID, seconds: float, said: str) -> None:
        bars.update(task, total=1, completed=1, state="done", seconds=f"{seconds:.1f} s", said=said)

    def _line(self, *pieces: str | tuple[str, str]) -> None:
        self._console.print(Text.assemble(*pieces), soft_wrap=True)


def _table(outcome: Outcome) -> Table:
    table = Table(box=None, pad_edge=False, header_style=_HEADING, padding=(0, 3, 0, 0))
    table.add_column("  Submitter", no_wrap=True)
    for name in ("Rows", "Stored", "Rejected", "Duplicates", "Figures"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Report", no_wrap=True)
    for each in outcome.senders:
        rejected = Text(f"{each.rows['rejected']:,}", "yellow" if each.rows["rejected"] else "")
        opened = Text("opened", "green") if each.feedback_opened else Text("not opened", "bold red")
        table.add_row(
            f"  {each.name}", f"{each.rows['read']:,}", f"{each.rows['stored']:,}", rejected,
            f"{each.rows['duplicates']:,}", f"{each.indicators:,}", opened,
        )  # fmt: skip
    table.add_section()
    totals = outcome.totals()
    table.add_row(
        "  Together", *(f"{totals[name]:,}" for name in ("read", "stored", "rejected", "duplicates")), style="bold"
    )
    return table


def _mark(holds: bool) -> tuple[str, tuple[str, str]]:
    return "  ", ("✓", "green") if holds else ("✗", "bold red")


def _tick(holds: bool) -> tuple[str, str]:
    return ("✓", "green") if holds else ("✗ not equal", "bold red")


def _categories(incident: Incident) -> str:
    return f": {', '.join(f'{count:,} {name}' for name, count in incident.categories)}" if incident.categories else ""


def _short_of(raid: Found) -> str:
    """Why a raid is no proof."""
    if raid.hits or raid.opened:
        places = sorted({hit.place for hit in raid.hits})
        return f"{len(raid.hits)} strings were found (in {', '.join(places) or 'nothing'}), {len(raid.opened)} opened."
    if raid.keys_left_out:
        return f"{raid.keys_left_out:,} strings of memory were not tried as keys."
    if raid.transfers_untried:
        return f"{raid.transfers_untried} transfers lay there that nobody expected: no key was tried on them."
    if raid.controls_found < raid.controls_sought:
        return "The ids of the transfers are not in the copy: it is not a copy of this gateway."
    return f"{raid.markers_found} of {raid.markers_planted} planted markers were found: the search cannot be believed."


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"


def _count(number: int) -> str:
    return {1: "one", 2: "two", 3: "three"}.get(number, str(number))
