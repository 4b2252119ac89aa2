"""The truth: what a correct pipeline makes of the drops delivered, worked out from the simulation's own knowledge.

Nothing here knows aisle: rules are those of DESIGN §3 to §5, written a second time and as plainly as possible. Folder:

    dim_customer.parquet, dim_product.parquet   every version, without surrogate keys and the unknown member
    fact_sales/<drop>.parquet                   the facts, by the drop that brought their line
    quarantine.parquet                          source, drop, line (physical; a CSV header is line 1), kind
    duplicates.parquet                          source, drop, rows
"""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from aisle.retail import history
from aisle.retail.feeds import CHANNELS, FEEDS, STATUSES
from aisle.retail.ledger import Delivery, Ledger
from aisle.retail.rows import DAY, Rows
from aisle.retail.sales import FIRST_ORDER

BUSINESS_ZONE = ZoneInfo("America/New_York")


def _decimal(column: str, scale: int) -> str:
    """Whole numbers of the smallest unit as DECIMAL(18, scale), exactly: 18 - scale digits times scale digits."""
    unit = f"{10**-scale:.{scale}f}::DECIMAL({scale}, {scale})"
    return f"{column}::DECIMAL({18 - scale}, 0) * {unit} AS {column}"


_FACT = f"""
    SELECT order_id, line_number,
           nullif(customer_id, 0) AS customer_id, nullif(customer_version, 0) AS customer_version,
           printf('P-%06d', product_id) AS product_id, product_version,
           DATE '1970-01-01' + local_day::INTEGER AS order_date, make_timestamp(ordered_at * 1000000) AS ordered_at,
           ({list(CHANNELS)})[channel + 1] AS channel, ({list(STATUSES)})[status + 1] AS status,
           quantity, {_decimal("unit_price", 2)}, {_decimal("discount", 4)},
           {_decimal("gross_amount", 2)}, {_decimal("net_amount", 2)},
           {_decimal("cost_amount", 2)}, {_decimal("margin_amount", 2)}
    FROM facts
"""


