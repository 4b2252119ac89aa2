"""The generator: reproducible drops, and a truth that a reader of the bare files arrives at too.

`Files` below reads the drops the slow way, row by row with the standard library, and judges each row by the
contract. It shares no code with the generator (nor with aisle), so that both must be wrong alike to agree.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from aisle.errors import ConfigError
from aisle.retail.generate import Generated, generate

SMALL = {"customers": 300, "products": 60, "orders_per_day": 40}
LONG_AGO, NEVER = datetime(1900, 1, 1), datetime(9999, 12, 31)
SEGMENTS = ["Consumer", "Corporate", "Home Office"]
CONTRACT: dict[str, dict[str, Any]] = {
    "customers": {
        "customer_id": int,
        "op": ["I", "U", "D"],
        "name": str,
        "email": "email?",
        "phone": "str?",
        "company": "str?",
        "segment": SEGMENTS,
        "street": "str?",
        "city": str,
        "region": str,
        "postal_code": "str?",
        "country": str,
        "registered_at": datetime,
        "updated_at": datetime,
    },
    "products": {
        "product_id": str,
        "op": ["I", "U", "D"],
        "name": str,
        "brand": str,
        "category": str,
        "subcategory": str,
        "list_price": 2,
        "unit_cost": 2,
        "launched_on": date,
        "updated_at": datetime,
    },
    "orders": {
        "order_id": int,
        "customer_id": "int?",
        "channel": ["web", "app", "store", "phone"],
        "status": ["placed", "shipped", "returned", "cancelled"],
        "ordered_at": datetime,
        "updated_at": datetime,
    },
    "order_items": {
        "order_id": int,
        "line_number": int,
        "product_id": str,
        "quantity": int,
        "unit_price": 2,
        "discount": 4,
        "unit_cost": 2,
    },
}
"""How to type each column: a type, "…?" if it may be null, a list of words, or the digits of a decimal."""

Where = tuple[str, int]  # drop, line


class Files:
    """What the bare files say, judged by the contract."""

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        self.delivered: Counter[str] = Counter()
        self.quarantine: set[tuple[str, str, int]] = set()
        self.duplicates: Counter[tuple[str, str]] = Counter()
        self.silver: dict[str, dict[tuple[Any, ...], Where]] = {source: {} for source in CONTRACT}
        for source in CONTRACT:
            for path in sorted((landing / source).iterdir()):
                for line, fields in self._rows(path):
                    self.delivered[source] += 1
                    self._judge(source, path.name, line, fields)

    def _judge(self, source: str, drop: str, line: int, fields: dict[str, Any] | None) -> None:
        row = None if fields is None else typed(source, fields)
        silver = self.silver[source]
        if row is None:
            self.quarantine.add((source, drop, line))
        elif row in silver:
            self.duplicates[source, drop] += 1
        elif source == "order_items" and row[:2] in self._keys:
            self.quarantine.add((source, drop, line))  # a conflict: the first in arrival order stands
        else:
            silver[row] = (drop, line)
            if source == "order_items":
                self._keys.add(row[:2])

    @cached_property
    def _keys(self) -> set[tuple[Any, ...]]:
        return set()

    @staticmethod
    def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                result = connection.execute("FROM read_parquet($1)", [str(path)])
                names = [column[0] for column in result.description or ()]
                yield from enumerate((dict(zip(names, row, strict=True)) for row in result.fetchall()), start=1)
            return
        names = []
        for number, raw in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
            try:
                text = raw.decode().removesuffix("\r")
                if not text:
                    continue
                if path.suffix == ".jsonl":
                    yield number, json.loads(text, parse_float=str, parse_int=str)
                    continue
                fields = next(csv.reader([text]))
            except ValueError:
                yield number, None
                continue
            if names:
                yield number, dict(zip(names, fields, strict=True)) if len(fields) == len(names) else None
            else:
                names = fields

    @cached_property
    def dimensions(self) -> dict[str, dict[Any, list[dict[str, Any]]]]:
        return {
            "dim_customer": self._dimension(
                "customers",
                {"segment", "city", "region", "country"},
                "registered_at",
                {row[1] for row in self.silver["orders"]},
            ),
            "dim_product": self._dimension(
                "products",
                {"category", "subcategory", "list_price", "unit_cost"},
                "launched_on",
                {row[2] for row in self.silver["order_items"]},
            ),
        }

    def _dimension(self, source: str, tracked: set[str], original: str, named: set[Any]) -> dict[Any, list[dict[str, Any]]]:
        names = list(CONTRACT[source])
        of_key: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for row, _ in sorted(self.silver[source].items(), key=lambda item: (item[0][-1], item[1])):
            said = dict(zip(names, row, strict=True))
            events = of_key[row[0]]
            if events and events[-1]["updated_at"] == said["updated_at"]:
                events.pop()
            events.append(said)
        history: dict[Any, list[dict[str, Any]]] = {}
        for key, events in of_key.items():
            alive = [event for event in events if event["op"] != "D"] or [dict.fromkeys(names)]
            versions: list[dict[str, Any]] = []
            held = dict.fromkeys(tracked)
            for event in events:
                dead = event["op"] == "D"
                held = held if dead else {name: event[name] for name in tracked}
                new = {**alive[-1], **held, original: alive[0][original], "is_deleted": dead, "is_inferred": False}
                if versions and all(versions[-1][name] == new[name] for name in (*tracked, "is_deleted")):
                    continue
                new["valid_from"], new["valid_to"] = event["updated_at"] if versions else LONG_AGO, NEVER
                if versions:
                    versions[-1]["valid_to"] = new["valid_from"]
                versions.append(new)
            history[key] = versions
        ever = {"valid_from": LONG_AGO, "valid_to": NEVER, "is_deleted": False, "is_inferred": True}
        for key in named - history.keys() - {None}:
            history[key] = [{**dict.fromkeys(names), **ever}]
        for key, versions in history.items():
            for number, version in enumerate(versions, start=1):
                version |= {names[0]: key, "version": number, "is_current": version["valid_to"] == NEVER}
                if source == "customers":
                    version["current_segment"] = next(
                        (event["segment"] for event in reversed(of_key.get(key, [])) if event["op"] != "D"), None
                    )
                version.pop("op", None), version.pop("updated_at", None)
        return history

    def facts(self) -> Iterator[dict[str, Any]]:
        headers: dict[int, tuple[Any, ...]] = {}
        for row in self.silver["orders"]:
            headers[row[0]] = max(headers.get(row[0], row), row, key=lambda header: header[-1])
        cent = Decimal("0.01")
        for order, line, product, quantity, price, discount, cost in self.silver["order_items"]:
            if order not in headers:
                continue  # it waits
            _, customer, channel, status, at, _ = headers[order]
            gross = quantity * price
            net = (gross * (1 - discount)).quantize(cent, ROUND_HALF_UP)
            yield {
                "order_id": order,
                "line_number": line,
                "customer_id": customer,
                "product_id": product,
                "customer_version": customer and self._version("dim_customer", customer, at),
                "product_version": self._version("dim_product", product, at),
                "order_date": at.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("America/New_York")).date(),
                "ordered_at": at,
                "channel": channel,
                "status": status,
                "quantity": quantity,
                "unit_price": price,
                "discount": discount,
                "gross_amount": gross,
                "net_amount": net,
                "cost_amount": quantity * cost,
                "margin_amount": net - quantity * cost,
            }

    def _version(self, dimension: str, key: Any, at: datetime) -> int:
        versions = self.dimensions[dimension][key]
        return next(one["version"] for one in versions if one["valid_from"] <= at < one["valid_to"])


def typed(source: str, fields: dict[str, Any]) -> tuple[Any, ...] | None:
    """The row by its contract, or None if it breaks it. A deletion needs its key, its time and its operation."""
    try:
        columns = CONTRACT[source]
        raw = {name: fields.get(name) for name in columns}
        raw = {name: (value.strip() or None) if isinstance(value, str) else value for name, value in raw.items()}
        gone = "op" in raw and one_of(raw["op"], columns["op"]) == "D"
        needed = {next(iter(columns)), "op", "updated_at"}
        row = tuple(
            None if gone and name not in needed and raw[name] is None else value(raw[name], kind)
            for name, kind in columns.items()
        )
    except (ValueError, ArithmeticError, TypeError):
        return None
    if source == "order_items" and not (row[1] >= 1 and 1 <= row[3] <= 10_000 and 0 <= row[5] <= 1):
        return None
    return row


def value(raw: Any, kind: Any) -> Any:
    if isinstance(kind, str):
        return (
            None
            if raw is None
            else value(raw, {"int?": int, "str?": str, "email?": "email"}[kind])
            if kind != "email"
            else mailbox(raw)
        )
    if raw is None:
        raise ValueError
    if isinstance(kind, list):
        return one_of(raw, kind)
    if isinstance(kind, int):
        number = Decimal(raw)
        if number < 0 or number != round(number, kind):
            raise ValueError
        return number
    if kind is datetime:
        moment = raw if isinstance(raw, datetime) else datetime.strptime(raw, "%Y-%m-%d %H:%M:%S")
        if not LONG_AGO <= moment < datetime(2200, 1, 1):
            raise ValueError
        return moment
    if kind is date:
        return date.fromisoformat(raw)
    return int(raw) if kind is int else raw


def mailbox(raw: str) -> str:
    if "@" not in raw:
        raise ValueError
    return raw


def one_of(raw: str, words: list[str]) -> str:
    (word,) = (word for word in words if re.sub("[-_ ]+", " ", raw).lower() == word.lower())
    return word


def table(path: Path | str) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        result = connection.execute("FROM read_parquet($1)", [str(path)])
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Shop:
    """A generated shop and where it lies."""

    def __init__(self, folder: Path, **arguments: Any) -> None:
        self.landing, self.truth = folder / "landing", folder / "truth"
        self.generated: Generated = generate(self.landing, self.truth, **arguments)

    @cached_property
    def files(self) -> Files:
        return Files(self.landing)

    def facts(self) -> list[dict[str, Any]]:
        return table(self.truth / "fact_sales" / "*.parquet")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Thirty days at the defaults."""
    return Shop(tmp_path_factory.mktemp("shop"), days=30)


