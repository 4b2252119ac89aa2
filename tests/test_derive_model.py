"""What follows from a star for people: the bus matrix, the dictionary and the lineage."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from annotated_types import Ge
from hypothesis import given, settings

from aisle import Degenerate, Dimension, Fact, Lookup, Money, NaturalKey, Source, Star, Sum, Track, Was, _, by
from aisle.derive.dialect import DUCKDB
from aisle.derive.dictionary import Entry, Term, dictionary
from aisle.derive.formula import formula
from aisle.derive.lineage import Input, Lineage, Made, lineage
from aisle.derive.matrix import bus_matrix
from aisle.derive.views import views
from aisle.retail.star import star as retail
from any_star import plans
from journey_star import JOURNEY
from stars import Plan, declared
from two_stars import CLUB, LOANS


class Shops(Source, key="shop", feed="snapshot", format="jsonl"):
    """The chain's shops."""

    shop: int
    city: Annotated[str, Was("town")] | None


class Payments(Source, key="payment", changed_at="at", sequence="n", deletes=(_.state == "void") & (_.amount < 0), delimiter=";"):
    """What was paid."""

    payment: int
    shop: int | None
    paid_at: datetime
    amount: Annotated[Money, Ge(-100)]
    state: str
    n: int
    at: datetime


class DimShop(Dimension, source=Shops, reaches_back=False):
    """Where."""

    shop: NaturalKey
    city: Track


class FactPayment(Fact, source=Payments, at=Payments.paid_at):
    """One row for each payment."""

    payment: Degenerate
    paid_in: Lookup[DimShop] = by(Payments.shop)
    amount: Sum[Money]
    rough: Sum[int] = _.amount
    double: Sum[Money] = _.amount * 2 + _.rough


PAID = Star("paid", dimensions=[DimShop], facts=[FactPayment])


# Bus matrix


def test_the_matrix_says_which_fact_meets_which_dimension_in_which_roles() -> None:
    found = bus_matrix(JOURNEY)
    assert found.dimensions == ("dim_household", "dim_product", "dim_store", "dim_campaign", "dim_date")
    assert {row.fact: row.cells for row in found.rows} == {
        "fact_sales": (("household",), ("product",), ("store",), (), ("transaction_date",)),
        "fact_coupon_redemption": (("household",), (), (), ("campaign",), ("redemption_date",)),
    }
    assert found.rows[0].grain == ("basket_id", "product_id")
    assert found.conformed == ("dim_household", "dim_date")
    (loan,) = bus_matrix(declared(LOANS)).rows
    assert loan.cells == (("giver", "taker"), ("returner",), ("lent", "returned"))


# Dictionary


def test_the_dictionary_has_every_source_table_and_view_with_all_columns() -> None:
    entries = dictionary(retail)
    assert [(e.kind, e.name) for e in entries] == [
        ("source", "customers"),
        ("source", "products"),
        ("source", "order_items"),
        ("source", "orders"),
        ("dimension", "dim_customer"),
        ("dimension", "dim_product"),
        ("calendar", "dim_date"),
        ("fact", "fact_sales"),
        ("view", "dim_customer_current"),
        ("view", "dim_product_current"),
        ("view", "fact_sales_as_was"),
        ("view", "fact_sales_as_is"),
    ]
    columns = {e.name: [c.name for c in e.columns] for e in entries}
    assert columns["dim_customer"] == [c.name for c in retail.dimensions[0].columns]
    assert columns["fact_sales_as_is"] == [c.name for c in views(retail, DUCKDB)[-1].columns]
    assert {c.name for e in entries if e.name == "customers" for c in e.columns if c.personal} == {
        "name",
        "email",
        "phone",
        "street",
    }
    assert {c.name for e in entries if e.kind == "view" for c in e.columns if c.personal} >= {"customer_name", "customer_email"}


def entry(star: Star, name: str) -> Entry:
    return next(e for e in dictionary(star) if e.name == name)


def term(star: Star, relation: str, column: str) -> Term:
    return next(c for c in entry(star, relation).columns if c.name == column)


