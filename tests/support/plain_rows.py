"""Rows of any form in its plain layout, as text: what a test says of them, and the rest asked but unknown."""

from swaddle.dictionary.load import load


def csv_of(form, *rows):
    """Rows of a form in its plain layout; what must be answered is answered by "asked, but unknown"."""
    form = load().forms[form]
    needed = {slot for slot in form.slots if slot not in form.optional}
    blank = {
        each.name: "ASKU"
        for each in load().wide_fields(form.name)
        if each.slot in needed and each.required in {"K", "R"}
    }
    blank |= dict.fromkeys(form.recognise, "live") | {"event_date": "2026-10-01", "action": "new"}
    blank |= {"source_system": "EPIC"}
    names = dict.fromkeys([*blank, *(name for row in rows for name in row)])
    lines = [",".join(str((blank | row).get(name, "")) for name in names) for row in rows]
    return "\n".join([",".join(names), *lines]) + "\n"


def birth(number, mother="M1", **more):
    return {"local_record_id": number, "mother_local_id": mother, "child_local_id": f"C{number}"} | more
