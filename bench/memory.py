"""Row 6: the most memory that the submitter's and the gateway's processes ever took, for one small and one large file.

    python bench/memory.py [--mebibytes 4096] [--folder DIR]

VmHWM of each process: of the whole `swaddle send` command and of a gateway that has just taken it. What Python and the
libraries take alone is in it. The large file is sparse: it takes no disk or memory of its own; its ciphertext does.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from support.parties import Parties, options_of, scratch
from support.rounds import MIB, machine, peak_kib

SMALL_MEBIBYTES = 64
LIMITS = {"submitter": 100, "gateway": 150}


def peak_of(command: list[str]) -> int:
    """The peak of a command, in KiB: told by a process that starts nothing else."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    return int(subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True).stdout)


def sparse(path: Path, mebibytes: int) -> Path:
    """A file of that length that takes no room."""
    with path.open("wb") as out:
        out.truncate(mebibytes * MIB)
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options = options_of(parser)
    folder = scratch(options.folder)
    print(f"Peak memory; {machine()}")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for mebibytes in (SMALL_MEBIBYTES, options.mebibytes or 4096):
            place = folder / str(mebibytes)
            parties = Parties(place)
            stack.callback(parties.stop)
            source = sparse(place / "body.bin", mebibytes)
            peaks = {
                "submitter": peak_of(parties.send_command(source)) / 1024,
                "gateway": peak_kib(parties.gateway_process) / 1024,
            }
            for name, peak in peaks.items():
                verdict = "reached" if peak <= LIMITS[name] else "not reached"
                print(f"  {mebibytes:6} MiB sent: {name:10} {peak:5.0f} MiB; at most {LIMITS[name]} ({verdict})")
            parties.forget_sends()


if __name__ == "__main__":
    main()
