"""Where opened bodies lie: in memory without a name; where a system cannot do that, nowhere for longer than a read."""

import os
from pathlib import Path

import pytest

from swaddle.intake import opened
from swaddle.intake.faults import TooLarge


def test_a_memory_file_has_no_name_and_is_gone_when_closed():
    fd = opened.memory_file(100)
    opened.write_all(fd, b"x" * 100)
    assert opened.read_piece(fd, 200, 0) == b"x" * 100
    assert os.fstat(fd).st_nlink == 0
    os.close(fd)


def test_more_than_the_stated_cap_is_refused_before_a_byte_is_written():
    with pytest.raises(TooLarge):
        opened.memory_file(opened.MEMORY_FILE_LIMIT_BYTES + 1)


@pytest.fixture
def no_descriptors(monkeypatch):
    """A system on which nothing can be opened by its descriptor."""
    monkeypatch.setattr(opened, "_DESCRIPTORS", "")


@pytest.mark.usefixtures("no_descriptors")
def test_without_descriptors_the_rows_lie_in_a_private_folder_only_while_they_are_read(taken, file_of):
    result = taken(file_of({}, {"ga_weeks": "99"}))
    assert (result.checked.accepted, result.checked.rejected) == (1, 1)
    (folder,) = opened.folders()
    assert list(Path(folder).iterdir()) == []
    assert Path(folder).stat().st_mode & 0o077 == 0


def test_pieces_are_whole_and_leave_the_position_alone():
    fd = opened.memory_file(10)
    opened.write_all(fd, b"0123456789")
    assert b"".join(opened.chunks(fd, 10, chunk_bytes=3)) == b"0123456789"
    assert b"".join(opened.chunks(fd, 99, chunk_bytes=4)) == b"0123456789"
    copy = opened.copy_into_memory(fd, 5)
    assert opened.read_piece(copy, 99, 0) == b"01234"
    os.close(fd)
    os.close(copy)
