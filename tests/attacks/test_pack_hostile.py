"""A submitter, or somebody with its key, sends a pack that is meant to do harm."""

import io
import tarfile

import pytest
from packs import close, line, member, packed

from swaddle.envelope import pack
from swaddle.envelope.pack_names import fault_of
from swaddle.envelope.pack_reader import contents, look_through
from swaddle.envelope.refusals import NotAPack

GOOD = ("good.csv", b"a,b\n1,2\n")


def look(data, index_sha256, members):
    return look_through([memoryview(data)], index_sha256=index_sha256, members=members)


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "../up.csv", "a/../../b", "..", ".", "a/./b", "/etc/cron.d/x", "C:/x.csv", "c:x", "a//b", "a/", "\\\\host\\x",
            "a\\..\\b", "nul\0byte", "line\nfeed", "tab\t", "esc\x1b[2J", "bidi\u202egpj.csv", "zero\u200bwidth",
            "mark\u200f", "sep\u2028", "e\u0301.csv", "\u212b.csv", "x" * 256, "a/" * 600 + "b",
            "swaddle-index.sha256", "SWADDLE-INDEX.SHA256",
        ],
    )  # fmt: skip
    def test_a_name_against_the_rules_is_refused_alone_and_the_others_are_taken(self, name):
        data, digest = packed(GOOD, (name, b"evil"), ("also good.csv", b"1"))
        if name.casefold() == "swaddle-index.sha256" and name.islower():
            with pytest.raises(NotAPack):
                look(data, digest, 3)
            return
        first, evil, last = look(data, digest, 3)
        assert first.is_good
        assert last.is_good
        assert not evil.is_good
        assert evil.fault.startswith("its name ")

    @pytest.mark.parametrize(
        ("one", "other"), [("a.csv", "A.CSV"), ("straße", "STRASSE"), ("é", "É"), ("x/y", "X/y"), ("same", "same")]
    )
    def test_of_two_names_that_fold_to_one_the_second_is_refused(self, one, other):
        data, digest = packed((one, b"1"), (other, b"2"))
        first, second = look(data, digest, 2)
        assert first.is_good
        assert "same name" in second.fault

    def test_ordinary_names_of_many_languages_are_taken(self):
        for name in (
            "Müller.csv",
            "2026-01/geburten (neu).csv",
            "데이터.csv",
            "a b'c&d;$(e).csv",
            ".hidden",
            "..x",
            "-rf",
        ):
            assert fault_of(name) is None, name


