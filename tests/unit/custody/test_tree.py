"""The tree, its proofs, checkpoints and tlog-proofs: other people's vectors, every forgery refused."""

import json
from base64 import b64decode
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from swaddle.custody import tree
from swaddle.custody.checkpoint import Checkpoint, CheckpointWrong, note, read_note
from swaddle.custody.tlog_proof import check_proof, proof_text
from swaddle.custody.tree import Frontier, ProofWrong, check_consistency, check_inclusion, leaf_hash, node_hash

ORIGIN = "registry.example/custody"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()


def entries(size):
    return [f"entry {number}".encode() for number in range(size)]


def subtree_of(leaves):
    @cache
    def subtree(level, place):
        if level == 0:
            return leaf_hash(leaves[place])
        return node_hash(subtree(level - 1, 2 * place), subtree(level - 1, 2 * place + 1))

    return subtree


def naive_root(leaves):
    """RFC 6962, 2.1, to the letter."""
    if len(leaves) <= 1:
        return leaf_hash(leaves[0]) if leaves else sha256(b"").digest()
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def signed(leaves):
    checkpoint = Checkpoint(ORIGIN, len(leaves), naive_root(leaves))
    return note(checkpoint, PUBLIC, KEY.sign(checkpoint.text().encode()))


def vectors(real_data, kind):
    folder = Path(real_data, "rfc6962_merkle", kind)
    return [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]


def hashes(texts):
    return [b64decode(each) for each in texts or []]


def test_other_peoples_inclusion_vectors_end_as_they_say(real_data):
    found = vectors(real_data, "inclusion")
    assert len(found) >= 90
    for each in found:
        values = (b64decode(each["leafHash"] or ""), each["leafIdx"], each["treeSize"], hashes(each["proof"]))
        try:
            check_inclusion(*values, b64decode(each["root"] or ""))
        except ProofWrong:
            assert each["wantErr"], each["desc"]
        else:
            assert not each["wantErr"], each["desc"]


def test_other_peoples_consistency_vectors_end_as_they_say(real_data):
    found = vectors(real_data, "consistency")
    assert len(found) >= 90
    for each in found:
        roots = (b64decode(each["root1"] or ""), b64decode(each["root2"] or ""))
        try:
            check_consistency(each["size1"], each["size2"], hashes(each["proof"]), *roots)
        except ProofWrong:
            assert each["wantErr"], each["desc"]
        else:
            assert not each["wantErr"], each["desc"]


def test_another_logs_tiles_add_up(real_data):
    """Each full tile of level 0 has 256 leaf hashes; its root stands in the tile above it."""
    folder = Path(real_data, "tlog_tiles", "navigli2025h2", "tile", "0")
    roots = []
    for name in ("000", "001", "002", "003"):
        data = (folder / name).read_bytes()
        assert len(data) == 256 * tree.HASH_BYTES
        frontier = Frontier()
        for place in range(256):
            frontier.add(data[32 * place : 32 * place + 32])
        roots.append(frontier.root())
    partial = (folder / "003.p" / "10").read_bytes()
    assert partial == (folder / "003").read_bytes()[: len(partial)]
    assert len(set(roots)) == 4


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 70), st.data())
def test_what_is_proved_holds_and_nothing_else_does(size, data):
    leaves = entries(size)
    subtree = subtree_of(tuple(leaves))
    frontier = Frontier()
    for each in leaves:
        frontier.add(leaf_hash(each))
    root = naive_root(leaves)
    assert frontier.root() == tree.root(size, subtree) == root
    index = data.draw(st.integers(0, size - 1))
    way = tree.inclusion(index, size, subtree)
    check_inclusion(leaf_hash(leaves[index]), index, size, way, root)
    before = data.draw(st.integers(1, size))
    proof = tree.consistency(before, size, subtree)
    check_consistency(before, size, proof, naive_root(leaves[:before]), root)
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index)) if size > 1 else None
    if other is not None:
        with pytest.raises(ProofWrong):
            check_inclusion(leaf_hash(leaves[other]), index, size, way, root)
    with pytest.raises(ProofWrong):
        check_consistency(before, size, proof, naive_root([b"forged", *leaves[1:before]]), root)


