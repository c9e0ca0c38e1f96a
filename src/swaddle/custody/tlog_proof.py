"""A proof that one entry is in the log, as text that stands alone: C2SP tlog-proof. Pure.

    c2sp.org/tlog-proof@v1, the entry's index (from 0), the hashes of the way up, an empty line, the signed checkpoint

Whoever has the entry's bytes, the log's name and its public key needs nothing else, and nobody to ask.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence

from swaddle.custody.checkpoint import Checkpoint, read_note
from swaddle.custody.tree import HASH_BYTES, ProofWrong, check_inclusion, leaf_hash

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")
_EXTRA = "extra "


def proof_text(index: int, way: Sequence[bytes], note: str) -> str:
    """The proof as it is kept and sent.

    Args:
        index: of the entry, from 0.
        way: hashes from the leaf up (tree.inclusion).
        note: the signed checkpoint (checkpoint.note).
    """
    hashes = "".join(f"{b64encode(each).decode('ascii')}\n" for each in way)
    return f"{FIRST_LINE}\nindex {index}\n{hashes}\n{note}"


def check_proof(text: str, entry: bytes, origin: str, public_key: bytes) -> tuple[int, Checkpoint]:
    """The entry's index and the checkpoint under which it stands, once all of it holds.

    Raises:
        ProofWrong: it is no proof, or it is of another entry.
        CheckpointWrong: the checkpoint is of another log or does not hold.
    """
    head, between, note = text.partition("\n\n")
    lines = head.split("\n")
    if not between or lines[0] != FIRST_LINE:
        raise ProofWrong("it is not a tlog-proof of version 1")
    rest = lines[2:] if len(lines) > 1 and lines[1].startswith(_EXTRA) else lines[1:]
    found = _INDEX.fullmatch(rest[0]) if rest else None
    if found is None or len(rest) > 1 + MOST_HASHES:
        raise ProofWrong("it does not say which entry it is of")
    checkpoint = read_note(note, origin, public_key)
    index = int(found[1])
    check_inclusion(leaf_hash(entry), index, checkpoint.size, [_hash(line) for line in rest[1:]], checkpoint.root)
    return index, checkpoint


def _hash(line: str) -> bytes:
    try:
        found = b64decode(line, validate=True)
    except (NotBase64, ValueError):
        found = b""
    if len(found) != HASH_BYTES or b64encode(found).decode("ascii") != line:
        raise ProofWrong("a line of it is not a hash in base64")
    return found
