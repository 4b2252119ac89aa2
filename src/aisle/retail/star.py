"""The reference star: a shop's sales, with customers and products as they were."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from annotated_types import Ge, Le

from aisle import (
    Calendar,
    Current,
    Degenerate,
    Dimension,
    Email,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    NonAdditive,
    OneOf,
    Original,
    Overwrite,
    Pii,
    Source,
    Star,
    Sum,
    Track,
    _,
)


class Customers(Source, key="customer_id", changed_at="updated_at", deletes=_.op == "D"):
    """Registered customers, as the shop's CRM exports them."""

    customer_id: int
    op: OneOf["I", "U", "D"]
    name: Pii[str]
    email: Pii[Email] | None
    phone: Pii[str] | None
    company: str | None
    segment: OneOf["Consumer", "Corporate", "Home Office"]
    street: Pii[str] | None
    city: str
    region: str
    postal_code: str | None
    country: str
    registered_at: datetime
    updated_at: datetime


class Products(Source, key="product_id", changed_at="updated_at", deletes=_.op == "D", format="jsonl"):
    """The assortment, as the product system publishes it."""

    product_id: str
    op: OneOf["I", "U", "D"]
    name: str
    brand: str
    category: str
    subcategory: str
    list_price: Annotated[Money, Ge(0)]
    unit_cost: Annotated[Money, Ge(0)]
    launched_on: date
    updated_at: datetime


class Orders(Source, key="order_id", changed_at="updated_at", format="parquet"):
    """Order headers; a row each time the status of an order changes."""

    order_id: int
    customer_id: int | None
    channel: OneOf["web", "app", "store", "phone"]
    status: OneOf["placed", "shipped", "returned", "cancelled"]
    ordered_at: datetime
    updated_at: datetime


class OrderItems(Source, key=("order_id", "line_number"), feed="events"):
    """The lines of orders, written once when the order is placed."""

    order_id: int
    line_number: Annotated[int, Ge(1)]
    product_id: str
    quantity: Annotated[int, Ge(1), Le(10_000)]
    unit_price: Annotated[Money, Ge(0)]
    discount: Annotated[Decimal, Ge(0), Le(1)]
    unit_cost: Annotated[Money, Ge(0)]


class DimCustomer(Dimension, source=Customers):
    """Who bought: one row for each version of a customer."""

    customer_id: NaturalKey
    name: Overwrite
    email: Overwrite
    phone: Overwrite
    company: Overwrite
    segment: Current
    street: Overwrite
    city: Track
    region: Track
    postal_code: Overwrite
    country: Track
    registered_at: Original


class DimProduct(Dimension, source=Products):
    """What was sold: one row for each version of a product."""

    product_id: NaturalKey
    name: Overwrite
    brand: Overwrite
    category: Track
    subcategory: Track
    list_price: Track
    unit_cost: Track
    launched_on: Original


class DimDate(Calendar, start=2020, fiscal_year_starts=2, holidays="US"):
    """When it was sold: one row for each day."""


class FactSales(Fact, source=OrderItems, header=Orders, at=Orders.ordered_at):
    """One row for each line of an order."""

    order_id: Degenerate
    line_number: Degenerate
    customer: Lookup[DimCustomer]
    product: Lookup[DimProduct]
    order_date: Lookup[DimDate]
    channel: Degenerate
    status: Degenerate
    quantity: Sum[int]
    unit_price: NonAdditive[Money]
    discount: NonAdditive[Decimal]
    gross_amount: Sum[Money] = _.quantity * _.unit_price
    net_amount: Sum[Money] = _.quantity * _.unit_price * (1 - _.discount)
    cost_amount: Sum[Money] = _.quantity * _.unit_cost
    margin_amount: Sum[Money] = _.net_amount - _.cost_amount


star = Star(
    "shop",
    dimensions=[DimCustomer, DimProduct, DimDate],
    facts=[FactSales],
    time_zone="America/New_York",
)
