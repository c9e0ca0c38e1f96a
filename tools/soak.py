"""Send, pull, report, again and again, through processes that stay: what grows that should not?

    make soak SOAK_MINUTES=30

One gateway and one registry run for the whole time while a submitter sends a new file of births, waits for its receipt
and reads its report. Memory, open files and the bytes on the gateway are noted after each round. It fails when the
median of the last quarter is well above that of the second quarter, or when the gateway still holds a body at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROWS = 2_000
# How much may be added: (times, plus). Tombstones are kept for 14 days, so the bytes on the gateway grow a little.
ALLOWED = {"memory_kib": (1.2, 65_536), "files": (1.0, 8), "gateway_bytes": (2.0, 1_048_576)}
SWADDLE = [sys.executable, "-m", "swaddle"]


def swaddle(*arguments: str, folder: Path, text: str = "") -> str:
    """Run one command to its end."""
    done = subprocess.run(
        [*SWADDLE, *arguments], cwd=folder, input=text, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"swaddle {arguments[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def staying(*arguments: str, folder: Path) -> Iterator[int]:
    """A process that runs for the whole time; its id."""
    with (folder / f"{arguments[0]}.log").open("w") as log:
        process = subprocess.Popen([*SWADDLE, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        time.sleep(3)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def births(path: Path, round_number: int) -> None:
    """A file of births that no round has sent before."""
    lines = ["local_record_id,event_date,outcome,ga_weeks,birth_weight_g"]
    lines += [
        f"R{round_number}-{n},2026-{n % 9 + 1:02}-{n % 28 + 1:02},live,{35 + n % 7},{2500 + n % 1500}"
        for n in range(ROWS)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def family(process: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return [process, *(int(child) for child in children)]


def look(processes: list[int], gateway: Path) -> dict[str, int]:
    """Memory and open files of the processes and their children, bytes in the gateway's home."""
    every = [each for process in processes for each in family(process)]
    pages = sum(int(Path(f"/proc/{each}/statm").read_text("ascii").split()[1]) for each in every)
    return {
        "memory_kib": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "files": sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in every),
        "gateway_bytes": sum(path.stat().st_size for path in gateway.rglob("*") if path.is_file()),
    }


def judge(looks: list[dict[str, int]]) -> list[str]:
    """What grew; the first quarter is warming up."""
    quarter = max(1, len(looks) // 4)
    grown = []
    for name, (times, plus) in ALLOWED.items():
        early = statistics.median(each[name] for each in looks[quarter : 2 * quarter] or looks)
        late = statistics.median(each[name] for each in looks[-quarter:])
        print(f"{name}: {early:,.0f} in the second quarter, {late:,.0f} in the last")
        if late > early * times + plus:
            grown.append(name)
    return grown


def main() -> None:
    """Soak for the minutes given."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    looks: list[dict[str, int]] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        url = f"https://127.0.0.1:{port}"
        swaddle("gateway", "init", "--home", "gateway", "--url", url, "--port", port, folder=folder)
        gateway = stack.enter_context(staying("gateway", "run", "--home", "gateway", folder=folder))
        claim = ["--gateway", url, "--claim", "gateway/claim.json", "--new-passphrase-file", "registry.pass"]
        swaddle("registry", "init", "--home", "registry", *claim, folder=folder)
        with (folder / "registry" / "settings.toml").open("r+") as file:
            settings = file.read().replace("pull_interval_s = 10", "pull_interval_s = 1")
            file.seek(0)
            file.write(settings)
            file.truncate()
        registry = stack.enter_context(staying("registry", "run", "--home", "registry", folder=folder))
        invitation = swaddle("registry", "invite", "Soak General", "--home", "registry", folder=folder)
        keys = ["--home", "soak", "--new-passphrase-file", "soak.pass"]
        swaddle("enrol", "-", *keys, folder=folder, text=invitation)
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end or len(looks) < 4:
            births(folder / "births.csv", len(looks))
            sent = json.loads(
                swaddle("send", "births.csv", "--as", "births", "--home", "soak", "--wait", "--json", folder=folder)
            )
            swaddle("report", sent["transfers"][0]["id"], "--home", "soak", folder=folder)
            looks.append(look([gateway, registry], folder / "gateway"))
            print(f"round {len(looks)}: {looks[-1]}", file=sys.stderr)
        time.sleep(10)
        left = [path for path in (folder / "gateway" / "bodies").rglob("*") if path.is_file()]
        grown = judge(looks)
    if grown or left:
        raise SystemExit(f"FAILED: grown: {', '.join(grown) or 'nothing'}; bodies left on the gateway: {len(left)}")
    print(f"{len(looks)} rounds of {ROWS:,} rows in {minutes:g} minutes: nothing grew, nothing was left")


if __name__ == "__main__":
    main()
