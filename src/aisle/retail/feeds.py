"""The four feeds of the shop: which columns each delivers, and in what form they are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Form = Literal["integer", "text", "money", "rate", "time", "date", "product"]
"""What a column holds inside the generator: money in cents, a rate in ten-thousandths, a time in seconds
since 1970 (UTC), a date in days since 1970, a product as its number."""

CHANNELS = ("web", "app", "store", "phone")
STATUSES = ("placed", "shipped", "returned", "cancelled")
"""In the order in which an order can reach them: a later state has the greater code."""
SEGMENTS = ("Consumer", "Corporate", "Home Office")


@dataclass(frozen=True)
class Feed:
    """A source as it is delivered. `surplus` is a column that nobody announced, with its only value."""

    name: str
    format: Literal["csv", "jsonl", "parquet"]
    columns: dict[str, Form]
    surplus: tuple[str, str]

    def drop(self, day: date, mark: str = "") -> str:
        """The file name of a drop; names of one source sort in the order of arrival."""
        return f"{self.name}_{day.isoformat()}{mark}.{self.format}"


CUSTOMERS = Feed(
    "customers",
    "csv",
    {
        "customer_id": "integer",
        "op": "text",
        "name": "text",
        "email": "text",
        "phone": "text",
        "company": "text",
        "segment": "text",
        "street": "text",
        "city": "text",
        "region": "text",
        "postal_code": "text",
        "country": "text",
        "registered_at": "time",
        "updated_at": "time",
    },
    surplus=("loyalty_card", "blue"),
)
PRODUCTS = Feed(
    "products",
    "jsonl",
    {
        "product_id": "product",
        "op": "text",
        "name": "text",
        "brand": "text",
        "category": "text",
        "subcategory": "text",
        "list_price": "money",
        "unit_cost": "money",
        "launched_on": "date",
        "updated_at": "time",
    },
    surplus=("warehouse", "Newark, NJ"),
)
ORDERS = Feed(
    "orders",
    "parquet",
    {
        "order_id": "integer",
        "customer_id": "integer",
        "channel": "text",
        "status": "text",
        "ordered_at": "time",
        "updated_at": "time",
    },
    surplus=("till_software", "4.2"),
)
ORDER_ITEMS = Feed(
    "order_items",
    "csv",
    {
        "order_id": "integer",
        "line_number": "integer",
        "product_id": "product",
        "quantity": "integer",
        "unit_price": "money",
        "discount": "rate",
        "unit_cost": "money",
    },
    surplus=("gift_wrap", "no"),
)
FEEDS = (CUSTOMERS, PRODUCTS, ORDERS, ORDER_ITEMS)


def product_code(number: int) -> str:
    """The natural key of a product as the shop writes it."""
    return f"P-{number:06d}"
