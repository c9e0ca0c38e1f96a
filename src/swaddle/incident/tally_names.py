"""Is it one organisation? Two names as lists write them, and how alike they are. Pure.

A name is taken apart into words: legal forms and filler go, abbreviations are written out, and what follows "d/b/a" is
a name of its own. Words that half of all organisations carry (health, centre, county) weigh little; a number or a
word of its own on each side keeps two names apart, because "District 5" is not "District 6".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from swaddle.incident.tally_words import COMMON, COMPASS, LEGAL, OFTEN, PLACES, WHOLE

SAME, SAME_ELSEWHERE = 0.72, 0.97  # alike enough in one state; in two states
_COMMON_WEIGHT, _PLACE_WEIGHT = 0.3, 0.6
_LONG = 9  # letters that a name written without spaces needs before a slip of the pen is forgiven

_ALSO = re.compile(
    r"\s*[,;(/-]?\s*\b(?:d\s?[/.]?\s?b\s?[/.]?\s?a\b\.?|doing business as|t/a\b|trading as|operating as|"
    r"a\s?[/.]\s?k\s?[/.]\s?a\b\.?|also known as|f\s?[/.]\s?k\s?[/.]\s?a\b\.?|formerly known as|formerly|"
    r"now known as|n/k/a)\s*[:,]?\s*",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\s*[,;(-]?\s*\b(?:(?:acting\s+)?on behalf of|o/?b/?o\b|as (?:a )?business associate (?:of|for|to))"
    r"\s*[:,]?\s*",
    re.IGNORECASE,
)
_THROUGH = re.compile(r"\s*[,;(-]\s*(?:via|through|vendor:?|c/o|incident at|breach at)\s+", re.IGNORECASE)
_CASE = re.compile(r"[(\[]\s*case\s*(?:no\.?|number|#)?\s*[\w-]{1,20}\s*[)\]]", re.IGNORECASE)
_OWNED = re.compile(r",\s*an?\s+[\w .&'-]{2,40}\s(?:co|company|corporation|subsidiary)\b\.?", re.IGNORECASE)
_FIRM = re.compile(r"\s*[(\[]([^()\[\]]{3,80}\b(?:LLC|L\.L\.C|Inc|Corp|LLP|Ltd)\b\.?)[)\]]", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:the )?(?:state|commonwealth|province) of (?=\w+ \w)|^(?:u ?s|united states) (?=\w+ \w)|"
                     r"\baffiliated(?: covered (?:entity|entities))?$| privacy manager breach$")  # fmt: skip
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,80})[)\]]")


@dataclass(frozen=True)
class Name:
    """One name of an organisation, taken apart.

    Attributes:
        words: what is left of it, in order, written out.
        letters: all of them as they stand, without spaces: "Med Star" is "MedStar".
        short: the letters it is abbreviated to, as the name itself says in brackets; empty where it does not.
    """

    words: tuple[str, ...]
    letters: str
    short: str = ""


@dataclass(frozen=True)
class Parties:
    """Who a row is about: the organisation under each of its names, and the vendor it says it was hit through."""

    names: tuple[str, ...]
    vendor: str = ""


def parties(text: str) -> Parties:
    """The organisation and its vendor out of what stands in the name column.

    "A on behalf of B" is B's breach at A; "A d/b/a B" is one organisation under two names.
    """
    said = _CASE.sub(" ", " ".join(text.split())[:400])
    vendor = ""
    if len(halves := _FOR.split(said, maxsplit=1)) == 2 and all(half.strip(" ,;()") for half in halves):
        vendor, said = halves
    elif len(halves := _THROUGH.split(said, maxsplit=1)) == 2 and all(half.strip(" ,;()") for half in halves):
        said, vendor = halves
    said = _OWNED.sub("", said)
    said = _FIRM.sub(lambda found: f" d/b/a {found[1]}", said)
    names = tuple(dict.fromkeys(part for each in _ALSO.split(said) if (part := _trimmed(each))))
    return Parties(names or (said,), _trimmed(_ALSO.split(vendor)[0]))


def _trimmed(text: str) -> str:
    """Without stops at its ends, and without half a bracket."""
    kept = text.strip(" ,;:-")
    if kept.endswith(")") and kept.count(")") > kept.count("("):
        kept = kept[:-1]
    if kept.startswith("(") and kept.count("(") > kept.count(")"):
        kept = kept[1:]
    return kept.strip(" ,;")


@lru_cache(maxsize=200_000)
def name_of(text: str) -> Name:
    """A name taken apart into its words."""
    short = ""
    for inside in _BRACKETS.findall(text):
        letters = re.sub(r"[^A-Za-z]", "", inside)
        outside = plain_words(_BRACKETS.sub(" ", text))
        if 2 <= len(letters) <= 8 and _in_order(letters.lower(), "".join(word[0] for word in outside)):
            short, text = letters.lower(), text.replace(f"({inside})", " ").replace(f"[{inside}]", " ")
    plain = plain_words(_PREFIX.sub("", " ".join(plain_words(text))))
    kept = [word for word in plain if word not in LEGAL]
    whole = [part for word in kept for part in WHOLE.get(word, word).split()]
    return Name(tuple(_singular(word) for word in whole) or tuple(plain), "".join(kept or plain), short)


def plain_words(text: str) -> list[str]:
    """A name in small letters without accents and points; letters with points between them are one word."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii") or text
    plain = plain.lower().replace("&", " and ").replace("'", "").replace("\u2019", "").replace("`", "")
    plain = re.sub(r"\b((?:[a-z]\.\s?){2,})", lambda found: re.sub(r"[.\s]", "", found[1]) + " ", plain)
    plain = re.sub(r"\.(?:com|org|net)\b", "", plain)
    return re.sub(r"[^\w]+", " ", plain).replace("_", " ").split()