@pytest.mark.parametrize("size", [0, 1, 5])
def test_a_tree_that_shrank_is_refused(size):
    with pytest.raises(ProofWrong, match="smaller"):
        check_consistency(6, size, [], naive_root(entries(6)), naive_root(entries(size)))


class TestCheckpoints:
    def test_a_signed_one_is_read(self):
        assert read_note(signed(entries(5)), ORIGIN, PUBLIC) == Checkpoint(ORIGIN, 5, naive_root(entries(5)))

    def test_its_lines_are_those_of_the_specification(self):
        origin, size, root, empty, signature = signed(entries(3)).splitlines()
        assert (origin, size, empty) == (ORIGIN, "3", "")
        assert b64decode(root) == naive_root(entries(3))
        stamp = b64decode(signature.removeprefix(f"\u2014 {ORIGIN} "))
        assert stamp[:4] == sha256(ORIGIN.encode() + b"\n\x01" + PUBLIC).digest()[:4]
        assert len(stamp) == 4 + 64

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n5\n", "\n6\n"),
            lambda text: text.replace("\n5\n", "\n05\n"),
            lambda text: text.replace(ORIGIN, "registry.example/other"),
            lambda text: text.replace("\n\n", "\n"),
            lambda text: text[:-1],
            lambda text: text.replace("\u2014 ", "- "),
            lambda text: text.partition("\u2014")[0],
            lambda text: "",
            lambda text: text + "x" * 140_000,
            lambda text: text.replace("\n\n", "\nextension\twith a tab\n\n", 1),
            lambda text: text.replace("=\n", "\n", 1),
        ],
    )
    def test_whatever_is_changed_is_refused(self, change):
        with pytest.raises(CheckpointWrong):
            read_note(change(signed(entries(5))), ORIGIN, PUBLIC)

    def test_one_of_another_key_is_refused(self):
        other = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key().public_bytes_raw()
        with pytest.raises(CheckpointWrong):
            read_note(signed(entries(5)), ORIGIN, other)

    def test_sixteen_large_signatures_beside_it_are_taken(self):
        large = "".join(f"\u2014 witness{number}.example {'QUJD' * 1_640}\n" for number in range(15))
        assert read_note(signed(entries(5)) + large, ORIGIN, PUBLIC).size == 5

    def test_signatures_of_others_beside_it_do_no_harm(self):
        text = signed(entries(5)) + "\u2014 witness.example jWbPPwAAAABkGFDL\n"
        assert read_note(text, ORIGIN, PUBLIC).size == 5


class TestTlogProofs:
    def proof(self, size, index):
        leaves = entries(size)
        return proof_text(index, tree.inclusion(index, size, subtree_of(tuple(leaves))), signed(leaves))

    @pytest.mark.parametrize(("size", "index"), [(1, 0), (7, 3), (64, 63)])
    def test_an_entry_is_proved_by_the_text_alone(self, size, index):
        assert check_proof(self.proof(size, index), entries(size)[index], ORIGIN, PUBLIC)[0] == index

    def test_extra_data_is_passed_over(self):
        text = self.proof(7, 3).replace("\nindex", "\nextra YWJj\nindex", 1)
        assert check_proof(text, entries(7)[3], ORIGIN, PUBLIC)[1].size == 7

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("@v1", "@v2"),
            lambda text: text.replace("index 3", "index 2"),
            lambda text: text.replace("index 3", "index 03"),
            lambda text: text.replace("index 3\n", ""),
            lambda text: "\n".join(line for number, line in enumerate(text.split("\n")) if number != 2),
            lambda text: text.replace("\nindex 3\n", "\nindex 3\nAAAA\n"),
            lambda text: text.replace("\n\n", "\n", 1),
        ],
    )
    def test_whatever_is_changed_is_refused(self, change):
        with pytest.raises((ProofWrong, CheckpointWrong)):
            check_proof(change(self.proof(7, 3)), entries(7)[3], ORIGIN, PUBLIC)

    def test_another_entry_is_not_proved(self):
        with pytest.raises(ProofWrong):
            check_proof(self.proof(7, 3), b"entry 3 ", ORIGIN, PUBLIC)
