"""What is in the wheel is what is in the source, and its commands start."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_every_file_of_the_source_and_the_licence(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    source = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source - inside == set()
    assert any(name.endswith("LICENSE") for name in inside)
    assert not any(name.startswith(("tests", "docs", "tools")) for name in inside)


def test_the_program_is_the_wheel_s(installed, tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", "import swaddle; print(swaddle.__file__)"],
        env=installed,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(installed["PYTHONPATH"])


def test_the_version_is_said_on_stdout(swaddle):
    done = swaddle("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("swaddle 0.")


def test_help_lists_the_commands(swaddle):
    done = swaddle("--help")
    assert done.returncode == 0
    for command in ("demo", "gateway", "registry", "enrol", "send", "custody", "incident"):
        assert f"\n  {command} " in done.stdout


def test_a_command_that_is_not_there_is_a_usage_error(swaddle):
    done = swaddle("teleport")
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_home_that_is_not_there_is_three_lines_and_status_3(swaddle, tmp_path):
    done = swaddle("custody", "show", "abcdef0123", "--home", tmp_path / "nowhere")
    assert done.returncode == 3, done.stderr
    what, why, fix = done.stderr.splitlines()
    assert "(SWD-" in what
    assert why.startswith("  why: ")
    assert fix.startswith("  fix: ")
    assert done.stdout == ""
