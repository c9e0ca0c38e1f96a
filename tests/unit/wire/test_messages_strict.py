"""Bodies of the wire: exactly their members, exactly their forms, and an error of ours for everything else."""

import json

import msgspec
import pytest

from swaddle.canonical import canonical
from swaddle.wire import messages, statements
from swaddle.wire.messages import PROBLEMS, Announce, Garbled, Problem, TransferView, convert, decode, encode
from swaddle.wire.statements import Allowance, Revoke, decode_instruction

GOOD = {
    "reference": "AAAAAAAAAAAAAAAAAAAAAA==",
    "recipient": "0" * 32,
    "body_bytes": 0,
    "part_bytes": 65_536,
    "expires": "2026-11-22T09:24:37Z",
}


def test_there_and_back_in_canonical_form():
    message = decode(canonical(GOOD), Announce)
    assert encode(message) == canonical(GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"reference": "AAAA"},
        {"reference": "AAAAAAAAAAAAAAAAAAAAAA==\n"},
        {"recipient": "0" * 31},
        {"recipient": "G" * 32},
        {"recipient": "0" * 32 + "\n"},
        {"recipient": ["0" * 32]},
        {"body_bytes": -1},
        {"body_bytes": 2**53},
        {"body_bytes": "1"},
        {"body_bytes": 1.5},
        {"body_bytes": True},
        {"part_bytes": 65_537},
        {"part_bytes": 2**31},
        {"expires": "2026-11-22 09:24:37"},
        {"expires": None},
    ],
    ids=str,
)
def test_a_member_of_another_form_is_refused(change):
    with pytest.raises(Garbled) as caught:
        decode(json.dumps({**GOOD, **change}).encode(), Announce)
    assert str(next(iter(change.values()))) not in str(caught.value) or change == {"more": 1}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_member_is_refused(name):
    with pytest.raises(Garbled):
        decode(json.dumps({k: v for k, v in GOOD.items() if k != name}).encode(), Announce)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff", b'"x"', b"[" * 100_000, b'{"a":' * 50_000, b"{}" * 2]
)
def test_what_is_no_such_object_is_refused(data):
    with pytest.raises(Garbled):
        decode(data, Announce)


def test_a_body_over_four_mebibytes_is_not_looked_at():
    with pytest.raises(Garbled):
        decode(b" " * (4 * 1024 * 1024 + 1), Announce)


BASE = {"at": "2026-11-22T09:24:37Z", "sequence": 3}


class TestInstructions:
    def test_the_name_decides_the_kind(self):
        assert isinstance(decode_instruction({**BASE, "instruction": "revoke", "submitter": "0" * 32}), Revoke)
        assert decode_instruction({**BASE, "instruction": "allowance", "transfers": 4}) == Allowance(
            **BASE, transfers=4
        )

    @pytest.mark.parametrize(
        "value",
        [
            {"instruction": "shell", "command": "x"},
            {"instruction": "allowance", "transfers": 0},
            {"instruction": "allowance", "transfers": 65},
            {"instruction": "allowance"},
            {"instruction": "revoke", "submitter": "0" * 32, "more": 1},
            {"transfers": 4},
            {"instruction": None},
        ],
        ids=str,
    )
    def test_unknown_and_malformed_ones_are_refused(self, value):
        with pytest.raises(Garbled):
            decode_instruction({**BASE, **value})

    def test_every_instruction_is_in_the_spec(self, root):
        text = (root / "docs" / "spec" / "transfer.md").read_text("utf-8")
        names = {kind.__struct_config__.tag for kind in statements.InstructionBase.__subclasses__()}
        assert len(names) == 15
        assert [name for name in names if f"| `{name}` |" not in text] == []


class TestProblems:
    def test_every_type_is_in_the_spec_with_its_status(self, root):
        text = (root / "docs" / "spec" / "transfer.md").read_text("utf-8")
        assert [name for name, (status, _) in PROBLEMS.items() if f"| `{name}` | {status} |" not in text] == []

    def test_members_that_say_nothing_are_left_out(self):
        problem = Problem(type="about:swaddle:full", title="t", status=507)
        assert json.loads(encode(problem)) == {"type": "about:swaddle:full", "title": "t", "status": 507}


def test_every_message_forbids_unknown_members():
    kinds = [
        kind
        for module in (messages, statements)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    assert len(kinds) > 30
    assert [kind.__name__ for kind in kinds if not kind.__struct_config__.forbid_unknown_fields] == []
    assert [kind.__name__ for kind in kinds if not kind.__struct_config__.frozen] == []


def test_an_end_is_one_of_the_listed_words():
    seen = {"id": "0" * 32, "state": "held", "parts": [], "expires": "2026-11-22T09:24:37Z", "receipt": None}
    assert convert({**seen, "held": None, "outcome": "not-taken"}, TransferView).outcome == "not-taken"
    with pytest.raises(Garbled):
        convert({**seen, "held": None, "outcome": "fine"}, TransferView)
