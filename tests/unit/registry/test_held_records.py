"""What the store holds is found by the keys of the submitter that asks, and only what counts."""

from swaddle.registry.held import Held
from swaddle.registry.records import TABLES

FILE = (
    "local_record_id,event_date,outcome,birth_weight_g,mother_local_id,child_local_id,delivery_local_id,"
    "newborn_discharge_weight_g\n"
    "1,2026-10-01,live,3000,M1,C1,D1,2900\n"
    "2,2026-10-01T09:30,live,3100,M2,C2,D2,\n"
)
US, OTHERS = "a" * 32, "b" * 32


def found(shelf, slot, what, number, submitter=US, column="delivery", shows="*"):
    held = Held(shelf.store, shelf.store.connection, submitter)
    relation = held.relation(slot)
    assert relation is not None
    sql = f"select {shows} from {relation} where submitter = '{submitter}' and {column} = {held.subject(what, number)}"
    return shelf.ask(sql)


def test_a_birth_is_found_by_its_delivery_its_child_and_its_mother(shelf):
    shelf.take(FILE)
    shown = "birth_weight_g, event_first::varchar"
    assert found(shelf, "birth", "delivery", "'D1'", shows=shown) == [(3000, "2026-10-01")]
    assert found(shelf, "birth", "person", "'C2'", column="child_subject", shows=shown) == [(3100, "2026-10-01")]
    assert found(shelf, "delivery", "person", "'M1'", column="mother_subject", shows="local_record_id") == [("1",)]


def test_another_submitters_numbers_lead_nowhere(shelf):
    shelf.take(FILE)
    assert found(shelf, "birth", "delivery", "'D1'", submitter=OTHERS) == []


def test_what_was_replaced_or_voided_is_not_found(shelf, days):
    shelf.take(FILE, sent_at=days(1))
    shelf.take(FILE.replace("3000", "3005"), sent_at=days(2))
    assert found(shelf, "birth", "delivery", "'D1'", shows="birth_weight_g") == [(3005,)]
    void = FILE.replace("event_date,", "event_date,action,").replace("01,live", "01,void,live")
    shelf.take("\n".join(void.splitlines()[:2]) + "\n", sent_at=days(3))
    assert found(shelf, "birth", "delivery", "'D1'") == []


def test_a_record_beside_the_birth_is_made_only_where_the_row_tells_of_it(shelf):
    shelf.take(FILE)
    assert found(shelf, "newborn", "delivery", "'D1'", shows="newborn_discharge_weight_g") == [(2900,)]
    assert found(shelf, "newborn", "delivery", "'D2'") == []


def test_a_slot_without_records_has_no_relation(shelf):
    shelf.take(FILE)
    held = Held(shelf.store, shelf.store.connection, US)
    assert held.relation("nicu") is None
    assert held.columns("nicu") == frozenset()


def test_every_slot_of_the_dictionary_has_a_relation_that_can_be_asked(shelf):
    shelf.take(FILE)
    for record_type, table in TABLES.items():
        shelf.ask(f"insert into clinical.{table} (load_id, line) values (99, 1)")
        slots = next(each for each in shelf.store.dictionary.record_types if each.name == record_type).slots
        for slot in slots:
            held = Held(shelf.store, shelf.store.connection, US)
            columns = ", ".join(sorted(held.columns(slot)))
            assert shelf.ask(f"select {columns} from {held.relation(slot)} where submitter = 'nobody'") == []
    for slot in ("mother", "child", "person"):
        held = Held(shelf.store, shelf.store.connection, US)
        assert shelf.ask(f"select card_key from {held.relation(slot)} where submitter = 'nobody'") == []
