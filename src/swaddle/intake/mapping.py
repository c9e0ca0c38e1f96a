"""Mapping files: how the columns of a layout become the dictionary's fields. Read by people first.

A mapping gives each field of the dictionary one of: `from` (a column), `constant`, `derived` (an expression over
columns) or a place in the list `not_carried`. Keys and required fields must be mentioned; another field that is not
mentioned is not carried. docs/guide-mapping.md explains every line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from swaddle.dictionary.load import load as load_dictionary
from swaddle.dictionary.model import HEADER, MISSING_REASONS, Dictionary, Form
from swaddle.intake.expression import columns_of, reads_row_key
from swaddle.intake.faults import KindUnknown, LayoutUnknown, MappingFault
from swaddle.intake.likeness import LIKE, with_likeness
from swaddle.intake.written import KEYS, MESSAGES, Writing, no_file, parse_writing

UNKNOWN = "unknown"  # what a sender says who cannot tell the layout
LIMIT_BYTES = 1024 * 1024
ENCODINGS = ("utf-8", "windows-1252", "iso-8859-1", "iso-8859-15")
# (unit in the file, unit in the dictionary) -> factor
UNITS: dict[tuple[str, str], float] = {
    ("lb", "g"): 453.59237,
    ("oz", "g"): 28.349523125,
    ("kg", "g"): 1000.0,
    ("lb", "kg"): 0.45359237,
    ("in", "cm"): 2.54,
    ("mm", "cm"): 0.1,
    ("l", "ml"): 1000.0,
    ("dl", "ml"): 100.0,
    ("days", "weeks"): 1 / 7,
}
_TOP = {
    *(
        "name",
        "title",
        "dictionary",
        "row",
        "historical",
        "encoding",
        "delimiter",
        "decimal",
        "recognise",
        "not_carried",
        "fields",
    ),
    "note",
    LIKE,
    *KEYS,
}
_SOURCE = {"from", "constant", "derived", "codes", "missing", "unit", "format", "optional", "note"}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FORMAT = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a field comes from: exactly one of `column`, `constant`, `derived`.

    Attributes:
        codes: what the file writes, to what the dictionary writes.
        missing: what the file writes, to a missing reason; "" stands for a blank cell.
        unit: the file's unit where it is not the dictionary's.
        format: how the file writes dates, as a strptime format.
        optional: a file without the column does not carry the field.
    """

    column: str | None = None
    constant: str | None = None
    derived: str | None = None
    codes: Map[str, str] = field(default_factory=dict)
    missing: Map[str, str] = field(default_factory=dict)
    unit: str = ""
    format: str = ""
    optional: bool = False

    def columns(self) -> frozenset[str]:
        """The columns it needs."""
        if self.column is not None:
            return frozenset({self.column})
        return columns_of(self.derived) if self.derived is not None else frozenset()


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """A layout: how to know it, what a row tells of, and where each field comes from.

    Attributes:
        form: the form of its rows (dictionary/v1/forms.toml).
        recognise: columns that tell it apart; a file must have them all.
        recognise_any: columns of which a file must have one.
        writing: how its files are written.
    """

    name: str
    title: str
    dictionary: str
    form: str
    recognise: tuple[str, ...]
    fields: Map[str, Source]
    not_carried: frozenset[str]
    historical: bool = False
    encoding: str = "utf-8"
    delimiter: str = ""
    recognise_any: frozenset[str] = frozenset()
    writing: Writing = field(default_factory=Writing)

    @property
    def format(self) -> str:
        """What its files are: csv (which stands for any table with a header), fixed, hl7, fhir and so on."""
        return self.writing.format

    def columns(self) -> frozenset[str]:
        """The columns that it reads."""
        return frozenset().union(*(source.columns() for source in self.fields.values()))

    @property
    def keys_derived(self) -> bool:
        """Whether (file digest, row) stands in for a record number."""
        key = self.fields["local_record_id"].derived
        return key is not None and reads_row_key(key)


