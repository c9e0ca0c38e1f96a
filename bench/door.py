"""Row 4: the SFTP door against OpenSSH's own server: the same client, the same cipher, sealing included.

    python bench/door.py [--mebibytes 1024] [--rounds 3] [--folder DIR]

`sftp put` of one file: to sshd with its sftp-server, which writes the file down; and to the door, which seals it as it
streams, gives it to the gateway and answers the client when it is held.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from support.loopback import Sshd, run
from support.parties import clear_folder, options_of, scratch
from support.rounds import MIB, Target, Way, interleave, random_file, table

from support import loopback

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from sftp_world import SftpWorld, sftp_world

from swaddle.canonical import format_instant
from swaddle.envelope.signature import Signed, sign

CIPHERS = {"aes128-gcm": "aes128-gcm@openssh.com", "aes256-gcm": "aes256-gcm@openssh.com"}


def forget(door: SftpWorld) -> None:
    """The registry ends every transfer: its bytes are destroyed at once."""
    for each in door.inbox():
        view = door.world.get(f"/v1/transfers/{each['id']}", door.world.pull).json
        held = json.loads(Signed.from_json(view["held"]).message)
        value = {
            "at": format_instant(door.world.line.now()), "manifest_sha256": held["manifest_sha256"],
            "outcome": "refused", "receipt": None, "transfer": each["id"],
        }  # fmt: skip
        statement = sign("swaddle-acknowledgement-v1", value, door.world.statement)
        door.world.post(f"/v1/transfers/{each['id']}/acknowledgement", statement.to_json(), door.world.pull)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = options_of(parser)
    if (program := loopback.missing("sshd", "sftp", "ssh-keygen")) is not None:
        sys.exit(f"skipped: {program} is not here")
    mebibytes, rounds = options.mebibytes or 1024, options.rounds or 3
    folder = scratch(options.folder)
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        source = random_file(folder / "body.bin", mebibytes)
        (folder / "door").mkdir()
        door = stack.enter_context(sftp_world(folder / "door"))
        key = door.partner()
        sshd = Sshd(folder / "sshd")
        stack.callback(sshd.stop)
        target = folder / "sshd" / "files"
        target.mkdir()
        for name, cipher in CIPHERS.items():
            ours = ["sftp", *door.options(key), "-c", cipher, "-P", str(door.port), "-b", "-", "partner@127.0.0.1"]
            theirs = ["sftp", *sshd.options(cipher), "-P", str(sshd.port), "-b", "-", sshd.where]
            ways = [
                Way("sftp put to the door, sealed", partial(run, ours, stdin=f"put {source} /body.bin\n".encode()),
                    partial(forget, door)),
                Way("sftp put to OpenSSH's server", partial(run, theirs, stdin=f"put {source} {target}/b\n".encode()),
                    partial(clear_folder, target)),
            ]  # fmt: skip
            interleave(ways, rounds, memory_bytes=2 * mebibytes * MIB)
            title = f"SFTP door, {mebibytes} MiB, {name}, files in {folder.parent}"
            targets = (Target("sftp put to OpenSSH's server", 0.9, 1.2),)
            table(title, ways, mebibytes * MIB / 1e6, "MB/s", targets, options.json)


if __name__ == "__main__":
    main()
