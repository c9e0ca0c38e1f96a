"""A gateway that lies, and a proxy: plain sockets under TLS that say whatever a test wants them to say."""

import datetime as dt
import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from swaddle.wire.tls import pin_of

NOW = dt.datetime.now(dt.UTC)


def certificate(folder, *, name="gateway.example", not_after=NOW + dt.timedelta(days=1)):
    """A key and its self-signed certificate as files; returns the paths and the pin."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=2))
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    pem = folder / "certificate.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, private, pin_of(made.public_bytes(serialization.Encoding.DER))


class Liar:
    """Accepts TLS connections and lets `answer(connection, head, body)` say whatever it likes."""

    def __init__(self, pem, private, tls=ssl.TLSVersion.TLSv1_3):
        self.heads, self.answer = [], None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.maximum_version = tls
        self._context.load_cert_chain(pem, private)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def renew(self, pem, private):
        self._context.load_cert_chain(pem, private)

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        with suppress(OSError, UnicodeError), self._context.wrap_socket(plain, server_side=True) as connection:
            connection.settimeout(20)
            stream = connection.makefile("rb")
            while head := read_head(stream):
                length = int(dict(head[1:]).get("content-length", 0))
                body = stream.read(length)
                self.heads.append(head)
                self.answer(connection, head, body)

    def close(self):
        self._listener.close()


def read_head(stream):
    lines = []
    while (line := stream.readline().rstrip(b"\r\n")) != b"":
        lines.append(line.decode("ascii"))
    if not lines:
        return None
    return [tuple(lines[0].split(" "))] + [tuple(line.split(": ", 1)) for line in lines[1:]]


def respond(status, body=b"", content_type="application/json", *more):
    """The usual answer, whole, whose parts can be bent."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", f"content-length: {len(raw)}", *more, "", ""]
    data = "\r\n".join(fields).encode() + raw
    return lambda connection, head, body: connection.sendall(data)


@contextmanager
def proxy(verdict=b"HTTP/1.1 200 Connection established\r\n\r\n"):
    """A proxy that tunnels; what it was asked is kept."""
    asked = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve():
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += near.recv(1)
                asked.append(head.decode())
                near.sendall(verdict)
                if b"200" not in verdict:
                    near.close()
                    continue
                host, port = head.split(b" ")[1].rsplit(b":", 1)
                far = socket.create_connection((host.decode(), int(port)))
                threading.Thread(target=pump, args=(near, far), daemon=True).start()
                threading.Thread(target=pump, args=(far, near), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", asked
    listener.close()
