"""What the warehouse must say, computed from the wheel alone by hand-written SQL: the answers that tests compare with.

    python examples/complete_journey/expected.py           # is expected.json still what the wheel says?
    python examples/complete_journey/expected.py --write   # write it again

Nothing here goes through aisle, the star or the drops: an error there must not repeat itself here.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb
from landing import open_wheel

EXPECTED = Path(__file__).with_name("expected.json")

# Cents for the doubles of the wheel, and the shop's local day for the UTC time.
SALES = """
create view sales as
select * replace (
        sales_value::decimal(18, 2) as sales_value,
        retail_disc::decimal(18, 2) as retail_disc,
        coupon_disc::decimal(18, 2) as coupon_disc,
        coupon_match_disc::decimal(18, 2) as coupon_match_disc
    ),
    (transaction_timestamp at time zone 'UTC' at time zone 'America/New_York')::date as local_day
from transactions
"""

# One row: its columns are the answer.
TOTALS = {
    "fact_sales": """
        select count(*) as rows, sum(quantity)::bigint as quantity, sum(sales_value) as sales_value,
            sum(retail_disc) as retail_disc, sum(coupon_disc) as coupon_disc,
            sum(coupon_match_disc) as coupon_match_disc,
            count(distinct (basket_id, product_id)) as grains, count(distinct basket_id) as baskets,
            count(distinct household_id) as households, count(distinct product_id) as products,
            count(distinct store_id) as stores, count(distinct local_day) as days,
            min(transaction_timestamp) as first_at, max(transaction_timestamp) as last_at,
            count(*) filter (quantity = 0) as rows_with_quantity_0,
            count(*) filter (sales_value = 0) as rows_with_sales_value_0
        from sales
        """,
    "fact_sales_of_inferred_households": """
        select count(*) as rows, sum(quantity)::bigint as quantity, sum(sales_value) as sales_value
        from sales anti join demographics using (household_id)
        """,
    "fact_sales_of_inferred_products": """
        select count(*) as rows, sum(quantity)::bigint as quantity, sum(sales_value) as sales_value
        from sales anti join products using (product_id)
        """,
    "fact_coupon_redemption": """
        select count(*) as rows,
            count(distinct (household_id, coupon_upc, campaign_id, redemption_date)) as grains,
            count(distinct household_id) as households, count(distinct coupon_upc) as coupons,
            count(distinct campaign_id) as campaigns, count(distinct redemption_date) as days,
            count(*) filter (household_id not in (select household_id from demographics)) as rows_of_inferred_households,
            min(redemption_date)::date as first_day, max(redemption_date)::date as last_day
        from coupon_redemptions
        """,
    # In each dimension: members with a row of their own, members that only facts name, and the unknown member.
    "dim_household": """
        with named as (select household_id from transactions union select household_id from coupon_redemptions)
        select *, delivered + inferred + 1 as rows_with_unknown
        from (
            select
                (select count(*) from demographics) as delivered,
                (select count(*) from named anti join demographics using (household_id)) as inferred,
                (select count(*) from demographics where home_ownership is null) as home_ownership_missing,
                (select count(*) from demographics where marital_status is null) as marital_status_missing
        )
        """,
    "dim_product": """
        with named as (select distinct product_id from transactions)
        select *, delivered + inferred + 1 as rows_with_unknown
        from (
            select
                (select count(*) from products) as delivered,
                (select count(*) from named anti join products using (product_id)) as inferred,
                (select count(*) from products anti join named using (product_id)) as never_sold,
                (select count(*) from products where product_category is null) as product_category_missing,
                (select count(*) from products where product_type is null) as product_type_missing,
                (select count(*) from products where package_size is null) as package_size_missing
        )
        """,
    "dim_store": """
        select count(distinct store_id) as delivered, 0 as inferred, delivered + 1 as rows_with_unknown
        from transactions
        """,
    "dim_campaign": """
        with named as (select distinct campaign_id from coupon_redemptions)
        select *, delivered + inferred + 1 as rows_with_unknown
        from (
            select
                (select count(*) from campaign_descriptions) as delivered,
                (select count(*) from named anti join campaign_descriptions using (campaign_id)) as inferred,
                (select count(*) from campaign_descriptions anti join named using (campaign_id)) as never_redeemed
        )
        """,
    # Whole years, and in the shop's zone no receipt is later than 2017.
    "dim_date": """
        select max(year(local_day)) as last_year,
            datediff('day', date '2017-01-01', make_date(last_year + 1, 1, 1)) as days,
            days + 1 as rows_with_unknown
        from sales
        """,
}

# Many rows: the first column names each, the others are its answer.
GROUPS = {
    "sales_by_month": """
        select strftime(local_day, '%Y-%m') as month, count(*) as rows, sum(quantity)::bigint as quantity,
            sum(sales_value) as sales_value
        from sales group by month order by month
        """,
    "sales_by_department": """
        select coalesce(department, '(inferred product)') as name, count(*) as rows, sum(sales_value) as sales_value
        from sales left join products using (product_id) group by name order by name
        """,
    "redemptions_by_campaign": """
        select campaign_id, count(*) as rows, count(distinct household_id) as households
        from coupon_redemptions group by campaign_id order by campaign_id
        """,
    "redemptions_by_month": """
        select strftime(redemption_date, '%Y-%m') as month, count(*) as rows
        from coupon_redemptions group by month order by month
        """,
    # Of each drop, the rows that `aisle check` must find again.
    "rows_by_drop": """
        select 'campaigns_2017-01.jsonl' as drop_name, count(*) as rows from campaign_descriptions
        union all select 'households_2017-01.csv', count(*) from demographics
        union all select 'products_2017-01.csv', count(*) from products
        union all select strftime(transaction_timestamp, 'transactions_%Y-%m.csv.gz'), count(*) from transactions group by 1
        union all select strftime(redemption_date, 'coupon_redemptions_%Y-%m.csv'), count(*) from coupon_redemptions group by 1
        union all
        select strftime(first_at, 'stores_%Y-%m.csv'), count(*)
        from (select min(transaction_timestamp) as first_at from transactions group by store_id)
        group by 1
        order by 1
        """,
}


def expected() -> dict[str, Any]:
    """All answers. Money is text with two decimals, so that JSON does not turn it into a float; times are UTC."""
    with duckdb.connect() as connection:
        open_wheel(connection)
        connection.execute(SALES)
        answers: dict[str, Any] = {}
        for name, query in TOTALS.items():
            (answers[name],) = _rows(connection, query)
        for name, query in GROUPS.items():
            rows = [list(row.items()) for row in _rows(connection, query)]
            answers[name] = {str(key): dict(rest) for (_, key), *rest in rows}
    return answers


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    connection.execute(query)
    names = [column[0] for column in connection.description or ()]
    return [
        {name: value if isinstance(value, int) else str(value) for name, value in zip(names, row, strict=True)}
        for row in connection.fetchall()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare expected.json with the wheel.")
    parser.add_argument("--write", action="store_true", help="write expected.json instead")
    arguments = parser.parse_args()
    text = json.dumps(expected(), indent=2) + "\n"
    if arguments.write:
        EXPECTED.write_text(text)
        print(f"Wrote {EXPECTED}.")
    elif EXPECTED.read_text() != text:
        raise SystemExit(f"{EXPECTED} is not what the wheel says. Write it again with --write, and look at the difference.")
    else:
        print(f"{EXPECTED.name} is what the wheel says.")


if __name__ == "__main__":
    main()
