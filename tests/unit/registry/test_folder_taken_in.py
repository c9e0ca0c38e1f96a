"""A folder that was sent is taken in file by file: one bad file sinks nothing, and all rows add up."""

import csv
import io
import json
import tarfile

import pytest
from packs import packed

from submitter_world import GatewayProcess
from swaddle.registry import members
from swaddle.submitter import counting, packing
from swaddle.submitter.inbox import answer_to
from swaddle.submitter.send import send
from whole_world import make_world

NAME = "Northshore General"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.enrol(NAME)
    yield world
    gateway.stop()


@pytest.fixture(autouse=True)
def _without_counting(monkeypatch):
    monkeypatch.setattr(counting, "find_spec", lambda _: None)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "exports"
    (path / "ward").mkdir(parents=True)
    return path


def pull(world, sent):
    (taken,) = [each for each in world.ask("pull")["transfers"] if each["id"] == sent]
    return taken


def answer(world, sent):
    party = world.party(NAME)
    with party.client() as client:
        path = answer_to(party, client, sent)
    return json.loads((path / "report.json").read_bytes()), path


def births_in(world, sent):
    inside = world.inside()
    try:
        found = inside.store.connection.execute("select count(*) from births where transfer = ?", [sent]).fetchone()
        return found[0]
    finally:
        inside.close()


def test_each_file_is_a_file_of_its_own_and_the_report_tells_of_each(world, folder):
    def broken(row):
        row["birth_weight_g"] = "x"

    def third(row):
        if row["local_record_id"].endswith("3"):
            row["birth_weight_g"] = "x"

    (folder / "a.csv").write_bytes(world.births(9, seed=1).read_bytes())
    (folder / "ward" / "a again.csv").write_bytes((folder / "a.csv").read_bytes())
    (folder / "ward" / "some rejected.csv").write_bytes(world.births(9, seed=2, bend=third).read_bytes())
    (folder / "all rejected.csv").write_bytes(world.births(9, seed=3, bend=broken).read_bytes())
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "empty.csv").write_bytes(b"")
    (sent,) = world.send(NAME, folder)
    taken = pull(world, sent)
    assert (taken["outcome"], taken["rows"]) == (
        "stored", {"read": 36, "stored": 17, "rejected": 10, "duplicates": 9},
    )  # fmt: skip
    assert births_in(world, sent) == 17
    report, path = answer(world, sent)
    assert report["rows"] == taken["rows"]
    files = {file["name"]: file for file in report["files"]}
    assert {name: file["outcome"] for name, file in files.items()} == {
        "a.csv": "stored", "ward/a again.csv": "stored", "ward/some rejected.csv": "stored",
        "all rejected.csv": "refused", "picture.csv": "refused", "empty.csv": "refused",
    }  # fmt: skip
    assert files["ward/a again.csv"]["rows"] == {"read": 9, "stored": 0, "rejected": 0, "duplicates": 9}
    for name in ("read", "stored", "rejected", "duplicates"):
        assert sum(file["rows"][name] for file in report["files"]) == report["rows"][name]
    assert files["picture.csv"]["reason"]["code"] == "SWD-INTAKE-02"
    (found,) = [each for each in report["findings"] if each["rule"] == "F2"]
    assert found["count"] == 10
    assert {example["file"] for example in found["examples"]} <= {"all rejected.csv", "ward/some rejected.csv"}
    rejected = list(csv.DictReader(io.StringIO((path / "rejected.csv").read_text())))
    assert {row["file"] for row in rejected} == {"all rejected.csv", "ward/some rejected.csv"}
    assert len(rejected) == 10
    page = (path / "report.html").read_text()
    assert "3 of 6 files were not taken in." in page
    assert "picture.csv" in page


