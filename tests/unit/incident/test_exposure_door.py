"""What came by the SFTP door is of class `door` in exposure, from the first word of it on."""

from datetime import UTC, datetime, timedelta

from swaddle.custody.entry import next_entry
from swaddle.incident.exposure import presences

BEGUN = datetime(2026, 11, 22, 9, tzinfo=UTC)
SSH_KEY = "SHA256:" + "A" * 43


def entries(*told):
    last, made = None, []
    for minute, (event, subject, detail) in enumerate(told):
        last = next_entry(
            last,
            at=BEGUN + timedelta(minutes=minute),
            event=event,
            subject=subject,
            detail={"place": "gateway"} | detail,
        )
        made.append(last)
    return made


def test_a_transfer_that_the_gateway_says_came_by_its_door_is_of_class_door_before_anybody_read_it():
    [copy] = presences(
        entries(("transfer-announced", "a" * 32, {"door": SSH_KEY}), ("transfer-receiving", "a" * 32, {}))
    )
    assert copy.protection == "door"


def test_the_registrys_own_word_stands_where_a_gateway_left_it_out():
    [copy] = presences(
        entries(
            ("transfer-held", "a" * 32, {}), ("transfer-pulled", "a" * 32, {"place": "registry", "protection": "door"})
        )
    )
    assert copy.protection == "door"


def test_what_was_sealed_at_its_senders_stays_of_class_sealed():
    [copy] = presences(entries(("transfer-held", "a" * 32, {})))
    assert copy.protection == "sealed"
