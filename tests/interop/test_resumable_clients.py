"""Clients that others wrote, as their users have them: tus-js-client under node, tuspy, curl."""

import secrets
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from resumable_world import digest, served

DATA = secrets.token_bytes(3_000_017)
CLIENTS = Path(__file__).parents[1] / "clients"


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    with served(tmp_path_factory.mktemp("uploads")) as server:
        yield server


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a file"
    path.write_bytes(DATA)
    return path


@pytest.fixture(scope="module")
def node():
    """Node with tus-js-client, installed from the lock."""
    npm, program = shutil.which("npm"), shutil.which("node")
    if npm is None or program is None:
        pytest.skip("node and npm are not here (Debian: nodejs, npm)")
    if not (CLIENTS / "node_modules" / "tus-js-client").is_dir():
        done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=CLIENTS, capture_output=True, timeout=120)
        if done.returncode:
            pytest.skip("npm could not install tests/clients/package-lock.json")
    return program


class TestTusJsClient:
    @pytest.mark.parametrize("protocol", ["tus-v1", "ietf-draft-05"])
    @pytest.mark.parametrize(("chunk", "break_at"), [(10**9, 0), (400_000, 0), (400_000, 1_000_000)])
    def test_brings_a_file_over(self, node, uploads, file, protocol, chunk, break_at):
        command = [node, "tus.mjs", f"{uploads.url}/files/", str(file), protocol, str(chunk), str(break_at)]
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert uploads.bytes_of(done.stdout.strip()) == DATA

    def test_brings_an_empty_file_over(self, node, uploads, tmp_path):
        (tmp_path / "empty").write_bytes(b"")
        command = [node, "tus.mjs", f"{uploads.url}/files/", str(tmp_path / "empty"), "tus-v1", "1000", "0"]
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert uploads.bytes_of(done.stdout.strip()) == b""


class TestTuspy:
    def client(self, uploads):
        client = pytest.importorskip("tusclient.client", reason="tuspy is not here")
        return client.TusClient(f"{uploads.url}/files/")

    @pytest.mark.parametrize("chunk", [500_000, 10**9])
    @pytest.mark.parametrize("checksum", [False, True])
    def test_brings_a_file_over(self, uploads, file, chunk, checksum):
        upload = self.client(uploads).uploader(str(file), chunk_size=chunk, upload_checksum=checksum)
        upload.upload()
        assert uploads.bytes_of(upload.url) == DATA

    def test_goes_on_after_a_stop(self, uploads, file):
        upload = self.client(uploads).uploader(str(file), chunk_size=500_000)
        upload.upload_chunk()
        again = self.client(uploads).uploader(str(file), chunk_size=500_000, url=upload.url)
        assert again.offset == 500_000
        again.upload()
        assert uploads.bytes_of(upload.url) == DATA


class TestCurl:
    @pytest.fixture(autouse=True)
    def _curl(self):
        if shutil.which("curl") is None:
            pytest.skip("curl is not here")

    def curl(self, *arguments):
        command = ["curl", "-sS", "-D", "-", "-o", "/dev/null", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        head = done.stdout.replace("\r", "").strip().split("\n\n")[-1].splitlines()
        fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        return int(head[0].split()[1]), {name.lower(): value for name, value in fields.items()}

    def test_brings_a_file_over_at_once(self, uploads, file):
        status, fields = self.curl(
            "-T", file, "-H", "Upload-Complete: ?1", "-H", f"Repr-Digest: {digest(DATA)}", f"{uploads.url}/files/x"
        )
        assert (status, fields["upload-complete"]) == (200, "?1")
        assert uploads.bytes_of(fields["location"]) == DATA

    def test_goes_on_with_the_rest_of_a_file(self, uploads, file, tmp_path):
        status, fields = self.curl("-X", "POST", "-H", "Upload-Complete: ?0", f"{uploads.url}/files")
        assert status == 201
        where, rest = fields["location"], tmp_path / "rest"
        append = ["-X", "PATCH", "-H", "Content-Type: application/partial-upload"]
        with cut_after(uploads.port, 1_000_000) as port:
            broken = where.replace(str(uploads.port), str(port))
            command = ["curl", "-sS", *append, "-H", "Upload-Complete: ?1", "-H", "Upload-Offset: 0", "-H", "Expect:"]
            done = subprocess.run([*command, "--data-binary", f"@{file}", broken], capture_output=True, timeout=60)
            assert done.returncode != 0
        offset = int(self.curl("-I", where)[1]["upload-offset"])
        assert 0 < offset < len(DATA)
        rest.write_bytes(DATA[offset:])
        status, fields = self.curl(
            *append, "-H", "Upload-Complete: ?1", "-H", f"Upload-Offset: {offset}", "--data-binary", f"@{rest}", where
        )
        assert (status, fields["upload-complete"]) == (200, "?1")
        assert uploads.bytes_of(where) == DATA


class cut_after:  # noqa: N801 - reads like the function that it is
    """A line to a port that carries so many bytes and then breaks."""

    def __init__(self, port, count):
        self.port, self.count = port, count

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._carry, daemon=True).start()
        return self.listening.getsockname()[1]

    def __exit__(self, *_):
        self.listening.close()

    def _carry(self):
        near, _ = self.listening.accept()
        with near, socket.create_connection(("127.0.0.1", self.port)) as far:
            left = self.count
            while left > 0 and (data := near.recv(min(left, 65_536))):
                far.sendall(data)
                left -= len(data)
