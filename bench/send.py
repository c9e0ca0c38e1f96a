"""Row 1: sealing one large file and sending it over TLS until the gateway holds it, against every way it replaces.

    python bench/send.py [--mebibytes 1024] [--rounds 3] [--only "sftp,curl"] [--folder DIR]

Whole commands, each a process of its own, all on the loopback of one machine: client and server share its cores. Ours
seals, digests, signs and is told by the gateway that it holds the transfer; the others only move the bytes (but rclone
crypt, which seals too). `--folder` puts the files on a disk.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from support.loopback import Nginx, Prefix, Rclone, Sshd, Tus, run
from support.parties import Parties, clear_folder, options_of, scratch, wanted
from support.rounds import MIB, Target, Way, interleave, random_file, table

from support import loopback

TARGETS = (
    Target("sftp put", 2.0),
    Target("sftp put, aes128-gcm", 1.5),
    Target("curl PUT to nginx", None, 0.95),
)


def ssh_ways(
    folder: Path, source: Path, stack: ExitStack, host: str = "127.0.0.1", prefix: Prefix = ()
) -> Iterator[Way]:
    """OpenSSH's own, and what goes over it."""
    if (program := loopback.missing("sshd", "sftp", "scp")) is not None:
        print(f"  no ssh peers: {program} is not here")
        return
    sshd = Sshd(folder / "sshd", host, prefix)
    stack.callback(sshd.stop)
    target = folder / "sshd" / "files"
    target.mkdir()
    clear = partial(clear_folder, target)
    port = str(sshd.port)
    for name, cipher in (("sftp put", None), ("sftp put, aes128-gcm", "aes128-gcm@openssh.com")):
        command = ["sftp", *sshd.options(cipher), "-P", port, "-b", "-", sshd.where]
        yield Way(name, partial(run, command, stdin=f"put {source} {target}/body\n".encode()), clear)
    yield Way("scp", partial(run, ["scp", *sshd.options(), "-P", port, str(source), f"{sshd.where}:{target}/"]), clear)
    if loopback.missing("rsync") is None:
        rsync = ["rsync", "-W", "--inplace", "-e", sshd.shell(), str(source), f"{sshd.where}:{target}/"]
        yield Way("rsync -W", partial(run, rsync), clear)
    if loopback.missing("rclone") is None:
        rclone = Rclone(folder / "rclone", sshd, host, prefix)
        stack.callback(rclone.stop)
        emptied = partial(clear_folder, rclone.files)
        places = {
            "rclone sftp": f"ssh:{rclone.files}/body", "rclone webdav": "dav:body",
            "rclone crypt over sftp": "sshcrypt:body", "rclone crypt over webdav": "davcrypt:body",
        }  # fmt: skip
        for name, place in places.items():
            yield Way(name, partial(run, rclone.copy(source, place)), emptied)


def other_ways(
    folder: Path, source: Path, stack: ExitStack, host: str = "127.0.0.1", prefix: Prefix = ()
) -> Iterator[Way]:
    """HTTP without sealing."""
    if loopback.missing("nginx", "curl") is None:
        nginx = Nginx(folder / "nginx", host, prefix)
        stack.callback(nginx.stop)
        curl = ["curl", "-sS", "--fail", "--cacert", str(nginx.certificate), "-T", str(source), f"{nginx.url}/body"]
        yield Way("curl PUT to nginx", partial(run, curl), partial(clear_folder, nginx.files))
    if (reason := Tus.reason()) is None:
        tus = Tus(folder / "tus", host, prefix)
        stack.callback(tus.stop)
        yield Way(
            "tus-js-client to @tus/server, no TLS", partial(run, tus.put(source)), partial(clear_folder, tus.files)
        )
    else:
        print(f"  no tus peer: {reason}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = options_of(parser)
    mebibytes, rounds = options.mebibytes or 1024, options.rounds or 3
    folder = scratch(options.folder)
    # OpenSSH and nginx run as other users than root for some of their work: the way there must be open to them.
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        source = random_file(folder / "body.bin", mebibytes)
        parties = Parties(Path(tempfile.mkdtemp(dir=folder)) / "swaddle")
        stack.callback(parties.stop)
        ours = Way("swaddle send, sealed", partial(run, parties.send_command(source)), parties.forget_sends)
        others = [*ssh_ways(folder, source, stack), *other_ways(folder, source, stack)]
        ways = [ours, *(way for way in others if wanted(way.name, options.only))]
        interleave(ways, rounds, memory_bytes=2 * mebibytes * MIB)
        title = f"Send {mebibytes} MiB, files in {folder.parent}"
        table(title, ways, mebibytes * MIB / 1e6, "MB/s", TARGETS, options.json)


if __name__ == "__main__":
    main()
