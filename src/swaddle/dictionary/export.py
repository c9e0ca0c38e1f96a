"""The dictionary in the forms that other tools read: Frictionless, JSON, CSV. Pure.

Frictionless Table Schema v2 (https://datapackage.org/standard/table-schema/): one schema for each form's plain layout,
together a Data Package. What the standard has no word for stands under names that begin with `swaddle:`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from swaddle.dictionary.model import Dictionary, Field, Form, WideField

_TYPES = {"int": "integer", "decimal": "number", "date": "date", "codes": "list"}
# A missing reason stands in place of a value; in a name it has a question mark before it.
_MARKED = frozenset({"name"})
_PACKAGE = "https://datapackage.org/profiles/2.0/datapackage.json"
_SCHEMA = "https://datapackage.org/profiles/2.0/tableschema.json"
_COLUMNS = (
    *("form", "name", "record_type", "required", "type", "unit", "hard_low", "hard_high", "soft_low", "soft_high"),
    *("codes", "system", "loinc", "class", "title_en", "title_fr", "text_en", "text_fr"),
)


def frictionless(dictionary: Dictionary) -> str:
    """A Data Package with a Table Schema for every form, as JSON text."""
    package = {
        "$schema": _PACKAGE,
        "name": f"swaddle-dictionary-{dictionary.version}",
        "version": f"{dictionary.version}.0.0",
        "resources": [
            {
                "name": form.layout,
                "title": form.title,
                "description": form.text,
                "path": f"{form.layout}.csv",
                "schema": schema(dictionary, form),
            }
            for form in dictionary.forms.values()
        ],
    }
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def schema(dictionary: Dictionary, form: Form) -> dict[str, Any]:
    """The Table Schema of a form's plain layout."""
    return {
        "$schema": _SCHEMA,
        "fields": [_frictionless(each) for each in dictionary.wide_fields(form.name)],
        "fieldsMatch": "partial",
        "missingValues": ["", "NI", "ASKU", "NA", "MSK"],
        "primaryKey": ["local_record_id"],
    }


def _frictionless(wide: WideField) -> dict[str, Any]:
    field = wide.field
    # Missing reasons apart, a date with time may come without its time and event_date at any precision: text.
    told: dict[str, Any] = {
        "name": wide.name,
        "type": _TYPES.get(field.type, "string"),
        "title": wide.title,
        "description": field.text,
    }
    if field.type == "codes":
        told |= {"delimiter": ";", "itemType": "string"}
    if field.type in _MARKED:
        told["missingValues"] = ["", *(f"?{each}" for each in field.missing)]
    if limits := _constraints(wide):
        told["constraints"] = limits
    if field.values and field.type == "code":
        told["categories"] = [{"value": code, "label": words} for code, words in field.values.items()]
    extra = {
        "requirement": wide.required,
        "class": field.sensitivity,
        "unit": field.unit,
        "usual": list(field.soft) if field.soft else None,
        "loinc": field.loinc,
        "system": field.system,
        "codes": dict(field.codes),
        "values": dict(field.values) if field.type in {"codes", "pairs"} else None,
        "title_fr": wide.title_fr,
        "description_fr": field.text_fr,
        "values_fr": dict(field.values_fr),
    }
    return told | {f"swaddle:{name}": value for name, value in extra.items() if value}


def _constraints(wide: WideField) -> dict[str, Any]:
    field = wide.field
    told: dict[str, Any] = {}
    if wide.required == "K":
        told["required"] = True
    if field.type == "yesno":
        told["enum"] = ["Y", "N"]
    if field.values and field.type == "code":
        told["enum"] = list(field.values)
    low, high = field.hard or (None, None)
    return told | {name: value for name, value in (("minimum", low), ("maximum", high)) if value is not None}


def whole(dictionary: Dictionary) -> str:
    """Everything that the dictionary says, as JSON text."""
    return json.dumps(_json(dictionary), indent=2, ensure_ascii=False) + "\n"


def _json(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _json(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_json(each) for each in value]
    return value


def table(dictionary: Dictionary) -> str:
    """One line for each field of each form, as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for form in dictionary.forms.values():
        for each in dictionary.wide_fields(form.name):
            writer.writerow(_line(form, each, each.field))
    return out.getvalue()


def _line(form: Form, each: WideField, field: Field) -> tuple[object, ...]:
    hard, soft = field.hard or ("", ""), field.soft or ("", "")
    codes = ";".join(f"{code}={field.codes.get(code, '')}" if field.codes else code for code in field.values)
    return (
        *(form.name, each.name, each.record_type, each.required, field.type, field.unit, *hard, *soft),
        *(codes, field.system, field.loinc, field.sensitivity, each.title, each.title_fr, field.text, field.text_fr),
    )


FORMATS: Mapping[str, Callable[[Dictionary], str]] = {"frictionless": frictionless, "json": whole, "csv": table}
