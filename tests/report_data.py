"""What the report's page is given in tests: a shop that could be, one with nothing in it, and one that means ill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

DIAGRAM = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 160" role="img" aria-label="The star">
<style>.t-box { fill: none; stroke: var(--aisle-ink, #1b1b1b) } .t-name { fill: var(--aisle-ink, #1b1b1b); font: 14px sans-serif }</style>
<rect class="t-box" x="10" y="40" width="160" height="70"/><text class="t-name" x="30" y="80">dim_customer</text>
<rect class="t-box" x="220" y="40" width="160" height="70"/><text class="t-name" x="240" y="80">fact_sales</text>
<rect class="t-box" x="430" y="40" width="160" height="70"/><text class="t-name" x="450" y="80">dim_product</text>
<path class="t-box" d="M170,75H220M380,75H430"/></svg>"""

SEGMENTS = ["Consumer", "Corporate", "Home Office", None]
CATEGORIES = [
    "Electronics",
    "Furniture",
    "Garden",
    "Kitchen",
    "Office",
    "Sports",
    "Toys",
    "Books",
    "Music",
    "Pets",
    "Shoes",
    "9 others",
]
CITIES = ["Oslo", "Rome", "Porto", "Lyon", "Graz"]
DAYS = [date(2025, 1, 1) + timedelta(days=i) for i in range(75)]
MEASURES = [
    {"name": "rows", "scale": 0},
    {"name": "quantity", "scale": 0},
    {"name": "net_amount", "scale": 2},
    {"name": "margin_amount", "scale": 2},
]


def retail() -> dict[str, Any]:
    """A shop's 75 days: customers who change their segment and city, products whose prices change, some mess."""
    random = Random(11)
    customers = [_customer(random, number) for number in range(1, 61)]
    products = [_product(random, number) for number in range(1, 41)]
    lines = [line for order in range(1600) for line in _order(random, order, customers, products)]
    return {
        "star": "shop",
        "doc": "A shop's sales, by customers and products as they were.",
        "zone": "America/New_York",
        "release": 14,
        "made_at": "2025-03-17T08:00:00+00:00",
        "aisle": "0.1.0",
        "personal": False,
        "business": [_sales(lines, customers, products), _redemptions(random)],
        "moves": _moves(customers),
        "trust": _trust(random, len(lines)),
        "model": _model(),
        "lives": _lives(lines, customers, products),
    }


def _customer(random: Random, number: int) -> dict[str, Any]:
    """A customer: its label, and its states as [first day, segment, city]."""
    segment, city = random.choice(SEGMENTS[:3]) if number % 17 else None, random.choice(CITIES)
    states = [(None, segment, city)]
    for day in sorted(random.sample(range(5, 70), random.choice([0, 0, 1, 1, 2]))):
        if random.random() < 0.6:
            segment = random.choice([one for one in SEGMENTS[:3] if one != segment])
        else:
            city = random.choice([one for one in CITIES if one != city])
        states.append((day, segment, city))
    return {
        "label": f"{1000 + number} · {random.choice(['Acme', 'Mill', 'Fjord', 'Nord'])} & {random.choice(['Sons', 'Co', 'Daughters'])}",
        "states": states,
    }


def _product(random: Random, number: int) -> dict[str, Any]:
    price = random.randrange(400, 30000)
    category = random.choice(CATEGORIES)
    states = [(None, category, f"{price / 100:.2f}")]
    for day in sorted(random.sample(range(5, 70), random.choice([0, 1, 2]))):
        price = price * random.choice([90, 105, 110]) // 100
        states.append((day, category, f"{price / 100:.2f}"))
    return {
        "label": f"P-{number:05} · {random.choice(['Desk lamp', 'Chair', 'Kettle', 'Notebook', 'Ball'])}",
        "states": states,
        "price": price,
    }


