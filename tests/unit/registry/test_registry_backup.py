"""A backup of the registry: what is in it, what never is, and what verifying it finds."""

import os
import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from registry_home import PAIR, PASSPHRASE, make_home, opened

from swaddle.canonical import canonical
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.backup_file import HEAD_BYTES, BackupWriter, read_head
from swaddle.envelope.backup_opening import BackupExpired, BackupOfAnotherKey
from swaddle.envelope.keys import SealingPair
from swaddle.envelope.public import make_certificate
from swaddle.envelope.signature import SigningKey
from swaddle.registry import backup, backup_contents, backup_reading
from swaddle.registry.backup import NoBackupPair, make_backup
from swaddle.registry.backup_contents import Contents, files_of, is_left_out, is_taken
from swaddle.registry.backup_reading import verify

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home in use and open, and a backup of it elsewhere."""
    folder = tmp_path_factory.mktemp("backup")
    needle, transfer = make_home(folder / "registry", AT)
    with opened(folder / "registry", AT) as inside:
        told = make_backup(inside, str(folder / "elsewhere"))
        yield SimpleNamespace(
            folder=folder, home=folder / "registry", told=told, path=Path(told["backup"]), needle=needle,
            transfer=transfer, inside=inside,
        )  # fmt: skip


@pytest.fixture
def copy(made, tmp_path):
    path = tmp_path / "copy.swaddle-registry-backup"
    shutil.copy(made.path, path)
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
    home = made.home
    for path in home.rglob("*"):
        name = path.relative_to(home).as_posix()
        assert not path.is_file() or is_taken(name) != is_left_out(name), name
    names, others = files_of(home)
    assert others == 0
    assert {"settings.toml", "people.json", "mappings/own.toml", "dictionaries/v9/person.toml", "custody.jsonl",
            "registry.db", "statements/intake.json", *backup_contents.STORE} <= set(names)  # fmt: skip


def test_no_intake_key_no_offline_key_and_nothing_on_its_way_is_in_it(made):
    listed, files = plaintext(made.path)
    home = made.home
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
    data = (made.path).read_bytes()
    assert made.needle.encode() not in data
    assert b"settings.toml" not in data
    assert made.transfer.encode() not in data


def test_custody_names_a_backup_before_there_is_one(made):
    (entry,) = made.inside.ledger.entries(made.told["sha256"])
    assert entry.event == "registry-backed-up"
    assert entry.sequence == made.told["entries"] + 1
    assert entry.detail["expires"] == "2026-12-22T12:00:00Z"


def test_a_whole_backup_is_verified_and_leaves_nothing_behind(made, copy, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = verify(read_head(copy), PAIR, AT, scratch=scratch)
    assert found["entries"] == made.told["entries"]
    assert found["transfers"] == 1
    assert found["rows"] > made.inside.store.totals()["rows"] > 0
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
    assert not any(made.needle.encode() in data or b"local_record_id" in data for data in written.values())


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
    other = make_backup(made.inside, str(tmp_path / "other"))
    head = Path(other["backup"]).read_bytes()[:HEAD_BYTES]
    copy.write_bytes(head + copy.read_bytes()[HEAD_BYTES:])
    with pytest.raises(BackupUnreadable):
        verify(read_head(copy), PAIR, AT)


def test_a_backup_by_a_stranger_who_knows_the_public_half_is_of_another_root(made, tmp_path):
    root, statement = SigningKey.generate(), SigningKey.generate()
    certificate = make_certificate(root, statement.public, AT - timedelta(days=1), AT + timedelta(days=1))
    written = {"kind": "registry", "registry": made.inside.keyring.registry_id, "made": AT, "revision": "2"}
    with closing(BackupWriter(tmp_path / "strange")) as writer:
        writer.write(b"anything")
        _, front = writer.finish(PAIR.public, statement, certificate, expires=AT + timedelta(days=1), **written)
        writer.put_in_front(front)
    stranger = read_head(tmp_path / "strange")
    assert stranger.root == root.public
    assert stranger.root != read_head(made.path).root  # which the command prints, and --root demands
    with pytest.raises(BackupUnreadable):
        verify(stranger, PAIR, AT)
    uncertified = make_certificate(root, root.public, AT - timedelta(days=1), AT + timedelta(days=1))
    with closing(BackupWriter(tmp_path / "uncertified")) as writer:
        _, front = writer.finish(PAIR.public, statement, uncertified, expires=AT + timedelta(days=1), **written)
        writer.put_in_front(front)
    with pytest.raises(BackupUnreadable):
        read_head(tmp_path / "uncertified")


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
    told = make_backup(made.inside, str(tmp_path / "out"))
    monkeypatch.undo()
    with pytest.raises(BackupUnreadable, match="number of rows"):
        verify(read_head(tmp_path / told["backup"]), PAIR, AT)


@pytest.mark.parametrize(
    "name",
    ["../settings.toml", "/etc/passwd", "a/../../b", "keys/intake/0.json", "keys/root.key", "keys/statement.key",
     "home.json", "run/owner.lock", "store/spill/x", "a//b", "a/./b", "", "a\\b/\x00", "keys/new.key"],
)  # fmt: skip
def test_a_list_that_names_what_has_no_place_in_a_home_is_refused(made, name):
    listed, _ = plaintext(made.path)
    with pytest.raises(BackupUnreadable):
        backup_contents.parse(replace(listed, files={**listed.files, name: 1}).to_bytes()[8:])


@pytest.mark.parametrize(
    "bent",
    [{"secrets": {}}, {"secrets": {"statement": b"x"}}, {"custody_head": "0"}, {"entries": -1}, {"rows": {"a": "b"}}],
)
def test_a_list_of_another_form_is_refused(made, bent):
    listed, _ = plaintext(made.path)
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
    old = Path(make_backup(made.inside, str(out))["backup"])
    (out / "notes.swaddle-registry-backup").write_text("mine")
    made.inside.now = lambda: AT + timedelta(days=31)
    try:
        told = make_backup(made.inside, str(out))
    finally:
        made.inside.now = lambda: AT
    assert told["removed"] == 1
    assert not old.exists()
    assert (out / "notes.swaddle-registry-backup").exists()


def test_links_and_pipes_are_not_followed_and_counted(made, tmp_path):
    home = made.home
    (home / "mappings" / "link.toml").symlink_to("/etc/hostname")
    (home / "linked").symlink_to("/etc", target_is_directory=True)
    os.mkfifo(home / "pipe")
    try:
        told = make_backup(made.inside, str(tmp_path / "out"))
        assert told["not_taken"] == 2  # a linked folder is no file
        assert not any("link" in name for name in plaintext(tmp_path / told["backup"])[1])
    finally:
        for name in ("mappings/link.toml", "linked", "pipe"):
            (home / name).unlink()


def test_without_a_backup_pair_there_is_none(made, tmp_path):
    home = made.home
    (home / "keys" / "backup.pub.json").rename(tmp_path / "away")
    try:
        with pytest.raises(NoBackupPair):
            make_backup(made.inside, str(tmp_path / "out"))
    finally:
        (tmp_path / "away").rename(home / "keys" / "backup.pub.json")
    assert not (tmp_path / "out").exists()


def test_the_store_goes_on_after_a_backup(made):
    before = made.inside.store.totals()
    make_backup(made.inside, str(made.folder / "more"))
    assert made.inside.store.totals() == before
    assert list((made.home / "run").iterdir()) == []
    assert not any(path.name.startswith(".") for path in (made.folder / "more").iterdir())
