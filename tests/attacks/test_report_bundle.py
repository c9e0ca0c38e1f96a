"""A registry, or somebody in its place, sends an archive meant to write where it should not."""

from __future__ import annotations

import io
import tarfile

import pytest

from swaddle.errors import IntegrityFault
from swaddle.feedback.bundle import NotABundle, pack, unpack


def member(name, kind=tarfile.REGTYPE, link="", data=b"", **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(data), 0o600
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def archive(*members, form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def plain(data):
    """Cut Python's 10 KiB records down to what `pack` writes, so that only the member under attack is wrong."""
    return data.rstrip(b"\x00").ljust(-(-len(data.rstrip(b"\x00")) // 512) * 512, b"\x00") + bytes(1024)


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(archive(member("/etc/cron.d/report.html")), id="absolute name"),
        pytest.param(archive(member("../report.html")), id="parent folder"),
        pytest.param(archive(member("x/../../report.html")), id="parent folder inside"),
        pytest.param(archive(member("./report.html")), id="dot"),
        pytest.param(archive(member("REPORT.HTML")), id="another case"),
        pytest.param(archive(member("report.html ")), id="trailing blank"),
        pytest.param(archive(member("C:\\report.html")), id="drive"),
        pytest.param(archive(member("report.html:stream")), id="stream"),
        pytest.param(archive(member("evil.exe", data=b"MZ")), id="stranger"),
        pytest.param(archive(member("report.html", tarfile.SYMTYPE, "/etc/passwd")), id="symbolic link"),
        pytest.param(archive(member("report.html", tarfile.LNKTYPE, "../id_ed25519")), id="hard link"),
        pytest.param(archive(member("report.html", tarfile.DIRTYPE)), id="folder"),
        pytest.param(archive(member("report.html", tarfile.FIFOTYPE)), id="pipe"),
        pytest.param(archive(member("report.html", tarfile.CHRTYPE)), id="device"),
        pytest.param(archive(member("report.html", tarfile.GNUTYPE_SPARSE)), id="sparse"),
        pytest.param(archive(member("report.html", tarfile.CONTTYPE)), id="contiguous"),
        pytest.param(archive(member("report.html", mode=0o4755)), id="setuid"),
        pytest.param(archive(member("report.html", uname="root")), id="owner"),
        pytest.param(
            archive(member("report.html", pax_headers={"path": "/tmp/x"}), form=tarfile.PAX_FORMAT), id="pax path"
        ),
        pytest.param(
            archive(member("report.html", pax_headers={"GNU.sparse.major": "1"}), form=tarfile.PAX_FORMAT),
            id="pax sparse",
        ),
        pytest.param(archive(member("r" * 200), form=tarfile.GNU_FORMAT), id="long name"),
        pytest.param(archive(member("report.html", data=b"1"), member("report.html", data=b"2")), id="twice"),
    ],
)
def test_an_archive_made_to_harm_is_refused(hostile):
    with pytest.raises(NotABundle):
        unpack(plain(hostile))
    with pytest.raises(NotABundle):
        unpack(hostile)


def test_a_file_twice_is_refused_even_when_each_is_well_formed():
    one = pack({"report.html": b"one"})
    with pytest.raises(NotABundle, match="twice"):
        unpack(one[:-1024] + one)


def resized(size):
    """A header that lies about its size, with the checksum made right again."""
    data = bytearray(pack({"report.html": b"x"}))
    data[124:136] = size
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\x00 " % sum(data[:512])
    return bytes(data)


@pytest.mark.parametrize(
    "size", [b"77777777777\x00", b"00000002000\x00", b"\x80" + b"\xff" * 11, b"-0000000001\x00", b"00000000001 "]
)
def test_a_size_that_lies_is_refused_before_anything_is_kept(size):
    with pytest.raises(NotABundle):
        unpack(resized(size))


def test_bytes_after_the_end_or_between_files_are_refused():
    whole = pack({"report.html": b"x"})
    padding = bytearray(whole)
    padding[513] = 1
    for hostile in (whole + bytes(512), whole + b"x" * 512, whole[:-1] + b"x", whole[:-512], bytes(padding)):
        with pytest.raises(NotABundle):
            unpack(hostile)


def test_a_refused_bundle_is_an_integrity_fault_that_names_no_file():
    with pytest.raises(IntegrityFault) as caught:
        unpack(plain(archive(member("../../secret-name"))))
    assert caught.value.exit_status == 8
    assert "secret-name" not in caught.value.text()
