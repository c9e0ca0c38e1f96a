"""The session that the README opens with, typed as it stands there."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
SESSION = re.findall(r"^\$ (.*)$", re.search(r"```console\n(.*?)```", README, re.DOTALL).group(1), re.MULTILINE)
ID = re.compile(r"\b[0-9a-f]{32}\b")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(path, word, seconds=30):
    end = time.monotonic() + seconds
    while word not in (path.read_text() if path.exists() else ""):
        assert time.monotonic() < end, path.read_text()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the registry runs on Linux")
def test_the_session_of_the_readme_works_as_it_stands(installed, tmp_path):
    assert len(SESSION) <= 10
    port, started, printed = free_port(), [], ""
    said = {"gateway run": "listening on https://", "registry run": "running"}
    try:
        for number, typed in enumerate(SESSION):
            line = typed.replace("8443", str(port)).replace("TRANSFER", (ID.findall(printed) or [""])[0])
            if "gateway init" in line:
                line += f" --port {port}"
            if line.endswith("&"):
                log = tmp_path / f"{number}.log"
                command = line.removesuffix("&").split()
                assert command[0] == "swaddle"
                with log.open("w") as file:
                    started.append(
                        subprocess.Popen(
                            [sys.executable, "-m", *command],
                            cwd=tmp_path, env=installed, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                        )
                    )  # fmt: skip
                until(log, said[" ".join(command[1:3])])
                continue
            done = subprocess.run(
                ["bash", "-euc", line],
                cwd=tmp_path, env=installed, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            if "swaddle send" in line:
                printed = done.stdout
            last = done.stdout
        assert "submission-stored" in last
        assert "copy-destroyed" in last or "transfer-held" in last
        held = [path for path in (tmp_path / "gateway" / "bodies").rglob("*") if path.is_file()]
        assert b"N-1" not in b"".join(path.read_bytes() for path in (tmp_path / "gateway").rglob("*") if path.is_file())
        assert len(held) <= 2  # at most the report, until it was fetched
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(20)
    assert {process.returncode for process in started} <= {0, -signal.SIGTERM}
