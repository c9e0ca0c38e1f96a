"""A page with hostile text in it is printed: it fetches nothing, opens nothing, and takes neither time nor memory without end."""

import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from printable import WHY_NOT, can_print, insides
from swaddle.feedback.pdf import LIMIT_PAGE_BYTES, NotPrinted, pdf_of
from swaddle.feedback.printing import NO_WALL

SECRET = "the-secret-of-this-machine"


@pytest.fixture(autouse=True, scope="module")
def _printable():
    if not can_print():
        pytest.skip(WHY_NOT)


@pytest.fixture
def listening():
    """A local server; whatever connects to it is counted."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                seen.append(1)
                line.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x", seen
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def page(body="", head=""):
    return f'<!doctype html><html lang="en"><head><title>T</title>{head}</head><body><p>kept</p>{body}</body></html>'.encode()


def test_no_address_in_a_page_is_followed(listening, tmp_path):
    http, seen = listening
    file = tmp_path / "secret.svg"
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{SECRET}</text><title>{SECRET}</title></svg>')
    (tmp_path / "secret.css").write_text(f'p::after{{content:"{SECRET}"}}')
    (tmp_path / "secret.html").write_text(SECRET)
    tmp_path.chmod(0o755)
    beside = file.parent.as_uri()
    big = "data:image/svg+xml;base64," + "A" * 60_000
    style = f"""@import "{http}"; @import url({beside}/secret.css);
        p{{background:url({beside}/secret.svg);content:url({http})}}
        li{{list-style-image:url({http})}} @page{{background:url({http})}}"""
    head = f"""<style>{style}</style><base href="{http}"><link rel=stylesheet href="{beside}/secret.css">
        <link rel=attachment href="{beside}/secret.html"><link rel=stylesheet href="{http}"><link rel=icon href="{http}">"""
    body = "".join(
        f'<img src="{at}"><object data="{at}"></object><embed src="{at}"><iframe src="{at}"></iframe>'
        f'<a rel=attachment href="{at}">x</a><svg><image href="{at}"/><use href="{at}#a"/></svg><input type=image src="{at}">'
        for at in (http, f"{beside}/secret.svg", f"{beside}/secret.html", "ftp://127.0.0.1/x", "//127.0.0.1/x", big)
    )
    made = insides(pdf_of(page(body, head), "en"))
    assert SECRET.encode() not in made
    assert b"/EmbeddedFile" not in made
    assert not seen


def test_a_font_of_a_pages_own_is_not_taken(listening):
    http, seen = listening
    with pytest.raises(NotPrinted):  # the library would unpack it into a folder, and there is none
        pdf_of(page(head=f"<style>@font-face{{font-family:x;src:url({http})}}</style>"), "en")
    assert not seen


def test_a_printing_process_that_was_taken_over_reads_no_file_and_calls_nobody(listening):
    http, seen = listening
    port = http.split(":")[2].split("/")[0]
    attempt = f"""
import socket, subprocess, sys
from swaddle.feedback import printing
def taken(self, page, identity):
    if not identity:
        return warm(self, page, identity)
    said = []
    for name, attack in {{
        "file": lambda: open("/etc/passwd"), "write": lambda: open("/tmp/printed", "w"),
        "call": lambda: socket.socket().connect(("127.0.0.1", {port})),
        "start": lambda: subprocess.run(["/bin/true"]), "fork": __import__("os").fork,
    }}.items():
        try:
            attack()
            said.append(name)
        except OSError:
            pass
    return b"done:" + ",".join(said).encode()
warm, printing._Printer.printed = printing._Printer.printed, taken
sys.exit(printing.main(["en", "60"]))
"""
    done = subprocess.run([sys.executable, "-I", "-c", attempt], input=page(), capture_output=True, check=False, env={})
    assert done.stdout == b"done:", done.stderr[-500:]
    assert not seen


def test_without_its_wall_nothing_is_read_and_nothing_printed():
    attempt = """
import sys
from swaddle.feedback import printing
printing.shut.forbid_files = lambda readable=(): []
sys.exit(printing.main(["en", "60"]))
"""
    done = subprocess.run([sys.executable, "-I", "-c", attempt], input=page(), capture_output=True, check=False, env={})
    assert (done.returncode, done.stdout) == (NO_WALL, b"")


def test_a_page_that_never_ends_is_given_up():
    with pytest.raises(NotPrinted, match=r"longer than 3 seconds|came to an end"):
        pdf_of(page("<table>" + "<tr><td>" * 30_000), "en", seconds=3)


def test_a_page_too_large_is_not_begun():
    with pytest.raises(NotPrinted, match="larger"):
        pdf_of(b" " * (LIMIT_PAGE_BYTES + 1), "en")


@pytest.mark.parametrize("html", [b"\xff\xfe", b"", b"<" * 50_000], ids=["no text", "empty", "angles"])
def test_what_is_no_page_is_a_pdf_or_our_error(html):
    with suppress(NotPrinted):
        assert pdf_of(html, "en").startswith(b"%PDF-")
