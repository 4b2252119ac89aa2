"""Members of dimensions: those that most was sold of or to, how they changed, and how they moved from one value to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir

from aisle.declare.dimension import Attribute, DimensionSpec
from aisle.declare.fact import LookupSpec
from aisle.engines.port import Engine
from aisle.report.figures import Figures
from aisle.stages.time import BEGINNING, OPEN_END

_TOP, _LIVES, _VERSIONS, _MOVES = 15, 30, 40, 12
_NAMES = ("name", "title", "label", "description")


class Members:
    """The members of a dimension of a release, as the page tells of them.

    Args:
        engine: what computes.
        versions: the dimension's rows, bound.
        spec: the dimension.
        personal: whether personal columns may be shown.
    """

    def __init__(self, engine: Engine, versions: ir.Table, spec: DimensionSpec, *, personal: bool) -> None:
        self.spec, self._engine, self._versions = spec, engine, versions
        self.tracked = [a for a in spec.attributes if a.tracked and (personal or not a.column.personal)]
        shown = [a for a in spec.attributes if personal or not a.column.personal]
        self._name = next((a.name for n in (*_NAMES, f"{spec.name}_name") for a in shown if a.name == n), None)
        self.nameless = not personal and any(spec.source[k].personal for k in spec.natural_key)
        """Whether no member can be named, as its key is personal."""

    def top(self, figures: Figures, lookup: LookupSpec) -> list[dict[str, Any]]:
        """The members that come to most by the leading measure."""
        lead = figures.measures[figures.leading].name
        by, keys = figures.by_version(lookup), list(self.spec.natural_key)
        known = self._versions.filter(self._versions[keys[0]].notnull())
        each = by.inner_join(known, [by[lookup.column] == known[self.spec.key]])
        ranked = each.group_by(keys).agg(_sum=each[lead].sum()).order_by(ibis.desc("_sum"), *keys).limit(_TOP)
        chosen = [tuple(row[k] for k in keys) for row in self._engine.rows(ranked)]
        lives = self._lives(chosen)
        members = self._engine.values(
            f"_top_{lookup.name}",
            ibis.schema({"_key": "int64", "_of": "int64"}),
            [(version[self.spec.key], place) for place, key in enumerate(chosen) for version in lives[key]],
        )
        sums = figures.by_member(lookup, members)
        return [
            {
                "label": self._label(lives[key]),
                "versions": len(lives[key]),
                "totals": [sum(of) for of in sums[place]],
                "series": sums[place],
                "changes": [
                    [_time(new["valid_from"]), said] for old, new in pairwise(lives[key]) if (said := self._changed(old, new))
                ],
            }
            for place, key in enumerate(chosen)
        ]

    def told(self, figures: Figures | None, lookup: LookupSpec | None) -> dict[str, Any] | None:
        """The members with most versions, each with what happened in each version; None if none can be named."""
        if self.nameless:
            return None
        keys = list(self.spec.natural_key)
        known = self._versions.filter(self._versions[keys[0]].notnull())
        if figures is not None and lookup is not None and figures.buckets is not None:
            sold = figures.by_version(lookup).group_by(_sold=lookup.column).agg(_facts=ibis._["rows"].sum())
            known = known.left_join(sold, [known[self.spec.key] == sold["_sold"]])
        else:
            known = known.mutate(_facts=ibis.literal(0))
        counted = known.group_by(keys).agg(_versions=known.count(), _facts=known["_facts"].sum().coalesce(0))
        most = counted.order_by(ibis.desc("_versions"), ibis.desc("_facts"), *keys).limit(_LIVES)
        chosen = [tuple(row[k] for k in keys) for row in self._engine.rows(most)]
        lives = self._lives(chosen)
        sales = self._sales(figures, lookup, [v[self.spec.key] for life in lives.values() for v in life[:_VERSIONS]])
        return {
            "dimension": self.spec.table,
            "noun": self.spec.name,
            "attributes": [a.name for a in self.tracked],
            "fact": figures.fact.table if figures else None,
            "measures": [{"name": m.name, "scale": m.scale} for m in figures.measures] if figures else [],
            "members": [
                {
                    "label": self._label(lives[key]),
                    "versions": [
                        {
                            "version": v["version"],
                            "from": _time(v["valid_from"]),
                            "to": _time(v["valid_to"]),
                            "values": [_text(v[a.name]) for a in self.tracked],
                            "deleted": v["is_deleted"],
                            "inferred": v["is_inferred"],
                            "sales": sales.get(v[self.spec.key], [0] * len(figures.measures) if figures else []),
                        }
                        for v in lives[key][:_VERSIONS]
                    ],
                }
                for key in chosen
            ],
        }

    def moves(self) -> Iterator[dict[str, Any]]:
        """How many members went from one value of a tracked attribute to another, of attributes with few values."""
        choices = [a for a in self.tracked if a.column.type in ("string", "boolean")]
        if not choices:
            return
        versions = self._versions
        [several] = self._engine.rows(versions.agg(**{a.name: versions[a.name].nunique() for a in choices}))
        life = ibis.window(group_by=list(self.spec.natural_key), order_by="version")
        members = self._engine.count(versions.filter(versions["is_current"]))
        for a in choices:
            if not 1 < several[a.name] <= _MOVES:
                continue
            steps = versions.select(
                _from=versions[a.name].lag().over(life), _to=versions[a.name], _first=versions["version"] == 1
            )
            moved = steps.filter(~steps["_first"] & ~steps["_from"].identical_to(steps["_to"]))
            found = self._engine.rows(
                moved.group_by("_from", "_to").agg(n=moved.count()).order_by(ibis.desc("n"), "_from", "_to")
            )
            if found:
                flows = [[_text(row["_from"]), _text(row["_to"]), row["n"]] for row in found]
                yield {"dimension": self.spec.table, "attribute": a.name, "members": members, "flows": flows}

    def _lives(self, keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        """The versions of members, in the order of time."""
        natural = list(self.spec.natural_key)
        types = {k: self._versions[k].type() for k in natural}
        wanted = self._engine.values(f"_wanted_{self.spec.table}", ibis.schema(types), keys)
        shown = dict.fromkeys([*natural, self.spec.key, *(a.name for a in self.tracked), *([self._name] if self._name else [])])
        rows = self._versions.semi_join(wanted, natural)
        columns = [*shown, "valid_from", "valid_to", "is_deleted", "is_inferred", "version"]
        found: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in self._engine.rows(rows.select(columns).order_by([*natural, "version"])):
            found[tuple(row[k] for k in natural)].append(row)
        return found

    def _sales(self, figures: Figures | None, lookup: LookupSpec | None, keys: Iterable[int]) -> Mapping[int, list[int]]:
        if figures is None or lookup is None or figures.buckets is None:
            return {}
        wanted = self._engine.values(
            f"_lived_{self.spec.table}", ibis.schema({"_key": "int64", "_of": "int64"}), [(key, key) for key in keys]
        )
        return {key: [sum(of) for of in sums] for key, sums in figures.by_member(lookup, wanted).items()}

    def _label(self, life: Sequence[Mapping[str, Any]]) -> str:
        newest = life[-1]
        key = " / ".join(str(newest[k]) for k in self.spec.natural_key)
        name = newest[self._name] if self._name else None
        return key if name is None else f"{key} · {name}"

    def _changed(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
        """What made a version another than the one before, in words."""
        if new["is_deleted"] != old["is_deleted"]:
            return "deleted" if new["is_deleted"] else "back again"
        said = [self._change(a, old, new) for a in self.tracked if old[a.name] != new[a.name]]
        return ", ".join(said)

    def _change(self, a: Attribute, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
        was, now = (_text(side[a.name]) or "nothing" for side in (old, new))
        return f"{a.name} {was} → {now}"


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _time(time: datetime) -> str | None:
    """ISO 8601, in UTC; None of the beginning of time, and of its end."""
    ends = (BEGINNING.replace(tzinfo=None), OPEN_END.replace(tzinfo=None))
    return None if time.replace(tzinfo=None) in ends else time.replace(tzinfo=None).isoformat(timespec="seconds")
