from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swaddle.feedback import bundle
from swaddle.feedback.bundle import NAMES, BundleTooLarge, NotABundle, NotOfABundle, pack, unpack


@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=2000), min_size=1))
def test_what_is_packed_comes_back(files):
    assert unpack(pack(files)) == files


def test_any_tar_program_opens_it():
    files = {"report.html": b"<!doctype html>", "report.json": b"{}", "rejected.csv": b"a,b\r\n" * 200}
    with tarfile.open(fileobj=io.BytesIO(pack(files))) as tar:
        assert [member.name for member in tar.getmembers()] == [name for name in NAMES if name in files]
        assert {member.name: tar.extractfile(member).read() for member in tar.getmembers()} == files


def test_the_same_files_make_the_same_bytes():
    files = {"report.json": b"{}", "report.html": b"x"}
    assert pack(files) == pack(dict(reversed(files.items())))


@pytest.mark.parametrize("files", [{}, {"../report.html": b""}, {"report.html": b"", "other.csv": b""}])
def test_other_names_are_never_packed(files):
    with pytest.raises(NotOfABundle):
        pack(files)


def test_a_file_beyond_the_cap_is_not_packed(monkeypatch):
    monkeypatch.setattr(bundle, "LARGEST_FILE_BYTES", 10)
    with pytest.raises(BundleTooLarge):
        pack({"report.html": b"x" * 11})


def test_a_bundle_beyond_the_cap_is_neither_packed_nor_opened(monkeypatch):
    whole = pack({"report.html": b"x"})
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE_BYTES", 1000)
    with pytest.raises(BundleTooLarge):
        pack({"report.html": b"x" * 600})
    with pytest.raises(NotABundle):
        unpack(whole)


@given(st.binary(max_size=3000))
def test_bytes_that_are_no_bundle_raise_our_error(data):
    with pytest.raises(NotABundle):
        unpack(data)


@given(st.integers(0, 511), st.integers(1, 255))
def test_no_byte_of_a_header_may_differ(place, change):
    whole = bytearray(pack({"report.json": b"{}"}))
    whole[place] ^= change
    with pytest.raises(NotABundle):
        unpack(whole)
