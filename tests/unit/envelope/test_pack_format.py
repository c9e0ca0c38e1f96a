"""docs/spec/envelope.md section 5a: a pack is a tar that any tool opens, and that our reader takes byte for byte."""

import io
import subprocess
import tarfile
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packs import packed

from swaddle.envelope import pack
from swaddle.envelope.pack_names import fault_of, folded
from swaddle.envelope.pack_reader import contents, look_through

NAMES = st.text(st.characters(min_codepoint=32, blacklist_categories=("Cs",)), min_size=1, max_size=120).filter(
    lambda name: fault_of(name) is None
)


def look(data, index_sha256, members, piece=700):
    pieces = [memoryview(data)[at : at + piece] for at in range(0, len(data), piece)]
    return look_through(pieces, index_sha256=index_sha256, members=members)


@pytest.mark.parametrize("name", ["a.csv", "x" * 100, "x" * 101, "sub/folder/é.csv", "ü" * 120, "日本/データ.csv"])
@pytest.mark.parametrize("size", [0, 1, 511, 512, 513])
def test_a_header_is_what_a_tar_library_reads(name, size):
    head = pack.header(name, size, 7)
    assert len(head) == pack.header_bytes(name, size)
    with tarfile.open(fileobj=io.BytesIO(head + bytes(size + pack.padding(size)) + pack.END)) as archive:
        info = archive.next()
    assert (info.name, info.size, info.isreg(), info.mode, info.mtime) == (name, size, True, 0o600, 0)


@pytest.mark.parametrize("size", [8**11 - 1, 8**11, 2**45])
def test_sizes_beyond_eleven_octal_digits_stand_in_a_record(size):
    head = pack.header("a.csv", size, 1)
    info = tarfile.TarInfo.frombuf(head[:512], "utf-8", "strict") if len(head) == 512 else None
    if info is not None:
        assert info.size == size
    else:
        assert pack.read_records(head[512 : 512 + tarfile.nti(head[124:136])]) == ("a.csv", size)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=1500)), min_size=1, max_size=6, unique_by=lambda f: folded(f[0])))
def test_what_is_packed_is_read_whole_and_its_length_was_known(files):
    data, digest = packed(*files)
    assert len(data) == pack.pack_bytes((name, len(content)) for name, content in files)
    members = look(data, digest, len(files))
    assert [(m.name, m.digest, m.is_good) for m in members] == [(n, sha256(c).hexdigest(), True) for n, c in files]
    again = [b"".join(map(bytes, content)) for _, content in contents([memoryview(data)], members)]
    assert again == [content for _, content in files]


def test_members_that_are_passed_over_do_not_disturb_the_next():
    data, digest = packed(("a", b"1" * 5000), ("b", b"2" * 10), ("c", b"3" * 700))
    members = look(data, digest, 3)
    found = {}
    for member, content in contents([memoryview(data)], members):
        if member.name != "b":
            found[member.name] = b"".join(map(bytes, content))
    assert found == {"a": b"1" * 5000, "c": b"3" * 700}


def test_tar_and_sha256sum_open_and_check_it(tmp_path):
    files = [("a b.csv", b"1"), ("sub/" + "n" * 150 + ".csv", b"2" * 600), ("empty.csv", b"")]
    (tmp_path / "pack.tar").write_bytes(packed(*files)[0])
    subprocess.run(["tar", "xf", "pack.tar"], cwd=tmp_path, check=True)
    assert [(tmp_path / name).read_bytes() for name, _ in files] == [data for _, data in files]
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "swaddle-index.sha256"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("state", ["changed", "gone", "unreadable"])
def test_a_member_that_did_not_come_whole_is_named_and_the_others_are_good(state):
    data, digest = packed(("a", b"1"), ("b", b"2"), ("c", b"3"), said={"b": pack.STATES[state]})
    assert [(m.state, m.is_good) for m in look(data, digest, 3)] == [("whole", True), (state, False), ("whole", True)]
