"""One owner of the store: the lock, and the talk over the socket."""

import subprocess
import sys
import threading

import pytest

from swaddle.errors import UsageFault
from swaddle.registry.owner import AnotherOwner, Asker, Lock, OwnerSaid, Server


class Wrong(UsageFault):
    code = "SWD-TEST-01"
    what = "wrong"


class Echo:
    def do(self, operation, **values):
        if operation == "wrong":
            raise Wrong("because")
        if operation == "bug":
            raise RuntimeError("Anna Kowalski")
        return {"operation": operation, **values}


@pytest.fixture
def served(tmp_path):
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    assert Lock(deep).take()
    server = Server(deep, Echo(), threading.Lock())
    yield deep
    server.close()


def test_the_lock_is_one_processs_at_a_time(tmp_path):
    lock = Lock(tmp_path)
    assert lock.take()
    code = (
        "import sys, pathlib; from swaddle.registry.owner import Lock;"
        " sys.exit(0 if Lock(pathlib.Path(sys.argv[1])).take() else 7)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == 7
    lock.release()
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == 0


def test_the_lock_falls_with_its_process(tmp_path):
    code = (
        "import os, sys, pathlib, signal; from swaddle.registry.owner import Lock;"
        " assert Lock(pathlib.Path(sys.argv[1])).take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    assert Lock(tmp_path).take()


def test_a_question_reaches_the_owner_however_deep_the_home_lies(served):
    assert Asker(served).do("status", of="x") == {"operation": "status", "of": "x"}


def test_the_owners_refusal_keeps_its_code_words_and_exit_status(served):
    with pytest.raises(OwnerSaid) as said:
        Asker(served).do("wrong")
    assert said.value.exit_status == 2
    assert said.value.lines()[0] == "wrong (SWD-TEST-01)"


def test_a_fault_in_the_owner_does_not_end_it_nor_tell_a_value(served):
    with pytest.raises(OwnerSaid) as said:
        Asker(served).do("bug")
    assert said.value.exit_status == 1
    assert "Kowalski" not in said.value.text()
    assert Asker(served).do("status") == {"operation": "status"}


def test_the_socket_is_its_owners_alone(served):
    assert (served / "run" / "owner.sock").stat().st_mode & 0o077 == 0
    assert (served / "run").stat().st_mode & 0o077 == 0


def test_an_owner_that_does_not_listen_is_named(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(AnotherOwner):
        Asker(tmp_path).do("status")
