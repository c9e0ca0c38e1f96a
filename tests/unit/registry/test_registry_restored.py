"""A registry that came back from its backup on an empty machine; and a home brought to another form."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from registry_home import PAIR, PASSPHRASE, make_home, opened

from swaddle import durable
from swaddle.custody.ledger import Ledger
from swaddle.envelope.backup import BackupUnreadable
from swaddle.envelope.backup_file import BackupWriter, read_head
from swaddle.envelope.refusals import PassphraseWrong
from swaddle.home import HomeFault
from swaddle.registry import asking, backup_reading, exchange, forms, returning, rotation, upgrade
from swaddle.registry.backup import make_backup
from swaddle.registry.forms import FormNewer, FormOlder
from swaddle.registry.restore import AlreadyThere, AnotherRoot, restore
from swaddle.registry.upgrade import upgrade as bring_up

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = AT + timedelta(days=2)
NEW = b"a passphrase of the new machine"


@pytest.fixture(scope="module")
def a_home(tmp_path_factory):
    """Made once; every test has a copy."""
    folder = tmp_path_factory.mktemp("home")
    _, transfer = make_home(folder / "registry", AT, rows=3)
    return folder / "registry", transfer


@pytest.fixture
def home(a_home, tmp_path):
    shutil.copytree(a_home[0], tmp_path / "registry")
    return tmp_path / "registry"


@pytest.fixture(scope="module")
def lost(a_home, tmp_path_factory):
    """A backup of a home that is no more, and what was in that home."""
    folder = tmp_path_factory.mktemp("lost")
    shutil.copytree(a_home[0], folder / "registry")
    with opened(folder / "registry", AT) as inside:
        path = Path(make_backup(inside, str(folder / "elsewhere"))["backup"])
        sequence = json.loads(inside.intake_keys.signed().message)["sequence"]
        known = SimpleNamespace(
            path=path, transfer=a_home[1], rows=inside.store.totals(), keyring=inside.keyring,
            root=inside.keyring.root.fingerprint, sequence=sequence, entries=read_entries(path),
        )  # fmt: skip
    shutil.rmtree(folder / "registry")
    return known


def read_entries(path):
    with backup_reading.opened(read_head(path), PAIR, AT, expired=False) as (_, listed):
        return listed.entries


@pytest.fixture
def back(lost, tmp_path):
    home = tmp_path / "again"
    restore(home, read_head(lost.path), PAIR, NEW, LATER)
    return home


def test_rows_keys_and_submitters_are_back_under_a_passphrase_of_today(lost, back):
    with opened(back, LATER, NEW) as inside:
        assert inside.store.totals() == lost.rows
        assert inside.keyring.store == lost.keyring.store
        assert inside.keyring.statement.public == lost.keyring.statement.public
        assert inside.state.is_ended(lost.transfer)  # the id is never taken again
        assert inside.intake_keys.signed() is not None
    with pytest.raises(PassphraseWrong), opened(back, LATER, PASSPHRASE):
        pass


def test_every_file_is_readable_by_its_owner_alone_and_intake_keys_are_none(back):
    assert list((back / "keys" / "intake").iterdir()) == []
    assert not (back / "keys" / "root.key").exists()
    assert not (back / "keys" / "backup.json").exists()
    for path in back.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (back / "mappings" / "own.toml").read_bytes() == b"# a mapping"
    assert (back / "settings.toml").read_text().startswith("# kept")


def test_custody_goes_on_and_says_what_came_back(lost, back):
    with closing(Ledger(back / "custody.jsonl")) as ledger:
        *before, last = ledger.entries()
    assert len(before) == lost.entries
    assert last.event == "registry-restored"
    assert last.subject == read_head(lost.path).head.body_sha256
    assert last.previous == before[-1].digest()
    assert last.detail["entries"] == lost.entries
    assert len(last.detail["intake_keys"]) == 1


def test_no_number_is_used_twice_however_often_one_backup_comes_back(lost, tmp_path):
    used, sequences = [], []
    for day in (2, 3):
        home, at = tmp_path / f"home-{day}", AT + timedelta(days=day)
        restore(home, read_head(lost.path), PAIR, NEW, at)
        with opened(home, at, NEW) as inside:
            used.append(inside.state.next_instruction())
            least = int(inside.state.fact(returning.LEAST_SEQUENCE))
            signed, _ = inside.intake_keys.renew(at, (), least)
            sequences.append(json.loads(signed.message)["sequence"])
    assert 7 < used[0] + 10_000 < used[1]  # more than a day of instructions between the two
    assert lost.sequence < sequences[0] < sequences[1]


def test_the_settings_name_the_passphrase_file_of_the_new_machine(lost, tmp_path):
    restore(tmp_path / "again", read_head(lost.path), PAIR, NEW, LATER, passphrase_file='/etc/a "b"')
    text = (tmp_path / "again" / "settings.toml").read_text()
    assert text.splitlines()[0] == 'passphrase_file = "/etc/a \\"b\\""'
    assert "# kept" in text


def test_a_backup_of_another_root_than_the_one_named_is_refused(lost, tmp_path):
    with pytest.raises(AnotherRoot):
        restore(tmp_path / "again", read_head(lost.path), PAIR, NEW, LATER, root="SHA256:other")
    assert not (tmp_path / "again").exists()
    restore(tmp_path / "again", read_head(lost.path), PAIR, NEW, LATER, root=lost.root)


def test_nothing_is_restored_over_anything(lost, back, tmp_path):
    before = (back / "registry.db").read_bytes()
    with pytest.raises(AlreadyThere):
        restore(back, read_head(lost.path), PAIR, NEW, LATER)
    assert (back / "registry.db").read_bytes() == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(AlreadyThere):
        restore(tmp_path / "full", read_head(lost.path), PAIR, NEW, LATER)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "empty", read_head(lost.path), PAIR, NEW, LATER)


def test_a_changed_backup_makes_no_home(lost, tmp_path):
    path = tmp_path / "changed"
    data = bytearray(lost.path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupUnreadable):
        restore(tmp_path / "again", read_head(path), PAIR, NEW, LATER)
    assert not (tmp_path / "again").exists()


class Killed(BaseException):
    """As a kill: no handler of ours takes it."""


def killed_at(monkeypatch, step, targets):
    """Die at the n-th call of any of `targets`: even before it, odd after it."""
    calls = []

    def watched(real):
        def call(*arguments, **more):
            calls.append(1)
            if 2 * len(calls) - 2 == step:
                raise Killed
            answer = real(*arguments, **more)
            if 2 * len(calls) - 1 == step:
                raise Killed
            return answer

        return call

    for owner, name in targets:
        monkeypatch.setattr(owner, name, watched(getattr(owner, name)))
    return calls


RESTORE_STEPS = [
    (durable, "write_file"), (durable, "make_folder"), (durable, "append_line"), (durable, "remove_file"),
    (backup_reading, "write_stream"),
]  # fmt: skip


@pytest.mark.parametrize("step", [3, 45, pytest.param(None, marks=pytest.mark.slow)])
def test_a_killed_restore_is_no_home_and_the_same_command_brings_it_to_its_end(lost, tmp_path, monkeypatch, step):
    for number in range(1, 200) if step is None else [step]:
        home = tmp_path / f"again-{number}"
        with monkeypatch.context() as patch:
            killed_at(patch, number, RESTORE_STEPS)
            try:
                restore(home, read_head(lost.path), PAIR, NEW, LATER)
                was_killed = False
            except Killed:
                was_killed = True
        if not was_killed:
            assert step is None
            break
        if not (home / "home.json").exists():
            with pytest.raises(HomeFault), opened(home, LATER, NEW):
                pass
            restore(home, read_head(lost.path), PAIR, NEW, LATER)
        with closing(Ledger(home / "custody.jsonl")) as ledger:
            assert [entry.event for entry in ledger.entries()].count("registry-restored") == 1
            assert ledger.head()[0] == lost.entries + 1
        shutil.rmtree(home)
    else:
        assert step is not None


def test_a_killed_backup_leaves_the_registry_and_no_file_that_passes_for_one(home, tmp_path, monkeypatch):
    out = tmp_path / "out"
    steps = [(BackupWriter, "finish"), (Ledger, "append"), (BackupWriter, "put_in_front"), (Path, "replace")]
    with opened(home, AT) as inside:
        for number in (1, 3, 4, 7):
            with monkeypatch.context() as patch:
                killed_at(patch, number, steps)
                with pytest.raises(Killed):
                    make_backup(inside, str(out))
            assert inside.store.totals()["rows"] == 3
            there = list(out.glob("*.swaddle-registry-backup"))
            assert len(there) == (number == 7)  # it has its name, and is whole
            for path in there:
                named = {entry.subject for entry in inside.ledger.entries() if entry.event == "registry-backed-up"}
                assert backup_reading.verify(read_head(path), PAIR, AT)["sha256"] in named


def older(home):
    """As a version from before the number left it."""
    with closing(sqlite3.connect(home / "registry.db")) as connection:
        connection.execute("drop table migrations")
        connection.execute("alter table transfers drop column door")
        connection.commit()


def form(home):
    return forms.form_of(home)


def test_an_older_home_is_refused_until_it_is_upgraded_behind_a_backup(home, tmp_path):
    older(home)
    before = (home / "registry.db").read_bytes()
    with pytest.raises(FormOlder, match="form is 1"), opened(home, AT):
        pass
    assert (home / "registry.db").read_bytes() == before
    told = bring_up(home, lambda _: PASSPHRASE, lambda: AT)
    assert (told["before"], told["after"]) == (1, 2)
    found = read_head(Path(told["backup"]))
    assert found.head.revision == "1"
    assert backup_reading.verify(found, PAIR, AT)["form"] == "1"
    with opened(home, AT) as inside:
        assert inside.store.totals()["rows"] == 3
        assert inside.state.transfers()[0].door is None
        assert inside.ledger.entries()[-1].event == "registry-upgraded"
    assert bring_up(home, lambda _: PASSPHRASE)["backup"] is None
    # And what was before comes back as it was: of the older form, which is upgraded like the other.
    restore(tmp_path / "again", found, PAIR, NEW, LATER)
    assert form(tmp_path / "again") == 1
    assert bring_up(tmp_path / "again", lambda _: NEW, lambda: LATER)["after"] == 2


def test_a_newer_home_is_refused_and_not_touched(home):
    with closing(sqlite3.connect(home / "registry.db")) as connection:
        connection.execute("insert into migrations values (99, '2030-01-01T00:00:00Z')")
        connection.commit()
    before = contents_of(home)
    with pytest.raises(FormNewer, match="99"), opened(home, AT):
        pass
    with pytest.raises(FormNewer):
        bring_up(home, lambda _: PASSPHRASE)
    assert contents_of(home) == before


def contents_of(home):
    found = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.parent.name != "run"}
    return {path: data for path, data in found.items() if not path.name.endswith(("-shm", "-wal"))}


@pytest.mark.parametrize("step", [1, 4, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 2, 3, 5))])
def test_a_killed_upgrade_is_of_the_old_form_or_of_the_new_one(home, monkeypatch, step):
    older(home)
    with monkeypatch.context() as patch:
        patch.setitem(upgrade.STEPS, 2, upgrade.to_numbered)
        killed_at(patch, step, [(upgrade.backup, "seal_home"), (upgrade, "State"), (forms, "stamp")])
        with pytest.raises(Killed):
            bring_up(home, lambda _: PASSPHRASE, lambda: AT)
    if form(home) == 1:
        with pytest.raises(FormOlder), opened(home, AT):
            pass
    assert bring_up(home, lambda _: PASSPHRASE, lambda: AT)["after"] == 2
    with opened(home, AT) as inside:
        assert inside.store.totals()["rows"] == 3


class Line:
    """A gateway's answers about its journal."""

    def __init__(self, entries, head):
        self.entries, self.head = entries, head

    def get_json(self, path):
        assert path == "/v1/journal?after=40"
        return {"entries": self.entries, "head": self.head}


