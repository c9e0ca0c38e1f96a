"""A long line that loses packets and lets them overtake one another: two network namespaces and a forwarder between.

Needs root and /dev/net/tun. The whole child process lives at the near end; the gateway at the far end.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHILD = """
import secrets, subprocess, sys
from pathlib import Path
sys.path[:0] = [{bench!r}, {support!r}]
from support.line import LongLine
from support.parties import Parties
folder = Path({folder!r})
source = folder / "births.csv"
source.write_bytes(secrets.token_bytes(3_000_000))
with LongLine(delay_ms=40, loss=0.01, megabits=100, late=0.05) as line:
    parties = Parties(folder / "swaddle", line.far_host, line.far)
    try:
        done = subprocess.run(parties.send_command(source), capture_output=True, text=True, timeout=200)
        taken = list(parties.registry.take().values())
    finally:
        parties.stop()
print(done.stdout, done.stderr, sep="\\n")
assert taken == [source.read_bytes()], "once, whole"
sys.exit(done.returncode)
"""


@pytest.mark.slow
def test_packets_that_are_lost_and_overtaken_lose_nothing(tmp_path):
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        from support.line import reason
    finally:
        sys.path.remove(str(ROOT / "bench"))
    if (why := reason()) is not None:
        pytest.skip(f"no long line here: {why}")
    code = CHILD.format(bench=str(ROOT / "bench"), support=str(ROOT / "tests" / "support"), folder=str(tmp_path))
    tmp_path.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "held" in done.stdout
