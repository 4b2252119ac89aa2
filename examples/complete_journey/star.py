"""The star of The Complete Journey: a year of receipts, and the coupons that were redeemed."""

from datetime import date, datetime
from typing import Annotated

from annotated_types import Ge, Le

from aisle import (
    Calendar,
    Degenerate,
    Dimension,
    Fact,
    Lookup,
    Money,
    NaturalKey,
    OneOf,
    Original,
    Source,
    Star,
    Sum,
    Track,
)

ZONE = "America/New_York"
"""The shop's zone. The data does not name it; it follows from the data, see README.md."""


class Households(Source, key="household_id", changed_at="updated_at"):
    """The households whose demographics are known: 801 of the 2,469 that buy."""

    household_id: int
    age: OneOf["19-24", "25-34", "35-44", "45-54", "55-64", "65+"]
    income: OneOf[
        "Under 15K",
        "15-24K",
        "25-34K",
        "35-49K",
        "50-74K",
        "75-99K",
        "100-124K",
        "125-149K",
        "150-174K",
        "175-199K",
        "200-249K",
        "250K+",
    ]
    home_ownership: OneOf["Homeowner", "Probable Homeowner", "Renter", "Probable Renter"] | None
    marital_status: OneOf["Married", "Unmarried"] | None
    household_size: OneOf["1", "2", "3", "4", "5+"]
    household_comp: OneOf["1 Adult Kids", "1 Adult No Kids", "2 Adults Kids", "2 Adults No Kids"]
    kids_count: OneOf["0", "1", "2", "3+"]
    updated_at: datetime


class Products(Source, key="product_id", changed_at="updated_at", delimiter="|"):
    """The assortment; a quarter of it is never sold in the year."""

    product_id: int
    manufacturer_id: int
    # 32 departments, but no closed list: a shop opens and closes departments.
    department: str
    brand: OneOf["National", "Private"]
    product_category: str | None
    product_type: str | None
    package_size: str | None
    updated_at: datetime


class Stores(Source, key="store_id", changed_at="updated_at"):
    """The stores. The data has no table of them: a store is delivered in the month of its first sale."""

    store_id: int
    first_sale_at: datetime
    updated_at: datetime


class Campaigns(Source, key="campaign_id", changed_at="updated_at", format="jsonl"):
    """Marketing campaigns, with their first and last day."""

    campaign_id: int
    campaign_type: OneOf["Type A", "Type B", "Type C"]
    start_date: date
    end_date: date
    updated_at: datetime


class Transactions(Source, key=("basket_id", "product_id"), feed="events"):
    """The lines of receipts. A receipt names a product once, so basket and product are the key."""

    household_id: int
    store_id: int
    basket_id: int
    product_id: int
    # As delivered: fuel is counted in tiny units (89,638 in one line), and 8,869 lines have quantity 0.
    quantity: Annotated[int, Ge(0)]
    sales_value: Annotated[Money, Ge(0)]
    retail_disc: Annotated[Money, Ge(0)]
    coupon_disc: Annotated[Money, Ge(0)]
    coupon_match_disc: Annotated[Money, Ge(0)]
    # Monday to Sunday in the shop's zone; the calendar says the same, so the fact leaves it out.
    week: Annotated[int, Ge(1), Le(53)]
    transaction_timestamp: datetime


class CouponRedemptions(
    Source,
    key=("household_id", "coupon_upc", "campaign_id", "redeemed_on"),
    feed="events",
    time_zone=ZONE,
):
    """Coupons handed in. Known by day alone; only household, coupon, campaign and day together are unique."""

    household_id: int
    coupon_upc: int
    campaign_id: int
    redeemed_on: date
    # The same day as a time, midnight in the shop's zone: versions are looked up at a time.
    redeemed_at: datetime


class DimHousehold(Dimension, source=Households):
    """Who bought. Households without demographics are inferred members: a fact names them, no source does."""

    household_id: NaturalKey
    age: Track
    income: Track
    home_ownership: Track
    marital_status: Track
    household_size: Track
    household_comp: Track
    kids_count: Track


class DimProduct(Dimension, source=Products):
    """What was bought."""

    product_id: NaturalKey
    manufacturer_id: Track
    department: Track
    brand: Track
    product_category: Track
    product_type: Track
    package_size: Track


class DimStore(Dimension, source=Stores):
    """Where it was bought."""

    store_id: NaturalKey
    first_sale_at: Original


class DimCampaign(Dimension, source=Campaigns):
    """Which campaign a coupon came from."""

    campaign_id: NaturalKey
    campaign_type: Track
    start_date: Track
    end_date: Track


class DimDate(Calendar, start=2017, holidays="US"):
    """On which day, in the shop's zone."""


class FactSales(Fact, source=Transactions, at=Transactions.transaction_timestamp):
    """One row for each line of a receipt."""

    basket_id: Degenerate
    product_id: Degenerate  # part of the grain, beside the product as it was
    household: Lookup[DimHousehold]
    product: Lookup[DimProduct]
    store: Lookup[DimStore]
    transaction_date: Lookup[DimDate]
    quantity: Sum[int]
    sales_value: Sum[Money]
    retail_disc: Sum[Money]
    coupon_disc: Sum[Money]
    coupon_match_disc: Sum[Money]


class FactCouponRedemption(Fact, source=CouponRedemptions, at=CouponRedemptions.redeemed_at):
    """One row for each coupon handed in. Factless: a redemption is counted, it measures nothing."""

    coupon_upc: Degenerate
    household_id: Degenerate  # part of the grain, as are the next two
    campaign_id: Degenerate
    redeemed_on: Degenerate
    household: Lookup[DimHousehold]
    campaign: Lookup[DimCampaign]
    redemption_date: Lookup[DimDate]


star = Star(
    "journey",
    dimensions=[DimHousehold, DimProduct, DimStore, DimCampaign, DimDate],
    facts=[FactSales, FactCouponRedemption],
    time_zone=ZONE,
)