def gap_world(back, monkeypatch, entries, sequence):
    from swaddle.envelope.signature import JOURNAL, SigningKey, sign

    key = SigningKey.generate()
    head = sign(JOURNAL, {"at": "2026-11-22T12:00:00Z", "entry_sha256": "e" * 64, "sequence": sequence}, key)
    opened_home = opened(back, LATER, NEW)
    inside = opened_home.__enter__()
    inside.state.set_facts(journal_key=key.public.line)
    inside.client.close()
    inside.client = Line(entries, head.to_json())
    inside.client.close = lambda: None
    return opened_home, inside


def test_the_journal_goes_on_behind_what_nobody_has_and_custody_says_so(back, monkeypatch):
    context, inside = gap_world(back, monkeypatch, [], 55)
    try:
        for _ in range(2):  # once more after a kill
            returning.go_on_with_journal(inside)
            assert (inside.state.fact("journal_sequence"), inside.state.fact("journal_digest")) == ("55", "e" * 64)
            inside.client.get_json = lambda _: {"entries": [], "head": inside.client.head}
        (entry,) = [each for each in inside.ledger.entries() if each.event == "journal-resumed"]
        assert (entry.detail["first"], entry.detail["last"]) == (41, 55)
    finally:
        context.__exit__(None, None, None)


def test_a_head_that_another_key_signed_moves_nothing(back, monkeypatch):
    context, inside = gap_world(back, monkeypatch, [], 55)
    try:
        inside.state.set_facts(journal_key=inside.keyring.pull.public.line)
        with pytest.raises(exchange.JournalBroken):
            returning.go_on_with_journal(inside)
        assert inside.state.fact("journal_sequence") == "40"
    finally:
        context.__exit__(None, None, None)


def test_a_notice_is_the_same_for_one_return_and_another_for_the_next():
    one = asking.notice_id("a" * 64, "2026-11-22T12:00:00Z", "b" * 32)
    assert one == asking.notice_id("a" * 64, "2026-11-22T12:00:00Z", "b" * 32)
    assert one != asking.notice_id("a" * 64, "2026-11-23T12:00:00Z", "b" * 32)


def test_what_was_never_restored_does_nothing_at_a_look(home):
    with opened(home, AT) as inside:
        inside.client.close()
        inside.client.get_json = None  # it is not asked
        returning.settle(inside)
        assert returning.restored(inside) is None
        assert rotation.PULL_KEY_MADE not in (inside.state.fact(returning.STEP) or "")
