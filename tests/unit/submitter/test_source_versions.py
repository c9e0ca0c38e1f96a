"""A send that goes on never mixes two versions of a file, not even of one size and time."""

import os

import pytest

from swaddle.submitter import prepare


@pytest.fixture
def begun(tmp_path):
    path = tmp_path / "births.csv"
    path.write_bytes(b"a" * 1000)
    return prepare.look_at(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of last change")
def test_another_version_of_the_same_size_and_time_is_noticed(begun):
    begun.path.write_bytes(b"b" * 1000)
    os.utime(begun.path, ns=(begun.mtime_ns, begun.mtime_ns))

    with pytest.raises(prepare.SourceGone):
        prepare.open_source(begun)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of last change")
def test_another_file_put_in_its_place_is_noticed(begun, tmp_path):
    other = tmp_path / "other.csv"
    other.write_bytes(b"b" * 1000)
    os.utime(other, ns=(begun.mtime_ns, begun.mtime_ns))
    other.replace(begun.path)

    with pytest.raises(prepare.SourceGone):
        prepare.open_source(begun)


def test_the_same_file_is_opened_again(begun):
    os.close(prepare.open_source(begun))


def test_what_only_touches_the_file_while_it_is_sent_ends_nothing(begun):
    descriptor = prepare.open_source(begun)
    begun.path.chmod(0o600)

    prepare.check_unchanged(descriptor, begun)
    os.close(descriptor)
