"""Records as they live in the store: replaced, voided, late, revived; what counts is the latest, nothing is lost."""

import pytest

from swaddle.registry import store_tables

COLUMNS = ("local_record_id", "event_date", "outcome", "birth_weight_g", "action", "record_version")
OTHERS = "b" * 32


def births(*rows, columns=COLUMNS):
    """A file of births: a number, its weight, an action, a version."""
    lines = [",".join(columns)]
    for number, weight, *more in rows:
        action, version = (*more, "", "")[:2]
        values = {
            "local_record_id": number, "event_date": "2026-10-01", "outcome": "live", "birth_weight_g": weight,
            "action": action, "record_version": version,
        }  # fmt: skip
        lines.append(",".join(str(values[name]) for name in columns))
    return "\n".join(lines) + "\n"


def test_a_later_file_replaces_and_both_versions_are_kept(shelf, days):
    shelf.take(births((1, 3000), (2, 3100)), sent_at=days(1))
    done = shelf.take(births((1, 3005)), sent_at=days(2))
    assert done.rows == (1, 1, 0, 0)
    assert done.report["checked"]["life"] == {"replaced": 1}
    assert shelf.births() == [("1", 3005), ("2", 3100)]
    assert shelf.ask("select count(*) from clinical.births") == [(3,)]


def test_identical_content_is_no_new_record(shelf, days):
    text = births((1, 3000), (2, 3100))
    shelf.take(text, sent_at=days(1))
    done = shelf.take(text, sent_at=days(2))
    assert done.rows == (2, 0, 0, 2)
    assert not set(done.found) & {"L1", "L2", "L3"}


def test_an_earlier_file_that_comes_late_is_left_aside_and_said(shelf, days):
    shelf.take(births((1, 3005)), sent_at=days(2))
    done = shelf.take(births((1, 3000), (2, 3100)), sent_at=days(1))
    assert done.rows == (2, 1, 0, 1)
    assert shelf.births() == [("1", 3005), ("2", 3100)]
    assert (done.found["L1"]["count"], done.found["L1"]["examples"][0]["line"]) == (1, 2)


def test_the_stated_version_goes_before_the_order_of_files(shelf, days):
    shelf.take(births((1, 3005, "", 2)), sent_at=days(1))
    done = shelf.take(births((1, 3000, "", 1)), sent_at=days(2))
    assert done.rows == (1, 0, 0, 1)
    assert shelf.births() == [("1", 3005)]
    assert shelf.take(births((1, 3010, "", 10)), sent_at=days(3)).rows == (1, 1, 0, 0)
    assert shelf.births() == [("1", 3010)]


def test_a_higher_version_of_the_same_content_holds_off_a_version_between(shelf, days):
    shelf.take(births((1, 3000, "", 1)), sent_at=days(1))
    assert shelf.take(births((1, 3000, "", 3)), sent_at=days(2)).rows == (1, 0, 0, 1)
    assert shelf.take(births((1, 2900, "", 2)), sent_at=days(3)).rows == (1, 0, 0, 1)
    assert shelf.births() == [("1", 3000)]


def test_a_void_leaves_a_tombstone_that_an_earlier_version_does_not_lift(shelf, days):
    shelf.take(births((1, 3000), (2, 3100)), sent_at=days(2))
    done = shelf.take(births((1, 3000, "void")), sent_at=days(3))
    assert done.rows == (1, 1, 0, 0)
    assert shelf.births() == [("2", 3100)]
    assert shelf.take(births((1, 3001)), sent_at=days(1)).rows == (1, 0, 0, 1)
    assert shelf.births() == [("2", 3100)]
    assert shelf.take(births((1, 3000, "void")), sent_at=days(4)).rows == (1, 0, 0, 1)


def test_a_void_of_nothing_is_rejected_with_its_line_and_stands_among_the_rejected_rows(shelf):
    rows = [(n, 3000) for n in range(10)]
    done = shelf.take(births(*rows, (99, 3000, "void")))
    assert done.rows == (11, 10, 1, 0)
    assert (done.found["L2"]["severity"], done.found["L2"]["examples"][0]["line"]) == ("error", 12)
    ((rejected,),) = shelf.ask("select rejected from identifiers.reports where transfer = ?", [done.transfer])
    assert b"99,2026-10-01,live,3000,void,,12,local_record_id,99,L2," in bytes(rejected)


def test_a_file_of_voids_of_nothing_is_refused_whole(shelf):
    done = shelf.take(births(*[(n, 3000, "void") for n in range(5)], (9, 3000)))
    assert done.rows == (6, 0, 6, 0)
    assert shelf.births() == []


def test_a_void_needs_the_number_and_the_date_and_nothing_else_of_it_is_asked(shelf, days):
    shelf.take(births((1, 3000), (2, 3100)), sent_at=days(1))
    done = shelf.take("local_record_id,event_date,outcome,birth_weight_g,action\n1,2026-10-01,,99999,void\n")
    assert done.rows == (1, 1, 0, 0)
    assert shelf.births() == [("2", 3100)]
    keyless = shelf.take("local_record_id,event_date,outcome,birth_weight_g,action\n,2026-10-01,live,3000,void\n")
    assert keyless.found["K1"]["count"] == 1


