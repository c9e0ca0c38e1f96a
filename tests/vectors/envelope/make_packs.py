"""Writes the vectors of packs (section 5a): `python tests/vectors/envelope/make_packs.py`; see make.py.

A vector is a whole transfer whose body is a pack with a single thing wrong; `expect: opened` ones are opened and looked
through. What is refused of one member alone is not here: it is no refusal of the envelope.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from make import Transfer, body, seeded, write
from packs import close, line, member, packed

from swaddle.envelope import pack
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.parts import SEGMENT_BYTES, Layout

FILES = (("a.csv", b"a,b\n1,2\n"), ("ward/Müller.csv", b"x" * 600), ("empty.csv", b""))


def transfer(name: str, plaintext: bytes, index_sha256: str, members: int = 3) -> Transfer:
    """A good transfer of this body, described as a pack."""
    base = Transfer.make(name, len(plaintext), SEGMENT_BYTES)
    sealed = body(name, plaintext, base.data_key)
    spans = [base.core.layout.span(n) for n in range(Layout(len(plaintext), SEGMENT_BYTES).parts)]
    core = replace(
        base.core,
        parts=tuple(sha256(sealed[s.body_offset : s.body_offset + s.body_bytes]).hexdigest() for s in spans),
    )
    entry = FileEntry("exports", len(plaintext), index_sha256)
    return replace(base, plaintext=plaintext, core=core, description=Description("births", (entry,), members=members))


def main() -> None:
    """Write them all."""
    good, digest = packed(*FILES)
    write("pack-opened", "opened", "three files, one of a long form, one empty", transfer("pack-good", good, digest))
    partly, index = packed(*FILES, said={"a.csv": pack.STATES["changed"]})
    write("pack-opened-partly", "opened", "the first changed while it was sent", transfer("pack-partly", partly, index))
    members = [member(name, data, n) for n, (name, data) in enumerate(FILES, start=1)]
    lines = [line(name, data) for name, data in FILES]
    link = bytearray(member("a.csv", b"", 1))
    link[156:157] = b"2"
    cases = {
        "behind-the-end": ("a block of zeros behind the end", good + bytes(512), digest, 3),
        "ends-early": ("the last block is missing", good[:-512], digest, 3),
        "index-of-another": ("the description names another index", good, "0" * 64, 3),
        "members": ("the description says a member more", good, digest, 4),
        "link": ("a member that is a symbolic link", *close([bytes(link), *members[1:]], b"".join(lines)), 3),
        "numbers": ("the members' numbers exchanged", *close([members[0], member(*FILES[1], 3), members[2]], b"".join(lines)), 3),
        "index-order": ("the index tells them in another order", *close(members, b"".join(lines[::-1])), 3),
        "index-short": ("the index leaves one out", *close(members, b"".join(lines[:2])), 3),
        "between": ("a byte between two members", good[: 512 + 9] + b"\1" + good[512 + 10 :], digest, 3),
        "size": ("a member that says it is longer than the body", *close([pack.header("a.csv", 2**40, 1)], lines[0]), 1),
        "no-member": ("a pack of nothing", *close([], b""), 1),
        "no-pack": ("no archive at all", seeded("no pack", 4_096), digest, 3),
    }  # fmt: skip
    for name, (comment, plaintext, said, count) in cases.items():
        write(f"pack-{name}", "refused/not-a-pack", comment, transfer(f"pack-{name}", plaintext, said, count))


if __name__ == "__main__":
    main()
