"""A small shop whose lake has seen some things: a first load; two more days; a late change, a deletion and a correction; an undo."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from aisle.lake.lake import Lake
from aisle.retail.generate import generate
from aisle.retail.star import star
from aisle.run import run
from aisle.run.undo import undo
from lakes import rows

UNDONE = 4
"""The release that has the content of the second."""


class Eventful:
    """The lake, and who the two customers are to whom something happened: one was changed late, one deleted."""

    def __init__(self, folder: Path) -> None:
        self.lake, self._landing = folder / "lake", folder / "landing"
        self._days(folder, 3)
        self._days(folder, 5)
        facts = rows(self.lake, "gold/fact_sales")
        self.customers = {r["customer_key"]: r for r in rows(self.lake, "gold/dim_customer")}
        bought = Counter(r["customer_key"] for r in facts if self.customers[r["customer_key"]]["name"] is not None)
        self.late, self.deleted = (self.customers[key] for key, _ in bought.most_common(2))
        times = sorted(r["ordered_at"] for r in facts if r["customer_key"] == self.late["customer_key"])
        self.moved_at = times[len(times) // 2]
        other = "Corporate" if self.late["segment"] != "Corporate" else "Consumer"
        self._customer("late", self.late | {"segment": other}, "U", self.moved_at)
        self.deleted_at = max(r["ordered_at"] for r in facts) - timedelta(hours=1)
        self._customer("deleted", self.deleted, "D", self.deleted_at)
        self._order(facts[0])
        self._run()
        undo(star, lake=self.lake, to=2)

    def _days(self, folder: Path, days: int) -> None:
        # From the end of a month, so that facts lie in two partitions.
        generate(
            self._landing,
            folder / "truth",
            days=days,
            start=date(2025, 1, 30),
            customers=40,
            products=15,
            orders_per_day=12,
            mess=0.01,
        )
        self._run()

    def _run(self) -> None:
        run(star, lake=self.lake, landing=self._landing)

    def _customer(self, name: str, customer: dict[str, Any], op: str, at: datetime) -> None:
        names = [c.name for c in next(s for s in star.sources if s.name == "customers").columns]
        given = customer | {"op": op, "updated_at": at}
        with (self._landing / "customers" / f"x_{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerow([v.isoformat() if isinstance(v := given[n], datetime) else v for n in names])

    def _order(self, fact: dict[str, Any]) -> None:
        """An order that was placed a day before what had been said."""
        at = (fact["ordered_at"] - timedelta(days=1)).replace(tzinfo=UTC)
        row = {
            "order_id": fact["order_id"],
            "customer_id": self.customers[fact["customer_key"]]["customer_id"],
            "channel": fact["channel"],
            "status": "returned",
            "ordered_at": at,
            "updated_at": datetime(2025, 3, 1, tzinfo=UTC),
        }
        pq.write_table(pa.Table.from_pylist([row]), self._landing / "orders" / "x_corrected.parquet")

    @cache  # noqa: B019  (there is one such lake)
    def rows(self, table: str, release: int) -> list[dict[str, Any]]:
        """A gold table of a release, whole, as plain Delta and plain DuckDB read it."""
        named = Lake(self.lake, star).releases.get(release)
        assert named is not None
        return rows(self.lake, f"gold/{table}", version=named.tables[f"gold/{table}"])
