"""How a star came to differ from what a release was made by, and what has to be made anew for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aisle.declare.description import COLUMNS, PERSONAL, Description, described
from aisle.declare.fact import FactSpec
from aisle.declare.star import Star

Kind = Literal["adds", "alters"]

_HISTORY = {"key", "changed_at", "sequence", "partial", "feed"}
"""What of a source decides how its rows make a history."""


@dataclass(frozen=True)
class Difference:
    """One thing that is said otherwise than before: `before` is None if it was not said, `after` if it is no more.

    `of` is "star", "source customers" or "table dim_customer"; `name` what of it, "" if it is new or gone as a whole.
    `kind`: it adds to what there is, or it alters what is there.
    """

    of: str
    name: str
    before: str | None
    after: str | None
    kind: Kind

    def __str__(self) -> str:
        what = f"{self.of}, {self.name}" if self.name else self.of
        if self.before is None:
            return f"{what}: new" + (f": {self.after}" if self.after else "")
        return f"{what}: gone" if self.after is None else f"{what}: {self.before} → {self.after}"


@dataclass(frozen=True)
class Anew:
    """What a run makes anew, besides taking what is new.

    Attributes:
        contracts: sources whose drops are read again, and compared with what silver has of them.
        sources: sources whose drops are read again, and whose silver is written anew.
        tables: tables of gold that are.
    """

    contracts: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()

    @classmethod
    def everything(cls, star: Star) -> Anew:
        return cls(frozenset(), frozenset(s.name for s in star.sources), frozenset(t.table for t in star.tables))

    @property
    def reread(self) -> frozenset[str]:
        """The sources whose drops are read again."""
        return self.contracts | self.sources


def differences(before: Description, star: Star) -> list[Difference]:
    """What a star says otherwise than a description, in its order; what is gone comes last."""
    now = described(star)
    return [d for of in {**now, **before} for d in _differences(of, before.get(of), now.get(of))]


def to_make_anew(before: Description, star: Star, found: Iterable[Difference]) -> Anew:
    """What has to be made anew of a lake of this description, so that it is as this star would have made it.

    Args:
        before: the description.
        star: as it is declared now.
        found: the differences between the two.
    """
    said: dict[str, set[Difference]] = {}
    for d in found:
        said.setdefault(d.of, set()).add(d)
    of_source = {s.name: said.get(f"source {s.name}", set()) for s in star.sources}
    sources = {name for name, of in of_source.items() if any(map(_shapes, of))}
    dimensions = {d.table for d in star.dimensions if f"table {d.table}" in said or d.source.name in sources}
    calendars = {c.table for c in star.calendars if f"table {c.table}" in said or "star" in said}
    versions = {
        d.table
        for d in star.dimensions
        if d.source.name in sources or any(map(_moves_versions, said.get(f"table {d.table}", ())))
    }
    others = {
        f.table for f in star.facts if f"table {f.table}" in said or "star" in said or {s.name for s in f.sources} & sources
    }
    pointing = {f.table for f in star.facts if {k.dimension.table for k in f.lookups} & (versions | calendars)}
    # The members that only facts name, and the years that they reach, are others where other facts are looked at.
    # The keys of all other members stay, so that for this no fact is made anew.
    looked_up = {k.dimension.table for f in star.facts if f.table in others for k in f.lookups} | set(_looked_up(before, said))
    there = {t.table for t in star.tables if not isinstance(t, FactSpec)}
    return Anew(
        contracts=frozenset(name for name, of in of_source.items() if of) - sources,
        sources=frozenset(sources),
        tables=frozenset(dimensions | calendars | others | pointing | (looked_up & there)),
    )


def _looked_up(before: Description, said: Iterable[str]) -> Iterator[str]:
    """The dimensions that facts, which are other than they were, looked up."""
    for of in said:
        for value in before.get(of, {}).values():
            if value.startswith("lookup "):
                yield value.split()[1]


def _differences(of: str, before: Mapping[str, str] | None, now: Mapping[str, str] | None) -> Iterator[Difference]:
    if before is None:
        yield Difference(of, "", None, "", "adds")
    elif now is None:
        yield Difference(of, "", "", None, "alters")
    else:
        for name in {**now, **before}:
            old, new = before.get(name), now.get(name)
            if old != new and not (name == COLUMNS and _parts(old) != _parts(new)):
                yield Difference(of, name, old, new, _kind(name, old, new))


def _kind(name: str, old: str | None, new: str | None) -> Kind:
    """A row, or a version, that is there already is altered by all but: an optional column, an attribute that is not tracked, a
    member of a fact that are new; another order of columns; a mark of personal data.
    """
    if name == COLUMNS:
        return "adds"
    if old is None and new is not None:
        what = name.split(maxsplit=1)[0]
        if (
            (what == "column" and "; optional" in new)
            or (what == "attribute" and new.split()[0] in ("overwrite", "original"))
            or what == "member"
        ):
            return "adds"
    if old is not None and new is not None and name.startswith("column ") and _plainly(old) == _plainly(new):
        return "adds"
    return "alters"


def _shapes(d: Difference) -> bool:
    """Whether silver's columns, or what is made of them, are others: not only which rows are accepted."""
    if not d.name.startswith("column "):
        return d.name in _HISTORY or d.name == COLUMNS
    if d.before is None or d.after is None:
        return True
    # What is personal is not in the log's statistics, so that the mark is a part of what is written.
    return _type(d.before) != _type(d.after) or (PERSONAL in d.before.split("; ")) != (PERSONAL in d.after.split("; "))


def _moves_versions(d: Difference) -> bool:
    """Whether periods and keys of versions are others, and not only what stands in them."""
    if d.name == COLUMNS:
        return False
    ends = [value.split()[0] for value in (d.before, d.after) if value]
    return not (d.name.startswith("attribute ") and all(end in ("overwrite", "original") for end in ends))


def _type(column: str) -> str:
    return column.partition("; ")[0]


def _plainly(column: str) -> list[str]:
    return [part for part in column.split("; ") if part != PERSONAL]


def _parts(columns: str | None) -> set[str]:
    return set((columns or "").split(", "))


__all__ = ["Anew", "Difference", "differences", "to_make_anew"]
