"""Whoever has the ledger's file can follow it: what was changed, cut, moved or torn is named."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from click.testing import CliRunner

from swaddle import home
from swaddle.cli.custody import group
from swaddle.custody.audit import audit
from swaddle.custody.entry import LedgerBroken
from swaddle.custody.ledger import FILE_NAME, Ledger
from swaddle.custody.tree import Frontier, leaf_hash

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def written(tmp_path):
    home.create(tmp_path / "registry", home.Kind.REGISTRY)
    path = tmp_path / "registry" / FILE_NAME
    ledger = Ledger(path)
    for number in range(9):
        ledger.append("key-made", f"{number:032x}", {"key": "intake"}, AT)
    yield path, ledger.head()
    ledger.close()


def test_a_whole_one_holds_and_its_root_is_that_of_its_lines(written):
    path, (entries, head) = written
    tree = Frontier()
    for line in path.read_bytes().splitlines():
        tree.add(leaf_hash(line))
    found = audit(path)
    assert (found.entries, found.head, found.root, found.torn_bytes) == (entries, head, tree.root().hex(), 0)


@pytest.mark.parametrize(
    ("damage", "entry"),
    [
        (lambda lines: [*lines[:3], lines[3].replace(b"intake", b"pulled"), *lines[4:]], 5),
        (lambda lines: [*lines[:3], *lines[4:]], 4),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:5], lines[4], *lines[5:]], 6),
        (lambda lines: [*lines, b"{}"], 10),
        (lambda lines: [*lines[:2], bytes([lines[2][0] ^ 1]) + lines[2][1:], *lines[3:]], 3),
    ],
)
def test_what_was_changed_is_named(written, damage, entry):
    path, _ = written
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(LedgerBroken, match=f"at entry {entry},"):
        audit(path)


def test_a_torn_last_line_is_no_entry_and_is_said(written):
    path, (entries, _) = written
    path.write_bytes(path.read_bytes()[:-20])
    found = audit(path)
    assert found.entries == entries - 1
    assert found.torn_bytes > 0


@pytest.mark.parametrize(
    "damage",
    [lambda lines: lines[:5], lambda lines: [], lambda lines: [*lines[:-1], lines[-1].replace(b"intake", b"pulled")]],
)
def test_what_was_cut_or_changed_at_the_end_is_seen_by_a_head_that_was_kept(written, damage):
    path, (_, head) = written
    assert audit(path, head).head == head
    path.write_bytes(b"".join(line + b"\n" for line in damage(path.read_bytes().splitlines())))
    assert audit(path)  # by itself it looks whole
    with pytest.raises(LedgerBroken, match="the head that was given"):
        audit(path, head)


def test_an_earlier_head_is_found_again_when_more_was_written(written):
    path, _ = written
    first = path.read_bytes().splitlines()[0]
    assert audit(path, sha256(first).hexdigest()).entries == 9


def test_a_ledger_that_is_not_there_is_an_error_of_ours(tmp_path):
    with pytest.raises(LedgerBroken, match="no file"):
        audit(tmp_path / FILE_NAME)


def test_the_command_needs_no_key_and_tells_the_same(written):
    path, _ = written
    done = CliRunner().invoke(group, ["verify", "--home", str(path.parent), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == asdict(audit(path))
