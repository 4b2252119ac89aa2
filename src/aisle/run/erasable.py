"""Erasable: which values of a source are personal and can go, and what is said of whom."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from aisle.declare.columns import Column
from aisle.declare.expressions import evaluated
from aisle.declare.source import SourceSpec
from aisle.declare.star import Star

Key = Mapping[str, str]
"""Of a source: its key columns, each with its value as text."""

SHORTEST = 3
"""Letters: a shorter text is not looked for where nobody knows whose it is."""


def erasable(star: Star, source: SourceSpec) -> tuple[list[Column], dict[str, str]]:
    """The personal columns of a source whose values can go; and those that stay, by name, with what needs them.

    What stays is by what rows are told apart, put in order or joined, or what a total is made of: without it the star would be another.
    """
    needed = dict.fromkeys(source.key, "the key")
    for column, what in ((source.changed_at, "the time"), (source.sequence, "the sequence")):
        if column is not None:
            needed.setdefault(column, what)
    if source.deletes is not None:
        needed |= dict.fromkeys(_fields(source.deletes, source.schema), "what tells a deletion")
    for f in star.facts:
        if source.name not in {s.name for s in f.sources}:
            continue
        joined = {
            **dict.fromkeys([f.at, *(look.at for look in f.lookups)], f"a time of {f.table}"),
            **{k: f"what {f.table} finds {look.name} by" for look in f.lookups for k in look.key},
        }
        measures = f.joined
        for m in f.measures:
            joined |= dict.fromkeys(_fields(m.expression, measures), f"{m.name} of {f.table}")
            measures = ibis.schema({**measures, m.name: m.type})
        for name, what in joined.items():
            own = name if f.lines is source or f.lines.name == source.name else f.header_columns.get(name)
            if own is not None and own in source:
                needed.setdefault(own, what)
        if f.header is not None and f.lines.name == source.name:
            needed |= {k: needed.get(k, f"the key of {f.header.name}") for k in f.header.key}
    personal = [c for c in source.columns if c.personal]
    return [c for c in personal if c.name not in needed], {c.name: needed[c.name] for c in personal if c.name in needed}


def _fields(expression: Any, schema: ibis.Schema) -> set[str]:
    value = evaluated(expression, ibis.table(schema, name="_"))
    return {field.name for field in value.op().find(ibis.expr.operations.Field)}


def names(columns: Sequence[Column]) -> list[str]:
    """The names under which files may have columns: of today, and of before."""
    return [n for c in columns for n in (c.name, *c.formerly)]


@dataclass(frozen=True)
class Mentions:
    """Tells whether a record that could not be read is about a person: by the key where it should stand, or by a value.

    Args:
        known: texts that are known to be the person's.
    """

    source: SourceSpec
    keys: Sequence[Key]
    known: Collection[str] = ()

    def __post_init__(self) -> None:
        forms = {
            form
            for text in self.known
            if len(text) >= SHORTEST
            for form in (text, json.dumps(text)[1:-1], text.replace('"', '""'))
        }
        found = re.compile("|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in sorted(forms))) if forms else None
        object.__setattr__(self, "_found", found)

    def __call__(self, text: str, header: Sequence[str] = ()) -> bool:
        found: re.Pattern[str] | None = self._found  # type: ignore[attr-defined]
        return (found is not None and found.search(text) is not None) or any(self._names(text, header, key) for key in self.keys)

    def _names(self, text: str, header: Sequence[str], key: Key) -> bool:
        if self.source.format != "csv":
            return all(re.search(rf'"{re.escape(k)}"\s*:\s*"?{re.escape(v)}"?\s*([,}}\n]|$)', text) for k, v in key.items())
        fields = [f.strip().strip('"') for f in text.split(self.source.delimiter)]
        at = [(header.index(k) if k in header else -1, v) for k, v in key.items()]
        return all(0 <= n < len(fields) and fields[n] == v for n, v in at)


@dataclass(frozen=True)
class Touched:
    """A file that holds values of a key, or held them: in so many rows. Digests of what it was, and is."""

    path: str
    rows: int
    before: str = ""
    after: str = ""
