"""HL7 v2 messages at the registry: what becomes of an order, its result, a correction, a late copy and a cancellation."""

import pytest

from swaddle.registry.views import current

MSH = "MSH|^~\\&|LAB|PLACE|REG|REG|{}||{}|{}|P|2.5.1"
PID = "PID|1||7^^^H^MR||EXAMPLE^ANN||20260921|F"
CARD = "OBX|2|ST|57723-9^card^LN||0123||||||F"


def order(version, control="NW", number="77"):
    placed = f"OBR|1|{number}^ORD||54089-8^panel^LN|||20260922185400"
    return "\r".join([MSH.format(version, "OML^O21", version), PID, f"ORC|{control}|{number}^ORD", placed, CARD]) + "\r"


def result(version, weight, status="F"):
    reported = "OBR|1|77^ORD|88^LAB|54089-8^panel^LN|||20260922185400" + "|" * 15 + f"20260926|||{status}"
    observed = [
        "OBX|1|CWE|57718-9^quality^LN||LA12432-3^Acceptable^LN||||||F",
        f"OBX|3|NM|8339-4^weight^LN||{weight}|g|||||F",
    ]
    return (
        "\r".join([MSH.format(version, "ORU^R01", version), PID, "ORC|RE|77^ORD|88^LAB", reported, CARD, *observed])
        + "\r"
    )


def person(version, name="EXAMPLE"):
    return (
        "\r".join(
            [MSH.format(version, "ADT^A08", version), f"EVN|A08|{version}", PID.replace("EXAMPLE", name), "PV1|1|I||N"]
        )
        + "\r"
    )


def screens(shelf):
    """The newborn screens that count."""
    return shelf.ask(
        f"select kept.local_record_id, screen_birth_weight_g, screen_sample_quality from {current(forms=('newborn_screen',))} kept"
        " join (select load_id, line, screen_birth_weight_g, screen_sample_quality from clinical.newborn_screens) screen"
        " using (load_id, line) order by all"
    )


@pytest.fixture
def take(shelf):
    return lambda text, **more: shelf.take(text, kind="unknown", **more).rows


def test_an_order_its_result_a_correction_a_late_copy_and_a_cancellation(shelf, take):
    assert take(order("20260923")) == (1, 1, 0, 0)
    assert screens(shelf) == [("77", None, None)]
    assert take(result("20260925120000", 2900)) == (1, 1, 0, 0)
    assert take(result("20260927120000", 3000, status="C")) == (1, 1, 0, 0)
    assert take(result("20260926120000", 2800)) == (1, 0, 0, 1)
    assert screens(shelf) == [("77", 3000, "acceptable")]
    assert take(order("20261003", control="CA")) == (1, 1, 0, 0)
    assert screens(shelf) == []


def test_a_cancellation_of_nothing_is_rejected_and_the_same_message_again_is_a_duplicate(shelf, take):
    assert take(order("20261003", control="CA", number="99")) == (1, 0, 1, 0)
    assert take(result("20260925120000", 2900)) == (1, 1, 0, 0)
    assert take(result("20260925120000", 2900)) == (1, 0, 0, 1)


def test_persons_and_screens_of_one_file_are_kept_each_with_its_kind(shelf, take):
    assert take(person("20260922") + result("20260925120000", 2900) + order("20260923", number="78")) == (3, 3, 0, 0)
    assert len(screens(shelf)) == 2


def test_another_submitter_cannot_cancel(shelf, take):
    assert take(result("20260925120000", 2900)) == (1, 1, 0, 0)
    assert take(order("20261003", control="CA"), submitter="b" * 32) == (1, 0, 1, 0)
    assert len(screens(shelf)) == 1


def persons(shelf):
    return shelf.ask("select role, family_name, subject is null from identifiers.persons order by all")


def test_a_mother_of_whom_the_message_tells_nothing_is_nobody(shelf, take):
    take(result("20260925120000", 2900))
    assert persons(shelf) == [("child", "EXAMPLE", False)]
    assert shelf.ask("select mother_subject from clinical.stored_rows") == [(None,)]


def test_a_mother_of_whom_it_tells_but_an_address_is_somebody_who_is_counted(shelf, take):
    message = result("20260925120000", 2900).replace("20260921|F", "20260921|F|||9 High^^Ottawa^ON^K1A 0B1")
    take(message)
    assert persons(shelf) == [("child", "EXAMPLE", False), ("mother", None, False)]
    kept = "(select subject from identifiers.persons where role = 'mother')"
    assert shelf.ask(f"select count(*) from subjects.presence where subject = {kept}") == [(1,)]
