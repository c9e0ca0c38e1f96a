"""Writes the vectors of what came by the SFTP door (section 6): `python tests/vectors/envelope/make_doors.py`; see make.py.

A door's manifest has one member more and is signed by the door's key; the description tells no digest of what it saw.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from make import IMPOSTOR, Transfer, manifest_value, seeded, sign_text, write

from swaddle.canonical import canonical
from swaddle.envelope.manifest import Description, FileEntry
from swaddle.envelope.signature import SigningKey

DOOR = SigningKey.from_seed(seeded("door"))
PARTNER = SigningKey.from_seed(seeded("a partner's ssh key")).public.fingerprint


def main() -> None:
    """Write them all."""
    base = Transfer.make("door", 300, 65_536)
    entry = FileEntry("births.csv", 300, None)
    transfer = replace(base, description=Description("unknown", (entry,)))
    header, described = transfer.header(), transfer.described()
    value = manifest_value(transfer, header, described)
    good = {"ssh_key": PARTNER}
    malformed = {
        "null": ("a door that names no key", None),
        "text": ("a fingerprint where an object stands", PARTNER),
        "extra-member": ("a member that is not of the format", {**good, "user": "partner"}),
        "no-member": ("an object of nothing", {}),
        "fingerprint": ("a fingerprint of another form", {"ssh_key": PARTNER.removeprefix("SHA256:")}),
        "padding": ("a fingerprint with its base64 padding", {"ssh_key": f"{PARTNER}="}),
    }
    cases = {"opened-door": ("opened", "signed by the door, naming the SSH key", good, DOOR)}
    cases["door-another-signer"] = ("refused/wrong-signer", "signed by another than the door", good, IMPOSTOR)
    for name, (comment, door) in malformed.items():
        cases[f"door-{name}"] = ("refused/manifest-malformed", comment, door, DOOR)
    for name, (expect, comment, door, key) in cases.items():
        signed = sign_text(canonical({**value, "door": door}), key=key)
        write(name, expect, comment, transfer, header=header, described=described, signed=signed, signer=DOOR.public)


if __name__ == "__main__":
    main()
