"""Opening a backup with the private half of the backup pair. Never imported by the gateway (decision 0080)."""

from __future__ import annotations

from datetime import datetime

from swaddle.envelope import suite
from swaddle.envelope.backup import PURPOSE, Backup
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.refusals import WrongCore
from swaddle.errors import IntegrityFault, NotThere


class BackupExpired(NotThere):
    """Its time is over."""

    code = "SWD-BACKUP-02"
    what = "this backup is not restored"
    why = "its time was over at {expires}"
    fix = "use a newer one; remove this one"


class BackupOfAnotherKey(IntegrityFault):
    """Sealed to another backup pair."""

    code = "SWD-BACKUP-03"
    what = "this backup does not open"
    why = "it is sealed to another backup pair than the one given"
    fix = "give the private half whose id `swaddle gateway verify-backup` names for this backup"


def open_backup(backup: Backup, pair: SealingPair, at: datetime) -> bytes:
    """What is sealed in a backup.

    Raises:
        BackupExpired: its time is over.
        BackupOfAnotherKey: it was sealed to another pair.
    """
    if backup.head.expires <= at:
        raise BackupExpired(expires=backup.head.expires.isoformat(" ", "minutes"))
    if backup.head.key_id != pair.public.key_id:
        raise BackupOfAnotherKey
    try:
        return pair.open_sealed(backup.sealed, suite.info(PURPOSE, backup.head.context()))
    except WrongCore:
        raise BackupOfAnotherKey from None