@pytest.fixture(scope="module", params=[(3, 0.01), (11, 0.1)], ids=lambda param: f"seed {param[0]}, mess {param[1]}")
def any_shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    seed, mess = request.param
    return Shop(tmp_path_factory.mktemp("any"), days=24, seed=seed, mess=mess, **SMALL)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = (Shop(tmp_path / name, days=8, **SMALL) for name in ("one", "other"))
    assert contents(one.landing) == contents(other.landing)
    assert contents(one.truth) == contents(other.truth)
    assert one.generated == other.generated


def test_another_seed_gives_another_shop(tmp_path: Path) -> None:
    one, other = (contents(Shop(tmp_path / str(seed), days=2, seed=seed, **SMALL).landing) for seed in (1, 2))
    assert all(one[name] != other[name] for name in one.keys() & other.keys())


def test_more_days_leave_the_earlier_drops_as_they_are(tmp_path: Path) -> None:
    grown, messy = tmp_path / "grown", {"mess": 0.05, **SMALL}
    before = contents(Shop(grown, days=9, **messy).landing)
    touched = {path: path.stat().st_mtime_ns for path in (grown / "landing").rglob("*.*")}
    for days in (10, 14):
        Shop(grown, days=days, **messy)
    after = contents(grown / "landing")
    assert {name: after[name] for name in before} == before
    assert {path: path.stat().st_mtime_ns for path in touched} == touched
    at_once = Shop(tmp_path / "at once", days=14, **messy)
    assert after == contents(at_once.landing)
    assert contents(grown / "truth") == contents(at_once.truth)


