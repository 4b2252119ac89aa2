"""The true history of a dimension: its versions, from the events of each natural key."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np

from aisle.retail.feeds import CUSTOMERS, PRODUCTS, Feed, product_code
from aisle.retail.ledger import Delivery
from aisle.retail.rows import Rows

BEGINNING, END = -2_208_988_800, 253_402_214_400
"""1900-01-01 and 9999-12-31, in seconds since 1970."""
_ABSENT = -(1 << 62)  # stands for null in a column of integers


@dataclass(frozen=True)
class TrueDimension:
    """How the reference star keeps the columns of a dimension; `current` maps an extra column to its tracked one."""

    name: str
    feed: Feed
    attributes: tuple[str, ...]
    tracked: frozenset[str]
    original: str
    current: dict[str, str]

    @property
    def source(self) -> str:
        return self.feed.name

    @property
    def key(self) -> str:
        return next(iter(self.feed.columns))


CUSTOMER = TrueDimension(
    "dim_customer",
    CUSTOMERS,
    attributes=(
        *("name", "email", "phone", "company", "segment", "current_segment", "street", "city", "region"),
        *("postal_code", "country", "registered_at"),
    ),
    tracked=frozenset({"segment", "city", "region", "country"}),
    original="registered_at",
    current={"current_segment": "segment"},
)
PRODUCT = TrueDimension(
    "dim_product",
    PRODUCTS,
    attributes=("name", "brand", "category", "subcategory", "list_price", "unit_cost", "launched_on"),
    tracked=frozenset({"category", "subcategory", "list_price", "unit_cost"}),
    original="launched_on",
    current={},
)


class Event(NamedTuple):
    """What a source said of one natural key; sorts by effective time, then by arrival."""

    updated_at: int
    drop: str
    line: int
    deleted: bool
    attributes: dict[str, Any]


class Version(NamedTuple):
    key: int
    attributes: dict[str, Any]
    valid_from: int
    valid_to: int
    is_deleted: bool
    is_inferred: bool
    version: int


def events(arrivals: list[Delivery], duplicates: Counter[tuple[str, str]]) -> dict[int, list[Event]]:
    """The distinct events of each natural key; rows equal to an earlier one are counted as duplicates."""
    seen, found = set[tuple[Any, ...]](), defaultdict[int, list[Event]](list)
    for delivery in arrivals:
        rows = delivery.load()
        names = [name for name in rows.columns if name not in ("line", "copied")]
        lines = rows["line"].tolist()
        for line, record in zip(lines, Rows({name: rows[name] for name in names}).records(), strict=True):
            if record in seen:
                duplicates[delivery.source, delivery.drop] += 1
                continue
            seen.add(record)
            said = dict(zip(names, record, strict=True))
            event = Event(said["updated_at"], delivery.drop, line, said["op"] == "D", said)
            found[record[0]].append(event)
    return found


def versions(dimension: TrueDimension, found: dict[int, list[Event]], named: set[int]) -> list[Version]:
    """Every version of every natural key, and the inferred members of those that only facts have named."""
    inferred = [Version(key, {}, BEGINNING, END, is_deleted=False, is_inferred=True, version=1) for key in named - found.keys()]
    told = [version for key in found for version in _versions(dimension, key, found[key])]
    return sorted([*inferred, *told], key=lambda version: (version.key, version.version))


def _versions(dimension: TrueDimension, key: int, of_key: list[Event]) -> list[Version]:
    in_order = sorted(of_key, key=lambda event: event[:3])
    standing = [list(same_time)[-1] for _, same_time in groupby(in_order, key=lambda event: event.updated_at)]
    live = [event.attributes for event in standing if not event.deleted]
    first, newest = (live[0], live[-1]) if live else ({}, {})
    states: list[tuple[int, bool, dict[str, Any]]] = []  # since when, deleted, tracked values
    tracked: dict[str, Any] = dict.fromkeys(dimension.tracked)
    for event in standing:
        if not event.deleted:  # a deletion holds what was true last
            tracked = {name: event.attributes[name] for name in dimension.tracked}
        if not states or states[-1][1:] != (event.deleted, tracked):
            states.append((event.updated_at, event.deleted, tracked))
    starts = [BEGINNING, *(since for since, *_ in states[1:])]
    result = []
    for number, ((_, deleted, values), start, end) in enumerate(zip(states, starts, [*starts[1:], END], strict=True)):
        attributes = {name: newest.get(dimension.current.get(name, name)) for name in dimension.attributes}
        attributes |= {**values, dimension.original: first.get(dimension.original)}
        result.append(Version(key, attributes, start, end, deleted, is_inferred=False, version=number + 1))
    return result


def write(dimension: TrueDimension, rows: list[Version], path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """The versions as Parquet, columns in the star's order."""
    columns: dict[str, Any] = {}
    selected = []
    for name in (dimension.key, *dimension.attributes):
        form = dimension.feed.columns[dimension.current.get(name, name)]
        values = [row.key if name == dimension.key else row.attributes.get(name) for row in rows]
        if form == "product":
            columns[name] = np.array([product_code(row.key) for row in rows], dtype=object)
        elif form == "text":
            columns[name] = np.array(values, dtype=object)
        else:
            columns[name] = np.array([_ABSENT if value is None else value for value in values], dtype=np.int64)
        present = f"nullif({name}, {_ABSENT})"
        typed = {
            "money": f"{present}::DECIMAL(16, 0) * 0.01::DECIMAL(2, 2)",
            "time": f"make_timestamp({present} * 1000000)",
            "date": f"DATE '1970-01-01' + {present}::INTEGER",
        }
        selected.append(f"{typed.get(form, name)} AS {name}")
    for name in ("valid_from", "valid_to"):
        columns[name] = np.array([getattr(row, name) for row in rows], dtype=np.int64)
        selected.append(f"make_timestamp({name} * 1000000) AS {name}")
    for name in ("is_deleted", "is_inferred", "version"):
        columns[name] = np.array([getattr(row, name) for row in rows])
    target = str(path).replace("'", "''")
    columns["open"] = columns["valid_to"] == END
    connection.register("versions", columns)
    flags = "open AS is_current, is_deleted, is_inferred, version"
    connection.execute(f"COPY (SELECT {', '.join(selected)}, {flags} FROM versions) TO '{target}' (FORMAT parquet)")
    connection.unregister("versions")


class Timeline:
    """Finds the version of a natural key that was valid at a time."""

    _SPAN = 1 << 36  # more seconds than from the beginning to the end of time

    def __init__(self, rows: list[Version]) -> None:
        starts = np.array([(row.key, row.valid_from - BEGINNING, row.version) for row in rows], dtype=np.int64)
        starts = starts.reshape(-1, 3)
        self._starts, self._versions = starts[:, 0] * self._SPAN + starts[:, 1], starts[:, 2]

    def version_at(self, keys: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        """Every key must have versions, and they tile time: so the last that starts before is the one."""
        where = np.searchsorted(self._starts, keys * self._SPAN + (seconds - BEGINNING), side="right") - 1
        return np.asarray(self._versions[where])
