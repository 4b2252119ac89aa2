"""Rows of one source as columns of equal length: how the simulated shop hands its day over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

DAY = 86_400
"""Seconds of a day. Times are whole seconds since 1970-01-01 UTC throughout the generator."""


@dataclass(frozen=True)
class Rows:
    """Columns by name. Object columns may hold None; integer columns never do."""

    columns: dict[str, np.ndarray]

    @classmethod
    def of(cls, names: Iterable[str], records: Iterable[tuple[Any, ...]]) -> Rows:
        """Columns of objects from records, for the small sources."""
        names, records = list(names), list(records)
        columns = {name: np.empty(len(records), dtype=object) for name in names}
        for name, values in zip(names, zip(*records, strict=True), strict=True) if records else ():
            columns[name][:] = values
        return cls(columns)

    @classmethod
    def join(cls, parts: Iterable[Rows]) -> Rows:
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        return cls({name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def take(self, which: np.ndarray) -> Rows:
        """The rows at these positions, or where this mask is true, as a copy."""
        return Rows({name: column[which] for name, column in self.columns.items()})

    def sorted_by(self, name: str) -> Rows:
        return self.take(np.argsort(self[name].astype(np.int64), kind="stable"))

    def records(self) -> Iterable[tuple[Any, ...]]:
        return zip(*(column.tolist() for column in self.columns.values()), strict=True)