def test_entries() -> None:
    assert entry(PAID, "payments").about == (
        ("feed", "changes"),
        ("format", "csv, delimited by ';'"),
        ("time zone", "UTC"),
        ("changed at", "at"),
        ("sequence", "n"),
        ("deletes", "(state == 'void') & (amount < 0)"),
    )
    assert entry(PAID, "shops").about == (
        ("feed", "snapshot"),
        ("format", "jsonl"),
        ("time zone", "UTC"),
        ("as of", "the drop's name"),
    )
    shop = entry(PAID, "dim_shop")
    assert (shop.doc, shop.key, shop.natural_key) == ("Where.", ("shop_key",), ("shop",))
    assert shop.about == (("source", "shops"), ("first version", "begins with the first change"))
    assert entry(retail, "dim_date").about == (
        ("first year", "2020"),
        ("fiscal year", "starts in February"),
        ("4-4-5 year", "starts on the Monday nearest to 1 February"),
        ("holidays", "US"),
    )
    assert entry(retail, "fact_sales").about == (("lines", "order_items"), ("header", "orders"), ("time", "ordered_at"))
    assert entry(retail, "fact_sales_as_is").about == (("shows", "fact_sales"),)


def test_terms() -> None:
    assert term(PAID, "shops", "city") == Term(
        "city", "string", nullable=True, personal=False, contract="optional", formerly=("town",)
    )
    assert term(PAID, "payments", "amount").contract == "required; at least -100"
    assert [c.role for c in entry(PAID, "payments").columns] == ["key", "", "", "", "", "sequence", "changed at"]
    assert [c.role for c in entry(PAID, "fact_payment").columns] == [
        "grain",
        "lookup",
        "time",
        "additive",
        "additive",
        "additive",
    ]
    assert term(PAID, "fact_payment", "paid_in_key").references == "dim_shop.shop_key"
    assert term(retail, "fact_sales", "net_amount") == Term(
        "net_amount",
        "decimal(18,2)",
        nullable=True,
        personal=False,
        doc="Measure, additive.",
        role="additive",
        formula="quantity * unit_price * (1 - discount)",
    )
    segments = {c.name: c.role for c in entry(retail, "dim_customer").columns if "segment" in c.name}
    assert segments == {"segment": "current", "current_segment": "newest"}


# Formulas


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (_.quantity * _.unit_price * (1 - _.discount), "quantity * unit_price * (1 - discount)"),
        (_.a - (_.b - _.c), "a - (b - c)"),
        (-_.a * Decimal("0.50"), "-a * 0.50"),
        (_.op == "D", "op == 'D'"),
        (_.amount.fill_null(0).round(2), "amount.fill_null(0).round(2)"),
        (_["it's"] + 1, "it's + 1"),
        (7, "7"),
    ],
)
def test_an_expression_is_said_as_it_was_written(expression: Any, said: str) -> None:
    assert formula(expression) == said


# Lineage


def of(star: Star) -> dict[str, Lineage]:
    return {found.name: found for found in lineage(star)}


def inputs(*said: str) -> tuple[Input, ...]:
    """Inputs, said as in "orders.customer_id lookup"."""
    return tuple(Input(*column.split("."), kind) for column, kind in (one.split() for one in said))


def test_lineage_of_the_reference_star() -> None:
    found = of(retail)
    assert list(found) == [e.name for e in dictionary(retail) if e.kind != "source"]
    customer, sales = found["dim_customer"], found["fact_sales"]
    assert sales["margin_amount"] == Made(
        "margin_amount",
        "net_amount - cost_amount",
        inputs(
            "order_items.quantity transformation",
            "order_items.unit_price transformation",
            "order_items.discount transformation",
            "order_items.unit_cost transformation",
        ),
    )
    assert sales["quantity"] == Made("quantity", "quantity", inputs("order_items.quantity identity"))
    assert sales["status"].inputs == inputs("orders.status identity")
    assert sales["order_id"].inputs == inputs("order_items.order_id identity")
    assert sales["customer_key"] == Made(
        "customer_key",
        "version of dim_customer valid at ordered_at, by customer_id",
        inputs("orders.customer_id lookup", "orders.ordered_at lookup", "customers.customer_id key", "customers.updated_at key"),
    )
    assert sales["order_date_key"] == Made(
        "order_date_key", "day of ordered_at in America/New_York", inputs("orders.ordered_at transformation")
    )
    assert customer["customer_key"].inputs == inputs(
        "customers.customer_id key", "customers.updated_at key", "orders.customer_id inferred"
    )
    assert customer["customer_id"].inputs == inputs("customers.customer_id identity", "orders.customer_id inferred")
    assert customer["segment"] == Made("segment", "tracked", inputs("customers.segment identity"))
    assert customer["current_segment"] == Made(
        "current_segment", "newest value", inputs("customers.segment identity", "customers.updated_at order")
    )
    assert customer["registered_at"].how == "first value"
    assert customer["valid_from"].inputs == inputs("customers.updated_at transformation")
    assert customer["is_deleted"] == Made("is_deleted", "op == 'D'", inputs("customers.op transformation"))
    assert found["dim_date"]["fiscal_year"].inputs == inputs("orders.ordered_at extent")


