"""The shop's customers: they register, move, change, leave, and some come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aisle.retail.feeds import CUSTOMERS, SEGMENTS
from aisle.retail.names import Names, Place, mailbox, pick
from aisle.retail.rows import DAY, Rows

# Shares of the customers to whom it happens on a day.
MOVE, CHANGE_SEGMENT, CHANGE_CONTACT, TOUCH, LEAVE = 0.0012, 0.0006, 0.0012, 0.0004, 0.0006
REGISTER = 0.001  # of those there were at first: a shop's growth is not that of money in a bank
RETURN, FORGET = 0.02, 30 * DAY  # of those who left; who has not come back by then stays away


@dataclass(slots=True)
class Customer:
    """What the CRM knows of a customer now."""

    customer_id: int
    name: str
    email: str | None
    phone: str | None
    company: str | None
    segment: str
    street: str | None
    place: Place
    registered_at: int

    def row(self, op: str, at: int) -> tuple[Any, ...]:
        return (
            *(self.customer_id, op, self.name, self.email, self.phone, self.company, self.segment, self.street),
            *(*self.place, self.registered_at, at),
        )

    def tombstone(self, at: int) -> tuple[Any, ...]:
        return (self.customer_id, "D", *(None,) * (len(CUSTOMERS.columns) - 3), at)


class Clientele:
    """Everybody who ever registered; customer n is at position n - 1."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._people: list[Customer] = []
        self._opened_with = 0
        self._left_at: dict[int, int] = {}
        self.present = np.zeros(0, dtype=bool)
        self.appetite = np.zeros(0)

    def open(self, count: int, start: int, rng: np.random.Generator) -> Rows:
        """The customers that the shop has before `start` (seconds), as the CRM exports them at first."""
        self._opened_with = count
        registered = np.sort(start - 1 - rng.integers(0, 5 * 365 * DAY, count))
        touched = rng.random(count) < 0.6
        updated = np.where(touched, registered + (rng.random(count) * (start - registered)).astype(int), registered)
        records = []
        for at, updated_at in zip(registered.tolist(), updated.tolist(), strict=True):
            customer = self._register(at, rng)
            records.append(customer.row("I" if at == updated_at else "U", updated_at))
        self._welcome(count, rng)
        return Rows.of(CUSTOMERS.columns, records)

    def live(self, midnight: int, rng: np.random.Generator) -> Rows:
        """One day of the customers' lives from `midnight` (seconds): what changed, in the order of time."""
        present = np.flatnonzero(self.present)
        self._left_at = {index: at for index, at in self._left_at.items() if at >= midnight - FORGET}
        absent = np.array(sorted(self._left_at), dtype=np.int64)
        counts = [int(rng.poisson(len(present) * share)) for share in (MOVE, CHANGE_SEGMENT, CHANGE_CONTACT, TOUCH, LEAVE)]
        # Nobody changes twice on a day, so that a customer never has two events at one instant.
        chosen = rng.permutation(present)[: sum(counts)].tolist()
        records = []
        for change, count in zip(("move", "segment", "contact", "touch", "leave"), counts, strict=True):
            for index in [chosen.pop() for _ in range(min(count, len(chosen)))]:
                records.append(self._change(index, change, _moment(midnight, rng), rng))
        for index in absent[rng.random(len(absent)) < RETURN].tolist():
            self.present[index] = True
            del self._left_at[index]
            if rng.random() < 0.3:
                self._move(self._people[index], rng)
            records.append(self._people[index].row("I" if rng.random() < 0.5 else "U", _moment(midnight, rng)))
        newcomers = int(rng.poisson(self._opened_with * REGISTER + 0.1))
        for _ in range(newcomers):
            at = _moment(midnight, rng)
            records.append(self._register(at, rng).row("I", at))
        self._welcome(newcomers, rng)
        return Rows.of(CUSTOMERS.columns, records).sorted_by("updated_at")

    def _change(self, index: int, change: str, at: int, rng: np.random.Generator) -> tuple[Any, ...]:
        customer = self._people[index]
        if change == "leave":
            self.present[index] = False
            self._left_at[index] = at
            return customer.tombstone(at)
        if change == "move":
            self._move(customer, rng)
        elif change == "segment":
            customer.segment = pick(rng, tuple(segment for segment in SEGMENTS if segment != customer.segment))
        elif change == "contact":
            customer.email = mailbox(customer.name, int(rng.integers(10_000)), rng) if rng.random() < 0.9 else None
            customer.phone = pick(rng, self._names.phones)
        return customer.row("U", at)  # a touch: saved again, nothing changed

    def _move(self, customer: Customer, rng: np.random.Generator) -> None:
        customer.place, customer.street = self._names.place(rng), pick(rng, self._names.streets)

    def _register(self, at: int, rng: np.random.Generator) -> Customer:
        number = len(self._people) + 1
        name, chance = self._names.person(rng), rng.random(5)
        segment = SEGMENTS[0 if chance[0] < 0.6 else 1 if chance[0] < 0.85 else 2]
        customer = Customer(
            customer_id=number,
            name=name,
            email=mailbox(name, number, rng) if chance[1] < 0.95 else None,
            phone=pick(rng, self._names.phones) if chance[2] < 0.8 else None,
            company=pick(rng, self._names.companies) if segment == "Corporate" or chance[3] < 0.03 else None,
            segment=segment,
            street=pick(rng, self._names.streets) if chance[4] < 0.97 else None,
            place=self._names.place(rng),
            registered_at=at,
        )
        self._people.append(customer)
        return customer

    def _welcome(self, count: int, rng: np.random.Generator) -> None:
        self.present = np.concatenate([self.present, np.ones(count, dtype=bool)])
        self.appetite = np.concatenate([self.appetite, rng.pareto(1.6, count) + 0.2])  # few buy often


def _moment(midnight: int, rng: np.random.Generator) -> int:
    return midnight + int(rng.integers(DAY))