def _in_order(letters: str, of: str) -> bool:
    """Whether letters stand in that order among the first letters of a name's words."""
    rest = iter(of)
    return all(letter in rest for letter in letters)


def initials(words: list[str] | tuple[str, ...]) -> frozenset[str]:
    """What a name may be abbreviated to: its first letters, with and without its little words."""
    small = [word for word in words if word not in LEGAL]
    return frozenset({"".join(word[0] for word in words), "".join(word[0] for word in small)})


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def weight(word: str) -> float:
    """How much a word tells about which organisation it is."""
    return _COMMON_WEIGHT if word in _COMMON else _PLACE_WEIGHT if word in PLACES or word in OFTEN else 1.0


_COMMON = COMMON | {_singular(word) for word in COMMON}


def telling(name: Name) -> tuple[str, ...]:
    """The words of a name that few organisations carry."""
    return tuple(word for word in name.words if weight(word) == 1.0)


def alike(one: Name, other: Name) -> float:
    """How alike two names are, from 0 to 1 (the same)."""
    if one.words == other.words or one.letters == other.letters:
        return 1.0
    if {w for w in one.words if w.isdigit()} ^ {w for w in other.words if w.isdigit()}:
        return 0.0
    if COMPASS & (set(one.words) ^ set(other.words)):
        return 0.0
    if _abbreviates(one, other) or _abbreviates(other, one):
        return 0.9
    left, right = list(dict.fromkeys(one.words)), list(dict.fromkeys(other.words))
    pairs = _paired(left, right)
    common = sum(max(weight(a), weight(b)) for a, b in pairs)
    rest_left = [w for w in left if w not in {a for a, _ in pairs}]
    rest_right = [w for w in right if w not in {b for _, b in pairs}]
    whole = common + sum(map(weight, rest_left)) + sum(map(weight, rest_right))
    score = common / whole if whole else 0.0
    if rest_left and rest_right and "department" in one.words and "department" in other.words:
        return min(score, 0.5)  # of a government the common words tell which part it is
    if any(weight(w) >= _PLACE_WEIGHT for w in rest_left) and any(weight(w) >= _PLACE_WEIGHT for w in rest_right):
        return min(score, 0.5)  # each has a word of its own
    if not any(weight(a) == 1.0 for a, _ in pairs) and (rest_left or rest_right):
        return min(score, 0.7)  # nothing in common but what many carry
    return score


def same(one: Name, other: Name, *, elsewhere: bool) -> bool:
    """Whether two names are one organisation; `elsewhere` where the rows name two different states."""
    if elsewhere:
        return bool(telling(one)) and alike(one, other) >= SAME_ELSEWHERE
    return alike(one, other) >= SAME


def _abbreviates(short: Name, whole: Name) -> bool:
    if short.short and whole.words == (short.short,):
        return True
    return len(short.words) == 1 and 4 <= len(short.words[0]) <= 8 and short.words[0] in initials(whole.words)


def _paired(left: list[str], right: list[str]) -> list[tuple[str, str]]:
    pairs = [(word, word) for word in left if word in right]
    free_left, free_right = [w for w in left if w not in right], [w for w in right if w not in left]
    for word in free_left:
        twin = next((each for each in free_right if one_slip(word, each)), None)
        if twin is not None:
            free_right.remove(twin)
            pairs.append((word, twin))
    return pairs


def one_slip(one: str, other: str) -> bool:
    """Whether two words of five letters or more differ by one letter left out, added, changed or swapped."""
    if min(len(one), len(other)) < 5 or abs(len(one) - len(other)) > 1 or one[0] != other[0]:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])
