"""The story, step by step: read `_at_work` first. Every step types the commands that a person would type.

set up -> check -> send (torn, killed, taken up) -> raid -> pull -> reports opened -> raid again -> both scoped
       -> alert -> month
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from swaddle.demo import care, changed, copied, files, months, proving, raid, reading, secrets_held, sending, town
from swaddle.demo.account import PAGE, Account, account
from swaddle.demo.cohort import DEFAULT_BIRTHS, SEED, SITES
from swaddle.demo.outcome import Outcome, Proof, Sender, Sent
from swaddle.demo.screen import Screen
from swaddle.demo.search import Search
from swaddle.errors import UsageFault

_AT_ONCE = 2


class FolderInUse(UsageFault):
    """The folder for the demo's homes holds something."""

    code = "SWD-DEMO-03"
    what = "the demo needs a folder of its own"
    why = "the one named with --home holds other things"
    fix = "name a new or empty folder"


@dataclass(frozen=True)
class Wishes:
    """What the demo was asked to do: where, how many births, which real files if any."""

    folder: Path
    births: int = DEFAULT_BIRTHS
    data: Path | None = None
    seed: int = SEED


class Story:
    """One run: `tell` it once."""

    def __init__(self, wishes: Wishes, screen: Screen) -> None:
        """Nothing is done yet."""
        self._wishes = wishes
        self._screen = screen
        self._scratch = wishes.folder / "scratch"
        self._reports = wishes.folder / "reports"
        self._despatched: dict[str, sending.Despatched] = {}
        self._first: list[copied.Copied] = []
        self._secrets = raid.Sought()
        self.outcome = Outcome(seed=wishes.seed, synthetic=wishes.data is None, reports=str(self._reports))

    def tell(self, today: date) -> Outcome:
        """Everything, from an empty folder to what was proved.

        Raises:
            StepFailed: a command did not do its part.
            MemoryClosed: the gateway's memory cannot be copied here.
        """
        began = time.monotonic()
        self._scratch.mkdir(parents=True)
        self._files = self._make_files(today)
        self.outcome.missing_sources = self._files.missing
        self._screen.begin(self.outcome, len(SITES))
        with ThreadPoolExecutor(1) as beside:
            sought = beside.submit(self._seek)
            with self._screen.phase("Set up") as say:
                self._town = town.set_up(self._wishes.folder)
                say(f"keys made, {len(SITES)} invitations taken up")
            try:
                self._at_work(sought)
            finally:
                self._town.close()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _at_work(self, sought: Future[tuple[raid.Sought, int]]) -> None:
        self._check()
        self._send()
        first = self._raid(sought)
        self._pull()
        self._read_reports()
        second = self._raid_again(sought.result()[0])
        self._scope(first, second)
        self._alert()
        self._months()

    def _make_files(self, today: date) -> files.Files:
        wishes, folder = self._wishes, self._wishes.folder / "files"
        if wishes.data is None:
            return files.make(folder, births=wishes.births, seed=wishes.seed, today=today)
        return files.deal_out(folder, wishes.data, births=wishes.births, seed=wishes.seed, today=today)

    def _seek(self) -> tuple[raid.Sought, int]:
        """Everything to look for in the raids, and how much of it a search of what was sent misses: none."""
        sought, texts = files.sought_in(self._files, self._scratch)
        return sought, raid.missed(Search(sought.needles), [], texts)

    def _check(self) -> None:
        """Each submitter checks its files; the wrong one is found out before it is sent."""
        with self._screen.phase("Checked") as say:
            party = self._town.submitters[0]
            rows = 0
            for parcel in self._files.parcels:
                said = party.run("check", parcel.path, "--json", allow=(0, 7), at_home=False)
                rows += int(said.value["rows"]["read"])
            party.run("check", self._files.wrong, "--json", allow=(6,), at_home=False)
            say(f"{rows:,} rows in {len(self._files.parcels)} files; 1 wrong file found out")

    def _send(self) -> None:
        """All files go to the gateway, the wrong one too; the first sender's line tears, it is killed, and goes on."""
        with self._screen.phase("Sent") as say:
            first = self._files.parcels[0]
            party = self._town.submitters[first.place]
            torn = sending.tear(party, first, self._scratch)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                sent = [each for own in pool.map(self._send_all_of, range(len(SITES))) for each in own]
            self._despatched = {each.transfer: each for each in sent}
            self.outcome.proofs.append(sending.taken_up(party, torn))
            size = sum(each.body_bytes for each in sent)
            say(f"{len(sent)} transfers, {size / 1e6:.1f} MB sealed; a torn line taken up again")

    def _send_all_of(self, place: int) -> list[sending.Despatched]:
        parcels = [parcel for parcel in self._files.parcels if parcel.place == place]
        wrong = self._files.wrong if place == files.WRONG_AT else None
        return sending.send_all(self._town.submitters[place], parcels, wrong) if parcels or wrong else []

    def _raid(self, sought: Future[tuple[raid.Sought, int]]) -> tuple[str, str]:
        """While every transfer is held: copy everything, search it, try each string as a key, change some."""
        with self._screen.phase("Raided") as say:
            wanted, missed = sought.result()
            self.outcome.needles_checked = len(wanted.needles) - missed
            figure = f"{missed:,} of {len(wanted.needles):,} missed in what was sent"
            self.outcome.proofs.append(Proof("The raid's search finds what it seeks", figure, holds=not missed))
            start = proving.now()
            found = self._raided("1", wanted)
            end = proving.now()
            self._first = copied.held(found.taken.home)
            self._refusals = self._change()
            say(f"{found.taken.files} files, {found.taken.memory_bytes / 1e6:.0f} MB of memory copied and searched")
        return start, end

    def _raided(self, number: str, wanted: raid.Sought) -> raid.Found:
        """One raid, with the secrets that the others hold at this time sought too."""
        parties = [self._town.registry, *self._town.submitters]
        for secrets in (secrets_held.of_registry(self._town.registry), *map(secrets_held.of_submitter, parties[1:])):
            self._secrets.add_secrets(secrets)
        for text in self._town.handed_over:
            self._secrets.add_secrets(secrets_held.of_invitation(text))
        beginnings = {
            each.transfer: (each.parcel.path if each.parcel else self._files.wrong).read_bytes()[:8]
            for each in self._despatched.values()
        }
        found = raid.raid(
            self._town.gateway.home, self._town.process.pid, self._wishes.folder / "raids" / number,
            raid.Sought({**self._secrets.needles, **wanted.needles}),
            read=lambda home: copied.lying(home, beginnings), publics=secrets_held.sealed_to(parties),
        )  # fmt: skip
        self.outcome.raids.append(found)
        return found

    def _change(self) -> list[changed.Refusal]:
        """Five changed copies of the largest transfer, given to the registry's reader before it has pulled it."""
        one, other = sorted(self._first, key=lambda each: -sum(path.stat().st_size for path in each.parts))[:2]
        self._changed = one
        return changed.try_changes(self._town.registry, one, other, self._scratch / "changed")

    def _pull(self) -> None:
        """The registry takes everything in, and answers each transfer with a report."""
        with self._screen.phase("Stored") as say:
            pulled = self._town.registry.run("registry", "pull", "--once", "--json", allow=(0, 7)).value
            say(f"{pulled['pulled']} pulled, opened, checked, linked, stored; {pulled['reports_sent']} reports sent")
        self._refusals.append(changed.try_again(self._town.registry, self._changed, self._scratch / "changed"))
        right = sum(refusal.is_right for refusal in self._refusals)
        own = len({refusal.defect for refusal in self._refusals})
        figure = f"{right} of {len(self._refusals)}, each by its own error"
        self.outcome.proofs.append(Proof("Changed transfers are refused", figure, holds=right == own == 6))

    def _read_reports(self) -> None:
        """Each submitter opens what came back and collects its receipts."""
        with self._screen.phase("Fed back") as say:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                opened = list(pool.map(self._fetch, range(len(SITES))))
            receipts = reading.collect_receipts(self._town.submitters)
            self._count(opened)
            say(f"{sum(map(len, opened))} reports opened, {len(receipts)} receipts")
        trust = self._town.submitters[0].home / "trust.json"
        self.outcome.proofs.append(proving.receipts_hold(receipts, trust, self._town.root, self._scratch))
        proving.wait_until_empty(self._town.gateway)
        self.outcome.proofs.append(proving.holds_nothing(self._town.gateway))
        self._emptied = proving.now()

    def _fetch(self, place: int) -> list[reading.Opened]:
        return reading.fetch_reports(self._town.submitters[place], self._reports / SITES[place].folder)

    def _count(self, opened: list[list[reading.Opened]]) -> None:
        """Rows by submitter and by file, and what is shown by them."""
        refused = ""
        told: dict[str, Account] = {}
        for place, (site, id_) in enumerate(zip(SITES, self._town.ids, strict=True)):
            sender = Sender(id_, site.name)
            for report in opened[place]:
                despatched = self._despatched[report.answers]
                if despatched.parcel is None:
                    refused = report.reason
                else:
                    self.outcome.sent.append(_sent(place, despatched, report))
                    sender.indicators = max(sender.indicators, report.figures)
                    if despatched.parcel.made_up or report.figures:
                        told[site.name] = account(site.name, report.report, self._page_of(report))
                for name, count in report.rows.items():
                    sender.rows[name] += count
            sender.reports = sum(self._place_of(each) == place for each in self._despatched.values())
            sender.reports_opened = len(opened[place])
            self.outcome.senders.append(sender)
        self.outcome.accounts = list(told.values())
        parcels = {each.transfer: each.parcel for each in self._despatched.values() if each.parcel}
        self.outcome.proofs += proving.rows(self.outcome, parcels, refused, len(self._despatched))

    def _page_of(self, report: reading.Opened) -> str:
        return str((report.folder / PAGE).relative_to(self._reports))

    def _place_of(self, despatched: sending.Despatched) -> int:
        return despatched.parcel.place if despatched.parcel else files.WRONG_AT

    def _raid_again(self, wanted: raid.Sought) -> tuple[str, str]:
        """At the end, when there is nothing left to take."""
        with self._screen.phase("Raided") as say:
            start = proving.wait_for_a_later_second(self._emptied)
            found = self._raided("2", wanted)
            end = proving.now()
            say(f"once more at the end: {found.transfers} transfers to take")
        return start, end

    def _scope(self, first: tuple[str, str], second: tuple[str, str]) -> None:
        """The registry drains the gateway's journal, and says whom each raid could be about."""
        with self._screen.phase("Scoped") as say:
            registry = self._town.registry
            with town.at_work(registry):
                self.outcome.incidents = [
                    proving.incident(registry, first, self._files.parcels, len(self._despatched)),
                    proving.incident(registry, second, (), 0),
                ]
                proving.note_lifetimes(registry, self.outcome)
            say("both raids: which transfers, about whom")
        self.outcome.proofs += proving.raids_and_incidents(self.outcome)

    def _alert(self) -> None:
        """After the raids: a laboratory joins, one newborn has no screen, and its hospital is told."""
        known = [each for parcel in self._files.parcels for each in parcel.newborns]
        with self._screen.phase("Alerted") as say:
            told = care.tell(self._town, known, self._wishes.folder, self._reports)
            if told is None:
                say("nobody: too few made-up births of the last weeks")
                return
            proof, account_ = told
            self.outcome.proofs.append(proof)
            self.outcome.accounts.insert(0, account_)
            say("a laboratory's screens came; one newborn has none")

    def _months(self) -> None:
        """The month's reports take the place of the answers in what is told at the end."""
        with self._screen.phase("Month") as say:
            made = {each.name: each for each in months.send(self._town, self._reports)}
            self.outcome.accounts[:] = [
                each if each.is_alert else made.get(each.name, each) for each in self.outcome.accounts
            ]
            say(f"{len(made)} reports of the last month made, sealed, sent and opened")


def _sent(place: int, despatched: sending.Despatched, report: reading.Opened) -> Sent:
    assert despatched.parcel is not None
    parcel = despatched.parcel
    return Sent(place, parcel.kind, parcel.made_up, despatched.transfer, report.rows, report.cannot_answer(parcel.kind))