def test_a_folder_in_which_nothing_can_be_taken_is_refused_and_says_why_of_each(world, folder):
    (folder / "one.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "two.csv").write_bytes(b"%PDF-1.4")
    (sent,) = world.send(NAME, folder)
    assert pull(world, sent)["outcome"] == "refused"
    report, path = answer(world, sent)
    assert [file["reason"]["code"] for file in report["files"]] == ["SWD-INTAKE-02"] * 2
    assert "Nothing from these files is in the registry." in (path / "report.html").read_text()


def test_a_file_that_did_not_come_whole_is_named_and_no_row_of_it_is_read(world, folder, monkeypatch):
    (folder / "a.csv").write_bytes(world.births(5, seed=10).read_bytes())
    (folder / "b.csv").write_bytes(world.births(5, seed=11).read_bytes())
    begin = packing.PackPlaintext.__init__

    def late(self, path, plan):
        (folder / "b.csv").unlink()
        begin(self, path, plan)

    monkeypatch.setattr(packing.PackPlaintext, "__init__", late)
    (sent,) = world.send(NAME, folder)
    assert pull(world, sent)["rows"] == {"read": 5, "stored": 5, "rejected": 0, "duplicates": 0}
    report, _ = answer(world, sent)
    assert [file["reason"] and file["reason"]["code"] for file in report["files"]] == [None, "SWD-REG-33"]


def test_a_file_on_which_our_own_code_fails_is_given_up_alone(world, folder, monkeypatch):
    for n in range(3):
        (folder / f"{n}.csv").write_bytes(world.births(5, seed=20 + n).read_bytes())
    (sent,) = world.send(NAME, folder)
    real = members.take_file

    def failing(inside, descriptor, digest, one, at):
        if one.member == 2:
            raise RuntimeError("Anna Kowalski")
        return real(inside, descriptor, digest, one, at)

    monkeypatch.setattr(members, "take_file", failing)
    taken = pull(world, sent)
    assert (taken["outcome"], taken["rows"]["stored"]) == ("stored", 10)
    report, path = answer(world, sent)
    assert [file["outcome"] for file in report["files"]] == ["stored", "refused", "stored"]
    assert "Kowalski" not in (path / "report.json").read_text()


def test_a_file_at_which_the_process_ends_is_left_out_and_the_others_are_taken(world, folder, monkeypatch):
    for n in range(3):
        (folder / f"{n}.csv").write_bytes(world.births(5, seed=30 + n).read_bytes())
    (sent,) = world.send(NAME, folder)

    class Killed(BaseException):
        pass

    real = members.take_file

    def killing(inside, descriptor, digest, one, at):
        if one.member == 2:
            raise Killed
        return real(inside, descriptor, digest, one, at)

    monkeypatch.setattr(members, "take_file", killing)
    for _ in range(2):
        with pytest.raises(Killed):
            world.ask("pull")
    taken = pull(world, sent)
    assert (taken["outcome"], taken["rows"]["stored"]) == ("stored", 10)
    assert births_in(world, sent) == 10


def test_a_file_over_the_limit_is_refused_alone(world, folder, monkeypatch):
    (folder / "a.csv").write_bytes(world.births(5, seed=40).read_bytes())
    (folder / "large.csv").write_bytes(world.births(200, seed=41).read_bytes())
    settings = world.registry / "settings.toml"
    before = settings.read_text()
    settings.write_text(before + "opened_limit_bytes = 20000\n")
    try:
        (sent,) = world.send(NAME, folder)
        assert pull(world, sent)["rows"]["stored"] == 5
        report, _ = answer(world, sent)
        assert report["files"][1]["reason"]["code"] == "SWD-REG-31"
    finally:
        settings.write_text(before)


@pytest.mark.slow
def test_a_body_that_is_no_pack_is_unreadable_and_nothing_of_it_is_stored(world, folder, monkeypatch):
    (folder / "a.csv").write_bytes(world.births(5, seed=50).read_bytes())
    real = packing.PackPlaintext._after_members

    def lying(self):
        for piece in real(self):
            yield piece.replace(b"a.csv", b"b.csv")

    with monkeypatch.context() as patch:
        patch.setattr(packing.PackPlaintext, "_after_members", lying)
        (sent,) = world.send(NAME, folder)
    taken = pull(world, sent)
    assert (taken["outcome"], taken["rows"]) == ("unreadable", {})
    assert births_in(world, sent) == 0
    (again,) = send(world.party(NAME), [])  # sent again, unasked, and honestly this time
    assert pull(world, again.transfer)["rows"]["stored"] == 5


def test_after_unsealing_any_tar_tool_opens_it(tmp_path):
    data, _ = packed(("ward/a.csv", b"1,2\n"))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["ward/a.csv", "swaddle-index.sha256"]


def test_a_store_from_before_packs_is_widened_and_keeps_its_loads(tmp_path):
    from swaddle.registry.store import Store

    keys = {name: bytes([n]) * 32 for n, name in enumerate(("identifiers", "subjects", "clinical", "subject_ids"))}
    store = Store(tmp_path, keys)
    columns = [row[0] for row in store.connection.execute("describe clinical.loads").fetchall()][:14]
    store.connection.execute("drop table clinical.loads")
    fields = ", ".join(
        f"{name} {'VARCHAR[]' if name == 'not_carried' else 'TIMESTAMP' if name == 'loaded_at' else 'VARCHAR'}"
        for name in columns
    )
    store.connection.execute(
        f"create table clinical.loads ({fields.replace('transfer VARCHAR', 'transfer VARCHAR unique')})"
    )
    store.connection.execute(
        "insert into clinical.loads values ('1', 't', 's', 'stored', 'births', '1', now(), '2', '2', '0', '0', '0', '1', [])"
    )
    store.close()
    store = Store(tmp_path, keys)
    assert store.verdict("t")["stored"] == 2
    assert store.connection.execute("select member from clinical.loads").fetchall() == [(0,)]
    store.close()
