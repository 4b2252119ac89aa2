"""The shop's orders: who buys what, when, at which price, and what becomes of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from aisle.retail.assortment import Repricing
from aisle.retail.feeds import STATUSES
from aisle.retail.rows import DAY, Rows

MONTH = (0.85, 0.82, 0.90, 0.93, 0.97, 0.98, 0.95, 0.97, 0.98, 1.05, 1.35, 1.55)
WEEKDAY = (0.92, 0.90, 0.93, 0.98, 1.10, 1.15, 1.02)
_LOCAL_HOUR = (4, 2, 1, 1, 1, 2, 5, 12, 22, 34, 44, 52, 60, 56, 50, 48, 50, 56, 66, 74, 72, 56, 32, 14)
HOUR = np.roll(_LOCAL_HOUR, 5) / sum(_LOCAL_HOUR)  # the shop is in New York, its systems speak UTC
CHANNEL_SHARE = (0.48, 0.27, 0.21, 0.04)
BASKET = (0.36, 0.26, 0.16, 0.09, 0.05, 0.03, 0.02, 0.015, 0.01, 0.005)  # orders of 1, 2, … 10 lines
DISCOUNTS = np.array([0, 500, 1_000, 1_250, 1_500, 2_000, 3_000, 725], dtype=np.int64)  # ten-thousandths
DISCOUNT_SHARE = (0.68, 0.08, 0.09, 0.03, 0.04, 0.05, 0.02, 0.01)
GUEST = 0.04
CANCELLED, FORGOTTEN, RETURNED = 0.03, 0.01, 0.06
FIRST_ORDER = 100_001
FIRST_STRANGER = 9_000_001
"""Customer numbers from here on were never a customer's."""
PLACED, SHIPPED, RETURNED_STATUS, CANCELLED_STATUS = range(len(STATUSES))


@dataclass(frozen=True)
class Market:
    """Who and what can meet on a day. A weight of zero: not today. Positions, not numbers."""

    appetite: np.ndarray
    popularity: np.ndarray
    prices: np.ndarray
    costs: np.ndarray
    repriced: list[Repricing]
    newcomers: list[tuple[int, int]]
    """(customer number, second of registration) of those who registered today."""
    gone: list[int]
    """Customer numbers of those who left today."""


class Sales:
    """The order book: gives out order numbers and remembers what is still to happen to open orders."""

    def __init__(self, orders_per_day: float) -> None:
        self._rate = orders_per_day
        self._next = FIRST_ORDER
        self._agenda: defaultdict[int, list[Rows]] = defaultdict(list)

    def day(self, midnight: int, market: Market, strangers: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """A day's order events (placed today, or changed today), in the order of time, and the lines placed today.

        Lines carry what only their header delivers (customer, channel, time) in columns of their own: the truth
        needs it, the drop does not show it. `strangers` orders come from customers nobody knows.
        """
        orders = self._place(midnight, market, strangers, rng)
        lines = self._fill(orders, market, rng)
        self._foresee(orders, midnight, rng)
        events = Rows.join([orders, *self._agenda.pop(midnight // DAY, [])])
        return events.sorted_by("updated_at"), lines

    def _place(self, midnight: int, market: Market, strangers: int, rng: np.random.Generator) -> Rows:
        day = datetime.fromtimestamp(midnight, UTC)
        trade = market.appetite.any() and market.popularity.any()
        count = int(rng.poisson(self._rate * MONTH[day.month - 1] * WEEKDAY[day.weekday()])) if trade else 0
        hours = rng.choice(24, count, p=HOUR)
        at = midnight + np.sort(hours * 3_600 + rng.integers(0, 3_600, count))
        customers = _weighted(market.appetite, count, rng) + 1
        for customer, registered_at in market.newcomers:  # who registers usually wants something
            order = int(rng.integers(count)) if count else 0
            if count and at[order] > registered_at and rng.random() < 0.7:
                customers[order] = customer
        if count and strangers:
            chosen = rng.choice(count, min(strangers, count), replace=False)
            customers[chosen] = FIRST_STRANGER + rng.integers(0, 500, len(chosen))
        customers[np.isin(customers, market.gone) | (rng.random(count) < GUEST)] = 0
        numbers = np.arange(self._next, self._next + count, dtype=np.int64)
        self._next += count
        return Rows(
            {
                "order_id": numbers,
                "customer_id": customers,  # 0: a guest
                "channel": rng.choice(len(CHANNEL_SHARE), count, p=CHANNEL_SHARE).astype(np.int8),
                "status": np.full(count, PLACED, dtype=np.int8),
                "ordered_at": at,
                "updated_at": at,
            }
        )

    def _fill(self, orders: Rows, market: Market, rng: np.random.Generator) -> Rows:
        sizes = rng.choice(len(BASKET), len(orders), p=BASKET) + 1
        order, count = np.repeat(np.arange(len(orders)), sizes), int(sizes.sum())
        product = _weighted(market.popularity, count, rng)
        at = orders["ordered_at"][order]
        price, cost = market.prices[product], market.costs[product]
        for change in market.repriced:
            after = (product == change.position) & (at >= change.at)
            price[after], cost[after] = change.price, change.cost
        bulk = rng.random(count) < 0.06
        return Rows(
            {
                "order_id": orders["order_id"][order],
                "line_number": np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1,
                "product_id": product + 1,
                "quantity": np.where(bulk, rng.geometric(0.08, count).clip(1, 500), rng.geometric(0.72, count)),
                "unit_price": price,
                "discount": rng.choice(DISCOUNTS, count, p=DISCOUNT_SHARE),
                "unit_cost": cost,
                "customer_id": orders["customer_id"][order],
                "channel": orders["channel"][order],
                "ordered_at": at,
            }
        )

    def _foresee(self, orders: Rows, midnight: int, rng: np.random.Generator) -> None:
        """Write into the agenda when today's orders will be shipped, returned or cancelled."""
        count, today = len(orders), midnight // DAY
        fate = rng.random(count)
        cancelled = fate < CANCELLED
        shipped = fate >= CANCELLED + FORGOTTEN
        returned = shipped & (rng.random(count) < RETURNED)
        shipping = rng.choice(4, count, p=(0.5, 0.3, 0.15, 0.05)) + 1
        after = (rng.integers(1, 3, count), shipping, shipping + rng.integers(1, 21, count))
        states = ((cancelled, CANCELLED_STATUS), (shipped, SHIPPED), (returned, RETURNED_STATUS))
        for days, (which, status) in zip(after, states, strict=True):
            for wait in np.unique(days[which]).tolist():
                later = orders.take(which & (days == wait))
                later.columns["status"][:] = status
                later.columns["updated_at"] = (today + wait) * DAY + rng.integers(0, DAY, len(later))
                self._agenda[today + wait].append(later)


def _weighted(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` positions, each drawn in proportion to its weight; `choice` with weights would sort them anew."""
    if not count:
        return np.zeros(0, dtype=np.int64)
    heights = np.cumsum(weights)
    drawn = np.searchsorted(heights, rng.random(count) * heights[-1], side="right")
    return np.asarray(np.minimum(drawn, len(weights) - 1))  # a draw can round up to the very top