def test_a_drop_that_was_late_arrives_with_more_days_under_its_old_name(tmp_path: Path) -> None:
    arrived: set[str] = set()
    before: set[str] = set()
    for days in (4, 7, 10, 13):
        now = set(contents(Shop(tmp_path, days=days, mess=0.02, seed=5, **SMALL).landing))
        past = {f"_2025-01-{day:02d}." for day in range(1, days - 2)}
        arrived |= {name for name in now - before if before and any(day in name for day in past)}
        before = now
    assert arrived


@pytest.mark.parametrize("differing", [{"seed": 8}, {"mess": 0.01}, {"products": 61}, {"days": 3}, {"start": date(2025, 2, 1)}])
def test_refuses_to_mix_two_shops_before_it_writes_anything(tmp_path: Path, differing: dict[str, Any]) -> None:
    Shop(tmp_path, days=4, **SMALL)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match="generate into empty folders"):
        Shop(tmp_path, **{"days": 5, **SMALL, **differing})
    assert contents(tmp_path) == before


def test_refuses_a_landing_of_unknown_origin_and_a_drop_that_was_changed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, days=2, **SMALL)
    drop = shop.landing / "order_items" / "order_items_2025-01-02.csv"
    drop.write_text("mine")
    with pytest.raises(ConfigError, match="somebody changed it"):
        Shop(tmp_path, days=3, **SMALL)
    assert drop.read_text() == "mine"
    (shop.truth / "generator.json").unlink()
    with pytest.raises(ConfigError, match=r"generator\.json is not"):
        Shop(tmp_path, days=3, **SMALL)


