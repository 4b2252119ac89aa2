"""Whether cost follows the change, not the history (design §3, law 4): the same change at 1, 5 and 25 million lines.

    python benchmarks/growth.py [--rows 1000000 5000000 25000000]

The shop is the same in each case, 1,270 orders a day, open for a year, five, and twenty-five. To its
history come, three times each, a next day, and a late change: one customer moved house a year ago,
so that the year's facts of this customer point to another version. The medians are printed, and
written to benchmarks/out/growth.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

from bench import HERE, LINES_PER_ORDER, aisle, lines, median, say

ORDERS_PER_DAY = 1_270
START = date(2020, 1, 1)
TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000, 25_000_000], help="lines of history")
    given = options.parse_args()
    figures: dict[str, dict[str, float]] = {}
    for rows in given.rows:
        folder = Path(tempfile.mkdtemp(prefix="aisle-growth-"))
        try:
            figures[f"{rows:,}"] = grown(folder, rows)
        finally:
            os.chdir(HERE)
            shutil.rmtree(folder, ignore_errors=True)
    least, most = (figures[f"{rows:,}"] for rows in (min(given.rows), max(given.rows)))
    growth = {what: round(most[what] / least[what], 3) for what in ("next_day_seconds", "late_change_seconds")}
    text = json.dumps({**figures, "growth": growth}, indent=1)
    (HERE / "out").mkdir(exist_ok=True)
    (HERE / "out" / "growth.json").write_text(text + "\n")
    print(text)


def grown(folder: Path, rows: int) -> dict[str, float]:
    """What a change costs on a history of about so many lines."""
    shop, aside = folder / "shop", folder / "aside"
    aisle("init", str(shop))
    os.chdir(shop)
    days = round(rows / ORDERS_PER_DAY / LINES_PER_ORDER)
    size = ["--orders-per-day", str(ORDERS_PER_DAY), "--customers", "5000", "--products", "2000", "--mess", "0"]
    say("generate", aisle("generate", *size, "--start", str(START), "--days", str(days + TIMES)))
    later = [START + timedelta(days=days + n) for n in range(TIMES)]
    for day in later:
        for file in (shop / "landing").glob(f"*/*_{day}.*"):
            (aside / file.parent.name).mkdir(parents=True, exist_ok=True)
            file.rename(aside / file.parent.name / file.name)
    delivered = lines(shop)
    say("first run", aisle("run"))
    next_days, late_changes = [], []
    for n, day in enumerate(later):
        for file in aside.glob(f"*/*_{day}.*"):
            file.rename(shop / "landing" / file.parent.name / file.name)
        next_days.append(say("next day", aisle("run")))
        moved_house(shop, nth=n, since=max(START, day - timedelta(days=365)))
        late_changes.append(say("late change", aisle("run")))
    return {
        "lines": delivered,
        "next_day_seconds": round(median(next_days).wall, 2),
        "next_day_cpu": round(median(next_days).cpu, 2),
        "late_change_seconds": round(median(late_changes).wall, 2),
        "late_change_cpu": round(median(late_changes).cpu, 2),
        "check_seconds": round(say("check", aisle("check")).wall, 2),
    }


def moved_house(shop: Path, *, nth: int, since: date) -> None:
    """Deliver, late, that one of the first customers lives elsewhere since a day."""
    folder = shop / "landing" / "customers"
    with (folder / f"customers_{START}.csv").open(newline="") as first:
        reader = csv.DictReader(first)
        row = next(r for i, r in enumerate(reader) if i == nth * 10)
        columns = list(reader.fieldnames or [])
    row |= {"op": "U", "city": f"Late {nth}", "updated_at": str(datetime(since.year, since.month, since.day, 12))}  # noqa: DTZ001  (as the CRM writes it)
    with (folder / f"customers_late_{nth}.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
