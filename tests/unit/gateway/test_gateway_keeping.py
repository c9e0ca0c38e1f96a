"""What is kept and for how long: sweeps, tombstones, journal, usage, columns, settings."""

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from gateway_world import DirectLine, direct_world, make_home
from swaddle.canonical import canonical, digest_hex
from swaddle.envelope.signature import PublicSigningKey, Signed, open_signed
from swaddle.gateway import journal, schema
from swaddle.gateway.initialise import AlreadyMade, initialise
from swaddle.gateway.settings import Settings, load
from swaddle.gateway.usage import Usage, week_of
from swaddle.home import Kind, open_home
from swaddle.settings import SettingWrong


def events(world, transfer=None):
    return [e["event"] for e in world.journal()["entries"] if transfer is None or e["subject"] == transfer]


class TestSweep:
    def test_past_its_expiry_all_of_a_transfer_is_destroyed(self, world, party):
        sealed = world.send(party)
        world.line.clock.pass_(hours=48)
        assert world.line.sweep() == 1
        assert list(world.line.gateway.store.bodies()) == []
        view = world.view(sealed, party.key).json
        assert (view["state"], view["outcome"]) == ("destroyed", "expired")
        assert events(world, sealed.id)[-2:] == ["expired", "destroyed"]

    @pytest.mark.parametrize("state", ["announced", "receiving", "leased"])
    def test_in_whatever_state(self, world, party, state):
        if state == "leased":
            world.lease(world.send(party))
        else:
            transfer = world.announce(party, 65_564 + 1000).json["id"]
            if state == "receiving":
                world.put(party, transfer, 1, bytes(1000))
        world.line.clock.pass_(hours=49)
        assert world.line.sweep() == 1
        assert list((world.line.home / "bodies").iterdir()) == []

    def test_a_lapsed_lease_is_written_down_once(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.line.clock.pass_(minutes=16)
        world.line.sweep()
        world.line.sweep()
        assert events(world, sealed.id)[-1] == "lapsed"
        assert events(world, sealed.id).count("lapsed") == 1

    def test_nothing_of_an_ended_transfer_is_left_but_its_tombstone(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.acknowledge(sealed)
        row = dict(world.line.gateway.thread.index.row("SELECT * FROM transfers"))
        empty = {name for name, value in row.items() if value is None}
        assert world.line.gateway.thread.index.rows("SELECT * FROM parts") == []
        assert {"recipient", "body_bytes", "part_bytes", "manifest", "header", "description", "leased_at"} <= empty
        for path in world.line.home.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert sealed.header not in data
                assert sealed.description[:64] not in data
                assert sealed.parts[0][:64] not in data

    def test_the_tombstone_goes_after_fourteen_days(self, world, party):
        sealed = world.send(party)
        world.lease(sealed)
        world.acknowledge(sealed)
        world.line.clock.pass_(days=13, hours=23)
        world.line.sweep()
        assert world.view(sealed, party.key).status == 200
        world.line.clock.pass_(hours=2)
        world.line.sweep()
        assert world.view(sealed, party.key).status == 404

    def test_nonces_go_when_they_can_no_longer_be_used(self, world, party):
        index = world.line.gateway.thread.index
        assert index.row("SELECT count(*) FROM nonces")[0] > 0
        world.line.clock.pass_(seconds=61)
        world.line.sweep()
        assert index.row("SELECT count(*) FROM nonces")[0] == 0

    def test_many_at_once(self, world, party):
        for _ in range(3):
            world.send(party, parts=[])
        index = world.line.gateway.thread.index
        row = dict(index.row("SELECT * FROM transfers LIMIT 1"))
        for number in range(450):
            row |= {"id": f"{number:032x}", "reference_sha256": f"{number:064x}"}
            marks = ",".join("?" * len(row))
            index.write(f"INSERT INTO transfers ({','.join(row)}) VALUES ({marks})", *row.values())
        world.line.clock.pass_(hours=49)
        assert world.line.sweep() == 453


class TestJournal:
    def test_the_chain_from_the_first_entry_to_the_signed_head(self, world, party):
        world.send(party)
        page = world.journal()
        previous = "0" * 64
        for number, entry in enumerate(page["entries"], 1):
            assert (entry["sequence"], entry["previous"]) == (number, previous)
            previous = digest_hex(canonical(entry))
        key = PublicSigningKey.from_line(world.journal_key)
        head = open_signed(Signed.from_json(page["head"]), "swaddle-journal-v1", [key])
        assert (head["sequence"], head["entry_sha256"]) == (len(page["entries"]), previous)

    def test_it_goes_on_from_what_was_drained(self, world, party):
        last = world.journal()["entries"][-1]
        assert world.instruct("journal-drained", through=last["sequence"]).status == 200
        page = world.journal(last["sequence"])
        assert page["entries"][0]["previous"] == digest_hex(canonical(last))
        assert world.journal()["entries"] == page["entries"]
        world.line.reopen()
        assert world.freezes() == []

    def test_more_than_there_is_cannot_be_drained(self, world):
        assert world.instruct("journal-drained", through=10_000).problem == "refused"

    def test_a_page_ends_and_the_next_goes_on(self, world, party, monkeypatch):
        monkeypatch.setattr(journal, "PAGE_ENTRIES", 2)
        first = world.journal()["entries"]
        assert [entry["sequence"] for entry in first] == [1, 2]
        assert world.journal(2)["entries"][0]["sequence"] == 3

    @pytest.mark.parametrize("query", ["", "?after=", "?after=-1", "?after=1x", "?after=1&after=2", "?before=1"])
    def test_another_question_is_malformed(self, world, query):
        assert world.get(f"/v1/journal{query}", world.pull).problem == "malformed"

    def test_it_is_the_registrys_alone(self, world, party):
        assert world.get("/v1/journal?after=0", party.key).problem == "not-found"

    @pytest.mark.parametrize(
        "damage",
        [
            "DELETE FROM journal WHERE sequence = 3",
            "DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)",
            "DELETE FROM journal",
            "UPDATE journal SET entry = CAST(replace(entry, 'announced', 'destroyed') AS BLOB)",
            "UPDATE journal SET entry = CAST('x' AS BLOB) WHERE sequence = 2",
            "UPDATE journal SET sequence = 1000 WHERE sequence = 2",
            "UPDATE facts SET value = '4' WHERE name = 'journal_sequence'",
        ],
    )
    def test_a_broken_chain_freezes_all_reading_and_no_sending(self, world, party, damage):
        sealed = world.send(party)
        world.line.gateway.thread.index.connection.execute(damage)
        world.line.reopen()
        (frozen,) = world.freezes()
        assert (frozen["cause"], frozen["reader"]) == ("chain", None)
        assert world.lease(sealed).problem == "frozen"
        assert world.get("/v1/inbox", party.key).problem == "frozen"
        assert world.announce(party, 1000).status == 201

    def test_every_event_is_in_the_spec_and_no_other(self, root):
        text = (root / "docs" / "spec" / "transfer.md").read_text("utf-8").split("## 7.")[1].split("## 8.")[0]
        table = text.split("| event | subject | detail |")[1]
        named = [
            name
            for line in table.splitlines()
            for name in re.findall(r"`([a-z-]+)`", line.split("|")[1] if "|" in line else "")
        ]
        assert named == list(journal.EVENTS)

    def test_an_unlisted_event_is_a_fault(self, world):
        with pytest.raises(ValueError):
            journal.append(world.line.gateway.thread.index, "sneezed", "0" * 32)


class TestColumns:
    def test_there_are_no_others_than_the_decision_lists(self, root):
        text = next((root / "docs" / "decisions").glob("0011-*.md")).read_text("utf-8")
        listed = set(re.findall(r"^\| `(\w+\.\w+)` \|", text, re.MULTILINE))
        there = set()
        for script in (schema.TRANSFERS, schema.USAGE):
            database = sqlite3.connect(":memory:")
            database.executescript(script)
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                there |= {f"{table}.{column[1]}" for column in database.execute(f"PRAGMA table_info({table})")}
            database.close()
        assert listed == there

    def test_what_is_deleted_is_overwritten(self, world):
        connection = world.line.gateway.thread.index.connection
        assert connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


class TestUsage:
    @pytest.fixture
    def usage(self, tmp_path):
        usage = Usage(schema.open_usage(tmp_path / "usage.db"))
        yield usage
        usage.close()

    NOW = datetime(2026, 11, 22, 9, 24, 37, tzinfo=UTC)

    def test_only_whole_tens_are_written(self, usage):
        for count in range(1, 35):
            usage.count("transfers", self.NOW)
            assert usage.weeks() == ([("2026-W47", "transfers", count // 10 * 10)] if count >= 10 else [])

    def test_only_whole_gibibytes(self, usage):
        for _ in range(5):
            usage.count_bytes(2**29 + 1, self.NOW)
        assert usage.weeks() == [("2026-W47", "gibibytes", 2)]

    def test_weeks_go_after_two_years(self, usage):
        usage.count("transfers", self.NOW, 10)
        usage.count("transfers", self.NOW + timedelta(weeks=105), 10)
        assert [week for week, _, _ in usage.weeks()] == [week_of(self.NOW + timedelta(weeks=105))]

    def test_a_gateway_in_use_counts(self, world, party):
        for _ in range(10):
            world.send(party, parts=[])
        assert world.line.gateway.usage.weeks() == [("2026-W47", "transfers", 10)]


class TestSettings:
    def test_every_setting_is_documented_with_its_default(self, root):
        text = (root / "docs" / "settings-gateway.md").read_text("utf-8")
        from dataclasses import MISSING, fields

        for one in fields(Settings):
            default = "none" if one.default is MISSING else f"`{one.default}`" if one.default != "" else "empty"
            assert f"| `{one.name}` | {default} |" in text, one.name
        table = text.split("## ")[0]
        assert len(re.findall(r"^\| `\w+` \|", table, re.MULTILINE)) == len(fields(Settings))

    @pytest.mark.parametrize(
        "line",
        ['colour = "red"', "port = 0", "port = 70000", 'lease_seconds = "900"', "sweep_seconds = 0", "uploads = true",
         "tombstone_seconds = 99999999", "idle_seconds = 1.5", 'url = "http://x"'],
    )  # fmt: skip
    def test_what_is_unknown_or_unsafe_refuses_to_start(self, tmp_path, line):
        home = make_home(tmp_path / "g")
        name = line.split(" ")[0]
        path = home / "settings.toml"
        kept = [each for each in path.read_text().splitlines() if not each.startswith(f"{name} ")]
        path.write_text("\n".join([*kept, line]) + "\n")
        with pytest.raises(SettingWrong) as caught:
            load(open_home(home, Kind.GATEWAY), {})
        assert caught.value.exit_status == 3
        assert "red" not in str(caught.value)

    def test_the_environment_comes_after_the_file(self, tmp_path):
        home = open_home(make_home(tmp_path / "g", lease_seconds=100), Kind.GATEWAY)
        assert load(home, {}).lease_seconds == 100
        assert load(home, {"SWADDLE_GATEWAY_LEASE_SECONDS": "200"}).lease_seconds == 200
        with pytest.raises(SettingWrong):
            load(home, {"SWADDLE_GATEWAY_LEASE_SECONDS": "soon"})


class TestInitialise:
    def test_the_claim_says_url_and_pin_and_the_port_is_kept(self, tmp_path):
        claim = json.loads(initialise(tmp_path / "g", "https://127.0.0.1:0", port=0).read_bytes())
        assert re.fullmatch(r"https://127\.0\.0\.1:[1-9]\d+", claim["url"])
        assert load(open_home(tmp_path / "g", Kind.GATEWAY), {}).url == claim["url"]

    def test_twice_is_refused(self, tmp_path):
        initialise(tmp_path / "g", "https://127.0.0.1:0", port=0)
        with pytest.raises(AlreadyMade):
            initialise(tmp_path / "g", "https://127.0.0.1:0", port=0)

    def test_a_url_that_is_none_makes_nothing(self, tmp_path):
        with pytest.raises(SettingWrong):
            initialise(tmp_path / "g", "gate.example")
        assert not (tmp_path / "g").exists()

    def test_only_its_owner_reads_it(self, tmp_path):
        make_home(tmp_path / "g")
        assert [path.name for path in (tmp_path / "g").rglob("*") if path.stat().st_mode & 0o077] == []

    def test_the_claim_secret_is_kept_in_the_claim_file_alone(self, tmp_path):
        home = make_home(tmp_path / "g")
        secret = json.loads((home / "claim.json").read_bytes())["secret"].encode()
        assert [p.name for p in home.rglob("*") if p.is_file() and secret in p.read_bytes()] == ["claim.json"]


def test_strays_are_removed_at_start(tmp_path):
    with direct_world(tmp_path / "g") as world:
        sealed = world.send(world.enrol())
        for name in ("0" * 32, ".half.part", "notes.txt"):
            (world.line.home / "bodies" / name).write_bytes(b"x")
        world.line.reopen()
        assert len(list((world.line.home / "bodies").iterdir())) == 2
        world.lease(sealed)
        assert world.read(sealed).body == sealed.parts[0]


def test_a_clock_of_ones_own_is_only_for_tests(tmp_path, fresh_clock):
    line = DirectLine(make_home(tmp_path / "g"), fresh_clock)
    assert line.gateway.thread.index.now() == fresh_clock()
    line.close()
