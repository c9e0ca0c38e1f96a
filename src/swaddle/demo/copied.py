"""The transfers in a copied gateway, read as a thief reads them: rows of a database, and files of sealed bytes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from swaddle.demo.raid import Lying
from swaddle.demo.trial import Body
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
    with _opened(home) as rows:
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


def lying(home: Path, beginnings: Mapping[str, bytes]) -> Lying:
    """What lies in a copied home, for trying keys.

    Args:
        home: the copy.
        beginnings: the first eight bytes of what was sent as each transfer.
    """
    bodies = []
    unknown = 0
    for each in held(home):
        if each.id in beginnings and each.parts:
            nonce, sealed = each.beginning()
            bodies.append(Body(each.id, nonce, sealed, beginnings[each.id]))
        else:
            unknown += 1
    with _opened(home) as rows:
        names = frozenset(str(body) for (body,) in rows.execute("SELECT body FROM parts"))
    return Lying(tuple(bodies), names, unknown)


@contextmanager
def _opened(home: Path) -> Iterator[sqlite3.Connection]:
    """The copied database and its log, copied once more: opening them would tidy away what is to be searched."""
    with TemporaryDirectory(dir=home.parent) as folder:
        for path in home.glob("transfers.db*"):
            shutil.copyfile(path, Path(folder) / path.name)
        with closing(sqlite3.connect(Path(folder) / "transfers.db")) as rows:
            yield rows


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
