"""Files made to do harm to a scan: bombs, nests, passwords, endless lines, names that are commands; and what a scan tells."""

import gzip
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from swaddle.incident import scan as scanning
from swaddle.incident.scan import NothingToScan, scan
from swaddle.incident.scan_apart import File, read_files
from swaddle.incident.scan_frames import Said, Unfit, checked, said_of
from swaddle.incident.scan_state import State, StateUnusable

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROW = "Zofia,Quarshie,1988-04-03,6712 345 674,K1A 0B1\n"
PEOPLE = "first_name,last_name,date_of_birth,health_card,postal_code\n" + ROW


def scanned(tmp_path, files):
    folder = tmp_path / "files"
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return scan(folder, tmp_path / "state", NOW)


def zipped(**members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


def under_password(data):
    """A package whose member says that it is encrypted."""
    held = bytearray(zipped(secret=data))
    held[6] |= 1
    at = held.index(b"PK\x01\x02")
    held[at + 8] |= 1
    return bytes(held)


def test_hostile_files_are_said_and_the_others_are_read(tmp_path):
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as member,
    ):
        for _ in range(80):
            member.write((b"1," + b"x" * 4093 + b"\n") * 256)
    nest = PEOPLE.encode()
    for _ in range(9):
        nest = zipped(inner=nest)
    found = scanned(
        tmp_path,
        {
            "good.csv": PEOPLE,
            "two-deep.zip": zipped(a=zipped(people=PEOPLE)),
            "packed.csv.gz": gzip.compress(PEOPLE.encode()),
            "bomb.zip": bomb.getvalue(),
            "nest.zip": nest,
            "password.zip": under_password(b"x" * 100),
            "cut.zip": zipped(a=b"x" * 9999)[:60],
            "cut.gz": gzip.compress(os.urandom(5000))[:2000],
            "empty.csv": b"",
            "picture.csv": b"\x89PNG\r\n" + bytes(range(256)),
            "parquet.csv": b"PAR1" + bytes(40) + b"PAR1",
            "deep.json": b"[" * 100_000,
            "open-quote.csv": PEOPLE + '"' + ROW * 3,
            "=cmd()|'x'!A1.csv": PEOPLE,
            "line\nfeed.csv": PEOPLE,
        },
    )
    why = {each["file"]: each["why"] for each in found["unreadable"]}
    assert "a bomb" in why["bomb.zip/zeros"]
    assert "deep" in why["nest.zip/inner/inner/inner/inner/inner/inner"]
    assert why["password.zip/secret"] == "under a password"
    assert {"cut.zip", "cut.gz", "empty.csv", "picture.csv", "parquet.csv", "deep.json"} <= set(why)
    assert found["persons"] == found["persons_known"] == 1, "the same person in every file"
    assert "line\\x0afeed.csv" in {each["file"] for each in found["inventory"]}
    assert not (tmp_path / "state").exists(), "what the scan remembered is gone"


@pytest.mark.slow
def test_a_line_without_end_takes_little_memory(tmp_path):
    big = tmp_path / "files" / "line.txt"
    big.parent.mkdir()
    with big.open("wb") as file:
        for _ in range(60):
            file.write(b"x" * 1_000_000)
        file.write(b" 6712 345 674 ")
    script = (
        "import sys, re, resource; from pathlib import Path; from datetime import *; from swaddle.incident.scan import scan\n"
        "r = scan(Path(sys.argv[1]), Path(sys.argv[2]), datetime(2026, 11, 1, tzinfo=UTC))\n"
        # Its own from the kernel's mark: ru_maxrss is what the process that started it once had.
        "own = int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "print(r['persons'], max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, big.parent, tmp_path / "state"], capture_output=True, text=True, check=True
    )
    persons, kilobytes = map(int, out.stdout.split())
    assert persons == 1
    assert kilobytes < 500 * 1024


