"""A tally: how many rows, and a checksum of their values that does not depend on their order.

The checksum is the sum of the rows' hashes modulo 2^63, computed in the warehouse's own SQL. Sums
can be added to and taken from, so a load that moves a few rows keeps the tally of all without reading them.
"""

from __future__ import annotations

from dataclasses import dataclass

MODULUS = 2**63


@dataclass(frozen=True)
class Tally:
    """So many rows, with this checksum."""

    rows: int
    checksum: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.rows + other.rows, (self.checksum + other.checksum) % MODULUS)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.rows - other.rows, (self.checksum - other.checksum) % MODULUS)