@pytest.mark.parametrize("nonsense", [{"days": 0}, {"customers": 0}, {"mess": 0.9}, {"locale": "xx_XX"}])
def test_refuses_arguments_that_make_no_sense(tmp_path: Path, nonsense: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Shop(tmp_path, **{"days": 1, **SMALL, **nonsense})
    assert not contents(tmp_path)


def test_without_mess_every_row_is_good_and_there_once(tmp_path: Path) -> None:
    clean = Shop(tmp_path, days=10, mess=0, **SMALL)
    assert not table(clean.truth / "quarantine.parquet")
    assert not table(clean.truth / "duplicates.parquet")
    assert not clean.generated.mess
    assert not clean.files.quarantine
    assert not clean.files.duplicates
    assert clean.generated.facts == clean.generated.rows["order_items"]
    for dimension in ("dim_customer", "dim_product"):
        assert not any(row["is_inferred"] for row in table(clean.truth / f"{dimension}.parquet"))


def test_progress_is_told_day_by_day(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    Shop(tmp_path, days=3, progress=lambda done, of: told.append((done, of)), **SMALL)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_another_locale_has_other_people(tmp_path: Path) -> None:
    german = Shop(tmp_path, days=1, locale="de_DE", **SMALL)
    countries = Counter(row["country"] for row in table(german.truth / "dim_customer.parquet"))
    assert countries.most_common(1)[0][0] == "Germany"


# The truth, against a reader of the bare files.


def test_the_quarantine_is_what_a_reader_of_the_files_rejects(any_shop: Shop) -> None:
    truth = {(row["source"], row["drop"], row["line"]) for row in table(any_shop.truth / "quarantine.parquet")}
    assert truth == any_shop.files.quarantine


def test_the_duplicates_are_what_a_reader_of_the_files_has_seen_before(any_shop: Shop) -> None:
    truth = {(row["source"], row["drop"]): row["rows"] for row in table(any_shop.truth / "duplicates.parquet")}
    assert truth == dict(any_shop.files.duplicates)
    assert any_shop.generated.rows == dict(any_shop.files.delivered)


@pytest.mark.parametrize("dimension", ["dim_customer", "dim_product"])
def test_the_versions_are_those_of_the_files(any_shop: Shop, dimension: str) -> None:
    rows = table(any_shop.truth / f"{dimension}.parquet")
    truth = {(next(iter(row.values())), row["version"]): row for row in rows}
    expected = {
        (key, version["version"]): version
        for key, versions in any_shop.files.dimensions[dimension].items()
        for version in versions
    }
    assert len(truth) == len(rows)
    assert truth == expected


def test_the_facts_are_those_of_the_files(any_shop: Shop) -> None:
    truth = {(row["order_id"], row["line_number"]): row for row in any_shop.facts()}
    expected = {(row["order_id"], row["line_number"]): row for row in any_shop.files.facts()}
    assert len(truth) == any_shop.generated.facts
    assert truth == expected


# The truth, by its own laws.


@pytest.mark.parametrize(
    ("dimension", "tracked"),
    [
        ("dim_customer", ("segment", "city", "region", "country", "is_deleted")),
        ("dim_product", ("category", "subcategory", "list_price", "unit_cost", "is_deleted")),
    ],
)
def test_versions_tile_time_and_differ(shop: Shop, dimension: str, tracked: tuple[str, ...]) -> None:
    history = defaultdict(list)
    for row in table(shop.truth / f"{dimension}.parquet"):
        history[next(iter(row.values()))].append(row)
    assert max(map(len, history.values())) > 2
    for versions in history.values():
        assert [row["version"] for row in versions] == list(range(1, len(versions) + 1))
        assert versions[0]["valid_from"] == LONG_AGO
        assert versions[-1]["valid_to"] == NEVER
        assert [row["is_current"] for row in versions] == [False] * (len(versions) - 1) + [True]
        for before, after in pairwise(versions):
            assert before["valid_to"] == after["valid_from"]
            assert any(before[name] != after[name] for name in tracked)


def test_facts_point_to_the_version_of_their_time_and_round_half_up(shop: Shop) -> None:
    valid = {
        (name, next(iter(row.values())), row["version"]): (row["valid_from"], row["valid_to"])
        for name in ("customer", "product")
        for row in table(shop.truth / f"dim_{name}.parquet")
    }
    halves = 0
    for fact in shop.facts():
        for name in ("customer", "product"):
            key, version = fact[f"{name}_id"], fact[f"{name}_version"]
            assert (key is None) == (version is None)
            if key is not None:
                start, end = valid[name, key, version]
                assert start <= fact["ordered_at"] < end
        exact = fact["quantity"] * fact["unit_price"] * (1 - fact["discount"])
        assert fact["net_amount"] == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
        halves += (exact * 1000) % 10 == 5
    assert halves > 10, "rounding is not put to the test"


# The shop and its mess.


def test_a_line_costs_what_the_product_cost_when_it_was_ordered(tmp_path: Path) -> None:
    clean = Shop(tmp_path, days=20, mess=0, **SMALL)
    price = {(row["product_id"], row["version"]): row for row in table(clean.truth / "dim_product.parquet")}
    for fact in clean.facts():
        version = price[fact["product_id"], fact["product_version"]]
        assert fact["unit_price"] == version["list_price"]
        assert fact["cost_amount"] == fact["quantity"] * version["unit_cost"]
        assert not version["is_deleted"], "what is discontinued is not sold"


def test_a_few_products_sell_most_and_guests_are_few(shop: Shop) -> None:
    facts = shop.facts()
    sold = Counter(fact["product_id"] for fact in facts).most_common()
    assert sum(count for _, count in sold[: len(sold) // 5]) > len(facts) / 2
    assert 0.01 < sum(fact["customer_id"] is None for fact in facts) / len(facts) < 0.08
    assert {fact["status"] for fact in facts} == {"placed", "shipped", "returned", "cancelled"}


def test_customers_move_leave_and_come_back(shop: Shop) -> None:
    ops = defaultdict(str)
    for row in sorted(shop.files.silver["customers"], key=lambda row: row[-1]):
        ops[row[0]] += row[1]
    assert any("D" in op for op in ops.values())
    assert any(re.search("D[IU]", op) for op in ops.values())
    assert any(op.startswith("I") and "U" in op for op in ops.values())


def test_every_kind_of_broken_row_is_in_the_quarantine(shop: Shop) -> None:
    kinds = {(row["source"], row["kind"]) for row in table(shop.truth / "quarantine.parquet")}
    assert kinds == {
        *(("customers", kind) for kind in ("wrong_type", "impossible_date", "missing_required", "unknown_value")),
        *(("customers", kind) for kind in ("bad_email", "broken_utf8", "surplus_field", "missing_field")),
        *(("products", kind) for kind in ("wrong_type", "impossible_date", "missing_required")),
        *(("products", kind) for kind in ("negative_price", "broken_json")),
        *(("orders", kind) for kind in ("missing_required", "unknown_value", "time_out_of_range")),
        *(("order_items", kind) for kind in ("wrong_type", "missing_required", "negative_quantity", "conflict")),
        *(("order_items", kind) for kind in ("too_many_digits", "broken_utf8", "surplus_field", "missing_field")),
    }


def test_every_kind_of_broken_drop_is_in_the_landing(shop: Shop) -> None:
    texts = {name: content for name, content in contents(shop.landing).items() if not name.endswith("parquet")}
    headers = {name: text.split(b"\n")[0].strip().decode("utf-8-sig").split(",") for name, text in texts.items() if "csv" in name}
    customers = {name: header for name, header in headers.items() if "customers" in name and any(header[0])}
    columns = list(CONTRACT["customers"])
    assert any(text.startswith(b"\xef\xbb\xbf") for text in texts.values()), "byte order mark"
    assert any(b"\r\n" in text for text in texts.values()), "CRLF"
    assert any(not text for text in texts.values()), "empty file"
    assert any("_header" in name for name in contents(shop.landing)), "header only"
    assert any("_resend" in name for name in contents(shop.landing)), "sent again"
    assert any(set(header) < set(columns) for header in customers.values()), "missing column"
    assert shop.generated.mess["surplus_column"] > 0
    assert shop.generated.mess["reordered_columns"] > 0
    late = {name for name, content in contents(shop.landing).items()}
    assert shop.generated.mess["late_drop"] > 0
    assert len(late) == sum(shop.generated.files.values())


def test_names_hold_what_careless_readers_stumble_over_even_without_mess(tmp_path: Path) -> None:
    clean = Shop(tmp_path, days=1, mess=0, customers=600, products=60, orders_per_day=1)
    text = (clean.landing / "customers" / "customers_2025-01-01.csv").read_text()
    assert '""' in text, "a quote in a name"
    assert re.search('"[^"]*,[^"]*"', text), "a comma in a company"
    assert not text.isascii()


def test_other_spellings_late_rows_and_unknown_references_are_accepted(shop: Shop) -> None:
    raw = [row for path in sorted((shop.landing / "customers").iterdir()) for row in Files._rows(path)]
    spelt = {fields["segment"] for _, fields in raw if fields and fields["segment"]}
    assert len(spelt) > len(SEGMENTS) + 1
    assert all(shop.generated.mess[name] for name in ("late_row", "later_duplicate", "later_conflict", "out_of_order"))
    for dimension in ("dim_customer", "dim_product"):
        assert any(row["is_inferred"] for row in table(shop.truth / f"{dimension}.parquet"))
