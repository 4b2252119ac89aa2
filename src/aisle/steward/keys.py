"""A row's key as a person writes it: values in order, or each by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aisle.declare.classes import did_you_mean
from aisle.declare.columns import Column, spelled
from aisle.errors import ConfigError
from aisle.steward.personal import MASK

_NAMED = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)
_WORDS = {"int64": "a whole number", "date": "a date (YYYY-MM-DD)", "string": "a text that is not empty"}
_LARGEST = 2**63 - 1


def key_of(table: str, columns: Mapping[str, Column], given: Sequence[str], command: str = "explain") -> dict[str, Any]:
    """The key that is meant, typed, in the order of its columns.

    Args:
        table: whose key it is, for messages.
        columns: of the key, by their names in the table.
        given: `name=value`, or values of the columns not named, in order.
        command: that asks, for messages.

    Raises:
        ConfigError: a name is no column of the key, a value is missing or too many, or is not of its column's type.
    """
    personal = any(c.personal for c in columns.values())
    known = f"A row of {table} is known by {', '.join(columns)}"
    found: dict[str, str] = {}
    unnamed: list[str] = []
    for argument in given:
        if (match := _NAMED.fullmatch(argument)) is None:
            unnamed.append(argument)
            continue
        name, value = match.groups()
        if name not in columns:
            # A personal value may hold a "=" itself.
            raise ConfigError(f"{known}, not by {MASK if personal else repr(name)}{did_you_mean(name, columns, listing=False)}")
        if name in found:
            raise ConfigError(f"{name} is given twice.")
        found[name] = value
    left = [name for name in columns if name not in found]
    if len(unnamed) > len(left):
        raise ConfigError(f"{known}: {len(given)} values are given, {len(given) - len(columns)} too many.")
    found |= dict(zip(left, unnamed, strict=False))
    if missing := [name for name in columns if name not in found]:
        wanted = " ".join(f"{name}=…" for name in columns)
        raise ConfigError(f"{known}: {', '.join(missing)} is missing. Write: aisle {command} {table} {wanted}")
    return {name: _typed(name, column, found[name].strip()) for name, column in columns.items()}


def _typed(name: str, column: Column, text: str) -> Any:
    """A value in its column's type."""
    if column.choices:
        return next((choice for choice in column.choices if spelled(choice) == spelled(text)), text)
    try:
        if column.type == "int64" and re.fullmatch(r"[+-]?[0-9]{1,19}", text) and abs(value := int(text)) <= _LARGEST:
            return value
        if column.type == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:  # such as the 30th of February
        pass
    if column.type == "string" and text:
        return text
    raise ConfigError(f"{name} is {_WORDS[column.type]}, not {MASK if column.personal else repr(text)}.")
