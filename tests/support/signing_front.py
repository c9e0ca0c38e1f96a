"""A front on loopback that signs what comes and hands it to a gateway: for programs that cannot sign by themselves.

It makes the digest of each body true and signs with the key that could do what is asked, so that what a program makes
up gets past the door and into the rooms. Everything else goes on as it came.
"""

import base64
import http.client
import secrets
import threading
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from swaddle.wire.signing import Request, content_digest, sign_request

OWN = {"host", "connection", "content-length", "content-digest", "transfer-encoding", "signature", "signature-input"}


@contextmanager
def signing_front(line, key_for):
    """The front's URL; `key_for(method, path)` is the key that signs, or None."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer_one(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path, _, query = self.path.partition("?")
            fields = [(name.lower(), value) for name, value in self.headers.items() if name.lower() not in OWN]
            if body or self.command in {"POST", "PUT", "PATCH"}:
                fields += [
                    ("content-length", str(len(body))),
                    ("content-digest", content_digest(sha256(body).digest())),
                ]
            key = key_for(self.command, path)
            if key is not None:
                request = Request(self.command, line.authority, path, query, tuple(fields))
                with suppress(ValueError):  # doubled or malformed fields cannot be signed: they go on as they are
                    fields += sign_request(request, key, line.now(), base64.b64encode(secrets.token_bytes(16)).decode())
            connection = line.connect()
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                connection.putheader("host", line.authority)
                for name, value in fields:
                    connection.putheader(name, value)
                connection.endheaders(body or None)
                answer = connection.getresponse()
                data = answer.read()
            except (ValueError, http.client.HTTPException, OSError):
                self.send_response(400)  # what no client can send; not the gateway's to judge
                self.send_header("content-type", "application/problem+json")
                data = b'{"type":"about:swaddle:malformed","title":"x","status":400}'
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            finally:
                connection.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            if answer.status != 204:
                self.send_header("content-length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS", "TRACE", "QUERY"):
        setattr(Front, f"do_{method}", Front.answer_one)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
