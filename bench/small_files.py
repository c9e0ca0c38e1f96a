"""Row 3: ten thousand files of 10 KiB, whole commands.

    python bench/small_files.py [--files 10000] [--rounds 3] [--only "sftp,rsync"] [--folder DIR]

Ours packs the folder into one sealed transfer; after it the gateway holds everything, and each file has its digest and
its name inside. The peers make the files one by one at the other side.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from support.loopback import Rclone, Sshd, run
from support.parties import Parties, clear_folder, options_of, scratch, wanted
from support.rounds import Target, Way, interleave, table

from support import loopback

FILE_BYTES = 10 * 1024
TARGETS = (Target("sftp put -r", 8.0), Target("rsync -a", 1.2, 2.0))


def make(folder: Path, files: int) -> Path:
    """A folder of files in a hundred folders, as exports of one day lie."""
    block = os.urandom(FILE_BYTES * 2)
    for number in range(files):
        place = folder / f"{number % 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        start = number % FILE_BYTES
        (place / f"record-{number:06d}.json").write_bytes(block[start : start + FILE_BYTES])
    return folder


def peers(folder: Path, source: Path, stack: ExitStack) -> Iterator[Way]:
    """What copies a folder."""
    if (program := loopback.missing("sshd", "sftp", "scp", "tar")) is not None:
        print(f"  no ssh peers: {program} is not here")
        return
    sshd = Sshd(folder / "sshd")
    stack.callback(sshd.stop)
    target = folder / "sshd" / "files"
    target.mkdir()
    clear = partial(clear_folder, target)
    port = str(sshd.port)
    sftp = ["sftp", *sshd.options(), "-P", port, "-b", "-", sshd.where]
    batch = f"mkdir {target}/d\nput -r {source}/* {target}/d/\n".encode()
    yield Way("sftp put -r", partial(run, sftp, stdin=batch), clear)
    scp = ["scp", "-r", *sshd.options(), "-P", port, str(source), f"{sshd.where}:{target}/"]
    yield Way("scp -r", partial(run, scp), clear)
    if loopback.missing("rsync") is None:
        rsync = ["rsync", "-a", "-W", "-e", sshd.shell(), f"{source}/", f"{sshd.where}:{target}/"]
        yield Way("rsync -a", partial(run, rsync), clear)

    def tar() -> None:
        """`tar | ssh tar`."""
        with subprocess.Popen(["tar", "-C", str(source), "-cf", "-", "."], stdout=subprocess.PIPE) as packing:
            remote = ["ssh", *sshd.options(), "-p", port, sshd.where, f"tar -C {target} -xf -"]
            subprocess.run(remote, stdin=packing.stdout, check=True)

    yield Way("tar over ssh", tar, clear)
    if loopback.missing("rclone") is None:
        rclone = Rclone(folder / "rclone", sshd)
        stack.callback(rclone.stop)
        emptied = partial(clear_folder, rclone.files)
        rclone_sftp = rclone.copy(source, f"ssh:{rclone.files}", "--transfers", "8")
        yield Way("rclone sftp, 8 at once", partial(run, rclone_sftp), emptied)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    options = options_of(parser)
    rounds = options.rounds or 3
    folder = scratch(options.folder)
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        source = make(folder / "export", options.files)
        parties = Parties(folder / "swaddle")
        stack.callback(parties.stop)
        ours = Way("swaddle send DIR, sealed", partial(run, parties.send_command(source)), parties.forget_sends)
        ways = [ours, *(way for way in peers(folder, source, stack) if wanted(way.name, options.only))]
        interleave(ways, rounds)
        title = f"Send {options.files} files of 10 KiB, files in {folder.parent}"
        table(title, ways, options.files, "files/s", TARGETS, options.json)


if __name__ == "__main__":
    main()
