"""The shop's products: launched, repriced, put into another category, discontinued, brought back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from aisle.retail.feeds import PRODUCTS
from aisle.retail.names import CATEGORIES, STYLES, Names, pick
from aisle.retail.rows import DAY, Rows

# Shares of the products on sale to which it happens on a day.
REPRICE, RECATEGORISE, TOUCH, DISCONTINUE = 0.008, 0.001, 0.001, 0.0008
LAUNCH = 0.001  # of those there were at first
RELAUNCH, FORGET = 0.03, 30 * DAY  # of the discontinued; what is not back by then stays away


@dataclass(slots=True)
class Product:
    """What the product system knows of a product now. Prices in cents, `launched_on` in days since 1970."""

    number: int
    name: str
    brand: str
    category: str
    subcategory: str
    price: int
    cost: int
    launched_on: int

    def row(self, op: str, at: int) -> tuple[Any, ...]:
        return (
            *(self.number, op, self.name, self.brand, self.category, self.subcategory),
            *(self.price, self.cost, self.launched_on, at),
        )

    def tombstone(self, at: int) -> tuple[Any, ...]:
        return (self.number, "D", *(None,) * (len(PRODUCTS.columns) - 3), at)


class Repricing(NamedTuple):
    """From `at` on (seconds) this product costs so much (cents)."""

    position: int
    at: int
    price: int
    cost: int


class Assortment:
    """Every product there ever was; product n is at position n - 1."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._products: list[Product] = []
        self.on_sale = np.zeros(0, dtype=bool)
        self.popularity = np.zeros(0)
        self.prices = np.zeros(0, dtype=np.int64)
        self.costs = np.zeros(0, dtype=np.int64)
        self._arrivals = np.zeros(0, dtype=np.int64)
        self._launched = self._opened_with = 0
        self._dropped_at: dict[int, int] = {}

    def open(self, count: int, start: int, rng: np.random.Generator) -> Rows:
        """The products that the shop has before `start` (seconds), as the product system publishes them at first."""
        self._opened_with = count
        ages = rng.integers(1, 6 * 365, count)
        records = []
        for age in ages.tolist():
            product = self._launch(start // DAY - age, rng)
            updated_at = product.launched_on * DAY + int(rng.integers(age * DAY))
            records.append(product.row("I" if rng.random() < 0.5 else "U", updated_at))
        self._shelve(count, rng)
        return Rows.of(PRODUCTS.columns, records)

    def live(self, midnight: int, rng: np.random.Generator) -> tuple[Rows, list[Repricing]]:
        """One day from `midnight` (seconds): the changes in the order of time, and which of them are prices.

        `prices` and `costs` stay those of midnight until `settle`: the day's sales need both.
        """
        on_sale = np.flatnonzero(self.on_sale)
        self._dropped_at = {index: at for index, at in self._dropped_at.items() if at >= midnight - FORGET}
        absent = np.array(sorted(self._dropped_at), dtype=np.int64)
        shares = (REPRICE, RECATEGORISE, TOUCH, DISCONTINUE)
        counts = [int(rng.poisson(len(on_sale) * share)) for share in shares]
        chosen = rng.permutation(on_sale)[: sum(counts)].tolist()  # one change a day, see Clientele.live
        records, repriced = [], []
        for change, count in zip(("price", "category", "touch", "discontinue"), counts, strict=True):
            for index in [chosen.pop() for _ in range(min(count, len(chosen)))]:
                product, at = self._products[index], midnight + int(rng.integers(DAY))
                if change == "discontinue":
                    self.on_sale[index] = False
                    self._dropped_at[index] = at
                    records.append(product.tombstone(at))
                    continue
                if change == "price":
                    product.price = max(50, _charming(product.price * rng.uniform(0.85, 1.2)))
                    product.cost = max(20, int(product.cost * rng.uniform(0.95, 1.08)))
                    repriced.append(Repricing(index, at, product.price, product.cost))
                elif change == "category":
                    product.category = pick(rng, tuple(CATEGORIES))
                    product.subcategory = pick(rng, tuple(CATEGORIES[product.category]))
                records.append(product.row("U", at))
        self._arrivals = absent[rng.random(len(absent)) < RELAUNCH]
        for index in self._arrivals.tolist():
            del self._dropped_at[index]
            records.append(self._products[index].row("I", midnight + int(rng.integers(DAY))))
        self._launched = int(rng.poisson(self._opened_with * LAUNCH))
        for _ in range(self._launched):
            records.append(self._launch(midnight // DAY, rng).row("I", midnight + int(rng.integers(DAY))))
        return Rows.of(PRODUCTS.columns, records).sorted_by("updated_at"), repriced

    def settle(self, repriced: list[Repricing], rng: np.random.Generator) -> None:
        """The end of the day: new prices hold everywhere, what arrived today is on sale from tomorrow."""
        for change in repriced:
            self.prices[change.position], self.costs[change.position] = change.price, change.cost
        self.on_sale[self._arrivals] = True
        self._shelve(self._launched, rng)

    def _launch(self, on: int, rng: np.random.Generator) -> Product:
        category = pick(rng, tuple(CATEGORIES))
        subcategory = pick(rng, tuple(CATEGORIES[category]))
        nouns, cheapest, dearest = CATEGORIES[category][subcategory]
        price = _charming(cheapest * (dearest / cheapest) ** rng.beta(1.4, 2.6))
        product = Product(
            number=len(self._products) + 1,
            name=f"{pick(rng, STYLES)} {pick(rng, nouns)}",
            brand=pick(rng, self._names.brands),
            category=category,
            subcategory=subcategory,
            price=price,
            cost=int(price * rng.uniform(0.4, 0.75)),
            launched_on=on,
        )
        self._products.append(product)
        return product

    def _shelve(self, count: int, rng: np.random.Generator) -> None:
        new = self._products[len(self._products) - count :]
        self.on_sale = np.concatenate([self.on_sale, np.ones(count, dtype=bool)])
        # Zipf: the product of rank r sells like 1 / r.
        ranks = rng.permutation(count) + 1 if not len(self.popularity) else rng.integers(1, len(self._products) + 1, count)
        self.popularity = np.concatenate([self.popularity, ranks**-0.9])
        self.prices = np.concatenate([self.prices, np.array([product.price for product in new], dtype=np.int64)])
        self.costs = np.concatenate([self.costs, np.array([product.cost for product in new], dtype=np.int64)])


def _charming(cents: float) -> int:
    """A price as shops like it: ends in 9 below ten dollars, in 99, 49 or 95 above."""
    if cents < 1_000:
        return int(cents) // 10 * 10 + 9
    return int(cents) // 100 * 100 + (99, 49, 95)[int(cents) % 3]
