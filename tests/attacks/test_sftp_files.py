"""What a partner, or whoever has its key, may try once it is in: names, bytes, slowness, other people's things."""

import io
import os
import random
import shutil
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest
from sftp_world import sftp_world

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
MARKER = b"SWADDLE-PLAINTEXT-MARKER-0123456789"


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with sftp_world(tmp_path_factory.mktemp("sftp"), connections_each=4, files_each=6, names_each=40) as made:
        yield made


@pytest.fixture
def client(door):
    with Connected(door, door.partner()) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_left(door):
    yield
    door.end_all()


class Connected:
    """A paramiko client, closed at the end."""

    def __init__(self, door, key):
        self.door, self.key = door, key

    def __enter__(self):
        self.transport = paramiko.Transport(("127.0.0.1", self.door.port))
        self.transport.connect(username="partner", pkey=paramiko.Ed25519Key.from_private_key_file(str(self.key)))
        return paramiko.SFTPClient.from_transport(self.transport)

    def __exit__(self, *_):
        self.transport.close()


NAMES = [
    "a\x00b.csv", "a\r\nb.csv", "a\x1b[31m.csv", "\u202eexe.csv", "a\u200bb.csv", b"\xff\xfe.csv", "x" * 300, "/".join("d" * 20),
]  # fmt: skip


class TestNames:
    @pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
    def test_what_is_no_name_is_refused(self, client, name):
        with pytest.raises((OSError, UnicodeError)):
            client.open(name, "wb").write(b"x")

    @pytest.mark.parametrize(
        "name",
        ["../../etc/passwd", "/etc/cron.d/x", "..\\..\\x.csv", "'; DROP TABLE transfers; --", "<script>.csv", "=cmd()"],
    )
    def test_what_could_be_a_path_or_a_command_is_a_word_in_the_description(self, door, client, name):
        before = sorted(path.name for path in (door.folder / "gateway").rglob("*") if path.is_file())
        client.putfo(io.BytesIO(b"content"), name)
        (came,) = [one for one in door.came() if one.name == name.rpartition("/")[2]]
        assert came.content == b"content"
        after = [path.name for path in (door.folder / "gateway").rglob("*") if path.is_file()]
        assert all(name.rpartition("/")[2] not in found for found in after)
        assert before

    def test_no_name_and_no_byte_of_a_file_is_on_the_disk_or_in_what_the_door_says(self, door, client):
        name = "Jane-Doe-1990-01-01.csv"
        client.putfo(io.BytesIO(MARKER * 50_000), name)
        with client.open("half-" + name, "wb") as half:
            half.write(MARKER * 100_000)
            half.stat()
            found = [
                path for folder in ("gateway", "door") for path in (door.folder / folder).rglob("*")
                if path.is_file() and any(text in path.read_bytes() for text in (MARKER, name.encode(), b"crypt4gh\x01"))
            ]  # fmt: skip
        assert found == []


def test_the_door_says_no_name_and_no_value(tmp_path):
    """Whatever happens to a file, what the door writes for its operator has nothing of it."""
    with sftp_world(tmp_path) as door:
        path = tmp_path / "Jane-Doe.csv"
        path.write_bytes(MARKER * 100)
        key = door.partner()
        for batch in (
            f"put {path}",
            f"put {path} Jane-Doe.csv.tmp",
            f"put {path} /answers/Jane-Doe",
            "get Jane-Doe.csv",
        ):
            door.sftp(key, batch + "\n", user="Jane-Doe")
        door.sftp(tmp_path / "nobody", "pwd\n", user="Jane-Doe")
        said = "".join(door.said) + door.stop()
        assert "Jane" not in said
        assert MARKER.decode() not in said
        assert "Traceback" not in said


class TestNothingBack:
    def test_no_file_is_read_listed_or_replaced(self, door, client):
        client.putfo(io.BytesIO(b"mine"), "mine.csv")
        assert client.listdir("/") == []
        for flags in ("r", "r+", "wb", "ab"):
            with pytest.raises(OSError):
                client.open("mine.csv", flags).read()
        with pytest.raises(OSError):
            client.remove("mine.csv")
        with pytest.raises(OSError):
            client.rename("mine.csv", "other.csv")
        (came,) = door.came()
        assert came.content == b"mine"

    def test_another_partner_sees_nothing(self, door, client):
        client.putfo(io.BytesIO(b"mine"), "mine.csv")
        with client.open("coming.csv", "wb") as coming, Connected(door, door.partner()) as other:
            coming.write(b"x")
            for name in ("mine.csv", "coming.csv"):
                with pytest.raises(FileNotFoundError):
                    other.stat(name)
            other.putfo(io.BytesIO(b"theirs"), "mine.csv")
        assert sorted(one.content for one in door.came()) == [b"mine", b"theirs", b"x"]

    def test_links_reading_links_and_copies_are_off(self, client):
        for call in (
            lambda: client.symlink("/etc/passwd", "x"),
            lambda: client.readlink("x"),
            lambda: client.truncate("/answers", 10),
            lambda: client.open("answers/x.txt", "wb"),
            lambda: client.mkdir("answers/x"),
            lambda: client.rmdir("answers"),
            lambda: client.remove("answers/status.txt"),
        ):
            with pytest.raises(OSError):
                call()


