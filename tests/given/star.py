"""The star of the given/expect files: each source speaks in another way, each dimension remembers in another."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from aisle import (
    Calendar,
    Current,
    Degenerate,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    Original,
    Overwrite,
    Source,
    Star,
    Sum,
    Track,
    _,
)


class Customers(Source, key="customer", changed_at="at", sequence="seq", deletes=_.op == "D", format="jsonl"):
    """Changes with a sequence and an operation."""

    customer: str
    op: str | None
    seq: int | None
    at: datetime
    name: str | None
    city: str | None
    tier: str | None
    first_shop: str | None


class Products(Source, key=("brand", "code"), changed_at="at", format="jsonl"):
    """Changes of a composite key, without an operation: a product is never deleted."""

    brand: str
    code: str
    at: datetime
    price: Decimal | None


class Stores(Source, key="store", feed="snapshot", format="jsonl"):
    """Snapshots, their time in the drop's name."""

    store: str
    region: str | None
    manager: str


class Cards(Source, key="card", changed_at="at", deletes=_.op == "D", partial=True, format="jsonl"):
    """Partial changes: a row carries only what changed."""

    card: str
    op: str | None
    at: datetime
    status: str
    color: str | None
    issuer: str | None


class Orders(Source, key="order", changed_at="at", deletes=_.op == "D", format="jsonl"):
    """Headers of orders, which change and can be deleted."""

    order: int
    op: str | None
    at: datetime
    ordered_at: datetime
    customer: str | None
    store: str | None


class Lines(Source, key=("order", "line"), changed_at="at", deletes=_.op == "D", format="jsonl"):
    """Lines of orders, which change and can be deleted."""

    order: int
    line: int
    op: str | None
    at: datetime
    brand: str | None
    code: str | None
    quantity: int
    price: Decimal


class Taps(Source, key="tap", feed="events", format="jsonl"):
    """Uses of a card, each written once."""

    tap: int
    at: datetime
    card: str | None
    paid: Money


class DimCustomer(Dimension, source=Customers):
    """Customers: of each behaviour one attribute. The first version reaches back."""

    customer: NaturalKey
    city: Track
    tier: Current
    name: Overwrite
    first_shop: Original


class DimProduct(Dimension, source=Products, reaches_back=False):
    """Products, known only from their first row on."""

    brand: NaturalKey
    code: NaturalKey
    price: Track


class DimStore(Dimension, source=Stores):
    """Stores, from snapshots."""

    store: NaturalKey
    region: Track
    manager: Overwrite


class DimCard(Dimension, source=Cards):
    """Cards, from partial changes."""

    card: NaturalKey
    status: Track
    color: Overwrite
    issuer: Original


class DimDate(Calendar, start=2024):
    """Days."""


class FactSales(Fact, source=Lines, header=Orders, at=Orders.ordered_at):
    """One row for each line of an order."""

    order: Degenerate
    line: Degenerate
    customer: Lookup[DimCustomer]
    product: Lookup[DimProduct]
    store: Lookup[DimStore]
    day: Lookup[DimDate]
    quantity: Sum[int]
    amount: Sum[Money] = _.quantity * _.price


class FactTap(Fact, source=Taps, at=Taps.at):
    """One row for each use of a card."""

    tap: Degenerate
    card: Lookup[DimCard]
    day: Lookup[DimDate]
    paid: Sum[Money]


STAR = Star("laboratory", dimensions=[DimCustomer, DimProduct, DimStore, DimCard, DimDate], facts=[FactSales, FactTap])
