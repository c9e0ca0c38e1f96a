"""How every party's settings are read: settings.toml of the home, then the environment; once, strictly. Pure.

Each party has a frozen dataclass of its own (`gateway.settings`, `registry.settings`, `submitter.settings`). Its fields
are whole numbers and texts, and bounds that it checks itself. What is unknown, missing or of another type refuses to
start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, ClassVar, Protocol

from swaddle.errors import SettingsFault


class SettingWrong(SettingsFault):
    """A setting is missing, unknown, of the wrong type, out of bounds or unsafe. The text never holds its value."""

    code = "SWD-SET-05"
    what = "a setting cannot be used"
    why = "`{name}` {reason}"
    fix = "correct it in settings.toml of the home (or in the environment); docs/settings.md lists every setting"


class Settings(Protocol):
    """A dataclass of settings."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def stated(
    kind: type[Settings],
    values: Mapping[str, Any],
    environment: Mapping[str, str],
    prefix: str,
    from_environment: Collection[str],
) -> dict[str, Any]:
    """What is said of the settings of `kind`, each of the right type.

    Args:
        kind: the dataclass; its fields are annotated `int` or `str`.
        values: the table of settings.toml.
        environment: its variables; `prefix` and the name in capitals override the file.
        prefix: `SWADDLE_GATEWAY_` and the like.
        from_environment: the names that may come from there; whom to trust stands in the home only.

    Raises:
        SettingWrong: a name is unknown or missing, or a value is of another type.
    """
    kinds = {field.name: int if field.type == "int" else str for field in fields(kind)}
    if unknown := sorted(set(values) - set(kinds)):
        raise SettingWrong("is not a setting", name=unknown[0] if unknown[0].isidentifier() else "a name in it")
    merged = dict(values)
    for name in from_environment:
        text = environment.get(prefix + name.upper())
        if text is not None:
            merged[name] = int(text) if kinds[name] is int and text.isascii() and text.isdigit() else text
    for field in fields(kind):
        if field.name not in merged and field.default is MISSING:
            raise SettingWrong("is missing", name=field.name)
    for name, value in merged.items():
        if type(value) is not kinds[name]:
            raise SettingWrong(f"must be {'a whole number' if kinds[name] is int else 'a text'}", name=name)
    return merged


def as_toml(settings: Settings) -> str:
    """The settings as settings.toml is first written; what has its usual value is left out.

    Raises:
        SettingWrong: a text holds a control character, which could pass for another setting.
    """
    values = ((field.name, getattr(settings, field.name), field.default) for field in fields(settings))
    return "".join(f"{name} = {_literal(name, value)}\n" for name, value, usual in values if value != usual)


def _literal(name: str, value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise SettingWrong("holds a control character", name=name)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
