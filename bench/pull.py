"""Row 2: fetching one large held transfer from the gateway over TLS and opening it, against fetching it in the clear.

    python bench/pull.py [--mebibytes 1024] [--rounds 3] [--only "sftp,curl"] [--folder DIR]

Ours is what the registry's own service does until there is a plaintext to read rows from: lease, fetch every part into
the spool, compare its digest, sync it, open header, description and body, take the plaintext's digest. It runs in this
process, as the service does that is always there; the peers are commands. What is fetched is sent anew before each
round (a transfer is read once), outside the time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from support.loopback import Nginx, Rclone, Sshd, run
from support.parties import Parties, clear_folder, options_of, scratch, wanted
from support.rounds import MIB, Target, Way, interleave, random_file, table

from support import loopback
from swaddle.envelope.unseal import check_envelope, open_envelope
from swaddle.registry import pull
from swaddle.registry.pipeline import open_body

TARGETS = (Target("sftp get", 1.5), Target("curl GET from nginx", None, 0.9))

MOST_DOUBLED_BYTES = 1024 * MIB  # a sealed copy of a larger one beside all the others might not fit into memory


class Puller:
    """The registry's side of one transfer, round after round."""

    def __init__(self, parties: Parties, source: Path, folder: Path) -> None:
        self.parties, self.source = parties, source
        self.spool, self.opened = folder / "spool", folder / "opened"
        self.spool.mkdir()
        self.submitter = parties.party()
        with source.open("rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()

    def ready(self) -> None:
        """Send the file anew."""
        run(self.parties.send_command(self.source))

    def go(self) -> None:
        """Fetch and open."""
        registry = self.parties.registry
        waiting = pull.waiting(registry.client)[-1]
        transfer = SimpleNamespace(id=waiting.id, token=pull.new_token())
        held = pull.lease(registry.client, transfer, self.spool)
        pull.fetch_body(registry.client, held, transfer.token)
        key = registry.submitters[self.submitter].signing_key
        manifest = check_envelope(held.manifest, held.header, held.description, [key], ())
        pair = registry.intake_pair
        envelope = open_envelope(manifest, held.header, held.description, {pair.public.key_id: pair})
        descriptor = os.open(self.opened, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            if open_body(held, envelope, descriptor) != self.digest:
                raise SystemExit("what was opened is not what was sent")
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """End the transfer, empty the spool."""
        if self.opened.stat().st_size != self.source.stat().st_size:
            raise SystemExit("what was opened is not what was sent")
        self.opened.unlink()
        clear_folder(self.spool)
        self.parties.forget_sends()


def peers(folder: Path, source: Path, stack: ExitStack) -> Iterator[Way]:
    """What fetches the same file."""
    target = folder / "got"
    target.mkdir()
    clear = partial(clear_folder, target)
    if loopback.missing("sshd", "sftp", "scp") is None:
        sshd = Sshd(folder / "sshd")
        stack.callback(sshd.stop)
        port = str(sshd.port)
        for name, cipher in (("sftp get", None), ("sftp get, aes128-gcm", "aes128-gcm@openssh.com")):
            command = ["sftp", *sshd.options(cipher), "-P", port, "-b", "-", sshd.where]
            yield Way(name, partial(run, command, stdin=f"get {source} {target}/body\n".encode()), clear)
        scp = ["scp", *sshd.options(), "-P", port, f"{sshd.where}:{source}", f"{target}/"]
        yield Way("scp", partial(run, scp), clear)
        if loopback.missing("rsync") is None:
            rsync = ["rsync", "-W", "--inplace", "-e", sshd.shell(), f"{sshd.where}:{source}", f"{target}/"]
            yield Way("rsync -W", partial(run, rsync), clear)
    if loopback.missing("rclone") is None:
        rclone = Rclone(folder / "rclone", None)
        stack.callback(rclone.stop)
        os.link(source, rclone.files / "body")
        yield Way("rclone webdav", partial(run, rclone.copy("dav:body", f"{target}/body")), clear)
        if source.stat().st_size <= MOST_DOUBLED_BYTES:
            run(rclone.copy(source, "davcrypt:body"))
            yield Way("rclone crypt over webdav", partial(run, rclone.copy("davcrypt:body", f"{target}/body")), clear)
    if loopback.missing("nginx", "curl") is None:
        nginx = Nginx(folder / "nginx")
        stack.callback(nginx.stop)
        os.link(source, nginx.files / "body")
        curl = [
            "curl",
            "-sS",
            "--fail",
            "--cacert",
            str(nginx.certificate),
            "-o",
            f"{target}/body",
            f"{nginx.url}/body",
        ]
        yield Way("curl GET from nginx", partial(run, curl), clear)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = options_of(parser)
    mebibytes, rounds = options.mebibytes or 1024, options.rounds or 3
    folder = scratch(options.folder)
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        source = random_file(folder / "body.bin", mebibytes)
        parties = Parties(folder / "swaddle")
        stack.callback(parties.stop)
        puller = Puller(parties, source, folder)
        ours = Way("swaddle, fetched and opened", puller.go, puller.clear, puller.ready)
        ways = [ours, *(way for way in peers(folder, source, stack) if wanted(way.name, options.only))]
        interleave(ways, rounds, memory_bytes=2 * mebibytes * MIB)
        title = f"Pull and open {mebibytes} MiB, files in {folder.parent}"
        table(title, ways, mebibytes * MIB / 1e6, "MB/s", TARGETS, options.json)


if __name__ == "__main__":
    main()
