"""Six words that two people compare by telephone: the fingerprint of a root key and a submitter's keys."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from swaddle.errors import OurBug

WORDS = 6
_BITS_PER_WORD = 11
_LIST_WORDS = 2_048


def six_words(root_fingerprint: str, keys_text: bytes) -> str:
    """The six words of a root's fingerprint (`SHA256:…`) and the canonical text of a submitter's public keys.

    66 bits of SHA-256: enough that nobody finds other keys with the same words while the invitation is good.
    """
    digest = sha256(root_fingerprint.encode("ascii") + b"\x00" + keys_text).digest()
    bits = int.from_bytes(digest, "big") >> (256 - WORDS * _BITS_PER_WORD)
    places = [bits >> (_BITS_PER_WORD * (WORDS - 1 - n)) & (_LIST_WORDS - 1) for n in range(WORDS)]
    words = _words()
    return " ".join(words[place] for place in places)


@cache
def _words() -> tuple[str, ...]:
    """The English BIP 39 list, read as the file that the `mnemonic` package carries, without importing it."""
    spec = find_spec("mnemonic")
    if spec is None or spec.origin is None:
        raise OurBug("the word list is not installed")
    words = tuple((Path(spec.origin).parent / "wordlist" / "english.txt").read_text("ascii").split())
    if len(words) != _LIST_WORDS:
        raise OurBug("the word list is not the one of 2,048 words")
    return words
