"""`registry run` sends the report of a month by itself: once, in slices, over restarts, and revised for late data."""

from datetime import UTC, date, datetime, timedelta

import pytest

from submitter_world import GatewayProcess
from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from swaddle.errors import NotThere
from swaddle.registry import giving, monthly, months
from swaddle.registry.months import due
from whole_world import make_world

NAMES = ("Northshore General", "Quayside Birth Centre")


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 11, 9), "2026-09"),
        (date(2026, 11, 10), "2026-10"),
        (date(2027, 1, 10), "2026-12"),
        (date(2027, 1, 1), "2026-11"),
    ],
)
def test_a_month_is_due_on_its_day_and_not_before(today, last):
    assert monthly.named(due(today, 10)) == last


def last_day():
    """The last day of the month whose report is due now, whenever the test runs."""
    place = due(datetime.now(UTC).date(), 10)
    return date((place + 1) // 12, (place + 1) % 12 + 1, 1) - timedelta(days=1)


def file_of(world, number, seed):
    rows = [layout.row(each) for each in births(SITES[0], number, seed=seed, last_day=last_day())]
    for row in rows:
        for name in ("local_record_id", "delivery_local_id"):
            row[name] = f"{seed}-{row[name]}"
    return world.file(b"\n".join(layout.lines(rows)) + b"\n")


@pytest.fixture
def world(tmp_path):
    gateway = GatewayProcess(tmp_path / "gateway")
    world = make_world(tmp_path, gateway)
    with (world.registry / "settings.toml").open("a") as file:
        file.write('report_pdf = "no"\n')
    for name in NAMES:
        world.enrol(name)
    yield world
    gateway.stop()


def a_day_passes(inside):
    day, rest = inside.state.fact(months.SEEN).split(" ", 1)
    yesterday = date.fromisoformat(day) - timedelta(days=1)
    inside.state.set_fact(months.SEEN, f"{yesterday.isoformat()} {rest}")


def failing_count(*_):
    raise ArithmeticError


def months_due():
    return monthly.named(due(datetime.now(UTC).date(), 10))


def outcomes(done):
    return [each["outcome"] for each in done["reports"]]


@pytest.mark.slow
def test_a_month_goes_out_once_in_slices_and_again_for_late_data(world, monkeypatch):
    assert world.ask("months-plan") == 0  # nothing came: nobody is told anything
    for seed, name in enumerate(NAMES):
        world.send(name, file_of(world, 80, seed + 5))
    world.ask("pull")

    monkeypatch.setattr(months, "SLICE_S", -1.0)
    assert world.ask("months-plan") == 2
    first = world.ask("months-step")
    assert (outcomes(first), first["left"]) == (["sent"], 1)
    assert world.ask("months-plan") == 1  # the registry was closed and opened in between
    second = world.ask("months-step")
    assert (outcomes(second), second["left"]) == (["sent"], 0)
    assert {each["name"] for each in first["reports"] + second["reports"]} == set(NAMES)
    assert world.ask("months-step")["month"] is None

    world.send(NAMES[0], file_of(world, 60, 77))
    world.ask("pull")
    assert world.ask("months-plan") == 0  # not twice on a day
    inside = world.inside()
    monkeypatch.setattr(months, "SLICE_S", 60.0)
    a_day_passes(inside)
    assert months.plan(inside) == 2
    revised = months.step(inside)
    assert sorted(outcomes(revised)) == ["revised", "unchanged"]

    assert months.step(inside)["month"] is None
    killed = inside.outbox / f"{revised['reports'][0]['id'][:16]}{'0' * 16}"  # sealed, then killed before it was sent
    killed.mkdir()
    changed = next(each for each in revised["reports"] if each["submitter"] == revised["reports"][0]["submitter"])
    inside.state.run("delete from facts where name = ?", (f"month-report {changed['id']}",))
    monthly.report(inside, month=revised["month"], submitter=changed["submitter"])
    assert not killed.exists()

    leftover = inside.outbox / revised["reports"][0]["id"]  # as a kill between sending and clearing leaves it
    leftover.mkdir()
    inside.close()
    world.ask("pull")
    assert not leftover.exists()


@pytest.mark.slow
def test_a_fault_of_ours_stands_in_nobodys_way_and_the_revoked_wait_no_longer(world, monkeypatch):
    for seed, name in enumerate(NAMES):
        world.send(name, file_of(world, 80, seed + 40))
    world.ask("pull")
    assert world.ask("months-plan") == 2
    real, met = monthly.bundle, []

    def failing(month, *rest):
        if not met:
            met.append(month)
            raise ZeroDivisionError
        return real(month, *rest)

    monkeypatch.setattr(monthly, "bundle", failing)
    broken = world.ask("months-step")
    assert (broken["fault"], broken["reports"], broken["left"]) == ("ZeroDivisionError", [], 1)
    assert outcomes(world.ask("months-step")) == ["sent"]

    def refused(*_):
        raise NotThere

    inside = world.inside()
    a_day_passes(inside)
    inside.state.set_fact(months.SEEN, inside.state.fact(months.SEEN) + "y")
    assert months.plan(inside) == 2
    with monkeypatch.context() as patched:
        patched.setattr(giving, "send_report", refused)
        inside.state.run("delete from facts where name like 'month-report %'")  # so that both would be sent again
        assert [months.step(inside)["left"] for _ in NAMES] == [1, 0]  # one after the other is set aside
        a_day_passes(inside)
        inside.state.set_fact(months.SEEN, inside.state.fact(months.SEEN) + "z")
        assert months.plan(inside) == 2
        patched.setattr(monthly, "tally", failing_count)
        assert months.step(inside) == {"month": months_due(), "reports": [], "left": 0, "fault": "ArithmeticError"}
    inside.close()

    inside = world.inside()
    a_day_passes(inside)
    inside.state.set_fact(months.SEEN, inside.state.fact(months.SEEN) + "x")  # other data than were seen
    assert months.plan(inside) == 2
    inside.close()
    for name in NAMES:
        world.ask("revoke", name=name)
    gone = world.ask("months-step")
    assert (gone["reports"], gone["left"]) == ([], 0)
