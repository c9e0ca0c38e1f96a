"""Writing a new send down, before anybody hears of it: of a file, of a folder, of what got lost on the gateway."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec

from swaddle.canonical import format_instant
from swaddle.envelope import suite
from swaddle.envelope.parts import Layout
from swaddle.envelope.seal import new_data_key
from swaddle.submitter import folder, prepare, trust
from swaddle.submitter.carry import DATA_KEY, Progress, seal_data_key
from swaddle.submitter.counting import count
from swaddle.submitter.folder import Packed
from swaddle.submitter.lanes import part_bytes_for
from swaddle.submitter.party import Party
from swaddle.submitter.prepare import Counts, Source, SourceGone
from swaddle.submitter.state import Outgoing
from swaddle.wire.client import GatewayClient

LIFE = timedelta(hours=72)
# A pack of very many files has their plan in memory beside its parts, which are smaller for it.
MANY_MEMBERS = 25_000
PACK_PART_BYTES = 8_388_608
OWN_LAYOUTS = "mappings"  # the folder of intake/shelf.py, which is only imported where it is needed
MOST_SMALL_PACK_BYTES = 10_000 * PACK_PART_BYTES


class Beginner:
    """Begins sends for one run."""

    def __init__(
        self, party: Party, trusted: Callable[[], trust.Trust], progress: Progress, line: GatewayClient
    ) -> None:
        """Nothing is asked yet; `trusted` gives the intake statement of today, `line` how long the way is."""
        self._line = line
        self._party = party
        self._trusted = trusted
        self._progress = progress

    def file(self, source: Source, kind: str | None, *, replaces: str | None = None, spooled: bool = False) -> Outgoing:
        """A send of one file."""
        self._trusted()
        self._progress("checking", 0, source.size_bytes)
        counts = count(source, kind, self._party.now(), self._party.home / OWN_LAYOUTS)
        return self._keep(
            source.path, source.size_bytes, str(source.mtime_ns), counts,
            replaces=replaces, spool=secrets.token_hex(16) if spooled else None,
            ctime_ns="" if source.ctime_ns is None else str(source.ctime_ns),
        )  # fmt: skip

    def pack(self, packed: Packed, kind: str | None, *, replaces: str | None = None, spooled: bool = False) -> Outgoing:
        """A send of files of a folder; the plan is written first. Rows are not counted here."""
        self._trusted()
        reference = secrets.token_hex(16)
        self._party.state.keep_plan(reference, packed.members)
        return self._keep(
            packed.path, packed.size_bytes, "0", Counts(kind or "unknown"),
            reference=reference, members=len(packed.members),
            replaces=replaces, spool=secrets.token_hex(16) if spooled else None,
        )  # fmt: skip

    def again(self, lost: Outgoing) -> Outgoing:
        """A send in place of one that got lost, from the sealed copy or from what it was made of.

        Raises:
            SourceGone: that is not there any more, or no longer the same.
        """
        if lost.entry:
            return self._from_spool(lost)
        kind, path = None if lost.kind == "unknown" else lost.kind, Path(lost.path)
        spooled = lost.spool is not None
        if lost.members is not None:
            pack = folder.still_there(Packed(path, self._party.state.plan(lost.reference)))
            return self.pack(pack, kind, replaces=lost.reference, spooled=spooled)
        source = prepare.look_at(path)
        if not lost.is_of(source.path, source.size_bytes, source.mtime_ns):
            raise SourceGone
        return self.file(source, kind, replaces=lost.reference, spooled=spooled)

    def _from_spool(self, lost: Outgoing) -> Outgoing:
        """The same sealed bytes and data key once more, for the registry's key of today."""
        reference = secrets.token_hex(16)
        info = suite.info(DATA_KEY, bytes.fromhex(lost.reference))
        data_key = self._party.sealing.open_sealed(b64decode(lost.data_key, validate=True), info)
        intake = self._trusted().intake
        now = self._party.now()
        if lost.members is not None:
            self._party.state.keep_plan(reference, self._party.state.plan(lost.reference))
        return self._party.state.keep(
            msgspec.structs.replace(
                lost,
                reference=reference,
                data_key=seal_data_key(self._party, data_key, reference),
                recipient=intake.recipient.to_json(),
                seal_until=format_instant(intake.seal_until),
                created=format_instant(now),
                expires=format_instant(min(now + LIFE, intake.destroy_by)),
                transfer=None,
                parts=(),
                finish=None,
                is_held=False,
                replaces=lost.reference,
            )
        )

    def _keep(
        self,
        path: Path,
        size_bytes: int,
        mtime_ns: str,
        counts: Counts,
        *,
        replaces: str | None,
        spool: str | None,
        reference: str | None = None,
        members: int | None = None,
        ctime_ns: str = "",
    ) -> Outgoing:
        reference = reference or secrets.token_hex(16)
        intake = self._trusted().intake
        now = self._party.now()
        part_bytes = self._party.settings.part_bytes or part_bytes_for(size_bytes, self._line.round_trip_s)
        is_crowded = (members or 0) > MANY_MEMBERS and size_bytes < MOST_SMALL_PACK_BYTES
        if is_crowded and not self._party.settings.part_bytes:
            part_bytes = min(part_bytes, PACK_PART_BYTES)
        return self._party.state.keep(
            Outgoing(
                reference=reference,
                path=str(path),
                size_bytes=size_bytes,
                mtime_ns=mtime_ns,
                kind=counts.kind,
                row_count=counts.rows,
                subject_count=counts.subjects,
                dictionary_version=counts.dictionary_version,
                data_key=seal_data_key(self._party, new_data_key(), reference),
                part_bytes=part_bytes,
                body_bytes=Layout(size_bytes, part_bytes).body_bytes,
                recipient=intake.recipient.to_json(),
                seal_until=format_instant(intake.seal_until),
                created=format_instant(now),
                expires=format_instant(min(now + LIFE, intake.destroy_by)),
                replaces=replaces,
                members=members,
                spool=spool,
                ctime_ns=ctime_ns,
            )
        )