def tar(*members, form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind, data, more in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.mode = kind, len(data), 0o600
            for key, value in more.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue().rstrip(b"\x00")


class TestForms:
    @pytest.mark.parametrize(
        "hostile",
        [
            pytest.param(tar(("link", tarfile.SYMTYPE, b"", {"linkname": "/etc/passwd"})), id="symbolic link"),
            pytest.param(tar(("link", tarfile.LNKTYPE, b"", {"linkname": "good.csv"})), id="hard link"),
            pytest.param(tar(("dev", tarfile.CHRTYPE, b"", {"devmajor": 1})), id="device"),
            pytest.param(tar(("pipe", tarfile.FIFOTYPE, b"", {})), id="pipe"),
            pytest.param(tar(("dir", tarfile.DIRTYPE, b"", {})), id="folder"),
            pytest.param(tar(("s", tarfile.GNUTYPE_SPARSE, b"", {})), id="sparse"),
            pytest.param(tar(("x", tarfile.REGTYPE, b"1", {"mode": 0o4755})), id="setuid"),
            pytest.param(tar(("x", tarfile.REGTYPE, b"1", {"mtime": 9})), id="time"),
            pytest.param(tar(("x", tarfile.REGTYPE, b"1", {"uname": "root"})), id="owner"),
            pytest.param(tar(("x" * 120, tarfile.REGTYPE, b"1", {}), form=tarfile.GNU_FORMAT), id="gnu long name"),
            pytest.param(
                tar(
                    ("x", tarfile.REGTYPE, b"1", {"pax_headers": {"path": "ok", "comment": "y"}}),
                    form=tarfile.PAX_FORMAT,
                ),
                id="another record",
            ),
            pytest.param(b"\x00" * 512, id="zero block"),
            pytest.param(b"\xff" * 512, id="no header"),
            pytest.param(pack.header("é.csv", 1, 2)[:512] + bytes(1024), id="records of zeros"),
            pytest.param(pack.header("é.csv", 1, 9) + b"1" + bytes(511), id="another number"),
        ],
    )
    def test_whatever_a_pack_does_not_know_refuses_it_whole(self, hostile):
        data, digest = close([member(*GOOD, 1), hostile], line(*GOOD) + line("x", b"1"))
        with pytest.raises(NotAPack):
            look(data, digest, 2)

    @pytest.mark.parametrize("place", range(0, 512, 7))
    def test_no_byte_of_a_header_can_be_another(self, place):
        data, digest = packed(GOOD)
        bent = bytearray(data)
        bent[place] ^= 0x01
        with pytest.raises(NotAPack):
            look(bytes(bent), digest, 1)


class TestSizes:
    @pytest.mark.parametrize("size", [2**33 - 1, 2**40, 2**53, 10**15])
    def test_a_size_beyond_the_body_ends_in_a_refusal_and_in_no_memory(self, size):
        data, digest = close([pack.header("bomb", size, 1)], b"")
        with pytest.raises(NotAPack):
            look(data, digest, 1)

    def test_a_member_cannot_hide_another_by_saying_that_it_is_longer(self):
        inner = member("hidden.csv", b"secret", 2)
        data, digest = close(
            [pack.header("a.csv", len(inner), 1) + inner], line("a.csv", inner) + line("hidden.csv", b"secret")
        )
        with pytest.raises(NotAPack):
            look(data, digest, 2)

    def test_bytes_between_members_are_refused(self):
        data, digest = packed(GOOD)
        bent = bytearray(data)
        bent[512 + len(GOOD[1])] = 1
        with pytest.raises(NotAPack):
            look(bytes(bent), digest, 1)

    @pytest.mark.parametrize("more", [b"\x00", bytes(512), b"x" * 512])
    def test_nothing_may_stand_behind_the_end(self, more):
        data, digest = packed(GOOD)
        with pytest.raises(NotAPack):
            look(data + more, digest, 1)

    @pytest.mark.parametrize("cut", [1, 512, 1024, 1500, 2000])
    def test_a_pack_that_ends_early_is_refused(self, cut):
        data, digest = packed(GOOD)
        with pytest.raises(NotAPack):
            look(data[:-cut], digest, 1)

    def test_more_members_than_a_pack_may_have_are_refused(self, monkeypatch):
        monkeypatch.setattr(pack, "MOST_MEMBERS", 3)
        data, digest = packed(*((f"{n}.csv", b"") for n in range(4)))
        with pytest.raises(NotAPack):
            look(data, digest, 4)


class TestIndex:
    def test_a_digest_that_lies_refuses_that_member_alone(self):
        data, digest = packed(GOOD, ("b", b"2"), said={"b": "0" * 60 + "beef"})
        good, bad = look(data, digest, 2)
        assert good.is_good
        assert bad.fault == "its content is not what the index says"

    @pytest.mark.parametrize(
        "index",
        [
            b"",
            line(*GOOD),
            line("b", b"2") + line(*GOOD),
            line(*GOOD) + line("c", b"2"),
            line(*GOOD) + line("b", b"2") + b"\n",
            line(*GOOD) + line("b", b"2") + line("c", b"3"),
            line(*GOOD) + line("b", b"2").upper(),
            (line(*GOOD) + line("b", b"2")).replace(b"  ", b" *"),
        ],
    )
    def test_an_index_of_other_members_refuses_the_pack(self, index):
        data, digest = close([member(*GOOD, 1), member("b", b"2", 2)], index)
        with pytest.raises(NotAPack):
            look(data, digest, 2)

    def test_an_index_that_the_description_does_not_name_is_refused(self):
        data, _ = packed(GOOD)
        with pytest.raises(NotAPack):
            look(data, "0" * 64, 1)

    @pytest.mark.parametrize("members", [0, 2, 100_000])
    def test_a_number_of_members_that_the_description_does_not_say_is_refused(self, members):
        data, digest = packed(GOOD)
        with pytest.raises(NotAPack):
            look(data, digest, members)

    def test_a_pack_of_nothing_is_refused(self):
        data, digest = close([], b"")
        with pytest.raises(NotAPack):
            look(data, digest, 0)

    def test_a_pack_that_is_another_on_the_second_reading_is_refused(self):
        data, digest = packed(GOOD)
        members = look(data, digest, 1)
        other, _ = packed(("other.csv", GOOD[1]))
        with pytest.raises(NotAPack):
            list(contents([memoryview(other)], members))