class TestBytes:
    def test_a_hole_a_rewrite_and_a_leap_are_refused(self, client):
        for writes in ([(10, b"x")], [(0, b"abc"), (1, b"X")], [(0, b"a"), (5_000_000, b"b")]):
            with pytest.raises(OSError):
                write_at(client, writes)

    def test_out_of_order_within_the_window_is_put_in_order(self, door, client):
        file = client.open("order.csv", "wb")
        for offset in (30_000, 60_000, 0, 90_000):
            file.seek(offset)
            file.write(bytes([offset // 30_000]) * 30_000)
        file.close()
        client.stat("order.csv")
        (came,) = [one for one in door.came() if one.name == "order.csv"]
        assert came.content == b"".join(bytes([n]) * 30_000 for n in range(4))

    @pytest.mark.parametrize(
        "packet",
        [
            b"\xff\xff\xff\xff\x03", b"\x00\x00\x00\x00", struct.pack(">IBI", 2**31, 6, 1),
            struct.pack(">IBII", 21, 6, 1, 2**31), struct.pack(">IBII", 9, 3, 1, 2**31), b"\x00" * 64,
            struct.pack(">IBIII", 5000, 6, 1, 0, 0), struct.pack(">IBI", 2**20, 17, 1),
        ],
        ids=range(8),
    )  # fmt: skip
    def test_lengths_that_lie_end_the_session_and_nothing_else(self, door, packet):
        key = door.partner()
        with Connected(door, key) as good:
            bad = good.get_channel().get_transport().open_session()
            bad.invoke_subsystem("sftp")
            bad.settimeout(1)
            bad.sendall(struct.pack(">IBI", 5, 1, 3) + packet)
            until = time.monotonic() + 5
            with suppress(TimeoutError):  # some wait for the rest of what they announce: until the session is idle
                while time.monotonic() < until and bad.recv(4096):
                    pass
            assert good.listdir("/") == []

    def test_any_bytes(self, door):
        key = door.partner()
        for seed in range(10):
            with Connected(door, key) as good:
                bad = good.get_channel().get_transport().open_session()
                bad.invoke_subsystem("sftp")
                bad.sendall(struct.pack(">IBI", 5, 1, 3) + fuzz(seed))
                bad.close()
        assert door.sftp(key, "pwd\n").returncode == 0


class TestExhaustion:
    def test_connections_of_one_key(self, door):
        key = door.partner()
        lines = [Connected(door, key) for _ in range(4)]
        try:
            for line in lines:
                line.__enter__()
            with pytest.raises((paramiko.SSHException, EOFError, OSError)):
                Connected(door, key).__enter__().listdir("/")
            assert door.sftp(door.partner(), "pwd\n").returncode == 0
        finally:
            for line in lines:
                line.__exit__()

    def test_open_files_names_and_folders(self, client):
        with pytest.raises(OSError):
            [client.open(f"{n}.part", "wb") for n in range(7)]
        with pytest.raises(OSError):
            [client.mkdir(f"folder-{n}") for n in range(300)]

    def test_memory_stays_where_it_was(self, door, client):
        """Sixty-four pieces out of order, each behind a gap, on several files at once: refused long before it is much."""
        before = resident(door.process.pid)
        files = [client.open(f"gap-{n}.part", "wb") for n in range(4)]
        for file in files:
            with pytest.raises(OSError):
                scatter(file)
        assert resident(door.process.pid) - before < 40_000_000

    def test_a_client_that_reads_no_answers(self, door):
        with Connected(door, door.partner()) as good:
            channel = good.get_channel().get_transport().open_session(window_size=40_000)
            channel.invoke_subsystem("sftp")
            channel.settimeout(10)
            channel.sendall(struct.pack(">IBI", 5, 1, 3))
            before = resident(door.process.pid)
            stat = struct.pack(">IBI", 10, 17, 1) + struct.pack(">I", 1) + b"/"

            def end():
                with suppress(EOFError):  # the door was first to hang up
                    channel.close()

            stop = threading.Timer(3, end)
            stop.start()
            try:
                for _ in range(2000):
                    channel.sendall(stat * 100)
            except OSError:
                pass
            stop.cancel()
            assert resident(door.process.pid) - before < 60_000_000
        assert door.sftp(door.partner(), "pwd\n").returncode == 0


def write_at(client, writes):
    """Write, and close in a way that looks at the answer; paramiko's own throws it away."""
    file = client.open(f"f{time.monotonic_ns()}.csv", "wb")
    for offset, data in writes:
        file.seek(offset)
        file.write(data)
    file.stat()
    client._request(4, file.handle)


def scatter(file):
    for n in range(1, 3000):
        file.seek(n * 2)
        file.write(b"x")
    file.stat()


def fuzz(seed):
    made = random.Random(seed)
    packets = b""
    for _ in range(40):
        body = made.randbytes(made.randrange(60))
        kind = made.choice([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 200, 255])
        packets += struct.pack(">IB", len(body) + 1, kind) + body
    return packets


def resident(process):
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
