"""Peers as processes of their own: each starts in a folder, waits until it listens, and is ended by its id."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STARTS_WITHIN_S = 20
USER = "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
# What every client and server runs in; (): this network namespace.
Prefix = Sequence[str]


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def missing(*programs: str) -> str | None:
    """The first of these programs that this machine does not have."""
    return next((program for program in programs if which(program) is None), None)


def which(program: str) -> str | None:
    """Where a program lies; servers are often outside the ordinary path."""
    beside = Path(sys.executable).parent / program
    return str(beside) if beside.exists() else shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/usr/bin")


@dataclass
class Running:
    """A server process and everything that must be ended with it."""

    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it by its id."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(command: Sequence[str], host: str, port: int, log: Path, prefix: Prefix = ()) -> Running:
    """Start a server and wait until it takes connections."""
    with log.open("ab") as out:
        process = subprocess.Popen([*prefix, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    running = Running(process)
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        if process.poll() is not None:
            raise SystemExit(f"{command[0]} did not start: {log.read_text(errors='replace')[-1000:]}")
        with contextlib.suppress(OSError):
            socket.create_connection((host, port), 2).close()
            return running
        if time.monotonic() > until:
            running.stop()
            raise SystemExit(f"{command[0]} does not listen: {log.read_text(errors='replace')[-1000:]}")
        time.sleep(0.1)


def run(command: Sequence[str], *, stdin: bytes | None = None, environment: Mapping[str, str] | None = None) -> bytes:
    """Run a client; what goes wrong ends the bench, with the client's own words."""
    done = subprocess.run(
        list(command), input=stdin, capture_output=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        words = (done.stderr + done.stdout).decode(errors="replace")[-1500:]
        raise SystemExit(f"{Path(command[0]).name} failed ({done.returncode}): {words}")
    return done.stdout


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate for the peers' TLS, made by openssl as their users would: ECDSA P-256, as the gateway's."""
    cert, key = folder / "tls.crt", folder / "tls.key"
    if not cert.exists():
        run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=bench", "-addext", f"subjectAltName=IP:{host}", "-keyout", str(key), "-out", str(cert)]
        )  # fmt: skip
        ssl.create_default_context(cafile=str(cert))
    return cert, key


@dataclass
class Sshd:
    """OpenSSH's own server, as Debian configures it but for the port: its default ciphers, its own sftp-server."""

    folder: Path
    host: str = "127.0.0.1"
    prefix: Prefix = ()
    ciphers: str = ""
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Make the keys, start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key, host_key = self.folder / "client", self.folder / "host"
        for path in (self.key, host_key):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)])
        authorized = self.folder / "authorized"
        shutil.copy(self.key.with_suffix(".pub"), authorized)
        authorized.chmod(0o600)
        sftp_server = next(p for p in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server") if Path(p).exists())
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress {self.host}\nHostKey {host_key}\nAuthorizedKeysFile {authorized}\n"
            f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nMaxStartups 100\n"
            f"Subsystem sftp {sftp_server}\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [str(which("sshd")), "-D", "-e", "-f", str(config)]
        self._running = start(command, self.host, self.port, self.folder / "sshd.log", self.prefix)

    def options(self, cipher: str | None = None) -> list[str]:
        """What ssh, sftp and scp are told so that they ask nothing and learn nothing."""
        return [
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-F", "none", "-i", str(self.key),
            *(["-c", cipher] if cipher else []),
        ]  # fmt: skip

    def shell(self) -> str:
        """An `ssh` command line, for rsync."""
        return " ".join(["ssh", *self.options(), "-p", str(self.port)])

    @property
    def where(self) -> str:
        """User and host."""
        return f"{USER}@{self.host}"

    def stop(self) -> None:
        """End it."""
        self._running.stop()


@dataclass
class Nginx:
    """nginx with TLS 1.3: GET of files, PUT by its dav module; one worker a core, sendfile on."""

    folder: Path
    host: str = "127.0.0.1"
    prefix: Prefix = ()
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Write the configuration, start it."""
        self.files = self.folder / "files"
        temporary = self.folder / "temporary"
        for path in (self.files, temporary):
            path.mkdir(parents=True, exist_ok=True)
        self.certificate, key = certificate(self.folder, self.host)
        config = self.folder / "nginx.conf"
        config.write_text(
            f"user {USER};\nworker_processes auto;\npid {self.folder}/nginx.pid;\ndaemon off;\n"
            f"error_log {self.folder}/error.log;\nevents {{ worker_connections 512; }}\n"
            f"http {{\n  access_log off; sendfile on; client_max_body_size 0; client_body_temp_path {temporary};\n"
            f"  client_body_buffer_size 1m;\n"
            f"  server {{\n    listen {self.host}:{self.port} ssl; ssl_protocols TLSv1.3;\n"
            f"    ssl_certificate {self.certificate}; ssl_certificate_key {key};\n"
            f"    root {self.files}; location / {{ dav_methods PUT DELETE; create_full_put_path on; }}\n  }}\n}}\n"
        )
        command = [str(which("nginx")), "-p", str(self.folder), "-c", str(config)]
        self._running = start(command, self.host, self.port, self.folder / "nginx.log", self.prefix)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://{self.host}:{self.port}"

    def stop(self) -> None:
        """End it."""
        self._running.stop()


@dataclass
class Rclone:
    """`rclone serve webdav` with TLS, and the clients' configuration: webdav, sftp, and crypt over each."""

    folder: Path
    sshd: Sshd | None
    host: str = "127.0.0.1"
    prefix: Prefix = ()
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Write the configuration, start the server."""
        self.files = self.folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.certificate, key = certificate(self.folder, self.host)
        self.program = str(which("rclone"))
        self.config = self.folder / "rclone.conf"
        secret = run([self.program, "obscure", "of the bench"]).decode().strip()
        text = f"[dav]\ntype = webdav\nurl = https://{self.host}:{self.port}\nvendor = rclone\n"
        text += f"[davcrypt]\ntype = crypt\nremote = dav:\npassword = {secret}\n"
        if self.sshd is not None:
            text += (
                f"[ssh]\ntype = sftp\nhost = {self.host}\nport = {self.sshd.port}\nuser = {USER}\n"
                f"key_file = {self.sshd.key}\nshell_type = none\n"
                f"[sshcrypt]\ntype = crypt\nremote = ssh:{self.files}\npassword = {secret}\n"
            )
        self.config.write_text(text)
        command = [
            self.program, "serve", "webdav", str(self.files), "--addr", f"{self.host}:{self.port}",
            "--cert", str(self.certificate), "--key", str(key), "--config", str(self.config),
        ]  # fmt: skip
        self._running = start(command, self.host, self.port, self.folder / "rclone.log", self.prefix)

    def copy(self, source: Path | str, target: str, *more: str) -> list[str]:
        """A command that copies one file or a folder."""
        verb = "copy" if Path(source).is_dir() else "copyto"
        return [
            self.program, verb, str(source), target, "--config", str(self.config),
            "--ca-cert", str(self.certificate), "--retries", "1", "--no-check-dest", "-q", *more,
        ]  # fmt: skip

    def stop(self) -> None:
        """End it."""
        self._running.stop()


@dataclass
class Tus:
    """@tus/server with its file store, and tus-js-client, by npm's lock beside this bench; without TLS, as it comes."""

    folder: Path
    host: str = "127.0.0.1"
    prefix: Prefix = ()
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Start the server."""
        self.files = self.folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.scripts = Path(__file__).parent.parent / "peers"
        command = [str(which("node")), str(self.scripts / "server.mjs"), str(self.files), self.host, str(self.port)]
        self._running = start(command, self.host, self.port, self.folder / "tus.log", self.prefix)

    @staticmethod
    def reason() -> str | None:
        """Why it cannot run here, if it cannot."""
        if (program := missing("node")) is not None:
            return f"{program} is not here"
        scripts = Path(__file__).parent.parent / "peers"
        return None if (scripts / "node_modules").exists() else "run `npm ci` in bench/peers"

    def put(self, source: Path) -> list[str]:
        """A command that sends one file."""
        url = f"http://{self.host}:{self.port}/files"
        return [str(which("node")), str(self.scripts / "client.mjs"), str(source), url]

    def stop(self) -> None:
        """End it."""
        self._running.stop()


Stop = Callable[[], None]
