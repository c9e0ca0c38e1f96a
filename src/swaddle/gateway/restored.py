"""A gateway that came back from a backup: frozen until the registry's signature says where its journal goes on.

The backup is older than the disk that was lost, so the gateway's own idea of the journal's head is too old, and so is
its number of the last instruction. Whoever recorded an instruction of the time between could send it again. So nothing
but `restored` is taken until that came, whose own number is newer than all of them (docs/spec/transfer.md section 7).
"""

from __future__ import annotations

from swaddle.canonical import canonical, digest_hex, parse_canonical
from swaddle.gateway import journal
from swaddle.gateway.freeze import Cause
from swaddle.gateway.index import Index
from swaddle.gateway.refusal import Refusal
from swaddle.wire.messages import JournalPage
from swaddle.wire.statements import BackupKey, Restored

WAITS = "restored_backup"
BACKUP_KEY = "backup_key"


def is_waiting(index: Index) -> bool:
    """Whether this gateway came from a backup and the registry has not said yet where its journal goes on."""
    return index.fact(WAITS) is not None


def journal_page(index: Index, after: int) -> JournalPage:
    """The page of the journal; none while its head is not known to be the registry's.

    Raises:
        Refusal: `frozen`.
    """
    if is_waiting(index):
        raise Refusal("frozen")
    return journal.page(index, after)


def take_backup_key(index: Index, instruction: BackupKey) -> None:
    """Backups are sealed to this key from now on."""
    recipient = instruction.recipient
    value = {"crypt4gh": recipient.crypt4gh, "hpke": recipient.hpke, "key_id": recipient.key_id}
    index.set_fact(BACKUP_KEY, canonical(value).decode("ascii"))


def take_restored(index: Index, instruction: Restored) -> None:
    """Let the journal go on from the last entry that the registry has, and end the freeze of a restored gateway.

    Entries written since the restoring hang on an old head that the registry has passed. Nobody has been shown them, so
    they are numbered and chained anew behind the entry that it names.

    Raises:
        Refusal: `refused`, this gateway waits for no such word.
    """
    if not is_waiting(index):
        raise Refusal("refused", reason="this gateway was not restored, or was told already")
    sequence, previous = instruction.through, instruction.entry_sha256
    since = [bytes(row["entry"]) for row in index.rows("SELECT entry FROM journal ORDER BY sequence")]
    index.write("DELETE FROM journal")
    index.set_fact("journal_base", previous)
    for old in since:
        sequence += 1
        entry = canonical({**parse_canonical(old), "sequence": sequence, "previous": previous})
        index.write("INSERT INTO journal VALUES (?, ?)", sequence, entry)
        previous = digest_hex(entry)
    index.set_fact("journal_sequence", str(sequence))
    index.set_fact("journal_tip", previous)
    index.drop_fact(WAITS)
    for row in index.rows("SELECT id FROM freezes WHERE cause = ?", Cause.RESTORED.value):
        index.write("DELETE FROM freezes WHERE id = ?", row["id"])
        journal.append(index, "released", row["id"])
    index.reload()
