"""From the form of the first gateways to this one: rows kept, whole or not at all, and no other form opened."""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway_world import DirectLine, direct_world, make_home, running
from swaddle.durable import DiskFault
from swaddle.envelope.keys import SealingPair
from swaddle.gateway import migrations, revisions, schema
from swaddle.gateway.backup import NoBackupKey
from swaddle.gateway.lock import AlreadyRunning
from swaddle.gateway.migrate import migrate
from swaddle.gateway.migrations import m0001_as_first_made as first
from swaddle.gateway.revisions import PRESENT, REVISIONS, SchemaNewer, SchemaOlder
from swaddle.gateway.upgrade import upgrade

FOLDER = Path(migrations.__file__).parent


def shape(connection):
    """Tables with their columns in order, indices and triggers, without the words that made them."""
    found = {}
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    for kind, name, table, sql in rows.fetchall():
        if kind == "table":
            columns = connection.execute(f"PRAGMA table_xinfo({name})").fetchall()
            found[kind, name] = [tuple(column) for column in columns], "STRICT" in sql.rpartition(")")[2]
        else:
            found[kind, name] = table, " ".join(sql.replace(" IF NOT EXISTS", "").split())
    return found


def first_form(path):
    """The database of a gateway of before revisions were numbered, made from one of now."""
    now = sqlite3.connect(path)
    tables = {row[0] for row in now.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    old = sqlite3.connect(":memory:")
    old.executescript(first.TABLES)
    for table in [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]:
        columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
        assert table in tables
        rows = now.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
        old.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
    old.commit()
    now.close()
    for file in path.parent.glob("transfers.db*"):
        file.unlink()
    made = sqlite3.connect(path)
    old.backup(made)
    made.close()


@pytest.fixture
def old_home(tmp_path):
    """A gateway's home as the first version left it: claimed, a submitter, a transfer held, one acknowledged."""
    with direct_world(tmp_path / "gateway") as world:
        party = world.enrol()
        done, held = world.send(party), world.send(party)
        world.lease(done)
        world.acknowledge(done)
        world.line.close()
        first_form(tmp_path / "gateway" / "transfers.db")
        yield world, party, held


class TestTheForm:
    def test_migrated_from_the_first_or_from_nothing_it_is_the_one_that_is_made_now(self, tmp_path):
        fresh = schema.open_transfers(tmp_path / "fresh.db")
        from_nothing = schema.open_any(tmp_path / "nothing.db")
        from_first = schema.open_any(tmp_path / "first.db")
        from_first.executescript(first.TABLES)
        assert migrate(from_nothing) == (None, PRESENT)
        assert migrate(from_first) == (REVISIONS[0], PRESENT)
        assert shape(from_nothing) == shape(fresh)
        assert shape(from_first) == shape(fresh)

    def test_the_first_form_is_the_one_that_was_released(self):
        """`m0001` is `schema.TRANSFERS` of commit bc571a9, frozen: its digest stands here."""
        from hashlib import sha256

        words = " ".join(first.TABLES.split())
        assert sha256(words.encode()).hexdigest() == FIRST_SHA256

    def test_each_number_has_its_module(self):
        modules = sorted(path.stem[1:5] for path in FOLDER.glob("m*.py"))
        assert tuple(modules) == REVISIONS


class TestOpening:
    def test_an_older_database_is_not_opened_and_the_fix_is_named(self, old_home):
        world, _, _ = old_home
        with pytest.raises(SchemaOlder) as caught:
            DirectLine(world.line.home, world.line.clock)
        assert caught.value.exit_status == 3
        assert "gateway upgrade" in caught.value.lines()[2]

    def test_a_newer_one_neither_and_upgrade_leaves_it_alone(self, tmp_path):
        home = make_home(tmp_path / "gateway")
        connection = sqlite3.connect(home / "transfers.db")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        for attempt in (lambda: schema.open_transfers(home / "transfers.db"), lambda: upgrade(home)):
            with pytest.raises(SchemaNewer):
                attempt()
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
        connection.close()

    def test_the_command_says_it_in_three_lines(self, old_home):
        world, _, _ = old_home
        done = subprocess.run(
            [sys.executable, "-m", "swaddle", "gateway", "run", "--home", str(world.line.home)],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 3
        assert "SWD-GATE-10" in done.stderr
        upgrade(world.line.home, with_backup=False)


class TestUpgrade:
    def test_every_row_is_kept_and_what_was_held_is_read(self, old_home):
        world, party, held = old_home
        with pytest.raises(NoBackupKey):  # no backup, no change
            upgrade(world.line.home)
        done = upgrade(world.line.home, with_backup=False)
        assert (done["before"], done["after"], done["backup"]) == (REVISIONS[0], PRESENT, None)
        world.line.open()
        came = world.line.gateway.thread.index.row("SELECT came_bytes FROM transfers WHERE id = ?", held.id)
        assert came["came_bytes"] == sum(map(len, held.parts))
        assert world.get("/v1/intake", party.key).status == 200
        assert world.lease(held).status == 200
        assert [world.read(held, number).body for number in (0, 1)] == held.parts
        assert world.freezes() == []
        world.line.close()

    def test_a_backup_comes_first_and_a_second_run_does_nothing(self, old_home):
        world, _, _ = old_home
        pair = SealingPair.generate()
        connection = sqlite3.connect(world.line.home / "transfers.db")
        value = json.dumps(pair.public.to_json(), separators=(",", ":"), sort_keys=True)
        connection.execute("INSERT INTO facts VALUES ('backup_key', ?)", (value,))
        connection.commit()
        connection.close()
        done = upgrade(world.line.home)
        from swaddle.envelope.backup import read_backup
        from swaddle.envelope.backup_opening import open_backup
        from swaddle.gateway.restore import verify

        found = read_backup(Path(done["backup"]).read_bytes())
        assert found.head.revision == REVISIONS[0]
        assert verify(found, open_backup(found, pair, found.head.made))["submitters"] == 1  # an old one comes back too
        assert upgrade(world.line.home) == {"before": PRESENT, "after": PRESENT, "backup": None}

    def test_a_step_that_fails_leaves_all_as_it_was(self, old_home, monkeypatch):
        world, _, _ = old_home
        path = world.line.home / "transfers.db"
        before = sqlite3.connect(path)
        was, rows = shape(before), before.execute("SELECT * FROM facts").fetchall()
        before.close()
        from swaddle.gateway.migrations import m0002_doors_quotas_and_growth as second

        broken = FOLDER / "m0002_doors_quotas_and_growth.py"
        text = broken.read_text("utf-8")
        assert second.revision == PRESENT
        import alembic.operations

        done = alembic.operations.Operations.execute
        calls = []

        def fail(self, *arguments, **more):
            calls.append(1)
            if len(calls) == 5:
                raise DiskFault("as if full")
            return done(self, *arguments, **more)

        monkeypatch.setattr(alembic.operations.Operations, "execute", fail)
        with pytest.raises(DiskFault):
            upgrade(world.line.home, with_backup=False)
        monkeypatch.undo()
        after = sqlite3.connect(path)
        assert (shape(after), after.execute("SELECT * FROM facts").fetchall()) == (was, rows)
        after.close()
        assert broken.read_text("utf-8") == text
        assert upgrade(world.line.home, with_backup=False)["after"] == PRESENT

    def test_killed_at_any_moment_it_is_of_one_form_or_the_other(self, old_home, tmp_path):
        world, _, _ = old_home
        path = world.line.home / "transfers.db"
        saved = path.read_bytes()
        code = (
            "import sys; from pathlib import Path; from swaddle.gateway.upgrade import upgrade;"
            "print('on', flush=True); upgrade(Path(sys.argv[1]), with_backup=False)"
        )
        forms = set()
        for wait in (0.0, 0.15, 0.3, 0.5, 0.8):
            for file in world.line.home.glob("transfers.db*"):
                file.unlink()
            path.write_bytes(saved)
            process = subprocess.Popen([sys.executable, "-c", code, str(world.line.home)], stdout=subprocess.PIPE)
            process.stdout.readline()
            time.sleep(wait)
            process.kill()
            process.wait()
            process.stdout.close()
            connection = schema.open_any(path)
            forms.add(revisions.revision_of(connection))
            connection.close()
        assert forms <= set(REVISIONS)
        upgrade(world.line.home, with_backup=False)

    def test_not_while_it_runs(self, tmp_path):
        home = make_home(tmp_path / "gateway")
        with running(home), pytest.raises(AlreadyRunning):
            upgrade(home)


def test_a_running_gateway_has_loaded_neither_alembic_nor_sqlalchemy(tmp_path):
    """Nor what opens a backup: asked of the process itself, after it has served."""
    home = make_home(tmp_path / "gateway")
    code = (
        "import sys; from pathlib import Path; from swaddle.gateway.run import run; run(Path(sys.argv[1]));"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    with running(home, code=code) as process:
        process.terminate()
        loaded = set(process.communicate(timeout=20)[1].decode().split())
    assert "swaddle.gateway.routes" in loaded
    forbidden = {"alembic", "sqlalchemy", "mako", "swaddle.envelope.keys", "swaddle.envelope.backup_opening"}
    assert not loaded & forbidden
    assert not {name for name in loaded if name.startswith("swaddle.gateway.migrat")}


FIRST_SHA256 = "50d67557e1ca2f1c9a0378cb060370b2f423cc600a79d6f7158477f581fb9a75"
