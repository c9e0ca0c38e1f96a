"""The transfers in a copied gateway, read as a thief reads them: rows of a database, and files of sealed bytes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from swaddle.envelope.signature import Signed

_NONCE_BYTES = 12


@dataclass(frozen=True)
class Copied:
    """A sealed transfer as it lay there; `parts` are the files of its body, in order."""

    id: str
    sender: str
    manifest: Signed
    header: bytes
    description: bytes
    parts: tuple[Path, ...]

    def beginning(self) -> tuple[bytes, bytes]:
        """Nonce and first eight sealed bytes of the body."""
        with self.parts[0].open("rb") as file:
            data = file.read(_NONCE_BYTES + 8)
        return data[:_NONCE_BYTES], data[_NONCE_BYTES:]


def held(home: Path) -> list[Copied]:
    """Every transfer that lay whole in the gateway's home, oldest first."""
    bodies = {path.name: path for path in (home / "bodies").iterdir()} if (home / "bodies").is_dir() else {}
    # A copy of a running database: its write-ahead log lies beside it and is read, so it is opened for writing.
    with closing(sqlite3.connect(home / "transfers.db")) as rows:
        found = rows.execute(
            "SELECT id, sender, manifest, header, description FROM transfers"
            " WHERE manifest IS NOT NULL AND header IS NOT NULL ORDER BY created, id"
        ).fetchall()
        parts = rows.execute("SELECT transfer, body FROM parts ORDER BY transfer, number").fetchall()
    return [
        Copied(
            id=str(transfer),
            sender=str(sender),
            manifest=Signed.from_json(json.loads(manifest)),
            header=_bytes(header),
            description=_bytes(description),
            parts=tuple(bodies[body] for owner, body in parts if owner == transfer and body in bodies),
        )
        for transfer, sender, manifest, header, description in found
    ]


def body_names(home: Path) -> frozenset[str]:
    """Names of the files that are parts of bodies."""
    with closing(sqlite3.connect(home / "transfers.db")) as rows:
        return frozenset(str(body) for (body,) in rows.execute("SELECT body FROM parts"))


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
