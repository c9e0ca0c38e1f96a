"""Threat 9: SSH authentication state. Null key, user switch, a channel before the login, and everything that is off."""

import shutil
import socket
import subprocess
import time
from contextlib import closing, suppress

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from paramiko.common import cMSG_CHANNEL_OPEN, cMSG_USERAUTH_REQUEST
from paramiko.message import Message
from sftp_world import sftp_world

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with sftp_world(tmp_path_factory.mktemp("sftp"), login_seconds=5, connections=12, idle_seconds=4) as made:
        yield made


def load(path):
    return paramiko.Ed25519Key.from_private_key_file(str(path))


class Stranger:
    """A transport that has exchanged keys and says what the test wants it to say."""

    def __init__(self, door):
        self.transport = paramiko.Transport(("127.0.0.1", door.port))
        self.transport.start_client(timeout=10)
        self.answers = []
        self.transport.auth_handler = self
        service = Message()
        service.add_byte(b"\x05")
        service.add_string("ssh-userauth")
        self.transport._send_message(service)
        self.wait(6)

    @property
    def _handler_table(self):
        return {number: self.note(number) for number in (6, 51, 52, 53, 60)}

    def note(self, number):
        def noted(_message):
            self.answers.append(number)

        return noted

    def is_authenticated(self):
        return 52 in self.answers

    def abort(self):
        pass

    def wait(self, *numbers, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.transport.is_active():
            if set(numbers) & set(self.answers):
                return (set(numbers) & set(self.answers)).pop()
            time.sleep(0.02)
        return next(iter(set(numbers) & set(self.answers)), None)

    def request(self, user, key, *, signed, blob=None, algorithm="ssh-ed25519", signature=None):
        blob = key.asbytes() if blob is None else blob
        message = Message()
        message.add_byte(cMSG_USERAUTH_REQUEST)
        message.add_string(user)
        message.add_string("ssh-connection")
        message.add_string("publickey")
        message.add_boolean(signed)
        message.add_string(algorithm)
        message.add_string(blob)
        if signed:
            body = Message()
            body.add_string(self.transport.session_id)
            body.add_byte(cMSG_USERAUTH_REQUEST)
            body.add_string(user)
            body.add_string("ssh-connection")
            body.add_string("publickey")
            body.add_boolean(True)
            body.add_string(algorithm)
            body.add_string(blob)
            made = key.sign_ssh_data(body.asbytes(), algorithm) if signature is None else signature
            message.add_string(made)
        self.transport._send_message(message)

    def is_shut_out(self, seconds=5):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.transport.is_active():
                return True
            time.sleep(0.02)
        return False

    def close(self):
        self.transport.close()


@pytest.fixture
def stranger(door):
    made = Stranger(door)
    yield made
    made.close()


class TestUserSwitched:
    """CVE-2024-5806 and its kin: one name in the question, another in the signature."""

    @pytest.mark.parametrize("first", ["", "somebody", "root"])
    def test_between_the_question_and_the_signature(self, door, stranger, first):
        key = load(door.partner())
        stranger.request(first, key, signed=False)
        stranger.wait(60, seconds=2)
        with suppress(EOFError):  # the door may have hung up on the first already
            stranger.request("partner", key, signed=True)
        assert stranger.is_shut_out()
        assert 52 not in stranger.answers

    def test_after_a_refusal(self, door, stranger):
        stranger.request("partner", paramiko.Ed25519Key.from_private_key_file(str(new_key(door))), signed=True)
        assert stranger.wait(51) == 51
        stranger.request("other", load(door.partner()), signed=True)
        assert stranger.is_shut_out()

    def test_the_key_of_the_question_is_not_the_key_of_the_session(self, door, stranger):
        """A question about the victim's key, then the attacker's own signature: what comes in is the attacker."""
        victim, attacker = door.partner(), door.partner()
        stranger.request("partner", load(victim), signed=False)
        assert stranger.wait(60) == 60
        stranger.request("partner", load(attacker), signed=True)
        assert stranger.wait(52) == 52
        client = paramiko.SFTPClient.from_transport(stranger.transport)
        with client.open("who.csv", "wb") as out:
            out.write(b"whose?")
        client.stat("who.csv")
        ids = {path: name for name, path in door.submitters.items()}
        assert [one.manifest.core.submitter for one in door.came() if one.name == "who.csv"] == [ids[attacker]]

    def test_a_question_sent_behind_the_signature_changes_nothing(self, door, stranger):
        victim, attacker = door.partner(), door.partner()
        stranger.request("partner", load(attacker), signed=True)
        stranger.request("partner", load(victim), signed=False)
        if stranger.wait(52, seconds=3) == 52:
            client = paramiko.SFTPClient.from_transport(stranger.transport)
            with client.open("late.csv", "wb") as out:
                out.write(b"whose?")
            client.stat("late.csv")
            ids = {path: name for name, path in door.submitters.items()}
            assert [one.manifest.core.submitter for one in door.came() if one.name == "late.csv"] == [ids[attacker]]


class TestNullKey:
    @pytest.mark.parametrize(
        "blob", [b"", b"\x00\x00\x00\x0bssh-ed25519", b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x00"]
    )
    def test_a_key_of_nothing(self, door, stranger, blob):
        key = load(door.partner())
        stranger.request("partner", key, signed=True, blob=blob, signature=b"")
        assert stranger.wait(51, 52) in {51, None}

    def test_an_empty_signature(self, door, stranger):
        stranger.request("partner", load(door.partner()), signed=True, signature=b"")
        assert stranger.wait(51, 52) == 51

    def test_a_signature_by_another_key(self, door, stranger):
        key = load(door.partner())
        stranger.request("partner", load(new_key(door)), signed=True, blob=key.asbytes())
        assert stranger.wait(51, 52) == 51

    def test_no_method_at_all(self, door, stranger):
        message = Message()
        message.add_byte(cMSG_USERAUTH_REQUEST)
        for text in ("partner", "ssh-connection", "none"):
            message.add_string(text)
        stranger.transport._send_message(message)
        assert stranger.wait(51, 52) == 51


class TestBeforeTheLogin:
    def test_a_channel(self, stranger):
        message = Message()
        message.add_byte(cMSG_CHANNEL_OPEN)
        message.add_string("session")
        for number in (0, 2**21, 32768):
            message.add_int(number)
        stranger.transport._send_message(message)
        assert stranger.is_shut_out()

    def test_silence_is_cut(self, door):
        with socket.create_connection(("127.0.0.1", door.port)) as silent:
            silent.settimeout(60)
            began = time.monotonic()
            while silent.recv(4096):
                pass
            assert 2 < time.monotonic() - began < 30

    @pytest.mark.parametrize("with_a_session", [True, False])
    def test_silence_behind_the_login_is_cut_too(self, door, with_a_session):
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=load(door.partner()))
        if with_a_session:
            paramiko.SFTPClient.from_transport(transport).listdir("/")
        until = time.monotonic() + 60
        while transport.is_active() and time.monotonic() < until:
            time.sleep(0.1)
        assert not transport.is_active()

    @pytest.mark.slow
    def test_strangers_do_not_take_all_places(self, door):
        key = door.partner()
        crowd = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(40)]
        try:
            time.sleep(6)  # those that were let in have had their time to log in
            assert door.sftp(key, "pwd\n").returncode == 0
        finally:
            for one in crowd:
                one.close()


