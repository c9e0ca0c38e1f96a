"""Sending: what was given now, what an earlier run left unfinished, and what the registry has not receipted.

    begin (written down) -> carry (announce, parts, finish, held) -> settle (receipt: keys and paths are erased)

Run it as often as you like: a file is one transfer until it changes; of a folder goes what is new or changed; what got
lost on the gateway is sent again as a new one without being asked, as long as the file or its sealed copy is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from swaddle.canonical import format_instant, parse_instant
from swaddle.envelope.refusals import NotInForce, SourceChanged, WrongSigner
from swaddle.envelope.signature import PublicSigningKey
from swaddle.errors import FileFault
from swaddle.submitter import asked_again, prepare, receipts, trust
from swaddle.submitter.account import WHY_LEFT_OUT, NoReceiptYet, Sent, Unreadable
from swaddle.submitter.beginning import Beginner
from swaddle.submitter.carry import Progress, TransferLost, carry, look
from swaddle.submitter.delivered import Delivered
from swaddle.submitter.folder import Folder, LeftOut, Planned, look_into, packs_of
from swaddle.submitter.lock import AnotherRuns, only_one
from swaddle.submitter.party import Party
from swaddle.submitter.prepare import Source, SourceGone
from swaddle.submitter.state import Outgoing
from swaddle.wire import messages
from swaddle.wire.client import GatewayClient
from swaddle.wire.problems import TransferRefused

# How long a data set that got lost, and whose file is gone, is still asked for.
ASKED_FOR = timedelta(days=14)
SLOWEST_POLL_S = 3.0
# Each of these is about one file; everything else stops the run.
OF_ONE_FILE = (FileFault, TransferLost, TransferRefused, receipts.HeldStatementWrong, receipts.ReceiptWrong)


def silent(phase: str, done: int, total: int) -> None:
    """No progress."""


def send(
    party: Party,
    paths: Sequence[Path | Source | Folder],
    kind: str | None = None,
    *,
    progress: Progress = silent,
    wait_s: float = 0,
    sleep: Callable[[float], None] = time.sleep,
    spooled: bool = False,
) -> list[Sent]:
    """Send `paths` and whatever is open in this home; wait up to `wait_s` seconds for their receipts.

    A folder is packed: what in it is new or changed since it was last receipted goes as one transfer. `spooled` keeps
    a sealed copy of what is begun now until its receipt. `paths` may have been looked at before.

    Raises:
        FileUnusable: one of `paths` cannot be sent; nothing was done.
        AnotherRuns: another send is at work.
        NetworkFault, SettingsFault, NotPermitted, IntegrityFault: nothing more can be done now; run it again.
    """
    sources = [look_at(path, party.home) if isinstance(path, Path) else path for path in paths]
    with party.client() as client:
        run = Run(party, client, progress, spooled=spooled)
        with only_one(party.state.lock):
            run.bring_all(sources, kind)
        if wait_s > 0:
            run.wait(time.monotonic() + wait_s, sleep)
    return run.account()


def look_at(path: Path, home: Path) -> Source | Folder:
    """The file or the folder at `path` as it is now.

    Raises:
        FileUnusable: it cannot be sent.
    """
    return look_into(path, home) if path.is_dir() else prepare.look_at(path)


class Run:
    """One run of `send`: what it did, by the reference of each send."""

    def __init__(self, party: Party, client: GatewayClient, progress: Progress, *, spooled: bool = False) -> None:
        """Nothing is asked yet."""
        self.party = party
        self.client = client
        self.progress = progress
        self.sent: dict[str, Sent] = {}
        self._wanted: list[str] = []  # what was asked for in this run, in its order
        self._trust: trust.Trust | None = None
        self._spooled = spooled
        self._beginner = Beginner(party, self._trusted, progress, client)
        self._left_out: dict[str, list[LeftOut]] = {}  # found when a folder was planned, by the send that tells it

    def bring_all(self, sources: Sequence[Source | Folder], kind: str | None) -> None:
        """Bring everything to the gateway: `sources`, and what is open from earlier runs."""
        self.party.state.tidy()
        for source in sources:
            if isinstance(source, Folder):
                self._wanted += self._packs_of(source, kind)
            else:
                self._wanted.append(self._found_or_begun(source, kind))
        for outgoing in self.party.state.pending():
            self._bring(outgoing)
        if not sources:
            self._wanted = list(self.sent)

    def account(self) -> list[Sent]:
        """What became of each: first what was asked for, in its order, then the rest."""
        for reference, left_out in self._left_out.items():
            if reference in self.sent:
                self.sent[reference].left_out = [*left_out, *self.sent[reference].left_out]
        self._left_out = {}
        asked = [self.sent[reference] for reference in dict.fromkeys(self._wanted) if reference in self.sent]
        return asked + [sent for reference, sent in self.sent.items() if reference not in self._wanted]

    def wait(self, deadline: float, sleep: Callable[[float], None]) -> None:
        """Ask for the receipts of what was asked for until they are there or the time is over."""
        pause = 0.2
        while open_ones := {reference for reference in self._wanted if self._waits(reference)}:
            left = deadline - time.monotonic()
            if left <= 0:
                for reference in open_ones:
                    self.sent[reference].trouble = NoReceiptYet()
                return
            self.progress("waiting for the receipt", len(self._wanted) - len(open_ones), len(self._wanted))
            sleep(min(pause, left))
            pause = min(pause * 1.5, SLOWEST_POLL_S)
            with suppress(AnotherRuns), only_one(self.party.state.lock):
                for outgoing in self.party.state.pending():
                    if outgoing.reference in open_ones:
                        self._guarded(outgoing, self._settle)

    def _waits(self, reference: str) -> bool:
        return reference in self.sent and self.sent[reference].state == "held"

    def _found_or_begun(self, source: Source, kind: str | None) -> str:
        """The send of a file as it is now: one on its way, one that was stored already, or a new one."""
        state = self.party.state
        same_path = [send for send in state.pending() if send.path == str(source.path) and send.members is None]
        for outgoing in same_path:
            if outgoing.is_of(source.path, source.size_bytes, source.mtime_ns):
                return outgoing.reference
        stored = state.stored_before(source.path, source.size_bytes, source.mtime_ns)
        if stored is not None:
            sent = Sent(stored.transfer, "stored", stored.body_bytes, stored.plaintext_bytes)
            sent.held_statement, sent.receipt = state.held_path(stored.transfer), state.receipt_path(stored.transfer)
            self.sent[stored.transfer] = sent
            return stored.transfer
        begun = self._beginner.file(source, kind, spooled=self._spooled)
        for older in same_path:
            if not older.is_held:
                state.end(older, "superseded", self._now())
        return begun.reference

    def _packs_of(self, folder: Folder, kind: str | None) -> list[str]:
        """The sends of a folder: those on their way, and a new one of what is neither on its way nor receipted."""
        state = self.party.state
        begun = [send for send in state.pending() if send.path == str(folder.path) and send.members is not None]
        on_their_way = [member for send in begun for member in self._whole(send)]
        fresh = Delivered(self.party.home, folder.path).fresh(folder.members, on_their_way, self.party.now())
        wanted = [send.reference for send in begun]
        packs = packs_of(folder.path, fresh)
        wanted += [self._beginner.pack(pack, kind, spooled=self._spooled).reference for pack in packs]
        if not wanted:
            self.sent[str(folder.path)] = Sent(None, "unchanged", 0, 0, members=0)
            wanted.append(str(folder.path))
        self._left_out[wanted[-1]] = folder.left_out
        folder.members = []  # the plan is on the disk: of a hundred thousand files one copy in memory is enough
        return wanted

    def _whole(self, outgoing: Outgoing) -> list[Planned]:
        """The files of a pack that went whole, as far as is known."""
        left_out = {number for number, _ in outgoing.left_out}
        plan = self.party.state.plan(outgoing.reference)
        return [member for number, member in enumerate(plan, start=1) if number not in left_out]

    def _bring(self, outgoing: Outgoing) -> None:
        """Bring one send as far as it goes today; a lost one is begun again."""
        if any(other.replaces == outgoing.reference for other in self.party.state.pending()):
            self.party.state.end(outgoing, "lost", self._now())  # killed between the two writes of `_again`
            return
        try:
            self._guarded(outgoing, self._settle if outgoing.is_held else self._carry, may_be_lost=False)
        except TransferLost as error:
            anew = self._again(outgoing, error)
            if anew is not None:
                self._wanted = [anew.reference if one == outgoing.reference else one for one in self._wanted]
                self._left_out[anew.reference] = self._left_out.pop(outgoing.reference, [])
                self._guarded(anew, self._carry)

    def _again(self, outgoing: Outgoing, error: TransferLost) -> Outgoing | None:
        """Begin a lost send anew, if what it was made of, or its sealed copy, is still what it was."""
        try:
            anew = self._beginner.again(outgoing)
        except FileFault:
            self._note(outgoing, "failed").trouble = SourceGone()
            if parse_instant(outgoing.expires) + ASKED_FOR < self.party.now():
                self.party.state.end(outgoing, "lost", self._now())
            return None
        self.sent.pop(outgoing.reference, None)
        self.progress(f"sending again what got lost ({error.code})", 0, 0)
        self.party.state.end(outgoing, "lost", self._now())
        return anew

    def _guarded(self, outgoing: Outgoing, step: Callable[[Outgoing], None], *, may_be_lost: bool = True) -> None:
        """Do a step; trouble of one file stands at that file and does not stop the others."""
        try:
            step(outgoing)
        except TransferLost as error:
            if not may_be_lost:
                raise
            self._note(outgoing, "failed").trouble = error
        except SourceChanged:
            self._note(outgoing, "failed").trouble = SourceGone()
        except OF_ONE_FILE as error:
            self._note(outgoing, "failed").trouble = error

    def _carry(self, outgoing: Outgoing) -> None:
        held = carry(self.party, self.client, outgoing, self.progress)
        sent = self._note(held, "held")
        if held.left_out:
            plan = self.party.state.plan(held.reference)
            sent.left_out = [LeftOut(plan[n - 1].name, WHY_LEFT_OUT[state], is_late=True) for n, state in held.left_out]
        self._settle(held)

    def _settle(self, outgoing: Outgoing) -> None:
        """Ask for the receipt; with it in hand, erase what the sending needed."""
        transfer = str(outgoing.transfer)
        view = look(self.client, transfer)
        first_look = outgoing.reference not in self.sent
        sent = self._note(outgoing, "held")
        if view.receipt is None:
            return
        receipt = self._receipt(outgoing, view.receipt)
        if first_look and asked_again.is_lost(self.party.home, receipt.at):
            raise TransferLost("the registry lost it after its receipt")
        sent.state, sent.counts = receipt.outcome, receipt.counts
        if receipt.outcome == "unreadable":
            if first_look:
                raise TransferLost("the registry could not open it")
            sent.trouble = Unreadable()
            return
        sent.receipt = self.party.state.receipt_path(transfer)
        if outgoing.members is not None:
            # Refused files too: the registry has answered for them, and they are sent again once they were mended.
            Delivered(self.party.home, Path(outgoing.path)).add(self._whole(outgoing), self.party.now())
        self.party.state.end(outgoing, "stored" if receipt.outcome == "stored" else "refused", receipt.at)

    def _receipt(self, outgoing: Outgoing, signed: messages.SignedText) -> receipts.Receipt:
        """Verify a receipt by the statement key known here, then by the one of today."""
        try:
            return receipts.keep_receipt(self.party.state, outgoing, signed.signed(), self._statement_keys())
        except (WrongSigner, NotInForce):
            self._trusted()
            return receipts.keep_receipt(self.party.state, outgoing, signed.signed(), self._statement_keys())

    def _statement_keys(self) -> tuple[PublicSigningKey, ...]:
        return trust.statement_keys(self.party.home, self.party.settings.root, self.party.now())

    def _trusted(self) -> trust.Trust:
        """The registry's intake statement of today, asked for once in a run."""
        if self._trust is None:
            self._trust = trust.ask(self.client, self.party.home, self.party.settings.root, self.party.now())
        return self._trust

    def _note(self, outgoing: Outgoing, state: str) -> Sent:
        """The line of this send in the run's account."""
        sent = self.sent.setdefault(
            outgoing.reference, Sent(outgoing.transfer, state, outgoing.body_bytes, outgoing.size_bytes)
        )
        sent.transfer, sent.state = outgoing.transfer, state
        sent.members, sent.is_spooled = outgoing.members, outgoing.entry is not None
        if outgoing.transfer is not None and self.party.state.held_path(outgoing.transfer).exists():
            sent.held_statement = self.party.state.held_path(outgoing.transfer)
        return sent

    def _now(self) -> str:
        return format_instant(self.party.now())