def write(ledger: Ledger, folder: Path, connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """Write the truth about these deliveries anew; returns the numbers of facts, quarantined rows, duplicates."""
    duplicates: Counter[tuple[str, str]] = Counter()
    timelines = {}
    for dimension, facts in ((history.CUSTOMER, "orders"), (history.PRODUCT, "order_items")):
        events = history.events(ledger.arrivals(dimension.source), duplicates)
        named = [delivery.references for delivery in ledger.arrivals(facts)]
        keys = {int(key) for key in np.unique(np.concatenate([np.zeros(1, dtype=np.int64), *named])) if key}
        versions = history.versions(dimension, events, keys)
        history.write(dimension, versions, folder / f"{dimension.name}.parquet", connection)
        timelines[dimension.name] = history.Timeline(versions)
    statuses = _statuses(ledger.arrivals("orders"), duplicates)
    fact_count = _facts(ledger.arrivals("order_items"), statuses, timelines, duplicates, folder / "fact_sales", connection)
    quarantined = [
        (feed.name, delivery.drop, line, kind)
        for feed in FEEDS
        for delivery in ledger.arrivals(feed.name)
        for line, kind in delivery.quarantined
    ]
    _list(folder / "quarantine.parquet", ("source", "drop", "line", "kind"), quarantined, connection)
    counted = [(source, drop, rows) for (source, drop), rows in sorted(duplicates.items()) if rows]
    _list(folder / "duplicates.parquet", ("source", "drop", "rows"), counted, connection)
    return fact_count, len(quarantined), sum(duplicates.values())


def _statuses(arrivals: list[Delivery], duplicates: Counter[tuple[str, str]]) -> np.ndarray:
    """The newest status of each order by number from the first; -1 where no header was delivered."""
    statuses, seen = np.full(1, -1, dtype=np.int8), set[tuple[int, int]]()
    for delivery in arrivals:
        rows = _first_copies(delivery, ("order_id", "status"), seen, duplicates)
        if not len(rows):
            continue
        orders = rows["order_id"] - FIRST_ORDER
        missing = max(0, int(orders.max()) + 1 - len(statuses))
        statuses = np.concatenate([statuses, np.full(missing, -1, dtype=np.int8)])
        np.maximum.at(statuses, orders, rows["status"])  # a later state has the greater code
    return statuses


def _facts(
    arrivals: list[Delivery],
    statuses: np.ndarray,
    timelines: dict[str, history.Timeline],
    duplicates: Counter[tuple[str, str]],
    folder: Path,
    connection: duckdb.DuckDBPyConnection,
) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    count, seen = 0, set[tuple[int, int]]()
    for delivery in arrivals:
        lines = _first_copies(delivery, ("order_id", "line_number"), seen, duplicates)
        order = lines["order_id"] - FIRST_ORDER
        known = order < len(statuses)
        known[known] = statuses[order[known]] >= 0
        lines = lines.take(known)  # without its header a line waits
        if not len(lines):
            continue
        at, quantity, price = (lines[name] for name in ("ordered_at", "quantity", "unit_price"))
        customer = lines["customer_id"]  # 0: a guest
        gross, cost = quantity * price, quantity * lines["unit_cost"]
        # In hundredths of a hundredth of a cent, so exact; nothing is negative, so adding a half rounds away from zero.
        net = (gross * (10_000 - lines["discount"]) + 5_000) // 10_000
        facts = {
            **{name: lines[name] for name in ("order_id", "line_number", "product_id", "channel", "discount")},
            "customer_id": customer,
            "customer_version": np.where(customer == 0, 0, timelines["dim_customer"].version_at(customer, at)),
            "product_version": timelines["dim_product"].version_at(lines["product_id"], at),
            "local_day": _local_days(at),
            "ordered_at": at,
            "status": statuses[lines["order_id"] - FIRST_ORDER],
            "quantity": quantity,
            "unit_price": price,
            "gross_amount": gross,
            "net_amount": net,
            "cost_amount": cost,
            "margin_amount": net - cost,
        }
        _copy(_FACT, "facts", facts, folder / f"{delivery.drop}.parquet", connection)
        count += len(lines)
    return count


def _first_copies(
    delivery: Delivery, key: tuple[str, str], seen: set[tuple[int, int]], duplicates: Counter[tuple[str, str]]
) -> Rows:
    """The accepted rows of a delivery without those that an earlier row repeats; the repeats are counted."""
    if delivery.resent:  # its first delivery arrived before: not a row is new
        duplicates[delivery.source, delivery.drop] += delivery.accepted_rows
        return delivery.load().take(np.zeros(0, dtype=np.int64))
    rows = delivery.load()
    first = np.ones(len(rows), dtype=bool)
    for row in np.flatnonzero(rows["copied"]).tolist():
        identity = (int(rows[key[0]][row]), int(rows[key[1]][row]))
        first[row] = identity not in seen
        seen.add(identity)
    duplicates[delivery.source, delivery.drop] += int((~first).sum())
    return rows.take(first)


def _local_days(seconds: np.ndarray) -> np.ndarray:
    """The business's local date of each moment, in days since 1970. Zones change their offset on the hour."""
    hours, where = np.unique(seconds // 3_600, return_inverse=True)
    offsets = [datetime.fromtimestamp(hour * 3_600, BUSINESS_ZONE).utcoffset() for hour in hours.tolist()]
    shifts = np.array([int(offset.total_seconds()) for offset in offsets if offset is not None])
    return np.asarray((seconds + shifts[where]) // DAY)


def _list(path: Path, names: tuple[str, ...], records: list[tuple[Any, ...]], connection: duckdb.DuckDBPyConnection) -> None:
    columns = Rows.of(names, records).columns
    for name in {"line", "rows"} & columns.keys():
        columns[name] = columns[name].astype(np.int64)
    _copy("SELECT * FROM listed", "listed", columns, path, connection)


def _copy(query: str, name: str, columns: dict[str, Any], path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    connection.register(name, columns)
    target = str(path).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
    connection.unregister(name)
