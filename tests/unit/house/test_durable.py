"""Durable writes fail both ways and leave nothing half: the disk says no before, in the middle, or after it has happened."""

import errno
import os

import pytest

from swaddle import durable
from swaddle.durable import DiskFault


def fails(real, error=errno.ENOSPC, *, after=False):
    """A system call that fails, either without having happened or after it has."""

    def call(*args, **kwargs):
        if after:
            real(*args, **kwargs)
        raise OSError(error, "no")

    return call


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch, call):
    path = tmp_path / "state"
    durable.write_file(path, b"before")
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, call, fails(getattr(os, call)))
        with pytest.raises(DiskFault, match="full"):
            durable.write_file(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_persisted_but_reported_failed_is_the_new_one_whole(tmp_path, monkeypatch):
    path = tmp_path / "state"
    durable.write_file(path, b"before")
    with monkeypatch.context() as patch:
        patch.setattr(durable, "sync_folder", fails(durable.sync_folder, errno.EIO, after=True))
        with pytest.raises(DiskFault, match="input/output"):
            durable.write_file(path, b"after")
    assert path.read_bytes() == b"after"
    durable.write_file(path, b"after")
    assert path.read_bytes() == b"after"


def test_short_writes_go_on(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(durable.os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
    durable.write_file(tmp_path / "state", b"a longer text")
    assert (tmp_path / "state").read_bytes() == b"a longer text"


def test_only_the_owner_may_read_what_is_written(tmp_path):
    durable.make_folder(tmp_path / "home")
    durable.write_file(tmp_path / "home" / "key", b"secret")
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0
    assert (tmp_path / "home" / "key").stat().st_mode & 0o077 == 0


def test_a_torn_last_line_is_cut_before_the_next(tmp_path):
    path = tmp_path / "ledger"
    durable.append_line(path, b"one")
    with path.open("ab") as file:
        file.write(b"tw")  # the machine died here
    durable.append_line(path, b"three")
    assert path.read_bytes() == b"one\nthree\n"


def test_a_long_torn_line_without_any_whole_one_is_cut(tmp_path):
    path = tmp_path / "ledger"
    path.write_bytes(b"x" * 200_000)
    durable.append_line(path, b"first")
    assert path.read_bytes() == b"first\n"


@pytest.mark.parametrize("after", [False, True])
def test_an_append_that_fails_either_way_can_be_done_again(tmp_path, monkeypatch, after):
    path = tmp_path / "ledger"
    durable.append_line(path, b"one")
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", fails(os.fsync, after=after))
        with pytest.raises(DiskFault):
            durable.append_line(path, b"two")
    assert path.read_bytes().startswith(b"one\n")
    assert path.read_bytes() in {b"one\n", b"one\ntwo\n"}


def test_a_line_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="one line"):
        durable.append_line(tmp_path / "ledger", b"two\nlines")


def test_removing_what_is_not_there_is_fine(tmp_path):
    durable.remove_file(tmp_path / "gone")


def test_the_disks_refusal_names_no_path(tmp_path):
    with pytest.raises(DiskFault) as refused:
        durable.write_file(tmp_path / "nowhere" / "Anna Kowalski", b"")
    assert "Kowalski" not in refused.value.text()


def test_what_a_killed_write_leaves_is_known_and_nothing_else_is(tmp_path):
    assert durable.is_leftover(tmp_path / ".0123456789abcdef.part")
    for other in (".0123456789abcdef.part.x", "0123456789abcdef.part", ".bashrc", ".0123.part"):
        assert not durable.is_leftover(tmp_path / other)
