"""A disk that fails both ways at every write of a send, a line that breaks at every request, a clock an hour wrong."""

import datetime as dt
import sys
from dataclasses import replace
from itertools import count

import pytest

from submitter_world import GatewayProcess, Registry, enrolled_home, party_of, rows
from swaddle import durable
from swaddle.submitter import carry, counting, inbox, lanes, trust
from swaddle.submitter.send import send
from swaddle.wire.client import GatewayClient, utc_now
from swaddle.wire.problems import ClockDiffers, Unreachable

WRITES = ("write_file", "remove_file", "make_folder")
REQUESTS = ("get_json", "post_json", "put_part", "get_part")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "home", sweep_seconds=1)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def registry(gateway):
    return Registry(gateway.claim)


@pytest.fixture
def party(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)
    for room in (carry, lanes, trust, inbox):
        monkeypatch.setattr(room, "retry", lambda work, *_, **__: work())
    return party_of(enrolled_home(registry, tmp_path, part_bytes=65_536))


class Failing:
    """Lets the n-th call of any of some functions fail: before it did anything, or after it did all."""

    def __init__(self, monkeypatch, owner, names, error):
        self.left, self.after, self.error = 0, False, error
        for name in names:
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name)))

    def _wrapped(self, function):
        def call(*arguments, **named):
            # The stand-in registry shares this process and its client; what it does is not what is tested.
            is_ours = sys._getframe(1).f_globals["__name__"] != "submitter_world"
            self.left -= is_ours
            is_now = is_ours and self.left == 0
            if is_now and not self.after:
                raise self.error
            answer = function(*arguments, **named)
            if is_now:
                raise self.error
            return answer

        return call


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done and reported failed"])
@pytest.mark.parametrize("what", ["disk", "line"])
def test_a_send_that_failed_at_any_write_or_request_goes_on_as_the_same_transfer(
    registry, party, tmp_path, monkeypatch, what, after
):
    error = durable.DiskFault("it is full") if what == "disk" else Unreachable("cut")
    owner, names = (durable, WRITES) if what == "disk" else (GatewayClient, REQUESTS)
    failing = Failing(monkeypatch, owner, names, error)
    failing.after = after
    for step in count(1):
        file = tmp_path / f"{step}.csv"
        file.write_bytes(rows(1500, seed=f"{what} {after} {step}".encode()))
        failing.left = step
        try:
            send(party, [file])
        except type(error):
            failed = True
        else:
            failed = False
        failing.left = 0
        (sent,) = send(party, [file])
        assert sent.state == "held"
        assert registry.take() == {sent.transfer: file.read_bytes()}
        assert [one.state for one in send(party, [file])] == ["stored"]
        if not failed:
            break
    assert step >= 7


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_an_hour_wrong_is_named_with_the_difference_and_nothing_is_changed(party, tmp_path, hours):
    file = tmp_path / "births.csv"
    file.write_bytes(rows(10))
    wrong = replace(party, now=lambda: utc_now() + hours * dt.timedelta(hours=1, seconds=5))
    before = {path: path.read_bytes() for path in party.home.rglob("*") if path.is_file()}
    with pytest.raises(ClockDiffers) as caught:
        send(wrong, [file])
    assert caught.value.exit_status == 3
    assert "1 h 0 min" in str(caught.value)
    assert ("fast" if hours > 0 else "slow") in str(caught.value)
    after = {path: path.read_bytes() for path in party.home.rglob("*") if path.is_file()}
    assert after | before == after
    assert {path.name for path in after.keys() - before.keys()} <= {"lock"}


def test_a_file_that_grows_while_it_is_sent_is_not_passed_off_as_whole(registry, party, tmp_path, monkeypatch):
    file = tmp_path / "births.csv"
    file.write_bytes(rows(1500))
    honest = GatewayClient.put_part

    def growing(self, path, data, digest):
        with file.open("ab") as more:
            more.write(b"one more line\n")
        honest(self, path, data, digest)

    monkeypatch.setattr(GatewayClient, "put_part", growing)
    (sent,) = send(party, [file])
    assert (sent.state, sent.trouble.exit_status) == ("failed", 6)
    assert registry.waiting() == []
    monkeypatch.setattr(GatewayClient, "put_part", honest)
    (sent,) = send(party, [file])
    assert registry.take() == {sent.transfer: file.read_bytes()}
