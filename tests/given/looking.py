"""What stands in a lake, in the words of the rule files; looked at from outside (tests/lakes.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from aisle import Star
from aisle.declare.dimension import DimensionSpec
from aisle.declare.fact import FactSpec
from given.reading import Expect, text_of
from lakes import rows

Found = list[dict[str, Any]]


class Names:
    """The names in brackets that a rule file gives to surrogate keys: one name, one key, wherever it stands."""

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}

    def name(self, key: int) -> str:
        return next((n for n, k in self.keys.items() if k == key), str(key))

    def learn(self, expect: Expect, found: Found) -> None:
        """A new name stands for the key of the one row that is as expected otherwise."""
        for row in expect.rows:
            for column, value in zip(expect.columns, row, strict=True):
                if isinstance(value, str) and value.startswith("(") and column.endswith("_key") and value not in self.keys:
                    others = [(c, v) for c, v in zip(expect.columns, row, strict=True) if not c.endswith("_key")]
                    fits = {f[column] for f in found if all(f[c] == v for c, v in others)} - set(self.keys.values())
                    if len(fits) == 1:
                        self.keys[value] = fits.pop()


def differences(star: Star, lake: Path, expect: Expect, names: Names) -> str:
    """Nothing if the lake holds what is expected; else both tables, each with what the other has not marked."""
    found = look(star, lake, expect)
    names.learn(expect, found)
    got = [tuple(names.name(r[c]) if c.endswith("_key") else r[c] for c in expect.columns) for r in found]
    missing, extra = Counter(expect.rows) - Counter(got), Counter(got) - Counter(expect.rows)
    if not missing and not extra:
        return ""
    return "\n".join(
        [
            f"{expect.where}: {expect.table} is not what is expected",
            *_shown("expected", expect.columns, expect.rows, missing),
            *_shown("got", expect.columns, got, extra),
        ]
    )


def _shown(title: str, columns: tuple[str, ...], values: Sequence[tuple[Any, ...]], alone: Counter[tuple[Any, ...]]) -> list[str]:
    body = sorted((tuple(text_of(v) for v in row), row in alone) for row in values)
    widths = [max(len(cells[i]) for cells in [columns, *(b for b, _ in body)]) for i in range(len(columns))]
    lined = [
        (" | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)), mark) for cells, mark in [(columns, False), *body]
    ]
    return [f"  {title}:", *(f"  {'>' if mark else ' '} {line.rstrip()}" for line, mark in lined)]


def look(star: Star, lake: Path, expect: Expect) -> Found:
    """The rows of a table, as rule files write them."""
    kind, _, name = expect.table.rpartition(" ")
    facts = {f.table: f for f in star.facts}
    dims = {d.table: d for d in star.dimensions}
    if kind == "silver":
        found = [{c.removeprefix("_"): v for c, v in r.items()} for r in rows(lake, f"silver/{name}")]
        for r in found:
            r["drop"] = _plain(name, r["drop"])
    elif kind == "lines waiting for":
        found = _waiting(lake, facts[name])
    elif name in facts:
        found = _fact(lake, facts[name])
    elif name in dims:
        found = [r for r in rows(lake, f"gold/{name}") if expect.with_unknown or r[dims[name].key] != -1]
    elif name == "quarantine":
        found = [r | {"drop": _plain(r["source"], r["drop"]), "reasons": len(r["reasons"])} for r in rows(lake, name)]
    elif name == "ledger":
        found = [
            r | {"drop": _plain(r["source"], r["drop"]), "rows": r["records"], "silver": r["events"]}
            for r in rows(lake, "bronze/_ledger")
        ]
    else:
        found = rows(lake, f"gold/{name}", "SELECT min(date) AS first, max(date) AS last FROM t")
    return [{c: v if c.endswith("_key") else _value(v) for c, v in r.items()} for r in found]


def _plain(source: str, drop: str) -> str:
    return f"{source}/{drop.removesuffix('.jsonl')}"


def _value(value: Any) -> Any:
    """Numbers and times as an expected cell is read."""
    if isinstance(value, datetime):
        text = value.isoformat(" ")
        return text.removesuffix(":00").removesuffix(" 00:00") if "." not in text else text.rstrip("0")
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value.isoformat() if isinstance(value, date) else value


def _fact(lake: Path, fact: FactSpec) -> Found:
    """Fact rows; a lookup reads as natural key and version, such as `ada v2`, or as the day."""
    found = rows(lake, f"gold/{fact.table}")
    for lookup in fact.lookups:
        dim = lookup.dimension
        members = {r[f"{dim.name}_key"]: r for r in rows(lake, f"gold/{dim.table}")}
        for r in found:
            key = r[lookup.column]
            if key == -1:
                r[lookup.name] = "unknown"
            elif key not in members:
                r[lookup.name] = f"{key}, which is no key of {dim.table}"
            elif isinstance(dim, DimensionSpec):
                member = members[key]
                r[lookup.name] = f"{', '.join(str(member[k]) for k in dim.natural_key)} v{member['version']}"
            else:
                r[lookup.name] = members[key]["date"].isoformat()
    return found


def _waiting(lake: Path, fact: FactSpec) -> Found:
    """Lines that live in silver and have no fact row."""
    lines = fact.lines
    key = ", ".join(f'"{k}"' for k in lines.key)
    latest = ", ".join(f'"{c}" DESC NULLS LAST' for c in lines.order)
    live = rows(
        lake,
        f"silver/{lines.name}",
        f"SELECT {key} FROM t QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {latest}) = 1 AND NOT _deleted",
    )
    there = {tuple(r[g] for g in fact.grain) for r in rows(lake, f"gold/{fact.table}")}
    return [r for r in live if tuple(r.values()) not in there]
