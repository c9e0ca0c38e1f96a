"""A backup of the registry: what is in it, what never is, and what verifying it finds."""

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registry_home import PAIR, PASSPHRASE, make_home, opened
from swaddle.canonical import canonical
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.backup_file import HEAD_BYTES, read_head
from swaddle.envelope.backup_opening import BackupExpired, BackupOfAnotherKey
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.signature import SigningKey
from swaddle.registry import backup, backup_contents, backup_reading
from swaddle.registry.backup import NoBackupPair, make_backup
from swaddle.registry.backup_contents import Contents, files_of, is_left_out, is_taken
from swaddle.registry.backup_reading import verify

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home in use, and a backup of it elsewhere."""
    folder = tmp_path_factory.mktemp("backup")
    needle, transfer = make_home(folder / "registry", AT)
    with opened(folder / "registry", AT) as inside:
        told = make_backup(inside, str(folder / "elsewhere"))
        told |= {"rows": inside.store.totals()["rows"], "head": inside.ledger.head()}
    return folder, told, needle, transfer


@pytest.fixture
def copy(made, tmp_path):
    path = tmp_path / "copy.swaddle-registry-backup"
    shutil.copy(made[1]["backup"], path)
    return path


def plaintext(path):
    with backup_reading.opened(read_head(path), PAIR, AT, expired=False) as (stream, listed):
        return listed, {name: stream.read(size) for name, size in listed.files.items()}


def changed(path, at, data=b"\x00"):
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(len(data))
        file.seek(at)
        file.write(bytes(byte ^ 1 for byte in old))
    return path


def test_everything_in_a_used_home_is_in_the_backup_or_named_as_left_out(made):
    home = made[0] / "registry"
    for path in home.rglob("*"):
        name = path.relative_to(home).as_posix()
        assert not path.is_file() or is_taken(name) != is_left_out(name), name
    names, others = files_of(home)
    assert others == 0
    assert {"settings.toml", "people.json", "mappings/own.toml", "dictionaries/v9/person.toml", "custody.jsonl",
            "registry.db", "statements/intake.json", *backup_contents.STORE} <= set(names)  # fmt: skip


def test_no_intake_key_no_offline_key_and_nothing_on_its_way_is_in_it(made):
    listed, files = plaintext(made[0] / made[1]["backup"])
    home = made[0] / "registry"
    (pair,) = (home / "keys" / "intake").glob("*.json")
    secret = SealingPair.from_file(pair.read_bytes(), PASSPHRASE)
    root = SigningKey.load((home / "keys" / "root.key").read_bytes(), PASSPHRASE)
    everything = b"".join([*files.values(), *listed.secrets.values(), listed.to_bytes()])
    for gone in (secret.hpke_seed, secret.crypt4gh_secret, PAIR.hpke_seed, root.to_openssh()[-200:-60], PASSPHRASE):
        assert gone not in everything
    assert listed.intake_keys == (pair.stem,)
    assert not any(name.startswith(("keys/intake", "spool", "outbox", "run", "keys/root")) for name in files)
    assert set(listed.secrets) == {"statement", "pull", "store"}


def test_it_says_nothing_of_anybody_in_the_clear(made):
    data = (made[0] / made[1]["backup"]).read_bytes()
    assert made[2].encode() not in data
    assert b"settings.toml" not in data
    assert made[3].encode() not in data


def test_custody_names_a_backup_before_there_is_one(made):
    folder, told, _, _ = made
    with opened(folder / "registry", AT) as inside:
        (entry,) = inside.ledger.entries(told["sha256"])
    assert entry.event == "registry-backed-up"
    assert entry.sequence == told["entries"] + 1
    assert entry.detail["expires"] == "2026-12-22T12:00:00Z"


def test_a_whole_backup_is_verified_and_leaves_nothing_behind(made, copy, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = verify(read_head(copy), PAIR, AT, scratch=scratch)
    assert found["entries"] == made[1]["entries"]
    assert found["transfers"] == 1
    assert found["rows"] > made[1]["rows"]
    assert list(scratch.iterdir()) == []


def test_verifying_writes_no_plaintext(made, copy, tmp_path, monkeypatch):
    written = {}
    count = backup_reading.rows_of_files

    def looked(folder, keys, **how):
        written.update({path.name: path.read_bytes() for path in folder.iterdir()})
        return count(folder, keys, **how)

    monkeypatch.setattr(backup_reading, "rows_of_files", looked)
    verify(read_head(copy), PAIR, AT, scratch=tmp_path)
    assert set(written) == {"identifiers.duckdb", "subjects.duckdb", "clinical.duckdb"}
    assert not any(made[2].encode() in data or b"local_record_id" in data for data in written.values())


@pytest.mark.parametrize("at", [40, 3000, HEAD_BYTES, HEAD_BYTES + 70_000, -1])
def test_a_changed_byte_is_found_wherever_it_is(copy, at):
    place = at if at >= 0 else copy.stat().st_size - 1
    changed(copy, place)
    with pytest.raises(BackupUnreadable):
        verify(read_head(copy), PAIR, AT)


def test_a_cut_or_longer_file_and_one_that_is_none_are_refused(copy, tmp_path):
    data = copy.read_bytes()
    for wrong in (data[:-1], data + b"x", data[:HEAD_BYTES], data[: HEAD_BYTES // 4], b"", b"PK\x03\x04" * 9000):
        (tmp_path / "wrong").write_bytes(wrong)
        with pytest.raises(BackupUnreadable):
            read_head(tmp_path / "wrong")


def test_segments_of_the_same_backup_in_another_order_are_refused(copy):
    data = bytearray(copy.read_bytes())
    one, two = slice(HEAD_BYTES, HEAD_BYTES + 65_564), slice(HEAD_BYTES + 65_564, HEAD_BYTES + 2 * 65_564)
    data[one], data[two] = data[two], data[one]
    copy.write_bytes(data)
    with pytest.raises(BackupUnreadable):
        verify(read_head(copy), PAIR, AT)


def test_a_head_before_the_body_of_another_backup_is_refused(made, copy, tmp_path):
    with opened(made[0] / "registry", AT) as inside:
        other = make_backup(inside, str(tmp_path / "other"))
    head = (tmp_path / "other" / os.path.basename(other["backup"])).read_bytes()[:HEAD_BYTES]
    copy.write_bytes(head + copy.read_bytes()[HEAD_BYTES:])
    with pytest.raises(BackupUnreadable):
        verify(read_head(copy), PAIR, AT)


def test_a_backup_by_a_stranger_who_knows_the_public_half_is_of_another_root(made, tmp_path):
    make_home(tmp_path / "stranger", AT, rows=3)
    with opened(tmp_path / "stranger", AT) as inside:
        stranger = read_head(tmp_path / "out" / make_backup(inside, str(tmp_path / "out"))["backup"])
    ours = read_head(made[0] / made[1]["backup"])
    assert stranger.root.fingerprint != ours.root.fingerprint
    assert stranger.head.registry != ours.head.registry


def test_another_pair_and_another_time_are_two_errors(copy):
    found = read_head(copy)
    with pytest.raises(BackupOfAnotherKey):
        verify(found, SealingPair.generate(), AT)
    late = AT + timedelta(days=30)
    with pytest.raises(BackupExpired):
        verify(found, PAIR, late)
    assert verify(found, PAIR, late, expired=True)["transfers"] == 1


def test_a_table_with_other_rows_than_were_counted_is_found(made, tmp_path, monkeypatch):
    count = backup.rows_of_store
    monkeypatch.setattr(backup, "rows_of_store", lambda c: count(c) | {"clinical.loads": 99})
    with opened(made[0] / "registry", AT) as inside:
        told = make_backup(inside, str(tmp_path / "out"))
    monkeypatch.undo()
    with pytest.raises(BackupUnreadable, match="number of rows"):
        verify(read_head(tmp_path / told["backup"]), PAIR, AT)


@pytest.mark.parametrize(
    "name",
    ["../settings.toml", "/etc/passwd", "a/../../b", "keys/intake/0.json", "keys/root.key", "keys/statement.key",
     "home.json", "run/owner.lock", "store/spill/x", "a//b", "a/./b", "", "a\\b/\x00", "keys/new.key"],
)  # fmt: skip
def test_a_list_that_names_what_has_no_place_in_a_home_is_refused(made, name):
    listed, _ = plaintext(made[0] / made[1]["backup"])
    with pytest.raises(BackupUnreadable):
        backup_contents.parse(replace(listed, files={**listed.files, name: 1}).to_bytes()[8:])


@pytest.mark.parametrize(
    "bent",
    [{"secrets": {}}, {"secrets": {"statement": b"x"}}, {"custody_head": "0"}, {"entries": -1}, {"rows": {"a": "b"}}],
)
def test_a_list_of_another_form_is_refused(made, bent):
    listed, _ = plaintext(made[0] / made[1]["backup"])
    with pytest.raises(BackupUnreadable):
        backup_contents.parse(replace(listed, **bent).to_bytes()[8:])
    with pytest.raises(BackupUnreadable):
        backup_contents.parse(canonical({"contents": 1}))
    with pytest.raises(BackupUnreadable):
        backup_contents.parse(b"[]")


def test_what_a_list_says_comes_back():
    listed = Contents(
        files={"settings.toml": 3}, secrets={"statement": b"s", "pull": b"p", "store": bytes(128)}, rows={"a.b": 1},
        entries=2, custody_head="0" * 64, intake_keys=("1" * 32,),
    )  # fmt: skip
    assert backup_contents.parse(listed.to_bytes()[8:]) == listed


def test_expired_backups_of_this_registry_are_removed_and_nothing_else(made, tmp_path):
    out = tmp_path / "out"
    with opened(made[0] / "registry", AT) as inside:
        old = make_backup(inside, str(out))["backup"]
    (out / "notes.swaddle-registry-backup").write_text("mine")
    with opened(made[0] / "registry", AT + timedelta(days=31)) as inside:
        told = make_backup(inside, str(out))
    assert told["removed"] == 1
    assert not os.path.exists(old)
    assert (out / "notes.swaddle-registry-backup").exists()


def test_links_and_pipes_are_not_followed_and_counted(made, tmp_path):
    home = made[0] / "registry"
    (home / "mappings" / "link.toml").symlink_to("/etc/hostname")
    (home / "linked").symlink_to("/etc", target_is_directory=True)
    os.mkfifo(home / "pipe")
    try:
        with opened(home, AT) as inside:
            told = make_backup(inside, str(tmp_path / "out"))
        assert told["not_taken"] == 2  # a linked folder is no file
        assert not any("link" in name for name in plaintext(tmp_path / told["backup"])[1])
    finally:
        for name in ("mappings/link.toml", "linked", "pipe"):
            (home / name).unlink()


def test_without_a_backup_pair_there_is_none(made, tmp_path):
    home = made[0] / "registry"
    (home / "keys" / "backup.pub.json").rename(tmp_path / "away")
    try:
        with opened(home, AT) as inside, pytest.raises(NoBackupPair):
            make_backup(inside, str(tmp_path / "out"))
    finally:
        (tmp_path / "away").rename(home / "keys" / "backup.pub.json")
    assert not (tmp_path / "out").exists()


def test_the_store_goes_on_after_a_backup(made):
    with opened(made[0] / "registry", AT) as inside:
        before = inside.store.totals()
        make_backup(inside, str(made[0] / "more"))
        assert inside.store.totals() == before
        assert sorted(path.name for path in (made[0] / "registry" / "run").iterdir()) == []