def folded(name: str) -> str:
    """A column's name as it is compared: without blanks around it, capitals not minded."""
    return name.strip().casefold()


@cache
def load_builtin() -> Map[str, Mapping]:
    """The layouts that Swaddle knows, by name."""
    folder = resources.files("swaddle.intake") / "mappings"
    loaded = [plain(form, load_dictionary()) for form in load_dictionary().forms.values()]
    loaded += [
        parse(each.read_text("utf-8")) for each in sorted(folder.iterdir(), key=str) if each.name.endswith(".toml")
    ]
    return {each.name: each for each in loaded}


def plain(form: Form, dictionary: Dictionary) -> Mapping:
    """The plain layout of a form: its columns bear the dictionary's names, its values are the dictionary's.

    Keys and the columns that it is recognised by must be there; a file without another one does not carry that field.
    """
    wide = dictionary.wide(form.name)
    keys = [each.name for each in wide.values() if each.required == "K" and each.slot == HEADER]
    needed = {*keys, *form.recognise}
    return Mapping(
        name=form.layout,
        title=f"{form.title}, plain layout",
        dictionary=dictionary.version,
        form=form.name,
        recognise=(*keys, *form.recognise),
        recognise_any=frozenset(each.name for each in wide.values() if each.slot == form.chief),
        fields={name: Source(column=name, optional=name not in needed) for name in wide},
        not_carried=frozenset(),
    )


def load_file(path: Path, dictionaries: Map[str, Dictionary] | None = None) -> Mapping:
    """The mapping that a file holds, for one of these dictionaries (by default the one that is shipped).

    Raises:
        MappingFault: it is not there, or not a mapping.
    """
    try:
        data = path.read_bytes()
        if len(data) > LIMIT_BYTES:
            raise MappingFault("it is longer than any mapping")
        return parse(data.decode("utf-8"), lambda name: _read_beside(path, name), dictionaries)
    except (OSError, UnicodeDecodeError) as error:
        raise MappingFault("it cannot be read as text") from error


def _read_beside(path: Path, name: str) -> str:
    """The text of a layout table in the mapping file's folder; `name` is no path (intake/written.py)."""
    data = (path.parent / name).read_bytes()
    if len(data) > LIMIT_BYTES:
        raise MappingFault("its layout table is longer than any")
    return data.decode("utf-8")


def _builtin_entry(name: str) -> dict[str, Any] | None:
    """The mapping file of a built-in layout, as it is written."""
    file = resources.files("swaddle.intake") / "mappings" / f"{name.replace('-', '_')}.toml"
    return tomllib.loads(file.read_text("utf-8")) if _NAME.fullmatch(name) and file.is_file() else None


def by_kind(kind: str, among: Map[str, Mapping] | None = None) -> Mapping:
    """The mapping of that name, out of `among`, by default the built-in ones.

    Raises:
        KindUnknown: there is none.
    """
    known = load_builtin() if among is None else among
    if kind not in known:
        raise KindUnknown(", ".join(known))
    return known[kind]


def recognise(columns: Iterable[str], among: Iterable[Mapping] | None = None) -> Mapping:
    """The mapping (one of `among`, by default the built-in ones) that these columns belong to.

    All its tell-tale columns are there, and it has the most; of several with as many, it reads the most columns.

    Raises:
        LayoutUnknown: none fits, or two fit equally well.
    """
    there = {folded(each) for each in columns}

    def fit(each: Mapping) -> tuple[int, int]:
        return len(each.recognise), sum(folded(name) in there for name in each.columns())

    known = load_builtin().values() if among is None else among
    tables = [each for each in known if each.format not in MESSAGES and not each.writing.names]
    fitting = sorted((each for each in tables if _fits(each, there)), key=fit, reverse=True)
    if not fitting:
        raise LayoutUnknown("none of the layouts has these columns")
    if len(fitting) > 1 and fit(fitting[0]) == fit(fitting[1]):
        raise LayoutUnknown("two layouts fit it equally well")
    return fitting[0]