def test_a_record_that_was_voided_and_comes_again_counts_again_and_is_said(shelf, days):
    shelf.take(births((1, 3000)), sent_at=days(1))
    shelf.take(births((1, 3000, "void")), sent_at=days(2))
    done = shelf.take(births((1, 3000)), sent_at=days(3))
    assert done.rows == (1, 1, 0, 0)
    assert done.found["L3"]["count"] == 1
    assert shelf.births() == [("1", 3000)]


def test_nobody_replaces_or_voids_what_another_submitter_sent(shelf, days):
    shelf.take(births((1, 3000)), sent_at=days(1))
    done = shelf.take(births((1, 2000), (2, 3000)), submitter=OTHERS, sent_at=days(2))
    assert done.rows == (2, 2, 0, 0)
    shelf.take(births((1, 2000, "void")), submitter=OTHERS, sent_at=days(3))
    assert shelf.births("submitter, local_record_id") == [("a" * 32, "1"), (OTHERS, "2")]


def test_versions_of_one_record_in_one_file_are_judged_one_beside_the_other(shelf, days):
    done = shelf.take(births((1, 3000, "new", 1), (1, 3005, "replace", 2), (2, 3100, "new", 1), (2, 3100, "void", 2)))
    assert done.rows == (4, 4, 0, 0)
    assert shelf.births() == [("1", 3005)]
    done = shelf.take(births((1, 2999, "replace", 1), (1, 3005, "replace", 3), (1, 3010, "replace", 4)))
    assert done.rows == (3, 1, 0, 2)
    assert shelf.births() == [("1", 3010)]


def test_a_store_of_the_shape_before_opens_and_counts_as_before(shelf, days, tmp_path):
    shelf.take(births((1, 3000), (2, 3100)), sent_at=days(1))
    shelf.take(births((1, 3005)), sent_at=days(2))
    before = shelf.births(
        "local_record_id, birth_weight_g, submitter, transfer, event_year, event_month, mother_subject"
    )
    make_older(shelf.store.connection)
    shelf.reopen()
    names = "local_record_id, birth_weight_g, submitter, transfer, event_year, event_month, mother_subject"
    assert shelf.births(names) == before
    assert shelf.take(births((1, 3005)), sent_at=days(40)).rows == (1, 0, 0, 1)
    assert shelf.take(births((2, 3100, "void")), sent_at=days(41)).rows == (1, 1, 0, 0)
    assert shelf.births() == [("1", 3005)]


BORN = "born.* exclude (load_id, line) from clinical.stored_rows join clinical.births born using (load_id, line)"


def make_older(connection):
    """Bring the clinical file to the shape that it had when it held births alone."""
    older = (
        "load_id, line, submitter, transfer, source, delivery, delivery_line, mother_subject, child_subject, content"
    )
    rows = store_tables.names_of(connection, "clinical.stored_rows")
    header = [name for name in rows if name.removesuffix("_missing") in {"local_record_id", "action", "site_id"}]
    for sql in (
        f"create table clinical.b as select {older}, event_year, {', '.join(header)}, {BORN}",
        "drop table clinical.births",
        "alter table clinical.b rename to births",
        "drop table clinical.stored_rows",
        "drop table clinical.superseded",
        "create table clinical.l as select * exclude (member, sheet, form) from clinical.loads",
        "drop table clinical.loads",
        "alter table clinical.l rename to loads",
        "update subjects.presence set category = 'newborn' where category = 'newborn or child'",
    ):
        connection.execute(sql)


@pytest.mark.parametrize("statement", ["drop table clinical.births", "drop table clinical.loads"])
def test_a_kill_amid_the_change_of_shape_leaves_the_old_shape(shelf, statement):
    shelf.take(births((1, 3000)))
    make_older(shelf.store.connection)

    class Killed(Exception):
        pass

    class Dying:
        def __init__(self, connection):
            self.connection = connection

        def execute(self, sql, *values):
            if sql.startswith(statement):
                raise Killed
            return self.connection.execute(sql, *values)

    with pytest.raises(Killed):
        store_tables.make_tables(Dying(shelf.store.connection), shelf.store.dictionary, shelf.store.placement)
    shelf.reopen()
    assert shelf.births() == [("1", 3000)]


def test_a_store_whose_columns_were_text_goes_on(shelf, days):
    text = births((1, 3000), (2, 3100))
    shelf.take(text, sent_at=days(1))
    for column in ("content", "person_sex_missing"):
        shelf.ask(f"alter table clinical.stored_rows alter {column} type varchar")
    shelf.ask("update clinical.stored_rows set content = replace(content, '-', '')")
    shelf.reopen()
    assert shelf.take(text, sent_at=days(2)).rows == (2, 0, 0, 2)
    assert shelf.take(births((1, 3005)), sent_at=days(3)).report["checked"]["life"] == {"replaced": 1}
    assert shelf.take(births((1, 3005)), sent_at=days(4)).rows == (1, 0, 0, 1)
