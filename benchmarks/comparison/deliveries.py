"""A shop of the generator, delivered in the five ways that matter.

first           the history but for its last four days
next_day        one day more
late_change     one customer moved house a year ago, as is said today
out_of_order    a day that should have come before the last one (which came just before, and is not measured)
reappearance    another day; a customer was deleted ten days ago, and is there again, elsewhere, since five
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from bench import LINES_PER_ORDER, aisle, lines, say

START = date(2024, 1, 1)
SCENARIOS = ("first", "next_day", "late_change", "skipping", "out_of_order", "reappearance")
UNMEASURED = "skipping"


@dataclass(frozen=True)
class Shop:
    """A shop's folder: what is to come lies in `aside`, what has come in `landing`."""

    folder: Path
    days: int
    lines: int

    @classmethod
    def generated(cls, folder: Path, *, rows: int, days: int) -> Shop:
        aisle("init", str(folder))
        here = Path.cwd()
        os.chdir(folder)
        size = {
            "start": START,
            "days": days + 4,
            "orders-per-day": max(1, round(rows / days / LINES_PER_ORDER)),
            "customers": max(500, rows // 100),
            "products": 2000,
            "mess": 0,
        }
        say("generate", aisle("generate", *(str(part) for name, value in size.items() for part in (f"--{name}", value))))
        os.chdir(here)
        whole = folder / "landing"
        whole.rename(folder / "aside")
        whole.mkdir()
        shop = cls(folder, days, 0)
        shop._deliver(*range(days))
        return cls(folder, days, lines(folder))

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    def deliver(self, scenario: str) -> str:
        """Bring what a scenario brings; returns what is common to the names of its files."""
        today = self.days
        if scenario == "first":
            return "first"
        if scenario == "late_change":
            moved = self._day(today - min(365, self.days // 2))
            regular = self._one(
                "SELECT customer_id, min(updated_at) AS until FROM changes WHERE op = 'U' GROUP BY ALL", since=moved
            )
            return self._said("late", regular, {"op": "U", "city": "Elsewhere", "updated_at": noon(moved)})
        day = {"next_day": today, "skipping": today + 2, "out_of_order": today + 1, "reappearance": today + 3}[scenario]
        if scenario == "reappearance":
            gone, back = self._day(day - 10), self._day(day - 5)
            regular = self._one(f"SELECT DISTINCT customer_id, TIMESTAMP '{back}' AS until FROM changes", since=gone)
            self._said(
                f"{self._day(day)}-more",
                regular,
                {"op": "D", "updated_at": noon(gone)},
                {"op": "U", "city": "Back", "updated_at": noon(back)},
            )
        self._deliver(day)
        return str(self._day(day))

    def _deliver(self, *days: int) -> None:
        for day in days:
            for file in (self.folder / "aside").glob(f"*/*_{self._day(day)}.*"):
                (self.landing / file.parent.name).mkdir(exist_ok=True)
                file.rename(self.landing / file.parent.name / file.name)

    def _one(self, until: str, *, since: date) -> int:
        """The customer, known before `since`, with the most orders from then until what a query over the changes since then says."""
        with duckdb.connect() as con:
            con.execute(
                f"CREATE VIEW customers AS SELECT * FROM read_csv('{self.landing}/customers/*.csv', union_by_name = true)"
            )
            con.execute(f"CREATE VIEW changes AS SELECT * FROM customers WHERE updated_at > TIMESTAMP '{since}'")
            found = con.execute(
                f"SELECT customer_id FROM ({until}) JOIN '{self.landing}/orders/*.parquet' USING (customer_id) "
                f"WHERE ordered_at BETWEEN TIMESTAMP '{since}' AND until "
                f"AND customer_id IN (SELECT customer_id FROM customers WHERE updated_at < TIMESTAMP '{since}') "
                "GROUP BY ALL ORDER BY count(*) DESC, customer_id LIMIT 1"
            ).fetchone()
        assert found is not None, "The shop is too small: no customer ordered and changed."
        return int(found[0])

    def _said(self, name: str, customer: int, *changes: dict[str, str]) -> str:
        """Deliver changes of a customer, who is otherwise as was last known before the first of them."""
        with duckdb.connect() as con:
            answer = con.execute(
                f"SELECT * FROM read_csv('{self.landing}/customers/*.csv', union_by_name = true, all_varchar = true) "
                f"WHERE customer_id = '{customer}' AND updated_at::TIMESTAMP < TIMESTAMP '{changes[0]['updated_at']}' "
                "ORDER BY updated_at::TIMESTAMP DESC LIMIT 1"
            )
            columns = [name for name, *_ in answer.description]
            (row,) = answer.fetchall()
        with (self.landing / "customers" / f"customers_{name}.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows({**dict(zip(columns, row, strict=True)), **change} for change in changes)
        return name

    def _day(self, number: int) -> date:
        return START + timedelta(days=number)


def noon(day: date) -> str:
    return str(datetime(day.year, day.month, day.day, 12))  # noqa: DTZ001  (as the CRM writes it)