def _fits(mapping: Mapping, there: set[str]) -> bool:
    any_of = {folded(name) for name in mapping.recognise_any}
    needed = {folded(name) for name in mapping.recognise}
    return bool(needed or any_of) and needed <= there and (not any_of or bool(any_of & there))


def parse(
    text: str, beside: Callable[[str], str] = no_file, dictionaries: Map[str, Dictionary] | None = None
) -> Mapping:
    """The mapping that TOML text describes.

    Args:
        text: the mapping file.
        beside: gives the text of a layout table that it names.
        dictionaries: version to dictionary, of which it must name one; None for the one that is shipped.

    Raises:
        MappingFault: it does not.
    """
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingFault(f"it is not TOML: {error}") from error
    entry = with_likeness(entry, _builtin_entry)
    _expect(not set(entry) - _TOP, f"it has lines that mean nothing: {', '.join(sorted(set(entry) - _TOP))}")
    for key in ("title", "row", "encoding", "delimiter", "note"):
        _expect(isinstance(entry.get(key, ""), str), f"{key} must be text in quotation marks")
    for key in ("recognise", "not_carried"):
        _expect(isinstance(entry.get(key, []), list), f"{key} must be a list of names")
    name, version = entry.get("name"), entry.get("dictionary")
    _expect(
        isinstance(name, str) and _NAME.fullmatch(name) is not None, "its name must be lower-case words with hyphens"
    )
    known = dictionaries or {load_dictionary().version: load_dictionary()}
    which = " or ".join(f'dictionary = "{each}"' for each in known)
    _expect(isinstance(version, str) and version in known, f"it must say which dictionary it is for: {which}")
    forms = known[str(version)].forms
    _expect(entry.get("row", "birth") in forms, f"its row must be one of {', '.join(forms)}")
    _expect(isinstance(entry.get("fields"), dict), "it has no [fields.…]")
    encoding, delimiter = entry.get("encoding", "utf-8"), entry.get("delimiter", "")
    _expect(encoding in ENCODINGS, f"its encoding must be one of {', '.join(ENCODINGS)}")
    _expect(delimiter in {"", ",", ";", "\t", "|"}, "its delimiter must be a comma, a semicolon, a tab or a bar")
    decimal = entry.get("decimal", ".")
    _expect(decimal in {".", ","}, "its decimal must be a point or a comma")
    fields = {key: _source(key, value) for key, value in entry["fields"].items()}
    if decimal == ",":
        wide = known[str(version)].wide(entry.get("row", "birth"))
        numbers = {name for name, each in wide.items() if each.field.type in {"int", "decimal"}}
        fields = {name: _pointed(each) if name in numbers else each for name, each in fields.items()}
    not_carried = entry.get("not_carried", [])
    _expect(_texts(not_carried) and _texts(entry.get("recognise", [])), "a list in it holds something else than names")
    mapping = Mapping(
        name=str(name),
        title=str(entry.get("title", name)),
        dictionary=str(version),
        form=entry.get("row", "birth"),
        recognise=tuple(entry.get("recognise", ())),
        fields=fields,
        not_carried=frozenset(not_carried),
        historical=entry.get("historical", False) is True,
        encoding=encoding,
        delimiter=delimiter,
        writing=parse_writing(entry, beside),
    )
    _complete(mapping, known[mapping.dictionary])
    return mapping


