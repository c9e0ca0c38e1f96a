"""An alert on its way: sealed, opened, closed; unopened, the operator; revoked, nobody; no record outside the seal."""

import json
from datetime import timedelta

import pytest

from submitter_world import GatewayProcess
from swaddle.registry import alerts
from swaddle.registry.operations import Operations
from swaddle.submitter.inbox import answer_to, get_all
from whole_world import make_world

pytestmark = pytest.mark.slow
HOSPITAL, OTHER, LAB = "Northshore General", "Lakeview", "Screening Laboratory"
BIRTH = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,child_local_id,child_sex,child_birth_date,"
    "delivery_local_id,birth_order,n_fetuses,screening_card_id,child_family_name,site_id,action\n"
)
SCREEN = "local_record_id,event_date,screen_card_id,screen_collection_dt,screen_received_dt,site_id\n"
NEEDLES = ("NEEDLE1", "<b>x", "Nadeldottir")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    for name in (HOSPITAL, OTHER, LAB):
        world.enrol(name)
    yield world
    gateway.stop()


def look(world, later=timedelta()):
    """One look of the registry, so much later."""
    inside = world.inside()
    try:
        now = inside.now
        inside.now = lambda: now() + later if later else now()
        if later:
            return {"alerts": alerts.look(inside), "alarms": Operations(inside).do("alarms")["alarms"]}
        return Operations(inside).do("pull")
    finally:
        inside.close()


def born(world, number, card):
    inside = world.inside()
    day = (inside.now() - timedelta(days=10)).date().isoformat()
    inside.close()
    row = f"{number},{day},live,3500,M{card},C{card},F,{day},D{card},1,1,{card},Nadeldottir,S1,new\n"
    return world.file((BIRTH + row).encode())


def screened(world):
    inside = world.inside()
    day = (inside.now() - timedelta(days=1)).date().isoformat()
    inside.close()
    return world.file((SCREEN + f"Z1,{day},KC99999Z,{day}T08:00,{day}T18:00,S1\n").encode(), "screens.csv")


def test_a_registry_killed_behind_the_gateways_answer_sends_no_second_alert(world, monkeypatch):
    world.send(LAB, screened(world), kind="newborn-screens")
    world.send(HOSPITAL, born(world, "B1", "KC30000A"))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(alerts, "sent", killed)
        with pytest.raises(KeyboardInterrupt):
            look(world)
    look(world)
    (told,) = world.ask("alerts")["alerts"]
    party = world.party(HOSPITAL)
    with party.client() as client:
        got, fault = get_all(party, client)
    assert fault is None
    assert [(each.about.kind, each.about.newborns) for each in got][:2] == [("alert", 1), ("report", 0)]
    assert [each.one.in_reply_to for each in got if each.about.kind == "alert"] == [told["id"]]
    look(world)
    (told,) = world.ask("alerts")["alerts"]
    assert told["opened_at"]


def test_an_alert_from_data_to_opening_and_to_the_operator(world):
    world.send(LAB, screened(world), kind="newborn-screens")
    world.send(HOSPITAL, born(world, "NEEDLE1<b>x", "KC40123A"))
    world.send(OTHER, born(world, "NEEDLE1", "KC40124A"))
    first = look(world)
    assert first["alerts"] == {"found": 2, "fault": None}
    assert look(world)["alerts"]["found"] == 0
    told = {each["name"]: each for each in reversed(world.ask("alerts")["alerts"])}  # the newest of each
    assert {name: (each["babies"], each["open"], each["opened_at"]) for name, each in told.items()} == {
        HOSPITAL: (1, 1, None), OTHER: (1, 1, None),
    }  # fmt: skip
    for where in (json.dumps(told), (world.registry / "custody.jsonl").read_text()):
        assert not [needle for needle in NEEDLES if needle in where]
    gateway = b"".join(path.read_bytes() for path in (world.folder / "gateway").rglob("*") if path.is_file())
    assert not [needle for needle in NEEDLES if needle.encode() in gateway]

    party = world.party(HOSPITAL)
    with party.client() as client:
        folder = answer_to(party, client, told[HOSPITAL]["id"])
    report = json.loads((folder / "report.json").read_bytes())
    assert (report["kind"], [each["record"] for each in report["alerts"]]) == ("alert", ["NEEDLE1<b>x"])
    page = (folder / "report.html").read_text("utf-8")
    assert "NEEDLE1&lt;b&gt;x" in page
    assert "Nadeldottir" not in page
    look(world)
    after = {each["name"]: each for each in reversed(world.ask("alerts")["alerts"])}
    assert after[HOSPITAL]["opened_at"]
    assert (after[HOSPITAL]["open"], after[OTHER]["open"]) == (0, 1)

    late = look(world, timedelta(hours=25))
    assert [(each["cause"], each["subject"]) for each in late["alarms"]] == [("unopened", told[OTHER]["id"])]
    entries = world.ask("custody-entries", subject=told[OTHER]["id"])
    assert [each["event"] for each in entries] == ["alert-raised", "alarm-raised"]
    world.ask("alarms", answer=told[OTHER]["id"])
    assert look(world, timedelta(hours=26))["alarms"] == []  # told once

    world.ask("revoke", name=OTHER)
    world.send(HOSPITAL, born(world, "B9", "KC40999A"))
    again = look(world)
    assert (again["alerts"]["found"], again["reports_sent"]) == (1, 2)  # the alert and the file's own report
