"""Days that things took: the median, nine in ten from ten on, and no wait that ends before it begins."""

import duckdb
import pytest

from swaddle.feedback.took import took
from swaddle.indicators.waits import Spread, Wait, waits

HERE = 24321


@pytest.fixture
def tables():
    made = duckdb.connect()
    made.execute(
        "create table rows as select 24321 as place, timestamp '2026-10-01 08:00' as screen_collection_dt,"
        " timestamp '2026-10-01 08:00' + to_hours((12 * range)::int) as screen_received_dt from range(11)"
    )
    return made


def test_half_and_nine_in_ten_of_the_days(tables):
    assert list(waits(tables, "rows", HERE)) == [
        Wait(name="sample to laboratory", now=Spread(count=11, median=2.5, nine_in_ten=4.5), before=None)
    ]


def test_a_date_before_the_first_is_no_short_wait_and_a_missing_one_is_none(tables):
    tables.execute("insert into rows values (24321, '2026-10-05', '2026-10-01'), (24321, '2026-10-05', null)")
    [one] = waits(tables, "rows", HERE)
    assert one.now.count == 11


def test_under_ten_nine_in_ten_is_not_said(tables):
    tables.execute("delete from rows where screen_received_dt > '2026-10-03'")
    tables.execute("insert into rows values (24320, '2026-09-05', '2026-09-06')")
    [one] = waits(tables, "rows", HERE)
    assert one.now.nine_in_ten is None
    assert one.before == Spread(count=1, median=1.0, nine_in_ten=None)
    assert took([one], "fr").rows == (("Du prélèvement au laboratoire", "4", "0,8", "–", "1,0", "–"),)


def test_where_nothing_is_dated_nothing_is_said(tables):
    tables.execute("update rows set screen_received_dt = null")
    assert list(waits(tables, "rows", HERE)) == []
    assert took([Wait(name="birth to registry", now=None, before=None)], "en") is None
