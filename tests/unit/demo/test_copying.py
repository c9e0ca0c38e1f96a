import subprocess
import sys
from pathlib import Path

import pytest

from swaddle.demo import copying

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies memory through /proc")

HOLDER = """
import subprocess, sys
held = "".join(reversed("yromem ni tsuj delbmessa"))
if sys.argv[1:]:
    child = subprocess.Popen([sys.executable, "-c", open(sys.argv[1]).read()], stdin=subprocess.PIPE)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.readline()
    yield process
    for each in reversed(copying.family(process.pid)):
        subprocess.run(["kill", "-9", str(each)], check=False)
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_memory_of_a_process_and_of_what_it_started_is_copied(tmp_path, holder):
    home = tmp_path / "home"
    (home / "bodies").mkdir(parents=True)
    (home / "transfers.db").write_bytes(b"rows")
    taken = copying.take(home, holder.pid, tmp_path / "raid")
    assert taken.processes == 2
    images = [path for path in taken.memory if path.name.startswith("memory-")]
    assert len(images) == 2
    assert all(b"assembled just in memory" in path.read_bytes() for path in images)
    assert (taken.home / "transfers.db").read_bytes() == b"rows"


def test_the_processes_go_on_after_the_copy(tmp_path, holder):
    copying.take(tmp_path_home(tmp_path), holder.pid, tmp_path / "raid")
    states = [
        Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[0] for each in copying.family(holder.pid)
    ]
    assert "T" not in states


def test_memory_that_cannot_be_read_fails_loudly(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(copying.MemoryClosed):
        copying.take(tmp_path_home(tmp_path), process.pid, tmp_path / "raid")


def tmp_path_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return home
