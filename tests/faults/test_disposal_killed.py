"""A disposal that is killed anywhere: before the removal nothing has gone, after it everything goes; never half a store."""

import pytest
from quiet_registry import QuietRegistry, birth, births, make_home, schedule

from swaddle.durable import DiskFault
from swaddle.registry import disposal, rewriting
from swaddle.registry.store import FILES

SLOW = pytest.mark.slow  # seconds each, and one of a kind is among the quick ones
OLD, YOUNG = "1990-05-03", "2020-05-03"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A home with an old and a young birth and a schedule; copied for each test."""
    folder = tmp_path_factory.mktemp("full")
    make_home(folder / "template")
    opened = QuietRegistry(folder / "registry", folder / "template")
    opened.take(births(birth(1, OLD), birth(2, YOUNG)))
    opened.do("retention-adopt", text=schedule())
    opened.close()
    return folder / "registry"


@pytest.fixture
def registry(full, tmp_path):
    opened = QuietRegistry.__new__(QuietRegistry)
    opened.again(tmp_path / "registry", full)
    yield opened
    opened.close()


def die(*_, **__):
    raise Killed


def kill_and_return(registry, monkeypatch, where, name, after=False):
    """Die at a call of `name`, before it or just behind it, and open the home again as the next process does."""
    own = getattr(where, name)

    def dying(*arguments, **values):
        if after:
            own(*arguments, **values)
        raise Killed

    monkeypatch.setattr(where, name, dying)
    with pytest.raises(Killed):
        registry.do("dispose")
    monkeypatch.undo()
    registry.reopen()


def standing(registry):
    return [number for (number,) in registry.ask("select local_record_id from births order by 1")]


@pytest.mark.parametrize(("name", "after"), [pytest.param("_begin", True, marks=SLOW), ("_remove", False)])
def test_a_kill_before_the_removal_changes_nothing_and_the_next_look_plans_anew(registry, monkeypatch, name, after):
    kill_and_return(registry, monkeypatch, disposal, name, after=after)
    assert standing(registry) == ["1", "2"]
    registry.do("dispose")
    assert standing(registry) == ["2"]
    states = registry.ask("select state from clinical.disposals order by begun_at")
    assert states == [("dropped",), ("done",)]
    assert registry.events().count("data-disposed") == 1
    assert registry.events().count("disposal-dropped") == registry.events().count("disposal-begun") - 1


@SLOW
def test_a_hold_that_came_while_it_lay_still_stops_it(registry, monkeypatch):
    kill_and_return(registry, monkeypatch, disposal, "_remove")
    registry.person("Ada")
    scope = registry.do("hold-scope", submitter_name=None)
    hold = {"hold": "1" * 32, "kind": "court", "reason": "file 12", "review": "2027-06-01", "scope": scope}
    registry.do("hold-propose", hold=hold, word=registry.word("Ada", {"act": "propose", **hold}))
    assert registry.do("dispose")["held"]["numbers"] == 1
    assert standing(registry) == ["1", "2"]


@pytest.mark.parametrize(
    ("where", "name", "after"),
    [
        pytest.param(disposal, "_remove", True, marks=SLOW),
        pytest.param(disposal, "_empty", True, marks=SLOW),
        pytest.param(disposal, "renew_store", False, marks=SLOW),
        (rewriting, "copy_files", True),
        pytest.param(disposal, "renew_store", True, marks=SLOW),
        pytest.param(disposal, "_finish", False, marks=SLOW),
    ],
)
def test_a_kill_after_the_removal_is_gone_on_with(registry, monkeypatch, where, name, after):
    kill_and_return(registry, monkeypatch, where, name, after=after)
    assert standing(registry) == ["2"]
    registry.do("dispose-nightly")
    assert standing(registry) == ["2"]
    assert registry.count("identifiers.persons", "line = 2") == registry.count("clinical.disposing") == 0
    assert registry.ask("select state from clinical.disposals") == [("done",)]
    assert registry.events().count("data-disposed") == 1
    (made,) = registry.do("disposals")["disposals"]
    assert registry.do("disposal-verify", disposal=made["id"])["listed"] == 2
    assert not list((registry.path / "store").glob("*.anew*"))


@pytest.mark.parametrize("renamed", [pytest.param(0, marks=SLOW), 1, pytest.param(2, marks=SLOW)])
def test_a_kill_between_the_new_keys_and_the_new_files_ends_with_the_new_files(registry, monkeypatch, renamed):
    own, done = rewriting.settle, []

    def dying(home):
        for name in FILES[:renamed]:
            there = home / "store" / f"{name}.duckdb"
            there.with_name(f"{name}.duckdb.anew").replace(there)
        done.append(home)
        raise Killed

    before = dict(registry.inside.keyring.store)
    monkeypatch.setattr(rewriting, "settle", dying)
    with pytest.raises(Killed):
        registry.do("dispose")
    monkeypatch.setattr(rewriting, "settle", own)
    assert done
    registry.open()
    assert all(registry.inside.keyring.store[name] != before[name] for name in FILES)
    assert standing(registry) == ["2"]
    assert not list((registry.path / "store").glob("*.anew"))
    registry.do("dispose")
    assert registry.ask("select state from clinical.disposals") == [("done",)]


@SLOW
def test_a_full_disk_while_it_is_written_anew_leaves_the_store_in_use_and_is_gone_on_with(registry, monkeypatch):
    def full_disk(*_):
        raise DiskFault("it is full")

    monkeypatch.setattr(rewriting, "copy_files", full_disk)
    with pytest.raises(DiskFault):
        registry.do("dispose")
    assert standing(registry) == ["2"]
    assert not (registry.path / "keys" / rewriting.NEXT).exists()
    monkeypatch.undo()
    registry.do("dispose")
    assert registry.events().count("data-disposed") == 1


def test_no_room_for_a_second_copy_is_said_before_anything_is_removed(registry, monkeypatch):
    monkeypatch.setattr(rewriting, "SPARE_BYTES", 1 << 60)
    with pytest.raises(DiskFault):
        registry.do("dispose")
    assert standing(registry) == ["1", "2"]
    assert "disposal-begun" not in registry.events()
