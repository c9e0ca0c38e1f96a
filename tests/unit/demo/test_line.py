import contextlib
import socket
import threading

from swaddle.demo.line import TearingLine


def echo_server():
    listener = socket.create_server(("127.0.0.1", 0))
    got = bytearray()

    def serve():
        near, _ = listener.accept()
        with near, contextlib.suppress(ConnectionResetError):
            while data := near.recv(4096):
                got.extend(data)
                near.sendall(b"ok")

    threading.Thread(target=serve, daemon=True).start()
    return listener, got


def connect(line, port):
    host, _, proxy_port = line.url.removeprefix("http://").partition(":")
    near = socket.create_connection((host, int(proxy_port)), timeout=5)
    near.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert near.recv(100).startswith(b"HTTP/1.1 200")
    return near


def test_bytes_pass_until_the_limit_and_then_the_line_is_dead_but_not_closed():
    listener, got = echo_server()
    with listener, TearingLine(limit_bytes=1_000) as line, connect(line, listener.getsockname()[1]) as near:
        near.sendall(b"a" * 600)
        assert near.recv(2) == b"ok"
        assert not line.torn.is_set()
        near.sendall(b"b" * 600)
        assert line.torn.wait(5)
        near.sendall(b"c" * 600)
        near.settimeout(0.3)
        while True:
            try:
                assert near.recv(100)  # what was answered before
            except TimeoutError:
                break
        assert len(got) <= 1_000
