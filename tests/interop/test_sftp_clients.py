"""Real clients at the SFTP door: what they sent is held, whole, under its final name, once (docs/clients.md)."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import paramiko
import pytest
from sftp_world import sftp_world

pytestmark = pytest.mark.skipif(shutil.which("sftp") is None, reason="OpenSSH's client is not installed")
RCLONES = {
    "Debian's": shutil.which("rclone", path="/usr/bin"),
    "the package index's": shutil.which("rclone", path=str(Path(sys.executable).parent)),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with sftp_world(tmp_path_factory.mktemp("sftp"), folders="incoming/2026") as made:
        yield made


@pytest.fixture
def door(shared):
    """The door with nothing at the gateway yet."""
    yield shared
    shared.end_all()


def file(door, size, name="data.csv"):
    path = door.folder / name
    path.write_bytes(os.urandom(size))
    return path


class TestOpenSsh:
    def test_sftp_puts_a_file(self, door):
        path = file(door, 3_000_000)
        done = door.sftp(door.partner(), f"put {path}\n")
        assert done.returncode == 0, done.stderr
        assert door.contents() == [("data.csv", path.read_bytes())]

    def test_sftp_says_that_it_is_second_grade(self, door):
        assert b"second grade" in door.sftp(door.partner(), "pwd\n").stderr

    def test_a_file_of_no_bytes_and_one_of_a_whole_part_and_one_more(self, door):
        key = door.partner()
        part = 67_108_864
        sizes = [0, 1, 65_536, part, part + 1]
        paths = [file(door, size, f"{size}.csv") for size in sizes]
        done = door.sftp(key, "".join(f"put {path}\n" for path in paths))
        assert done.returncode == 0, done.stderr
        assert sorted(door.contents()) == sorted((path.name, path.read_bytes()) for path in paths)

    def test_sftp_into_a_folder_that_the_operator_shows(self, door):
        path = file(door, 1000)
        done = door.sftp(door.partner(), f"cd incoming\ncd 2026\nput {path}\nls -l\n")
        assert done.returncode == 0, done.stderr
        assert [name for name, _ in door.contents()] == ["data.csv"]
        assert b"data.csv" not in done.stdout.splitlines()[-1]

    def test_a_script_that_renames_when_all_is_there(self, door):
        path = file(door, 1000)
        done = door.sftp(door.partner(), f"put {path} data.csv.tmp\nrename data.csv.tmp final.csv\n")
        assert done.returncode == 0, done.stderr
        assert door.contents() == [("final.csv", path.read_bytes())]

    def test_a_script_whose_temporary_name_stays(self, door):
        path = file(door, 1000)
        done = door.sftp(door.partner(), f"put {path} data.csv.tmp\n")
        assert done.returncode == 0, done.stderr
        assert wait_for(door.contents) == [("data.csv.tmp", path.read_bytes())]

    def test_times_and_rights_are_kept_quiet_about(self, door):
        path = file(door, 1000)
        done = door.sftp(door.partner(), f"put -fp {path}\n")
        assert done.returncode == 0, done.stderr
        assert len(door.contents()) == 1

    def test_scp_of_today(self, door):
        path = file(door, 300_000)
        key = door.partner()
        for target in ("", "renamed.csv", "incoming/"):
            command = ["scp", *door.options(key), "-s", "-P", str(door.port), path, f"partner@127.0.0.1:{target}"]
            done = subprocess.run(command, capture_output=True, timeout=60, check=False)
            assert done.returncode == 0, (target, done.stderr)
        assert sorted(name for name, _ in door.contents()) == ["data.csv", "data.csv", "renamed.csv"]

    def test_scp_of_a_folder(self, door):
        folder = door.folder / "many"
        folder.mkdir(exist_ok=True)
        for n in range(5):
            (folder / f"{n}.csv").write_bytes(os.urandom(1000 + n))
        command = ["scp", *door.options(door.partner()), "-s", "-r", "-P", str(door.port), folder, "partner@127.0.0.1:"]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert sorted(door.contents()) == sorted((path.name, path.read_bytes()) for path in folder.iterdir())

    def test_scp_of_the_old_kind_is_told_no(self, door):
        command = [
            "scp",
            *door.options(door.partner()),
            "-O",
            "-P",
            str(door.port),
            file(door, 10),
            "partner@127.0.0.1:",
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode != 0
        assert door.contents() == []

    def test_answers_are_fetched_and_say_what_became_of_it(self, door):
        key = door.partner()
        door.sftp(key, f"put {file(door, 1234)}\n")
        (transfer,) = [each["id"] for each in door.inbox()]
        target = door.folder / "fetched"
        target.mkdir(exist_ok=True)
        done = door.sftp(key, f"ls -l answers\ncd answers\nlcd {target}\nget *\n")
        assert done.returncode == 0, done.stderr
        assert (target / f"{transfer}.txt").read_text().startswith("received")
        assert re.search(rf"{transfer}\t1234 bytes\treceived", (target / "status.txt").read_text())
        door.end(transfer)
        door.sftp(key, f"lcd {target}\nget answers/{transfer}.txt\n")
        assert (target / f"{transfer}.txt").read_text() == "stored\n"

    def test_the_answers_of_another_are_not_there(self, door):
        door.sftp(door.partner(), f"put {file(door, 1234)}\n")
        (transfer,) = [each["id"] for each in door.inbox()]
        stranger = door.partner()
        assert transfer.encode() not in door.sftp(stranger, "ls answers\n").stdout
        assert door.sftp(stranger, f"get answers/{transfer}.txt {door.folder}/x\n").returncode == 1


class TestRclone:
    @pytest.mark.parametrize("program", RCLONES.values(), ids=RCLONES)
    def test_copies_a_folder_and_a_second_time_again(self, door, program, tmp_path):
        if program is None:
            pytest.skip("this rclone is not installed")
        source = tmp_path / "source"
        source.mkdir()
        for n in range(3):
            (source / f"{n}.csv").write_bytes(os.urandom(100_000 * n + 17))
        key = door.partner()
        command = [
            program, "copy", "--retries", "1", "--low-level-retries", "1", "--config", tmp_path / "none", source,
            f":sftp,host=127.0.0.1,port={door.port},user=partner,key_file={key},shell_type=none:incoming",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert sorted(door.contents()) == sorted((path.name, path.read_bytes()) for path in source.iterdir())

    @pytest.mark.parametrize("program", RCLONES.values(), ids=RCLONES)
    def test_without_being_told_of_the_shell(self, door, program, tmp_path):
        if program is None:
            pytest.skip("this rclone is not installed")
        (tmp_path / "one.csv").write_bytes(b"x" * 5_000_000)
        remote = f":sftp,host=127.0.0.1,port={door.port},user=partner,key_file={door.partner()}:"
        command = [
            program,
            "copyto",
            "--retries",
            "1",
            "--config",
            tmp_path / "none",
            tmp_path / "one.csv",
            remote + "one.csv",
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert door.contents() == [("one.csv", b"x" * 5_000_000)]


class TestParamiko:
    @pytest.fixture
    def client(self, door):
        key = paramiko.Ed25519Key.from_private_key_file(str(door.partner()))
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=key)
        with paramiko.SFTPClient.from_transport(transport) as made:
            yield made
        transport.close()

    def test_put_looks_whether_it_arrived(self, door, client):
        path = file(door, 2_000_000)
        client.put(str(path), "data.csv")
        assert door.contents() == [("data.csv", path.read_bytes())]
        assert client.listdir(".") == []
        assert client.stat("data.csv").st_size == 2_000_000

    def test_openssh_with_each_kind_of_key(self, door):
        for kind in ("ed25519", "rsa", "ecdsa"):
            done = door.sftp(door.partner(kind), f"put {file(door, 10, f'{kind}.csv')}\n")
            assert done.returncode == 0, (kind, done.stderr)
        assert sorted(name for name, _ in door.contents()) == ["ecdsa.csv", "ed25519.csv", "rsa.csv"]

    def test_an_rsa_key(self, door):
        key = paramiko.RSAKey.from_private_key_file(str(door.partner("rsa")))
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=key)
        paramiko.SFTPClient.from_transport(transport).put(str(file(door, 100)), "rsa.csv")
        transport.close()
        assert [name for name, _ in door.contents()] == ["rsa.csv"]

    def test_as_winscp_does_it(self, door, client):
        """Look for the target, put under a name of its own, look, rename, look again; times and rights are set."""
        path = file(door, 1_500_000)
        with pytest.raises(FileNotFoundError):
            client.stat("/data.csv")
        with pytest.raises(FileNotFoundError):
            client.stat("/data.csv.filepart")
        with client.open("/data.csv.filepart", "wb") as out:
            out.set_pipelined(True)
            out.write(path.read_bytes())
        assert client.stat("/data.csv.filepart").st_size == 1_500_000
        assert door.contents() == []
        client.posix_rename("/data.csv.filepart", "/data.csv")
        assert door.contents() == [("data.csv", path.read_bytes())]
        client.utime("/data.csv", (1_700_000_000, 1_700_000_000))
        assert client.stat("/data.csv").st_mtime == 1_700_000_000

    def test_as_winscp_goes_on_after_a_cut(self, door, client):
        data = os.urandom(3_000_000)
        out = client.open("/data.csv.filepart", "wb")
        out.set_pipelined(True)
        out.write(data[:1_700_000])
        out.stat()
        client.get_channel().get_transport().close()
        key = paramiko.Ed25519Key.from_private_key_file(str(list(door.submitters.values())[-1]))
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=key)
        again = paramiko.SFTPClient.from_transport(transport)
        size = wait_for(lambda: again.stat("/data.csv.filepart").st_size)
        assert size == 1_700_000
        with again.open("/data.csv.filepart", "r+b") as rest:
            rest.seek(size)
            rest.set_pipelined(True)
            rest.write(data[size:])
        again.rename("/data.csv.filepart", "/data.csv")
        transport.close()
        assert door.contents() == [("data.csv", data)]


def wait_for(found, seconds=10):
    for _ in range(seconds * 20):
        if value := found():
            return value
        time.sleep(0.05)
    return found()