def _complete(mapping: Mapping, dictionary: Dictionary) -> None:
    """Every field is one of the form's, mentioned once; every required one of a slot that it has is mentioned."""
    wide, form = dictionary.wide(mapping.form), dictionary.forms[mapping.form]
    named = set(mapping.fields) | mapping.not_carried
    unknown = sorted(named - set(wide))
    _expect(not unknown, f"these are no fields of the form {form.name}: {', '.join(unknown)}")
    twice = sorted(set(mapping.fields) & mapping.not_carried)
    _expect(not twice, f"these are both mapped and not carried: {', '.join(twice)}")
    counted = {HEADER, *form.slots} - form.optional | {wide[name].slot for name in mapping.fields}
    needed = [each for each in wide.values() if each.required in {"K", "R"} and each.slot in counted]
    silent = [each.name for each in needed if each.name not in named]
    _expect(not silent, f"say where these come from, or list them under not_carried: {', '.join(silent)}")
    keyless = sorted(each.name for each in needed if each.required == "K" and each.name in mapping.not_carried)
    _expect(not keyless, f"a record cannot be kept without {', '.join(keyless)}")
    there = {folded(each) for each in mapping.writing.columns}
    lost = sorted(each for each in mapping.columns() if there and folded(each) not in there)
    _expect(not lost, f"fields come from columns that it does not have: {', '.join(lost)}")
    for name, source in mapping.fields.items():
        _expect(
            not source.unit or (source.unit, wide[name].field.unit) in UNITS,
            f"the unit of {name} cannot be turned into {wide[name].field.unit or 'anything'}",
        )
        _expect(
            not source.format or wide[name].field.type in {"date", "datetime", "event"},
            f"{name} is no date and has no format",
        )


def _source(name: str, entry: Any) -> Source:
    _expect(isinstance(entry, dict), f"{name} must say from, constant or derived")
    _expect(not set(entry) - _SOURCE, f"{name} has lines that mean nothing: {', '.join(sorted(set(entry) - _SOURCE))}")
    _expect(
        len({"from", "constant", "derived"} & set(entry)) == 1, f"{name} must say one of from, constant and derived"
    )
    for key in ("from", "constant", "derived", "unit", "format", "note"):
        _expect(isinstance(entry.get(key, ""), str), f"{key} of {name} must be text in quotation marks")
    codes, missing = entry.get("codes", {}), entry.get("missing", {})
    for each in (codes, missing):
        _expect(isinstance(each, dict) and _texts(each.values()), f"{name}: write codes and missing as text = text")
    _expect(
        set(missing.values()) <= set(MISSING_REASONS) - {"NC"},
        f"missing of {name} must lead to one of {', '.join(set(MISSING_REASONS) - {'NC'})}",
    )
    if "derived" in entry:
        columns_of(entry["derived"])
    return Source(
        column=entry.get("from"),
        constant=entry.get("constant"),
        derived=entry.get("derived"),
        codes=codes,
        missing=missing,
        unit=entry.get("unit", ""),
        format=_strptime(entry.get("format", "")),
        optional=entry.get("optional", False) is True,
    )


def _pointed(source: Source) -> Source:
    """A column of numbers with a decimal comma, as numbers with a point.

    Where a point may part thousands (3.400; 3.400,5) nobody can say what is meant: it stays, marked, and is no number.
    A point that cannot (34.5, as a workbook tells its numbers) is read.
    """
    if source.column is None:
        return source
    name = '"' + source.column.replace('"', '""') + '"'
    doubtful = f"left(right({name}, 4), 1) = '.' OR contains({name}, ',') AND contains({name}, '.')"
    turned = f"CASE WHEN {doubtful} THEN {name} || ' ?' ELSE replace({name}, ',', '.') END"
    return replace(
        source,
        column=None,
        derived=turned,
        codes={each.replace(",", "."): ours for each, ours in source.codes.items()},
        missing={each.replace(",", "."): reason for each, reason in source.missing.items()},
    )


def _strptime(written: str) -> str:
    """`DD/MM/YYYY` as `%d/%m/%Y`."""
    _expect("%" not in written, "write a date's form with YYYY, MM, DD, hh, mm and ss")
    return re.sub("YYYY|MM|DD|hh|mm|ss", lambda match: _FORMAT[match.group()], written)


def _texts(values: Any) -> bool:
    return not isinstance(values, str) and all(isinstance(each, str) for each in values)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise MappingFault(otherwise)
