"""What the gateway's journal calls a change has one name in custody."""

from swaddle.custody.entry import EVENTS
from swaddle.gateway import journal
from swaddle.registry.exchange import CUSTODY_EVENT


def test_every_event_of_the_gateways_journal_has_one_name_in_custody():
    assert set(CUSTODY_EVENT) == set(journal.EVENTS)
    assert set(CUSTODY_EVENT.values()) <= set(EVENTS)
    assert len(set(CUSTODY_EVENT.values())) == len(CUSTODY_EVENT)
