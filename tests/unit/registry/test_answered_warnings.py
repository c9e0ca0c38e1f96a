"""A warning is asked once: answered, it is silent for that value of that record, and for nothing else."""

import pytest

from swaddle.registry import answered
from swaddle.wire.spoken import NoFinding, NotUnderstood, finding, read_answers, write_answers

US, OTHERS = "a" * 32, "b" * 32


def births(*rows):
    lines = ["local_record_id,event_date,outcome,birth_weight_g", *(f"{n},2026-10-01,live,{w}" for n, w in rows)]
    return "\n".join(lines) + "\n"


def usual(*odd):
    return births(*[(n, 3000) for n in range(10, 20)], *odd)


def answer(shelf, about, text, days, submitter=US):
    return answered.take(shelf.store, submitter, "f" * 32, [finding(about.transfer, text)], days(3))


def test_an_answered_warning_is_silent_for_that_value_and_asks_again_for_another(shelf, days):
    first = shelf.take(usual((1, 300), (2, 310)), sent_at=days(1))
    assert first.found["F5"]["count"] == 2
    assert answer(shelf, first, "F5:birth_weight_g@12", days).silenced == 1
    again = shelf.take(usual((1, 300), (2, 311)), sent_at=days(4))
    assert (again.found["F5"]["count"], again.report["checked"]["answered_before"]) == (1, 1)
    assert [each["value"] for each in again.found["F5"]["examples"]] == ["311"]
    other = shelf.take(usual((1, 305)), sent_at=days(5))
    assert (other.found["F5"]["count"], other.report["checked"]["answered_before"]) == (1, 0)


def test_a_whole_rule_is_answered_at_once_and_twice_is_no_more(shelf, days):
    first = shelf.take(usual((1, 300), (2, 310)), sent_at=days(1))
    assert answer(shelf, first, "F5", days).silenced == 2
    assert answer(shelf, first, "F5", days) == answered.Answered(before=2)
    assert "F5" not in shelf.take(usual((1, 300), (2, 310)), sent_at=days(4)).found


def test_nobody_answers_for_another_submitter(shelf, days):
    first = shelf.take(usual((1, 300)), sent_at=days(1))
    assert answer(shelf, first, "F5", days, submitter=OTHERS) == answered.Answered(unmet=1)
    theirs = shelf.take(usual((1, 300)), submitter=OTHERS, sent_at=days(2))
    answer(shelf, first, "F5", days)
    assert shelf.take(usual((1, 300)), submitter=OTHERS, sent_at=days(4)).found["F5"]["count"] == 1
    assert theirs.found["F5"]["count"] == 1


def test_what_is_kept_of_a_warning_holds_no_value(shelf):
    shelf.take(usual((1, 300)))
    assert shelf.ask("select rule, field, length(asked) from clinical.warnings where rule = 'F5'") == [
        ("F5", "birth_weight_g", 64)
    ]


def test_an_error_cannot_be_answered(shelf, days):
    first = shelf.take(usual((1, 99999)), sent_at=days(1))
    assert answer(shelf, first, "F4", days) == answered.Answered(unmet=1)


@pytest.mark.parametrize("text", ["", "x12", "X12@", "X12@-1", "X12@1;drop", "F5:Birth", "X1234"])
def test_what_names_no_finding_is_said(text):
    with pytest.raises(NoFinding):
        finding("a" * 32, text)


def test_answers_come_back_as_they_were_written():
    told = [finding("a" * 32, "X12"), finding("b" * 32, "F5:birth_weight_g@17")]
    assert read_answers(write_answers(told)) == tuple(told)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b'{"answers":[],"kind":"answers","version":1}', b'{"answers":[1],"kind":"answers","version":1}',
        b'{"answers":[{"answer":"no","field":null,"line":1,"rule":"X1","transfer":"' + b"a" * 32
        + b'"}],"kind":"answers","version":1}',
        b'{"answers":[{"answer":"verified","field":null,"line":true,"rule":"X1","transfer":"' + b"a" * 32
        + b'"}],"kind":"answers","version":1}',
        b"\xff" * 100, b"[" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_whole(data):
    with pytest.raises(NotUnderstood):
        read_answers(data)
