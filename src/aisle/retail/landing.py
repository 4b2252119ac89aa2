"""The landing as the shop's systems fill it: drops are written once and never changed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from aisle.errors import ConfigError
from aisle.lake.storage import Storage
from aisle.retail.feeds import CHANNELS, FEEDS, STATUSES, Feed
from aisle.retail.mess import SPELLING, Consignment, Effects
from aisle.retail.rows import Rows
from aisle.retail.writing import header, respelt, text

_YEAR_1850 = -3_786_825_600
_NO_ROWS = Consignment(Rows({}), np.zeros(0, dtype=object), np.zeros(0, dtype=bool))


class Landing:
    """Writes drops into `place`; `workshop` is a folder for files in the making."""

    def __init__(self, place: Storage, workshop: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self._place, self._workshop, self._connection = place, workshop, connection
        self._names = {feed.name: set(place.names(feed.name)) for feed in FEEDS}

    def drop(self, feed: Feed, load: Consignment, fate: Effects, rng: np.random.Generator) -> bytes:
        """The bytes of a drop: a function of its arguments alone."""
        columns = header(feed, fate, rng)
        if feed.format == "parquet":
            return self._parquet(feed, load, columns, rng)
        return text(feed, load, columns, fate, rng)

    def header_only(self, feed: Feed) -> bytes:
        """A drop that announces its columns and then says nothing."""
        if feed.format == "csv":
            return (",".join(feed.columns) + "\n").encode()
        types = {"integer": np.int64, "time": np.int64, "text": np.int8}
        rows = Rows({column: np.zeros(0, dtype=types[form]) for column, form in feed.columns.items()})
        load = Consignment(rows, _NO_ROWS.kind, _NO_ROWS.copied)
        return self._parquet(feed, load, list(feed.columns), np.random.default_rng(0))

    def publish(self, feed: Feed, name: str, content: bytes) -> None:
        """Put a drop where it belongs, whole or not at all. One that is there already, byte for byte, stays as it is.

        Raises ConfigError if another file has its name: the landing is never changed.
        """
        path = f"{feed.name}/{name}"
        there = self._place.get(path) if name in self._names[feed.name] else None
        if there is None:
            self._place.put(path, content)
        elif there != content:
            raise ConfigError(
                f"{self._place.url(path)} is not the drop that these arguments give: somebody changed it after it was "
                "generated, and the truth can only tell what follows from the generated drops; remove the file, or "
                "generate into an empty folder"
            )

    def _parquet(self, feed: Feed, load: Consignment, columns: list[str], rng: np.random.Generator) -> bytes:
        values = {name: column.copy() for name, column in load.rows.columns.items()}
        words: dict[str, list[str | None]] = {"channel": list(CHANNELS), "status": list(STATUSES)}
        for name in words:
            values[name] = values[name].astype(np.int32)
        for row in np.flatnonzero(load.kind != "").tolist():
            kind, column = load.kind[row], "status"
            if kind == "time_out_of_range":
                values["ordered_at"][row] = _YEAR_1850 + int(rng.integers(10_000_000))
                continue
            word: str | None = {"unknown_value": "lost", "missing_required": None}.get(kind)
            if kind == SPELLING:
                column = "status" if rng.random() < 0.5 else "channel"
                word = respelt(str(words[column][values[column][row]]), rng)
            words[column].append(word)
            values[column][row] = len(words[column]) - 1
        written = {
            "order_id": "order_id",
            "customer_id": "nullif(customer_id, 0)",
            "channel": "($channel::VARCHAR[])[channel + 1]",
            "status": "($status::VARCHAR[])[status + 1]",
            "ordered_at": "make_timestamp(ordered_at * 1000000)",
            "updated_at": "make_timestamp(updated_at * 1000000)",
            feed.surplus[0]: f"'{feed.surplus[1]}'",
        }
        selected = ", ".join(f"{written[column]} AS {column}" for column in columns)
        path = self._workshop / "drop.parquet"
        self._connection.register("orders", values)
        self._connection.execute(f"COPY (SELECT {selected} FROM orders) TO '{_quoted(path)}' (FORMAT parquet)", words)
        self._connection.unregister("orders")
        return path.read_bytes()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