def test_lineage_of_views_names_the_tables_columns() -> None:
    found = of(retail)
    assert found["dim_customer_current"]["segment"].inputs == inputs("dim_customer.segment identity")
    assert found["fact_sales_as_was"]["net_amount"].inputs == inputs("fact_sales.net_amount identity")
    assert found["fact_sales_as_was"]["customer_segment"] == Made(
        "customer_segment",
        "of the version that customer_key points to",
        inputs("dim_customer.segment identity", "fact_sales.customer_key lookup"),
    )
    assert found["fact_sales_as_is"]["customer_segment"].inputs == inputs(
        "dim_customer.segment identity",
        "fact_sales.customer_key lookup",
        "dim_customer.customer_id lookup",
        "dim_customer.is_current lookup",
    )
    assert found["fact_sales_as_is"]["order_date_year"].inputs == inputs(
        "dim_date.year identity", "fact_sales.order_date_key lookup"
    )


def test_lineage_of_snapshots_sequences_and_roles() -> None:
    found = of(PAID)
    shop, payment = found["dim_shop"], found["fact_payment"]
    assert shop["valid_from"] == Made("valid_from", "time of the change", inputs("shops._as_of transformation"))
    assert shop["is_deleted"] == Made(
        "is_deleted", "absence from the next snapshot", inputs("shops.shop transformation", "shops._as_of transformation")
    )
    assert payment["paid_in_key"].inputs == inputs(
        "payments.shop lookup", "payments.paid_at lookup", "shops.shop key", "shops._as_of key"
    )
    assert payment["amount"].inputs == inputs("payments.amount identity")
    assert payment["rough"].inputs == inputs("payments.amount transformation")  # rounded
    assert payment["double"].inputs == inputs("payments.amount transformation")
    member = of(declared(CLUB))["dim_member"]
    assert member["mail"].inputs == inputs("members.mail identity", "members.at order", "members.seq order")
    assert member["club"].inputs == inputs("members.club identity", "tickets.club inferred")
    assert of(declared(LOANS))["dim_party"]["count"].inputs == inputs(
        "parties.count identity", "loans.lender inferred", "loans.borrower inferred"
    )


@given(plans())
@settings(max_examples=25)
def test_every_column_of_a_star_at_random_is_made_of_columns_that_there_are(plan: Plan) -> None:
    star = declared(plan)
    found = of(star)
    there = {(s.name, c) for s in star.sources for c in s.silver} | {(t.table, c.name) for t in star.tables for c in t.columns}
    for table in star.tables:
        assert [made.column for made in found[table.table].columns] == [c.name for c in table.columns]
    assert {(i.dataset, i.column) for f in found.values() for made in f.columns for i in made.inputs} <= there

    def made_of(of: Any, above: tuple[Any, ...]) -> set[tuple[str, str]]:
        if isinstance(of, Decimal) or of == "":
            return set()
        for n, measure in enumerate(above):
            if measure.name == of:
                return made_of(measure.left, above[:n]) | made_of(measure.right, above[:n])
        return {(plan.fact.home(of).name, of)}

    for n, measure in enumerate(plan.fact.measures):
        above = plan.fact.measures[:n]
        made = found[f"fact_{plan.fact.name}"][measure.name]
        assert {(i.dataset, i.column) for i in made.inputs} == made_of(measure.left, above) | made_of(measure.right, above)
