"""The simulated shop: one step a day, and each day only knows the days before it."""

from __future__ import annotations

import numpy as np

from aisle.retail.assortment import Assortment
from aisle.retail.clientele import Clientele
from aisle.retail.names import draw
from aisle.retail.rows import DAY, Rows
from aisle.retail.sales import Market, Sales


class Shop:
    """State of the shop. `step` must be called for day 0, 1, 2, … in turn."""

    def __init__(self, seed: int, start: int, customers: int, products: int, orders_per_day: float, locale: str) -> None:
        names = draw(seed, locale)
        self._seed, self._start, self._sizes = seed, start, (customers, products)
        self._clientele, self._assortment = Clientele(names), Assortment(names)
        self._sales = Sales(orders_per_day)

    def step(self, day: int, strangers: int) -> dict[str, Rows]:
        """What the shop's systems have to report of this day, by source.

        Every concern of every day draws from its own generator, so that a day is the same however many follow.
        """
        midnight = self._start + day * DAY
        people, goods, trade = (np.random.default_rng([self._seed, day, concern]) for concern in range(3))
        customers, products = [], []
        if day == 0:
            customers.append(self._clientele.open(self._sizes[0], self._start, people))
            products.append(self._assortment.open(self._sizes[1], self._start, goods))
        appetite = np.where(self._clientele.present, self._clientele.appetite, 0.0)
        customers.append(self._clientele.live(midnight, people))
        changes, repriced = self._assortment.live(midnight, goods)
        products.append(changes)
        today = customers[-1]
        numbers, times = today["customer_id"], today["updated_at"]
        orders, lines = self._sales.day(
            midnight,
            Market(
                appetite=appetite,
                # After `live`, so that what is discontinued today is not sold today.
                popularity=np.where(self._assortment.on_sale, self._assortment.popularity, 0.0),
                prices=self._assortment.prices,
                costs=self._assortment.costs,
                repriced=repriced,
                newcomers=[(n, at) for n, at in zip(numbers, times, strict=True) if n > len(appetite)],
                gone=numbers[today["op"] == "D"].astype(np.int64).tolist(),
            ),
            strangers,
            trade,
        )
        self._assortment.settle(repriced, goods)
        return {
            "customers": Rows.join(customers),
            "products": Rows.join(products),
            "orders": orders,
            "order_items": lines,
        }
