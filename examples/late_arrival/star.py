"""A wholesaler's receipts, by the segment that a customer was in when it bought."""

from datetime import datetime

from aisle import Calendar, Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, OneOf, Source, Star, Sum, Track


class Customers(Source, key="customer_id", changed_at="updated_at"):
    """Customers, as the CRM exports them: each row is true from `updated_at`."""

    customer_id: int
    name: str
    segment: OneOf["Consumer", "Corporate", "Wholesale"]
    updated_at: datetime


class Receipts(Source, key="receipt", feed="events"):
    """Receipts, each written once."""

    receipt: int
    customer_id: int
    sold_at: datetime
    amount: Money


class DimCustomer(Dimension, source=Customers):
    """Customers as they were."""

    customer_id: NaturalKey
    name: Track
    segment: Track


class DimDate(Calendar, start=2025):
    """Days."""


class FactSales(Fact, source=Receipts, at=Receipts.sold_at):
    """One row for each receipt."""

    receipt: Degenerate
    customer: Lookup[DimCustomer]
    day: Lookup[DimDate]
    amount: Sum[Money]


star = Star("wholesaler", dimensions=[DimCustomer, DimDate], facts=[FactSales])
