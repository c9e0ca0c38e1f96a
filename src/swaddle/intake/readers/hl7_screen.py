"""What a message says of a newborn's blood spot where one place in the message is not enough. Pure.

Results come as the dictionary's words (newborn_screen.toml). LOINC's answer codes are read, and where a sender gives no
code or one that is not known here, the words beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from swaddle.intake.readers.hl7 import Message, Segment
from swaddle.intake.readers.hl7_kinds import CARD, answer_of, code_of
from swaddle.intake.readers.hl7_paths import DEAD

# Interpretations of one condition or group of conditions.
INTERPRETATIONS = frozenset(
    ["46733-2", "46735-7", "46736-5", "46737-3", "46738-1", "46739-9", "46740-7", "46744-9", "46746-4", "46749-8",
     "46758-9", "46761-3", "46762-1", "46769-6", "58088-6", "62301-7", "62321-5", "63415-4", "79564-1", "85269-9",
     "92004-1"]
)  # fmt: skip
POSITIVE, EQUIVOCAL, TESTED = "57131-5", "57720-5", "57719-7"
QUALITY = "57718-9"
CARD_NUMBER = "57723-9"
FACTORS = "57713-0"  # what may change the result
TRANSFUSION_DATE, TRANSFUSION = "62317-3", "82312-0"
READ = INTERPRETATIONS | {POSITIVE, EQUIVOCAL, TESTED, QUALITY, FACTORS, TRANSFUSION_DATE, TRANSFUSION}
MEASURES = CARD | {"8339-4", "11884-4", "49051-6", "29463-7", "3141-9"}  # of the child, not of the blood
NONE = "LA137-2"
_LOINC = re.compile(r"[0-9]{1,6}-[0-9]")
_ANSWER = re.compile(r"LA[0-9]{1,6}-[0-9]")
RESULTS = {
    **dict.fromkeys(["la18592-8", "in range", "normal", "within normal limits", "screen negative"], "in_range"),
    **dict.fromkeys(["la18593-6", "out of range", "abnormal", "screen positive"], "out_of_range"),
    **dict.fromkeys(["borderline", "equivocal"], "borderline"),
    **dict.fromkeys(["inconclusive", "indeterminate"], "inconclusive"),
}
ACCEPTABLE = frozenset(["la12432-3", "acceptable", "satisfactory", "adequate"])
YES_OR_NO = {"y": "Y", "yes": "Y", "la33-6": "Y", "n": "N", "no": "N", "la32-8": "N"}
# Factor of the dictionary -> LOINC's answer, and what senders say in words.
FACTOR_NAMES: dict[str, tuple[str, str]] = {
    "nicu": ("LA12419-0", r"\bn?icu\b|intensive"),
    "transfusion": ("LA12417-4", r"transfus"),
    "tpn": ("LA12418-2", r"\btpn\b|parenteral|hyperal"),
    "antibiotics": ("LA12420-8", r"antibiotic"),
    "preterm": ("", r"prematur|preterm|low birth ?weight"),
    "steroids": ("", r"steroid"),
    "meconium_ileus": ("", r"meconium"),
}
# Reason of the dictionary -> LOINC's answer, and what laboratories say in words.
UNSATISFACTORY: dict[str, tuple[str, str]] = {
    "under_24h": ("", r"24 ?h|too early|too soon"),
    "quantity": ("", r"insufficient|quantity|too little|\bqns\b|incompletely filled"),
    "clotted": ("", r"clot|layer"),
    "diluted": ("", r"dilut"),
    "contaminated": ("", r"contamin|abra[ds]"),
    "supersaturated": ("", r"(?:super|over) ?-?saturat|too much"),
    "uneven": ("LA20627-8", r"uneven"),
    "wet": ("", r"\bwet\b|discolou?r"),
    "serum_rings": ("", r"serum|\brings?\b"),
    "expired_card": ("", r"expired"),
    "old_sample": ("", r"transit|too old|\b14 ?d"),
    "incomplete": ("", r"requisition|incomplete (?:form|card)|missing (?:demographic|information)"),
}


def _observed(message: Message, *codes: str) -> Iterator[tuple[Segment, str, str]]:
    """The observations of these codes (all where none is named) that have a value: segment, code, answer."""
    if "observed" not in message.kept:
        alive = (each for each in message.named("OBX") if message.text(each, 11).upper() not in DEAD)
        message.kept["observed"] = [(each, code_of(each, 3, message), answer_of(each, message)) for each in alive]
    for each, code, answer in message.kept["observed"]:
        if answer and (not codes or code in codes):
            yield each, code, answer


def _words(segment: Segment, message: Message) -> str:
    return f"{message.text(segment, 5, 2)} {message.text(segment, 5)}".casefold()


def cards(message: Message) -> set[str]:
    """The numbers of the cards that it is about."""
    return {answer for _, _, answer in _observed(message, CARD_NUMBER)}


def analytes(message: Message) -> str:
    """`LOINC=value unit;…`: every value measured in the blood."""
    found: dict[str, str] = {}
    for each, code, answer in _observed(message):
        kind = message.text(each, 2).upper()
        if kind in {"NM", "SN"} and _LOINC.fullmatch(code) and code not in MEASURES:
            found[code] = safe(f"{answer} {message.text(each, 6)}")
    return joined(found)


def conditions(message: Message) -> str:
    """`condition=result;…` for each condition tested, by its LOINC answer, and for each interpretation, by its LOINC.

    A condition that is listed as tested and not among the positive ones is in range only where there is a list of
    positive ones, be it empty (LA137-2, none).
    """
    found: dict[str, str] = {}
    listed = False
    for _, code, answer in _observed(message, POSITIVE, EQUIVOCAL):
        listed = listed or code == POSITIVE
        if answer != NONE:
            found[key_of(answer)] = "out_of_range" if code == POSITIVE else "borderline"
    for _, _, answer in _observed(message, TESTED):
        if answer != NONE:
            found.setdefault(key_of(answer), "in_range" if listed else "tested")
    for each, code, _ in _observed(message, *INTERPRETATIONS):
        result = interpreted(each, message)
        if result:
            found[code] = result
    return joined(found)


def interpreted(segment: Segment, message: Message) -> str:
    """What an interpretation says, in the dictionary's words; "" where it says something else."""
    answer = answer_of(segment, message).casefold()
    return RESULTS.get(answer) or RESULTS.get(message.text(segment, 5, 2).casefold(), "")


