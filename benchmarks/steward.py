"""What a steward asks of a lake, and what it costs beside the floor's first load (floor.py), on the same drops in one go.

    python benchmarks/steward.py [--rows 5000000] [--days 500]

A question is asked three times; the median counts. Printed, and written to benchmarks/out/steward.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from bench import HERE, LINES_PER_ORDER, Measured, aisle, lines, measured, median, say
from growth import START, moved_house

TIMES = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000, help="order lines of the first run, about")
    options.add_argument("--days", type=int, default=500, help="over how many days")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aisle-steward-"))
    try:
        figures = asked(folder, given.rows, given.days)
    finally:
        os.chdir(HERE)
        shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(figures, indent=1)
    (HERE / "out").mkdir(exist_ok=True)
    (HERE / "out" / "steward.json").write_text(text + "\n")
    print(text)


def asked(folder: Path, rows: int, days: int) -> dict[str, object]:
    """All figures of a shop of about so many lines."""
    shop = folder / "shop"
    aisle("init", str(shop))
    os.chdir(shop)
    size = ["--orders-per-day", str(max(1, round(rows / days / LINES_PER_ORDER))), "--customers", str(max(500, rows // 100))]
    say("generate", aisle("generate", *size, "--mess", "0", "--start", str(START), "--days", str(days)))
    floor = say("floor", measured([sys.executable, str(HERE / "floor.py"), str(shop / "landing"), str(folder / "floor")]))
    shutil.rmtree(folder / "floor")
    say("first run", aisle("run"))
    aisle("generate", *size, "--mess", "0", "--start", str(START), "--days", str(days + 1))
    moved_house(shop, nth=0, since=START + timedelta(days=days // 2))
    say("next day and a late change", aisle("run"))
    order, customer = first_of(shop, "order_items"), first_of(shop, "customers")
    found = {
        "explain of a fact's row": several("explain", "fact_sales", order["order_id"], order["line_number"]),
        "explain of a customer": several("explain", "dim_customer", customer["customer_id"]),
        "diff of two releases": several("diff"),
        "query --as-known": several("query", "--as-known", "1", "select count(*) from dim_customer_current"),
        "plan": several("plan"),
        "report": several("report"),
        "forget --dry-run": several("forget", "customers", customer["customer_id"], "--dry-run"),
        "forget": say("forget", aisle("forget", "customers", customer["customer_id"], "--yes")),
        "check --forgotten": say("check --forgotten", aisle("check", "--forgotten")),
    }
    rewritten = json.loads((shop / "lake" / "_forgotten" / "00000001.receipt.json").read_text())["files"]
    return {
        "rows": lines(shop),
        "date": date.today().isoformat(),  # noqa: DTZ011  (of this machine)
        "floor_seconds": round(floor.wall, 2),
        "asked": {
            what: {"seconds": round(m.wall, 2), "to_floor": round(m.wall / floor.wall, 3), "peak_mb": round(m.peak_mb)}
            for what, m in found.items()
        },
        "forget": {"files_rewritten": len(rewritten), "files": sum(f.is_file() for f in (shop / "lake").rglob("*.*"))},
    }


def several(*arguments: str) -> Measured:
    return say(" ".join(arguments[:2]), median([aisle(*arguments) for _ in range(TIMES)]))


def first_of(shop: Path, source: str) -> dict[str, str]:
    """The first row of a source's first drop."""
    with min((shop / "landing" / source).glob(f"{source}_20*.csv")).open(newline="") as file:
        return next(csv.DictReader(file))


if __name__ == "__main__":
    main()
