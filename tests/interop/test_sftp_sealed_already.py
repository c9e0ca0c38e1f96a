"""Files that come sealed by another Crypt4GH tool keep what they have; files that break off may be gone on with."""

import base64
import io
import json
import os
import shutil
import time

import crypt4gh.lib
import paramiko
import pytest
from nacl.public import PrivateKey
from sftp_world import sftp_world

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with sftp_world(tmp_path_factory.mktemp("sftp"), resume_seconds=4) as made:
        yield made


@pytest.fixture
def door(shared):
    yield shared
    shared.end_all()


@pytest.fixture
def client(door):
    transport = paramiko.Transport(("127.0.0.1", door.port))
    key = paramiko.Ed25519Key.from_private_key_file(str(door.partner()))
    transport.connect(username="partner", pkey=key)
    yield paramiko.SFTPClient.from_transport(transport)
    transport.close()


def published(client):
    """The registry's key of today, as the door gives it out, read as Crypt4GH tools read it."""
    lines = client.open("answers/registry.c4gh.pub").read().decode().splitlines()
    assert lines[0] == "-----BEGIN CRYPT4GH PUBLIC KEY-----"
    return base64.b64decode(lines[1])


def sealed(content, *readers):
    out = io.BytesIO()
    secret = bytes(PrivateKey.generate())
    crypt4gh.lib.encrypt([(0, secret, reader) for reader in readers], io.BytesIO(content), out)
    return out.getvalue()


class TestSealedAlready:
    @pytest.mark.parametrize("size", [1, 65_536, 65_537, 3_000_000, 70_000_000])
    def test_it_passes_and_only_its_header_is_sealed(self, door, client, size):
        content = os.urandom(size)
        data = sealed(content, published(client))
        client.putfo(io.BytesIO(data), "data.csv.c4gh")
        (came,) = door.came()
        assert (came.name, came.content) == ("data.csv.c4gh", content)

    def test_its_clear_header_is_never_on_the_disk(self, door, client):
        data = sealed(os.urandom(5_000_000), published(client))
        with client.open("half.c4gh", "wb") as half:
            half.write(data[:3_000_000])
            half.stat()
            on_disk = [
                path.read_bytes() for folder in ("gateway", "door") for path in (door.folder / folder).rglob("*") if path.is_file()
            ]  # fmt: skip
            assert not any(data[:124] in found or data[16:124] in found for found in on_disk)
            assert any(data[124:70_000] in found for found in on_disk)
            half.write(data[3_000_000:])
        client.stat("half.c4gh")
        (came,) = door.came()
        assert came.name == "half.c4gh"

    @pytest.mark.parametrize("what", ["two readers", "cut in its header", "cut in a segment", "only a header"])
    def test_what_cannot_pass_is_refused(self, door, client, what):
        key = published(client)
        data = {
            "two readers": lambda: sealed(b"x" * 1000, key, bytes(PrivateKey.generate().public_key)),
            "cut in its header": lambda: sealed(b"x" * 1000, key)[:60],
            "cut in a segment": lambda: sealed(b"x" * 70_000, key)[: 124 + 65_564 + 20],
            "only a header": lambda: sealed(b"x", key)[:124] + b"y" * 20,
        }[what]()
        with pytest.raises(OSError):
            client.putfo(io.BytesIO(data), "data.c4gh")
        assert door.came() == []

    def test_the_magic_alone_is_a_file_like_any_other(self, door, client):
        client.putfo(io.BytesIO(b"crypt4gh is a format\n"), "about.txt")
        assert door.contents() == [("about.txt", b"crypt4gh is a format\n")]


class TestResume:
    def test_too_late_it_begins_again_and_is_told_so(self, door, client):
        key = door.partner()
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=paramiko.Ed25519Key.from_private_key_file(str(key)))
        first = paramiko.SFTPClient.from_transport(transport)
        out = first.open("data.csv", "wb")
        out.write(b"x" * 100_000)
        transport.close()
        time.sleep(5)
        path = door.folder / "data.csv"
        path.write_bytes(b"x" * 300_000)
        done = door.sftp(key, f"reput {path} data.csv\n")
        assert done.returncode == 1
        assert b"No such file" in done.stderr
        done = door.sftp(key, f"put {path} data.csv\n")
        assert done.returncode == 0, done.stderr
        assert door.contents() == [("data.csv", path.read_bytes())]

    def test_a_client_that_goes_on_unasked_is_told(self, client):
        with client.open("new.csv", "wb") as out:
            out.seek(1000)
            out.write(b"the second half")
            with pytest.raises(OSError, match="never came"):
                client._request(4, out.handle)

    def test_reput_in_time_goes_on(self, door):
        key = door.partner()
        path = door.folder / "data.csv"
        path.write_bytes(os.urandom(300_000))
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=paramiko.Ed25519Key.from_private_key_file(str(key)))
        first = paramiko.SFTPClient.from_transport(transport)
        out = first.open("data.csv", "wb")
        out.write(path.read_bytes()[:100_000])
        transport.close()
        done = door.sftp(key, f"reput {path} data.csv\n")
        assert done.returncode == 0, done.stderr
        assert door.contents() == [("data.csv", path.read_bytes())]

    def test_a_put_after_a_cut_begins_anew(self, door):
        key = door.partner()
        path = door.folder / "data.csv"
        path.write_bytes(os.urandom(300_000))
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=paramiko.Ed25519Key.from_private_key_file(str(key)))
        out = paramiko.SFTPClient.from_transport(transport).open("data.csv", "wb")
        out.write(b"other" * 1000)
        transport.close()
        done = door.sftp(key, f"put {path} data.csv\n")
        assert done.returncode == 0, done.stderr
        assert door.contents() == [("data.csv", path.read_bytes())]


class TestReports:
    def test_a_report_is_fetched_whole_three_times_and_is_as_long_as_listed(self, door):
        party = door.world.enrol()
        path = door.folder / "reader"
        path.write_bytes(party.key.to_openssh())
        path.chmod(0o600)
        answer = door.world.instruct("door-submitter", submitter=party.id, ssh_keys=[party.key.public.line])
        assert answer.status == 200
        sent = door.world.send(None, to=party)
        name = f"answers/{sent.id}.sealed"
        target = door.folder / "report"
        for time_ in range(3):
            assert name.encode() in door.sftp(path, "ls answers\n").stdout, time_
            listed = int(door.sftp(path, f"ls -l {name}\n").stdout.splitlines()[-1].split()[4])
            done = door.sftp(path, f"get {name} {target}\n")
            assert done.returncode == 0, done.stderr
            head, _, body = target.read_bytes().partition(b"\n")
            assert listed == target.stat().st_size
            assert body == b"".join(sent.parts)
            assert json.loads(head)["manifest"]["message"] == sent.manifest.message.decode()
        assert name.encode() not in door.sftp(path, "ls answers\n").stdout
        assert door.world.freezes() == []
