"""One submitter acts on nobody else's data: who sends is in the signed manifest, never in a file (threat 22)."""

import pytest

from submitter_world import GatewayProcess
from whole_world import make_world

NORTH, LAKE = "Northshore General", "Lakeview Women's"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    gateway = GatewayProcess(folder / "gateway")
    world = make_world(folder, gateway)
    world.ids = {name: world.enrol(name, sites=("NSG",) if name == NORTH else ()) for name in (NORTH, LAKE)}
    yield world
    gateway.stop()


def stored(world, submitter):
    inside = world.inside()
    try:
        return inside.store.connection.execute(
            "select local_record_id, birth_weight_g from births where submitter = ? order by 1", [submitter]
        ).fetchall()
    finally:
        inside.close()


def test_a_record_number_of_another_submitter_replaces_nothing_of_it(world):
    world.send(NORTH, world.births(10, seed=1))
    world.ask("pull")
    before = stored(world, world.ids[NORTH])

    def heavier(row):
        row["birth_weight_g"] = "4321"

    world.send(LAKE, world.births(10, seed=1, bend=heavier))
    world.ask("pull")
    assert len(before) == 10
    assert stored(world, world.ids[NORTH]) == before
    assert {weight for _, weight in stored(world, world.ids[LAKE])} == {4321}


@pytest.mark.slow
def test_the_same_record_sent_again_with_another_value_takes_its_own_place(world):
    def lighter(row):
        row["birth_weight_g"] = "3210"

    world.send(NORTH, world.births(10, seed=1, bend=lighter))
    world.ask("pull")
    mine = stored(world, world.ids[NORTH])
    assert len(mine) == 10
    assert {weight for _, weight in mine} == {3210}


def test_a_site_that_is_not_registered_to_the_submitter_is_an_error_and_whom_the_file_was_about_is_counted(world):
    def elsewhere(row):
        row["site_id"] = "LVW"

    world.send(NORTH, world.births(10, seed=2, bend=elsewhere))
    (taken,) = world.ask("pull")["transfers"]
    assert taken["outcome"] == "refused"
    assert taken["rows"] == {"read": 10, "stored": 0, "rejected": 10, "duplicates": 0}
    (transfer,) = [fact["id"] for fact in world.ask("transfer-facts") if fact["outcome"] == "refused"]
    assert world.ask("subject-counts", transfers=[transfer])["persons"] > 10
