"""A reader that gives two rows one line is not believed: they would be stored twice each."""

from contextlib import closing

import pytest

from swaddle.errors import OurBug
from swaddle.intake.engine import connect
from swaddle.intake.mapping import by_kind
from swaddle.intake.sheet import SheetWriter
from swaddle.intake.staging import stage

COLUMNS = ("local_record_id", "event_date", "outcome")


@pytest.mark.parametrize(("second", "holds"), [(3, True), (2, False)])
def test_every_row_has_a_line_of_its_own(second, holds):
    writer = SheetWriter("birth", COLUMNS)
    writer.add(2, ["N-1", "2026-10-02", "live"])
    writer.add(second, ["N-2", "2026-10-03", "live"])
    with closing(connect()) as tables:
        if holds:
            assert stage(writer.close(), by_kind("births"), file_digest="0" * 64, connection=tables).rows_read == 2
        else:
            with pytest.raises(OurBug):
                stage(writer.close(), by_kind("births"), file_digest="0" * 64, connection=tables)


@pytest.mark.parametrize(("first", "second", "holds"), [(3, 4, True), (2, 3, False), (3, 3, False)])
def test_a_broken_line_shares_its_number_with_no_row_and_no_other(first, second, holds):
    writer = SheetWriter("birth", COLUMNS)
    writer.add(2, ["N-1", "2026-10-02", "live"])
    writer.broken(first, "B1", "a")
    writer.broken(second, "B1", "b")
    with closing(connect()) as tables:
        if holds:
            assert stage(writer.close(), by_kind("births"), file_digest="0" * 64, connection=tables).rows_read == 3
        else:
            with pytest.raises(OurBug):
                stage(writer.close(), by_kind("births"), file_digest="0" * 64, connection=tables)
