"""Row 5: a line of 100 ms and 0.1 % loss, the same forwarder for every peer.

    sudo python bench/long_line.py [--mebibytes 24] [--rounds 1] [--delay-ms 100] [--loss 0.001] [--congestion cubic]

Two network namespaces joined by a forwarder (support/line.py) that carries 200 Mbit/s, delays and drops, in both
directions. Whole commands. What TCP makes of losses decides here: `--congestion` is used at both ends by every peer.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import ExitStack
from functools import partial

from send import other_ways, ssh_ways
from support.loopback import run
from support.parties import Parties, options_of, scratch, wanted
from support.rounds import MIB, Target, Way, interleave, random_file, table

from support import line


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay-ms", type=float, default=100, help="there and back")
    parser.add_argument("--loss", type=float, default=0.001, help="of packets, in each direction")
    parser.add_argument("--megabits", type=float, default=200, help="what the line carries a second")
    parser.add_argument("--congestion", default="cubic", help="TCP's congestion control at both ends")
    options = options_of(parser)
    if (reason := line.reason()) is not None:
        sys.exit(f"skipped: {reason}")
    mebibytes, rounds = options.mebibytes or 24, options.rounds or 1
    folder = scratch(options.folder)
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        source = random_file(folder / "body.bin", mebibytes)
        far = stack.enter_context(
            line.LongLine(options.delay_ms, options.loss, options.megabits, congestion=options.congestion)
        )
        parties = Parties(folder / "swaddle", far.far_host, far.far)
        stack.callback(parties.stop)
        ours = Way("swaddle send, sealed", partial(run, parties.send_command(source)), parties.forget_sends)
        others = [
            *ssh_ways(folder, source, stack, far.far_host, far.far),
            *other_ways(folder, source, stack, far.far_host, far.far),
        ]
        only = options.only or "sftp put,scp,rsync,rclone webdav,curl"
        ways = [ours, *(way for way in others if wanted(way.name, only) and way.name not in SKIPPED)]
        interleave(ways, rounds)
        title = (
            f"Send {mebibytes} MiB over {options.delay_ms:g} ms, {options.loss:.2%} loss, {options.megabits:g} Mbit/s,"
            f" TCP {options.congestion}"
        )
        targets = (Target("sftp put", 3.0),)
        table(title, ways, mebibytes * MIB * 8 / 1e6, "Mbit/s", targets, options.json)
        print(f"  the line itself: {options.megabits:g} Mbit/s")


SKIPPED = {"sftp put, aes128-gcm", "rclone crypt over webdav"}

if __name__ == "__main__":
    main()