def quality(message: Message) -> str:
    """`acceptable`, `unsatisfactory`, or "" where the message does not say."""
    answers = {answer.casefold() for _, _, answer in _observed(message, QUALITY)}
    return "" if not answers else "acceptable" if answers <= ACCEPTABLE else "unsatisfactory"


def unsatisfactory_reasons(message: Message) -> str:
    """Why the sample could not be tested: the dictionary's words, apart by semicolons."""
    found: dict[str, None] = {}
    for each, _, answer in _observed(message, QUALITY):
        if answer.casefold() in ACCEPTABLE or answer.casefold() in {"unsatisfactory", "unacceptable"}:
            continue
        found.update(dict.fromkeys(named(UNSATISFACTORY, answer, _words(each, message)) or ["other"]))
    return ";".join(found)


def factors(message: Message) -> str:
    """What may change the result: the dictionary's words, apart by semicolons; `none` where the message says so."""
    found: dict[str, None] = {}
    for each, _, answer in _observed(message, FACTORS):
        said = YES_OR_NO.get(answer.split(",")[0].strip().casefold(), "")
        if answer == NONE or said == "N":
            found.update({"none": None} if answer == NONE else {})
            continue
        asked = message.text(each, 3, 2).casefold() if said else ""
        found.update(dict.fromkeys(named(FACTOR_NAMES, answer, f"{asked} {_words(each, message)}") or ["other"]))
    return ";".join(name for name in found if name != "none" or len(found) == 1)


def in_intensive_care(message: Message) -> str:
    """`Y`, `N`, or "" where the message does not say. A list of factors without this one says nothing."""
    return _factor("nicu", "", "", message)


def transfused(message: Message) -> str:
    """`Y`, `N`, or "" where the message does not say."""
    return _factor("transfusion", TRANSFUSION_DATE, TRANSFUSION, message)


def _factor(name: str, date: str, yes_or_no: str, message: Message) -> str:
    answer_code, words = FACTOR_NAMES[name]
    found = ""
    for each, code, answer in _observed(message, FACTORS, date, yes_or_no):
        if code and (code == date or answer == answer_code):
            return "Y"
        own = code == yes_or_no or re.search(words, message.text(each, 3, 2), re.IGNORECASE) is not None
        said = "no" if answer == NONE else answer.split(",")[0] if own else ""
        found = YES_OR_NO.get(said.strip().casefold(), "") or found
    return found


def named(table: dict[str, tuple[str, str]], answer: str, words: str) -> list[str]:
    """What an answer names: by its code, else by its words (in small letters)."""
    coded = [name for name, (code, _) in table.items() if code and code == answer]
    return coded or [name for name, (_, pattern) in table.items() if re.search(pattern, words)]


def key_of(answer: str) -> str:
    """A condition's name in the pairs: its LOINC answer, else its words."""
    return answer if _ANSWER.fullmatch(answer) else safe(answer).replace("=", " ")


def joined(found: dict[str, str]) -> str:
    """Pairs as a cell holds them."""
    return ";".join(f"{code}={value}" for code, value in found.items())


def safe(text: str) -> str:
    """Words without what parts pairs."""
    return " ".join(text.replace(";", ",").split())
