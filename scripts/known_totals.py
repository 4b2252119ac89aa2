"""Compares the warehouse of The Complete Journey with the answers that are known from the data itself.

    python scripts/known_totals.py PROJECT

Exits with 1 if one differs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

EXPECTED = Path(__file__).parents[1] / "examples" / "complete_journey" / "expected.json"

# What is known, and the query that must give it.
CHECKS = {
    ("fact_sales", "rows"): "select count(*) from fact_sales",
    ("fact_sales", "quantity"): "select sum(quantity) from fact_sales",
    ("fact_sales", "sales_value"): "select sum(sales_value) from fact_sales",
    ("fact_sales", "retail_disc"): "select sum(retail_disc) from fact_sales",
    ("fact_sales", "coupon_disc"): "select sum(coupon_disc) from fact_sales",
    ("fact_sales", "coupon_match_disc"): "select sum(coupon_match_disc) from fact_sales",
    ("fact_sales", "baskets"): "select count(distinct basket_id) from fact_sales",
    ("fact_coupon_redemption", "rows"): "select count(*) from fact_coupon_redemption",
    ("dim_household", "delivered"): "select count(*) from dim_household where household_key <> -1 and not is_inferred",
    ("dim_household", "inferred"): "select count(*) from dim_household where is_inferred",
    ("dim_product", "rows_with_unknown"): "select count(*) from dim_product",
    ("dim_product", "inferred"): "select count(*) from dim_product where is_inferred",
    ("dim_store", "rows_with_unknown"): "select count(*) from dim_store",
    ("dim_campaign", "rows_with_unknown"): "select count(*) from dim_campaign",
    ("dim_date", "rows_with_unknown"): "select count(*) from dim_date",
}


def ask(project: str, statement: str) -> Decimal:
    """The one number that a query gives."""
    aisle = Path(sys.executable).with_name("aisle")
    command = [aisle, "-C", project, "query", "--csv", statement]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Decimal(answer.splitlines()[1])


def main() -> None:
    (project,) = sys.argv[1:]
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    wrong = 0
    print("\nKnown totals:\n")
    for (table, what), statement in CHECKS.items():
        known, found = Decimal(expected[table][what]), ask(project, statement)
        wrong += known != found
        print(
            f"  {'✓' if known == found else '✗'} {table:24} {what:18} {found:>16,}"
            + ("" if known == found else f"  known: {known:,}")
        )
    if wrong:
        sys.exit(f"\n{wrong} of {len(CHECKS)} known totals did not come out.")
    print(f"\nAll {len(CHECKS)} known totals came out.")


if __name__ == "__main__":
    main()