def _order(random: Random, order: int, customers: list[dict[str, Any]], products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    day, customer = random.randrange(len(DAYS)), random.randrange(len(customers))
    channel = random.choice(["web", "app", "store"])
    lines = []
    for _ in range(min(1 + int(random.expovariate(0.6)), 25)):
        product, quantity = random.randrange(len(products)), random.randrange(1, 5)
        amount = quantity * products[product]["price"]
        sums = [1, quantity, amount, amount * random.randrange(-5, 40) // 100]
        lines.append({"order": order, "day": day, "customer": customer, "product": product, "channel": channel, "sums": sums})
    return lines


def _state(states: list[tuple[Any, ...]], day: int) -> tuple[Any, ...]:
    return [state for state in states if state[0] is None or state[0] <= day][-1]


def _add_up(lines: list[dict[str, Any]], value: Callable[[dict[str, Any]], object], values: list[Any]) -> list[list[list[int]]]:
    """Each measure by value by day."""
    sums = [[[0] * len(DAYS) for _ in values] for _ in MEASURES]
    for line in lines:
        for measure, units in enumerate(line["sums"]):
            sums[measure][values.index(value(line))][line["day"]] += units
    return sums


def _sales(lines: list[dict[str, Any]], customers: list[dict[str, Any]], products: list[dict[str, Any]]) -> dict[str, Any]:
    def segment(line: dict[str, Any], day: int) -> object:
        return _state(customers[line["customer"]]["states"], day)[1]

    orders = {line["order"]: line["day"] for line in lines}
    sizes: dict[int, int] = {}
    for order in orders:
        size = sum(line["order"] == order for line in lines)
        sizes[size] = sizes.get(size, 0) + 1
    breakdowns = [
        {
            "name": "customer_segment",
            "says": "segment of the customer",
            "history": True,
            "values": SEGMENTS,
            "was": _add_up(lines, lambda line: segment(line, line["day"]), SEGMENTS),
            "is": _add_up(lines, lambda line: segment(line, 999), SEGMENTS),
        },
        {
            "name": "product_category",
            "says": "category of the product",
            "history": True,
            "values": CATEGORIES,
            "rest": CATEGORIES[-1],
            "was": _add_up(lines, lambda line: products[line["product"]]["states"][0][1], CATEGORIES),
            "is": _add_up(lines, lambda line: products[line["product"]]["states"][-1][1], CATEGORIES),
        },
        {
            "name": "channel",
            "says": "channel of the row",
            "history": False,
            "values": ["app", "store", "web"],
            "was": _add_up(lines, lambda line: line["channel"], ["app", "store", "web"]),
        },
    ]
    return {
        "table": "fact_sales",
        "doc": "One row for each line of an order.",
        "rows": len(lines),
        "unit": "day",
        "buckets": [day.isoformat() for day in DAYS],
        "measures": MEASURES,
        "totals": [one[0] for one in _add_up(lines, lambda _: None, [None])],
        "breakdowns": breakdowns,
        "baskets": {
            "of": "orders",
            "per_bucket": [sum(day == i for day in orders.values()) for i in range(len(DAYS))],
            "sizes": [[size, number] for size, number in sorted(sizes.items())],
        },
        "top": [
            _top(lines, "customer", "dim_customer", customers, ["segment", "city"]),
            _top(lines, "product", "dim_product", products, ["category", "list_price"]),
        ],
    }


def _top(
    lines: list[dict[str, Any]], role: str, dimension: str, members: list[dict[str, Any]], attributes: list[str]
) -> dict[str, Any]:
    series = [_add_up([line for line in lines if line[role] == i], lambda _: None, [None]) for i in range(len(members))]
    ranked = sorted(range(len(members)), key=lambda i: -sum(series[i][2][0]))[:15]
    return {
        "lookup": role,
        "dimension": dimension,
        "members": [
            {
                "label": members[i]["label"],
                "versions": len(members[i]["states"]),
                "totals": [sum(one[0]) for one in series[i]],
                "series": [one[0] for one in series[i]],
                "changes": [
                    [
                        f"{DAYS[now[0]]}T00:00:00",
                        "; ".join(f"{name} {a} → {b}" for name, a, b in zip(attributes, was[1:], now[1:], strict=True) if a != b),
                    ]
                    for was, now in zip(members[i]["states"], members[i]["states"][1:], strict=False)
                ],
            }
            for i in ranked
        ],
    }


def _redemptions(random: Random) -> dict[str, Any]:
    months = [date(2024 + m // 12, m % 12 + 1, 1).isoformat() for m in range(8, 15)]
    rows = [random.randrange(40, 90) for _ in months]
    return {
        "table": "fact_redemption",
        "doc": "One row for each coupon handed in. It measures nothing, it is counted.",
        "rows": sum(rows),
        "unit": "month",
        "buckets": months,
        "measures": [{"name": "rows", "scale": 0}],
        "totals": [rows],
        "breakdowns": [],
        "baskets": None,
        "top": [],
    }


def _moves(customers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    moves = []
    for at, attribute in ((1, "segment"), (2, "city")):
        flows: dict[tuple[Any, Any], int] = {}
        for customer in customers:
            for was, now in zip(customer["states"], customer["states"][1:], strict=False):
                if was[at] != now[at]:
                    flows[was[at], now[at]] = flows.get((was[at], now[at]), 0) + 1
        moves.append(
            {
                "dimension": "dim_customer",
                "attribute": attribute,
                "members": len(customers),
                "flows": [[*ends, number] for ends, number in flows.items()],
            }
        )
    return moves


def _trust(random: Random, lines: int) -> dict[str, Any]:
    times = ["on time", "1 hour", "1 day", "1 week", "1 month", "longer"]
    sources = [
        ("customers", 75, 3120, 2890, 221, 9, 2, 0, [2840, 11, 32, 6, 0, 1]),
        ("products", 75, 812, 790, 22, 0, 0, 1, [790, 0, 0, 0, 0, 0]),
        ("orders", 75, 4800, 4688, 84, 28, 0, 0, [4400, 190, 80, 16, 2, 0]),
        ("order_items", 75, lines + 40, lines, 12, 28, 0, 0, None),
    ]
    drops = [
        {
            "source": name,
            "drop": f"{name}_{day}.csv",
            "status": "refused" if (name, day) == ("customers", DAYS[9]) else "consumed",
            "rows": (rows := random.randrange(20, 90)),
            "silver": rows - 1,
            "duplicates": 1,
            "quarantined": 0,
            "reason": "is empty" if (name, day) == ("customers", DAYS[9]) else None,
        }
        for day in DAYS[:30]
        for name in ("customers", "products", "orders", "order_items")
    ]
    return {
        "findings": [
            {"law": "balance", "says": "Every row of 300 drops is in silver (13,204 rows), a duplicate of one that is, or in quarantine.", "holds": True, "offenders": []},
            {"law": "timeline", "says": "The versions of 100 members follow each other without gap or overlap.", "holds": True, "offenders": []},
            {"law": "integrity", "says": "2 rows of fact_sales point to versions that were not valid at their time.", "holds": False, "offenders": [{"table": "fact_sales", "order_id": 17, "line_number": n, "customer_key": 88123} for n in (1, 2)]},
            {"law": "grain", "says": "Each grain of 1 fact is there once.", "holds": True, "offenders": []},
        ],
        "sources": [
            {
                "name": name, "drops": drops_, "rows": rows, "silver": silver, "duplicates": twice, "quarantined": aside, "refused": refused, "held": held,
                "newest": None if late is None else "2025-03-16T04:00:00+00:00",
                "late": None if late is None else [list(pair) for pair in zip(times, late, strict=True)],
            }
            for name, drops_, rows, silver, twice, aside, refused, held, late in sources
        ],
        "drops": drops,
        "drops_left_out": 180,
        "quarantine": [
            {"source": "order_items", "reason": "unit_price is not a number of at most 16 digits before the point and 2 after it", "rows": 28, "samples": [{"drop": "order_items_2025-01-03.csv", "line": 12, "row": '{"order_id": "17", "unit_price": "9,90"}'}]},
            {"source": "orders", "reason": "status is missing", "rows": 28, "samples": [{"drop": "orders_2025-01-03.csv", "line": n, "row": '{"order_id": "18", "status": ""}'} for n in (4, 9)]},
            {"source": "customers", "reason": "updated_at is before 1900 or after 2199", "rows": 9, "samples": []},
        ],
        "releases": [
            {"number": n, "made_at": f"2025-03-{n + 3:02}T08:00:00+00:00", "says": f"{n} drops, {n * 80} rows", "seconds": 1.2 + n / 10, "tables": {"dim_customer": [12 + n, 10], "dim_product": [n % 3, 0], "fact_sales": [400 + 9 * n, 3 * n]}}
            for n in range(14, 0, -1)
        ],
    }  # fmt: skip


def _column(
    name: str, kind: str, says: str, contract: str = "", marks: tuple[str, ...] = (), made_of: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {"name": name, "type": kind, "says": says, "contract": contract, "marks": list(marks), "from": list(made_of)}


def _model() -> dict[str, Any]:
    return {
        "matrix": {
            "dimensions": ["dim_customer", "dim_product", "dim_date"],
            "facts": [
                {"table": "fact_sales", "grain": "order_id, line_number", "roles": [["customer"], ["product"], ["order_date", "ship_date"]]},
                {"table": "fact_redemption", "grain": "coupon", "roles": [["customer"], [], ["redemption_date"]]},
            ],
        },
        "tables": [
            {"name": "customers", "kind": "source", "doc": "Registered customers, as the CRM exports them.", "about": "Changes, by customer_id; CSV.", "columns": [
                _column("customer_id", "integer", "", "required"), _column("name", "text", "", "required", ("personal",)), _column("segment", "text", "", "one of Consumer, Corporate, Home Office"), _column("city", "text", "", "required")]},
            {"name": "order_items", "kind": "source", "doc": "The lines of orders.", "about": "Events, by order_id, line_number; CSV.", "columns": [
                _column("quantity", "integer", "", "required; at least 1"), _column("unit_price", "money", "", "required; at least 0")]},
            {"name": "dim_customer", "kind": "dimension", "doc": "Who bought: one row for each version of a customer.", "about": "Natural key: customer_id.", "columns": [
                _column("customer_key", "key", "Names one version.", "", ("key",), ("customers.customer_id",)),
                _column("name", "text", "The newest.", "", ("overwritten", "personal"), ("customers.name",)),
                _column("segment", "text", "As it was in this version.", "", ("tracked",), ("customers.segment",)),
                _column("city", "text", "As it was in this version.", "", ("tracked",), ("customers.city",))]},
            {"name": "fact_sales", "kind": "fact", "doc": "One row for each line of an order.", "about": "Grain: order_id, line_number.", "columns": [
                _column("quantity", "integer", "", "", ("additive",), ("order_items.quantity",)),
                _column("net_amount", "money", "quantity * unit_price", "", ("additive",), ("order_items.quantity", "order_items.unit_price"))]},
            {"name": "fact_sales_as_was", "kind": "view", "doc": "", "about": "fact_sales beside its dimensions as they were.", "columns": [
                _column("customer_segment", "text", "", "", (), ("dim_customer.segment",)), _column("net_amount", "money", "", "", (), ("fact_sales.net_amount",))]},
        ],
    }  # fmt: skip


def _lives(lines: list[dict[str, Any]], customers: list[dict[str, Any]], products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lives = []
    for role, members, attributes in (
        ("customer", customers, ["segment", "city"]),
        ("product", products, ["category", "list_price"]),
    ):
        told = []
        for number, member in sorted(enumerate(members), key=lambda one: -len(one[1]["states"]))[:20]:
            ends = [*(state[0] for state in member["states"][1:]), None]
            own = [line for line in lines if line[role] == number]
            told.append(
                {
                    "label": member["label"],
                    "versions": [
                        {
                            "version": i + 1,
                            "from": None if state[0] is None else f"{DAYS[state[0]]}T00:00:00",
                            "to": None if end is None else f"{DAYS[end]}T00:00:00",
                            "values": list(state[1:]),
                            "deleted": number % 5 == 0 and end is None and i > 0,
                            "inferred": number % 7 == 0 and i == 0,
                            "sales": [
                                sum(line["sums"][m] for line in own if (state[0] or 0) <= line["day"] < (end or 999))
                                for m in range(len(MEASURES))
                            ],
                        }
                        for i, (state, end) in enumerate(zip(member["states"], ends, strict=True))
                    ],
                }
            )
        lives.append(
            {
                "dimension": f"dim_{role}",
                "noun": role,
                "attributes": attributes,
                "measures": MEASURES,
                "fact": "fact_sales",
                "members": told,
            }
        )
    return lives


def empty() -> dict[str, Any]:
    """A star with nothing delivered, and nothing to deliver."""
    return {
        "star": "bare",
        "doc": "",
        "zone": "UTC",
        "release": 1,
        "made_at": "2025-01-01T00:00:00+00:00",
        "aisle": "0.1.0",
        "personal": False,
        "business": [],
        "moves": [],
        "trust": {"findings": [], "sources": [], "drops": [], "drops_left_out": 0, "quarantine": [], "releases": []},
        "model": {"matrix": {"dimensions": [], "facts": []}, "tables": []},
        "lives": [],
    }


def sparse() -> dict[str, Any]:
    """Little of everything: a fact without rows, one with a single bucket and nothing to look at it by, members without a fact."""
    fact = {"doc": "", "unit": "year", "breakdowns": [], "baskets": None, "measures": [{"name": "rows", "scale": 0}]}
    source = {
        "name": "customers",
        "drops": 0,
        "rows": 0,
        "silver": 0,
        "duplicates": 0,
        "quarantined": 0,
        "refused": 0,
        "held": 0,
        "newest": None,
    }
    version = {"version": 1, "from": None, "to": None, "values": ["Oslo"], "deleted": False, "inferred": False, "sales": []}
    life = {"dimension": "dim_customer", "noun": "customer", "attributes": ["city"], "measures": None, "fact": None}
    return empty() | {
        "personal": True,
        "business": [
            fact | {"table": "fact_none", "rows": 0, "buckets": [], "totals": [[]], "top": []},
            fact
            | {
                "table": "fact_one",
                "rows": 3,
                "buckets": ["2025-01-01"],
                "totals": [[3]],
                "top": [{"lookup": "customer", "dimension": "dim_customer", "members": []}],
            },
        ],
        "moves": [{"dimension": "dim_customer", "attribute": "city", "members": 1, "flows": []}],
        "trust": empty()["trust"]
        | {
            "sources": [source | {"late": [["on time", 0], ["longer", 0]]}],
            "releases": [
                {"number": 1, "made_at": "2025-01-01T00:00:00+00:00", "says": "0 drops, 0 rows", "seconds": 0.5, "tables": {}}
            ],
        },
        "model": {
            "matrix": {"dimensions": [], "facts": [{"table": "fact_one", "grain": "id", "roles": []}]},
            "tables": [{"name": "fact_one", "kind": "fact", "doc": "", "about": "", "columns": []}],
        },
        "lives": [life | {"members": [{"label": "1", "versions": [version]}]}, life | {"dimension": "dim_none", "members": []}],
    }


ILL = [
    "<script>window.ran = true</script>",
    "</script><script>window.ran = true</script>",
    '"><img src=x onerror="window.ran = true">',
    "<!-- <script>",
    "{a|b} {0} {b} ${x} %s &amp; &lt;b&gt;",
    "\u202eright to left\u202c שלום عربي",
    "\U0001f9fa\U0001f469\u200d\U0001f4bb",
    "x" * 500,
    "two words " * 50,
    "__proto__",
    "javascript:window.ran = true",
    "",
]


def hostile() -> dict[str, Any]:
    """A shop whose every text means ill, and whose numbers are at the ends of what they may be."""

    def ill(value: object) -> object:
        if isinstance(value, dict):
            return {key: one if key in KEPT else ill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [ill(one) for one in value]
        return next(texts) if isinstance(value, str) else value

    def forever() -> Any:
        i = 0
        while True:
            yield ILL[i % len(ILL)]
            i += 1

    texts = forever()
    data: dict[str, Any] = ill(retail())  # type: ignore[assignment]
    sales = data["business"][0]
    sales["breakdowns"][0] |= {"values": ILL, "rest": ILL[-1]}
    for which in ("was", "is"):
        sales["breakdowns"][0][which] = [
            [[(-1) ** i * 9_007_199_254_740_991 // 100] * len(DAYS) for i in range(len(ILL))] for _ in MEASURES
        ]
    for member in sales["top"][0]["members"]:
        member["changes"] = [["2025-01-14T00:00:00", text] for text in ILL]
    data["moves"][0]["flows"] = [[one, other, 3] for one in ILL for other in ILL if one != other][:40]
    data["trust"]["releases"][0]["tables"] = {text: [3, 1] for text in ILL}
    data["trust"]["findings"][0] |= {"holds": False, "offenders": [{text: text for text in ILL}]}
    return data


# What is no text of a user, but a word of the page's own.
KEPT = {"unit", "buckets", "made_at", "from", "to", "newest", "status", "zone", "aisle", "changes"}