class TestOnlyTheSubsystem:
    """What is off: a shell, a command, a terminal, forwarding of anything, the agent, passwords."""

    @pytest.mark.parametrize(
        "more", [["id"], [], ["-tt"], ["-s", "netconf"]], ids=["exec", "shell", "pty", "subsystem"]
    )
    def test_of_a_session(self, door, more):
        key = door.partner()
        flags = [flag for flag in more if flag in {"-tt", "-s"}]
        words = [word for word in more if word not in {"-tt", "-s"}]
        command = ["ssh", *door.options(key), *flags, "-p", str(door.port), "partner@127.0.0.1", *words]
        done = subprocess.run(command, capture_output=True, timeout=20, input=b"id\n", check=False)
        assert done.returncode != 0
        assert b"uid=" not in done.stdout

    @pytest.mark.parametrize("flag", ["-L", "-R"])
    def test_forwarding(self, door, flag):
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.connect(username="partner", pkey=load(door.partner()))
        try:
            ask = {
                "-L": lambda: transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=5),
                "-R": lambda: transport.request_port_forward("127.0.0.1", 0),
            }[flag]
            with pytest.raises(paramiko.SSHException):
                ask()
        finally:
            transport.close()

    @pytest.mark.parametrize("method", ["password", "keyboard-interactive", "hostbased", "gssapi-with-mic"])
    def test_ways_in(self, door, method):
        command = [
            "ssh", *door.options(new_key(door)), "-v", "-o", f"PreferredAuthentications={method}",
            "-p", str(door.port), "partner@127.0.0.1",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
        assert done.returncode == 255
        assert b"Authentications that can continue: publickey\n" in done.stderr.replace(b"\r", b"")

    def test_rsa_with_sha1_is_not_taken(self, door):
        key = paramiko.RSAKey.from_private_key_file(
            str(door.partner("rsa"))
        )  # may take seconds: before the line is open
        with closing(Stranger(door)) as stranger:
            stranger.request("partner", key, signed=True, algorithm="ssh-rsa", signature=sha1_signature(stranger, key))
            assert stranger.wait(51, 52) == 51

    def test_a_certificate_by_anybody_is_no_key(self, door):
        """A certificate made by an enrolled key's owner does not stand for the key."""
        signer, subject = door.partner(), new_key(door)
        subprocess.run(["ssh-keygen", "-q", "-s", signer, "-I", "x", "-n", "partner", f"{subject}.pub"], check=True)
        command = [
            "ssh", *door.options(subject), "-o", f"CertificateFile={subject}-cert.pub", "-p", str(door.port),
            "-s", "partner@127.0.0.1", "sftp",
        ]  # fmt: skip
        assert subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 255


class TestRevoked:
    def test_a_key_taken_out_is_out(self, door):
        key = door.partner()
        assert door.sftp(key, "pwd\n").returncode == 0
        (submitter,) = [name for name, path in door.submitters.items() if path == key]
        assert door.world.instruct("door-submitter", submitter=submitter, ssh_keys=[]).status == 200
        assert door.sftp(key, "pwd\n").returncode != 0


class TestOffered:
    def test_only_what_the_lists_say(self, door):
        transport = paramiko.Transport(("127.0.0.1", door.port))
        transport.start_client(timeout=10)
        assert transport.get_remote_server_key().get_name() == "ssh-ed25519"
        assert "OpenSSH" not in transport.remote_version
        assert "asyncssh" not in transport.remote_version.lower()
        transport.close()

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("KexAlgorithms", "diffie-hellman-group14-sha1"),
            ("KexAlgorithms", "ecdh-sha2-nistp256"),
            ("Ciphers", "aes128-ctr"),
            ("Ciphers", "aes128-cbc"),
            ("HostKeyAlgorithms", "ssh-rsa"),
        ],
    )
    def test_nothing_old(self, door, option, value):
        done = door.sftp(door.partner(), "pwd\n", "-o", f"{option}={value}")
        assert done.returncode == 255


def new_key(door):
    path = door.folder / f"stranger-{time.monotonic_ns()}"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def sha1_signature(stranger, key):
    body = Message()
    body.add_string(stranger.transport.session_id)
    body.add_byte(cMSG_USERAUTH_REQUEST)
    for text in ("partner", "ssh-connection", "publickey"):
        body.add_string(text)
    body.add_boolean(True)
    body.add_string("ssh-rsa")
    body.add_string(key.asbytes())
    made = Message()
    made.add_string("ssh-rsa")
    made.add_string(key.key.sign(body.asbytes(), PKCS1v15(), SHA1()))
    return made.asbytes()