def test_no_value_of_a_person_is_told(tmp_path):
    other = "Wilhelmina,Szczepanska,1979-11-23,wilma@example.org\n" * 30
    messages = "MSH|^~\\&|A|B|C|D|20230101||ADT^A01|1|P|2.5\rPID|1||77123^^^H^MR||Xanthippe^Oluwadamilola||19840717|F|||9 Gorse Lane\r"
    found = scanned(
        tmp_path,
        {
            "people.csv": PEOPLE + ROW * 20,
            "nohead.csv": other,
            "m.hl7": messages,
            "t.txt": "Dear Zofia, 6712 345 674, born 1988-04-03",
        },
    )
    told = json.dumps(found)
    for value in (
        "Zofia",
        "Quarshie",
        "1988",
        "6712",
        "K1A",
        "Wilhelmina",
        "wilma",
        "1979",
        "Xanthippe",
        "77123",
        "Gorse",
    ):
        assert value not in told
    assert found["persons"] == 3


def test_what_a_scan_remembers_tells_nothing_and_takes_up_again(tmp_path, monkeypatch):
    folder, state = tmp_path / "files", tmp_path / "state"
    folder.mkdir()
    for number in range(50):
        (folder / f"{number:03}.csv").write_text(PEOPLE + f"Ann{number % 7},Lee,1990-01-0{number % 7 + 1},,\n")
    monkeypatch.setattr(scanning, "BATCH_FILES", 20)
    whole = scan(folder, state, NOW)
    real, seen = scanning.read_files, []

    def stopped(files, *rest):
        seen.append(files)
        if len(seen) == 2:
            raise KeyboardInterrupt
        real(files, *rest)

    monkeypatch.setattr(scanning, "read_files", stopped)
    monkeypatch.setattr(scanning, "WORKERS", 1)
    with pytest.raises(KeyboardInterrupt):
        scan(folder, state, NOW)
    kept = b"".join(path.read_bytes() for path in state.iterdir())
    assert b"Zofia" not in kept
    assert b"csv" not in kept
    assert b"first_name" not in kept
    monkeypatch.setattr(scanning, "read_files", real)
    again = scan(folder, state, NOW)
    assert again.pop("resumed")
    assert not whole.pop("resumed")
    for each in (whole, again):
        each.pop("seconds")
    assert again == whole


def test_a_state_of_other_files_is_begun_anew_and_a_strangers_folder_is_left_alone(tmp_path):
    state = State(tmp_path / "state", b"one")
    state.finish("a", 0, Said())
    state.commit()
    assert State(tmp_path / "state", b"one").done
    assert not State(tmp_path / "state", b"two").done
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(StateUnusable):
        State(tmp_path / "mine", b"one")
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_link_out_of_the_folder_is_not_followed_and_a_pipe_does_not_hold_it_up(tmp_path):
    (tmp_path / "outside.csv").write_text(PEOPLE)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "around").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    found = scan(folder, tmp_path / "state", NOW)
    assert (found["files"], found["persons"]) == (0, 0)
    assert [each["file"] for each in found["unreadable"]] == ["pipe"]
    with pytest.raises(NothingToScan):
        scan(tmp_path / "nowhere", tmp_path / "state", NOW)


def test_a_reader_that_comes_to_an_end_takes_only_its_file_with_it(tmp_path):
    said = {}
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.csv"
        path.write_text(PEOPLE)
        paths.append(path)
    gone = File(1, "1", tmp_path / "not-there", 10, b"", 1)
    files = [File(0, "0", paths[0], 90, b"", 1), gone, File(2, "2", paths[2], paths[2].stat().st_size, b"", 1)]
    read_files(files, b"k" * 32, False, lambda *_: None, lambda file, told: said.setdefault(file.number, told))
    assert [bool(said[number].troubles) for number in range(3)] == [False, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_a_taken_over_reader_can_only_be_refused(seed):
    noise = random.Random(seed).randbytes(200)
    with pytest.raises(Unfit):
        said_of(noise)
    with pytest.raises(Unfit):
        checked(noise[:1] if noise[:1] not in b"PNTD" else b"?", 1)
    with pytest.raises(Unfit):
        checked(b"P", 7)


def test_the_command_says_what_it_could_not_read(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04nothing")
    command = [
        Path(sys.executable).parent / "swaddle",
        "incident",
        "scan",
        folder,
        "--state",
        tmp_path / "s",
        "--strict",
    ]
    out = subprocess.run([*command, "--inventory"], capture_output=True, text=True, check=False)
    assert out.returncode == 7, out.stderr
    assert "broken.zip" in out.stdout
    assert "1 persons  people.csv" in out.stdout
    assert "Zofia" not in out.stdout + out.stderr
