"""The stand-alone uploads in a process of their own, and a client that says exactly what a test wants said."""

import base64
import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path

DRAFT_APPEND = "application/partial-upload"
TUS_APPEND = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}


def b64(data):
    return base64.b64encode(data).decode()


def digest(data):
    return f"sha-256=:{b64(sha256(data).digest())}:"


def sha1_checksum(data):
    return f"sha1 {b64(sha1(data).digest())}"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        import json

        return json.loads(self.body)

    @property
    def problem(self):
        return self.json["type"].rsplit("#", 1)[-1].removeprefix("about:swaddle:")


class Uploads:
    """A server of uploads."""

    def __init__(self, folder, port, options=()):
        self.folder, self.port, self.options = Path(folder), port, list(options)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "swaddle.gateway.resumable", "--port", str(self.port), "--open"]
        command += ["--folder", str(self.folder), *self.options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        line = self.process.stderr.readline().decode()
        if not line.startswith("listening on http://"):
            raise RuntimeError(line)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.process.stderr.close()

    def ask(self, method, path, headers=None, body=None):
        """One request; `path` may be a URL that the server gave."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path.removeprefix(self.url), body=body, headers=headers or {})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()

    def create(self, body=b"", complete="?0", path="/files", **fields):
        headers = {"Upload-Complete": complete, **{name.replace("_", "-"): value for name, value in fields.items()}}
        return self.ask("POST", path, headers, body)

    def append(self, where, offset, body=b"", complete="?0", **fields):
        headers = {"Upload-Complete": complete, "Upload-Offset": str(offset), "Content-Type": DRAFT_APPEND}
        return self.ask("PATCH", where, headers | {n.replace("_", "-"): v for n, v in fields.items()}, body)

    def look(self, where):
        return self.ask("HEAD", where)

    def offset(self, where, headers=None):
        answer = self.ask("HEAD", where, headers)
        return int(answer.headers["upload-offset"])

    def bytes_of(self, where):
        return (self.folder / f"{where.rsplit('/', 1)[1]}.bytes").read_bytes()

    @contextmanager
    def half_sent(self, method, path, headers, body, length):
        """A request whose body has begun and hangs; its connection."""
        path = path.removeprefix(self.url)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            yield line

    def wait_for(self, where, offset, seconds=20):
        """Until the file on disk has so many bytes (asking would end the request that sends them)."""
        path = self.folder / f"{where.rsplit('/', 1)[1]}.bytes"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(FileNotFoundError):
                if path.stat().st_size >= offset:
                    return
            time.sleep(0.02)
        raise AssertionError("it did not come")


@contextmanager
def served(folder, *options):
    """A server in a process of its own."""
    uploads = Uploads(folder, free_port(), options).start()
    try:
        yield uploads
    finally:
        uploads.stop()
