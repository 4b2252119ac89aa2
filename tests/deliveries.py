"""A landing and a lake, what is done to them, and after each act all that must then be true of the lake."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from deltalake import DeltaTable

import oracle
from aisle.errors import LakeError, NothingDelivered
from aisle.run import run
from aisle.run.check import check
from aisle.run.replay import replace, replay
from aisle.run.undo import undo
from aisle.steward.retention import compact, vacuum
from lakes import content, rows
from landings import Drop
from stars import CALENDAR_START, Dim, Plan, Role, declared, rules

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Identity = tuple[str, str, bytes]  # source, name, bytes


# ---- what is done -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deliver:
    drop: Drop


@dataclass(frozen=True)
class Redeliver:
    """One of the files that lie in the landing is written again: the same bytes at a later time."""

    which: int


@dataclass(frozen=True)
class Run:
    """`spark`: by Spark, in a shop that has a session."""

    full: bool = False
    spark: bool = False


@dataclass(frozen=True)
class Undo:
    """Back to one of the releases; without `to` to the one before."""

    to: int | None = None


@dataclass(frozen=True)
class Replace:
    """One of the contents that are held takes the place of the one that its name has."""

    which: int


@dataclass(frozen=True)
class Replay:
    """Every source is held to its contract once more, which has not changed."""


@dataclass(frozen=True)
class Compact:
    """Small files become few."""


@dataclass(frozen=True)
class Vacuum:
    """All releases but the newest are forgotten, and those that the kept ones restore."""

    keep: int


@dataclass(frozen=True)
class Check:
    rebuild: bool = False


Action = Deliver | Redeliver | Run | Undo | Replace | Replay | Compact | Vacuum | Check


# ---- what must come of it -----------------------------------------------------------------------------------------


@dataclass
class Expected:
    """What a release holds: the content that some run made of the one before. `ledger` has each file's stamp.

    `held` are contents that came under a name which was consumed already.
    """

    before: Expected | None = None
    ledger: dict[Identity, int] = field(default_factory=dict)
    consumed: dict[tuple[str, str], Drop] = field(default_factory=dict)
    held: dict[Identity, Drop] = field(default_factory=dict)


class Shop:
    """A landing and a lake in a folder. Each act is done, and then everything is proved that can be."""

    def __init__(self, folder: Path, plan: Plan, spark: SparkSession | None = None) -> None:
        self.plan = plan
        self.spark = spark
        self.star = declared(plan)
        self.dims, self.fact = rules(plan)
        self.landing, self.lake = folder / "landing", folder / "lake"
        self.lying: dict[tuple[str, str], tuple[Drop, int]] = {}
        self.stamps = itertools.count(1_700_000_000)
        self.releases: list[Expected] = []
        # By number: the releases that the lake remembers, and of which others some have the content.
        self.kept: set[int] = set()
        self.restores: dict[int, int] = {}
        self.merges: dict[int, int] = {}
        # The surrogate key of a version, by its dimension, natural key and beginning: one for ever.
        self.surrogates: dict[tuple[object, ...], int] = {}
        self.versions: dict[int, tuple[object, ...]] = {}

    @property
    def now(self) -> Expected:
        return self.releases[-1] if self.releases else Expected()

    def act(self, action: Action) -> None:
        match action:
            case Deliver(drop):
                self.deliver(drop)
            case Redeliver(which):
                if self.lying:
                    self.deliver(list(self.lying.values())[which % len(self.lying)][0])
            case Run(full, spark):
                self.run(full=full, spark=self.spark if spark else None)
            case Undo(to):
                self.undo(to)
            case Replace(which):
                self.replace(which)
            case Replay():
                self.replay()
            case Compact():
                self.compact()
            case Vacuum(keep):
                self.vacuum(keep)
            case Check(rebuild):
                if self.releases:
                    found = check(self.star, lake=self.lake, anew="duckdb" if rebuild else None)
                    assert [f for f in found if not f.holds] == []

    def deliver(self, drop: Drop) -> None:
        path = self.landing / drop.table.name / drop.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drop.bytes)
        stamp = next(self.stamps)
        os.utime(path, (stamp, stamp))
        self.lying[drop.table.name, drop.name] = (drop, stamp)

    def run(self, *, full: bool = False, spark: SparkSession | None = None) -> None:
        expected, unseen = self.after_run()
        if not expected.ledger:
            with pytest.raises(NothingDelivered):
                run(self.star, lake=self.lake, landing=self.landing, spark=spark)
            return
        former = self.content() if self.releases else None
        summary = run(self.star, lake=self.lake, landing=self.landing, full=full, spark=spark)
        # Law 3: "A run goes from one release to the next"; nothing new makes none.
        if unseen or full:
            self.released(expected)
        if full:  # another run tells only of the lines that it touched
            waiting = len(self.expected_gold().waiting[self.fact.name])
            assert summary.waiting == ({self.fact.name: waiting} if waiting else {})
        assert summary.release == (len(self.releases) or None)
        self.prove()
        if former is not None and (expected.before or expected).consumed == expected.consumed:
            assert self.content() == former  # Law 1: redelivery changes nothing, and incremental equals full rebuild

    def after_run(self) -> tuple[Expected, bool]:
        """What the release after a run holds, and whether the landing has anything that the lake has not seen."""
        before = self.releases[-1] if self.releases else None
        expected = Expected(before, dict(self.now.ledger), dict(self.now.consumed), dict(self.now.held))
        seen = {(source, name, stamp) for (source, name, _), stamp in self.now.ledger.items()}
        unseen = [(place, *lies) for place, lies in self.lying.items() if (*place, lies[1]) not in seen]
        for place, drop, stamp in unseen:
            identity = (*place, drop.bytes)
            if identity not in expected.ledger and place in expected.consumed:
                expected.held[identity] = drop
            elif identity not in expected.ledger and drop.readable:
                expected.consumed[place] = drop
            expected.ledger[identity] = stamp
        return expected, bool(unseen)

    def replace(self, which: int) -> None:
        if not self.now.held:
            return
        (source, name, data), drop = list(self.now.held.items())[which % len(self.now.held)]
        digest = hashlib.sha256(data).hexdigest()
        if not drop.readable:
            with pytest.raises(LakeError):
                replace(self.star, lake=self.lake, source=source, drop=name, digest=digest)
        else:
            held = {identity: d for identity, d in self.now.held.items() if identity != (source, name, data)}
            consumed = {**self.now.consumed, (source, name): drop}
            self.released(Expected(self.now, self.now.ledger, consumed, held))
            done = replace(self.star, lake=self.lake, source=source, drop=name, digest=digest)
            assert done.release == len(self.releases)
        self.prove()

    def replay(self) -> None:
        if not self.releases:
            with pytest.raises(NothingDelivered):
                replay(self.star, lake=self.lake)
            return
        former = self.content()
        done = replay(self.star, lake=self.lake, sources=[s.name for s in self.star.sources])
        assert (done.changed, done.release, done.before) == (False, len(self.releases), done.after)
        assert self.content() == former
        self.prove()

    def undo(self, to: int | None) -> None:
        if not self.releases:
            with pytest.raises(NothingDelivered):
                undo(self.star, lake=self.lake)
            return
        number = None if to is None else to % len(self.releases) + 1
        target = self.made(number) if number is not None else self.before()
        if target is None:
            with pytest.raises((LakeError, NothingDelivered)):
                undo(self.star, lake=self.lake, to=number)
        elif target == self.made(len(self.releases)):
            with pytest.raises(LakeError):
                undo(self.star, lake=self.lake, to=number)
        else:
            undone = undo(self.star, lake=self.lake, to=number)
            then = self.releases[target - 1]
            gone: dict[str, list[str]] = {}
            for source, name in sorted(self.now.consumed.keys() - then.consumed.keys()):
                gone.setdefault(source, []).append(name)
            assert undone.drops == gone
            self.released(then)
            self.restores[len(self.releases)] = number or target
            assert undone.release == len(self.releases)
        self.prove()

    def compact(self) -> None:
        if not self.releases:
            with pytest.raises(NothingDelivered):
                compact(self.star, lake=self.lake)
            return
        former = self.content()
        done = compact(self.star, lake=self.lake)
        if done.tables:
            self.merges[len(self.releases) + 1] = len(self.releases)
            self.released(self.now)
        assert done.release == len(self.releases)
        assert self.content() == former
        self.prove()

    def vacuum(self, keep: int) -> None:
        if not self.releases:
            with pytest.raises(NothingDelivered):
                vacuum(self.star, lake=self.lake, keep=keep)
            return
        needed = set(sorted(self.kept)[-keep:])
        for number in sorted(needed, reverse=True):
            while (number := self.restores.get(number, 0)) in self.kept:
                needed.add(number)
        done = vacuum(self.star, lake=self.lake, keep=keep)
        assert (set(done.kept), set(done.forgotten)) == (needed, self.kept - needed)
        self.kept = needed
        self.prove()

    def released(self, expected: Expected) -> None:
        self.releases.append(expected)
        self.kept.add(len(self.releases))

    def made(self, number: int) -> int | None:
        """The release that made the content which this one has, as far as the lake remembers; None, if it does not remember this one."""
        if number not in self.kept:
            return None
        while (former := self.restores.get(number) or self.merges.get(number)) in self.kept:
            assert former is not None
            number = former
        return number

    def before(self) -> int | None:
        """The release to which an undo goes that is not told where."""
        newest = self.made(len(self.releases))
        assert newest is not None
        earlier = [n for n in self.kept if n < newest]
        return self.made(max(earlier)) if earlier else None

    # ---- what is proved

    def prove(self) -> None:
        """Everything that a reader from outside can see of the newest release."""
        self.prove_release()
        if not self.releases:
            return
        made = self.expected_gold()
        dims = {d.name: self.prove_dimension(d, made) for d in self.plan.dims}
        self.prove_fact(made, dims)
        self.prove_balance(made)

    def expected_gold(self) -> oracle.Gold:
        sources: dict[str, list[oracle.Row]] = {}
        for (source, _), drop in self.now.consumed.items():
            sources.setdefault(source, []).extend(drop.delivered)
        return oracle.gold(sources, self.dims.values(), [self.fact])

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """All of gold, and of silver which rows it has."""
        gold = content(self.lake, *(f"gold/{t.table}" for t in self.star.tables))
        return gold | {t.name: sorted(self.silver(t.name)) for t in self.plan.tables}

    def silver(self, source: str) -> list[tuple[Any, ...]]:
        return [tuple(r.values()) for r in rows(self.lake, f"silver/{source}", "SELECT _drop, _line FROM t")]

    def prove_release(self) -> None:
        """Law 3: the numbers go up by one, but for those forgotten, and the newest names the tables as they are."""
        files = sorted((self.lake / "_releases").glob("*.json"))
        assert [int(f.stem) for f in files] == sorted(self.kept)
        if files:
            for table, version in json.loads(files[-1].read_text())["tables"].items():
                assert DeltaTable(str(self.lake / table)).version() == version, table

    def prove_dimension(self, d: Dim, made: oracle.Gold) -> dict[int, dict[str, Any]]:
        """The dimension is the oracle's, and law 6 holds in it. Its rows by surrogate key."""
        rule, key = self.dims[d.name], f"{d.name}_key"
        found = rows(self.lake, f"gold/{rule.name}")
        by_key = {r[key]: r for r in found}
        assert len(by_key) == len(found)
        assert -1 in by_key
        assert min(by_key) == -1
        members: dict[oracle.Key, list[dict[str, Any]]] = {}
        for r in found:
            if r[key] != -1:
                members.setdefault(oracle.part(rule.natural_key, r), []).append(r)
        assert_same(rule.name, indexed(rule.natural_key, found, key), indexed(rule.natural_key, made.dimensions[rule.name], key))
        shown = [f"{c}" for c, kind in d.attributes if kind in ("track", "current")]
        for member, versions in members.items():
            versions.sort(key=lambda r: r["valid_from"])
            first, last = versions[0], versions[-1]
            assert [r["version"] for r in versions] == list(range(1, len(versions) + 1))
            assert not d.reaches_back or first["valid_from"] == oracle.BEGINNING
            assert last["valid_to"] == oracle.OPEN_END
            assert [r["is_current"] for r in versions] == [False] * (len(versions) - 1) + [True]
            for one, two in itertools.pairwise(versions):
                assert one["valid_from"] < one["valid_to"] == two["valid_from"]
                assert any(one[c] != two[c] for c in (*shown, "is_deleted"))
            for r in versions:
                # §4: "The first version hashes with the beginning of time".
                begins = oracle.BEGINNING if r["version"] == 1 else r["valid_from"]
                assert self.surrogates.setdefault((d.name, member, begins), r[key]) == r[key]
                assert self.versions.setdefault(r[key], (d.name, member, begins)) == (d.name, member, begins)
        return by_key

    def prove_fact(self, made: oracle.Gold, dims: Mapping[str, dict[int, dict[str, Any]]]) -> None:
        """The fact is the oracle's, and law 7 holds in it."""
        grain = self.plan.fact.lines.key
        found = rows(self.lake, f"gold/{self.fact.name}")
        days = {r["date_key"]: r["date"] for r in rows(self.lake, "gold/dim_date", "SELECT date_key, date FROM t")}
        self.prove_calendar(days)
        named = []
        for r in found:
            row = dict(r)
            for role in self.plan.fact.roles:
                at, key = row[role.at], row.pop(f"{role.name}_key")
                if role.dimension is None:
                    assert key == self.day(at)
                    assert key in days
                else:
                    row[role.name] = self.pointed_to(role, row, dims[role.dimension][key])
            named.append(row)
        assert_same(self.fact.name, indexed(grain, named), indexed(grain, made.facts[self.fact.name]))

    def pointed_to(self, role: Role, fact: Mapping[str, Any], version: Mapping[str, Any]) -> object:
        """What the oracle calls the version; it must be the fact's, and valid at the fact's time."""
        assert role.dimension is not None
        natural_key = self.dims[role.dimension].natural_key
        if version[f"{role.dimension}_key"] == -1:
            assert all(version[k] is None for k in natural_key)
            return None
        assert oracle.part(natural_key, version) == oracle.part(role.key, fact)
        assert version["valid_from"] <= fact[role.at] < version["valid_to"]
        return oracle.part(natural_key, version), version["version"]

    def day(self, at: datetime | None) -> int:
        if at is None:
            return -1
        local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(self.plan.zone))
        return int(f"{local:%Y%m%d}") if local.year >= CALENDAR_START else -1

    def prove_calendar(self, days: Mapping[int, date | None]) -> None:
        """Whole years from the start on, and the unknown day."""
        known = sorted(d for d in days.values() if d is not None)
        assert days[-1] is None
        assert len(days) == len(known) + 1
        if known:
            first, last = date(CALENDAR_START, 1, 1), date(known[-1].year, 12, 31)
            assert known == [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def prove_balance(self, made: oracle.Gold) -> None:
        """Law 2, from ledger, silver and quarantine; and silver's events are the oracle's."""
        ledger = rows(self.lake, "bronze/_ledger")
        consumed = {(r["source"], r["drop"]): r for r in ledger if r["status"] == "consumed"}
        assert len(consumed) == sum(r["status"] == "consumed" for r in ledger)
        assert consumed.keys() == self.now.consumed.keys()
        assert len(ledger) == len(self.now.ledger)
        aside = {(r["source"], r["drop"], r["line"]) for r in rows(self.lake, "quarantine")}
        assert len(aside) == len(rows(self.lake, "quarantine"))
        for t in self.plan.tables:
            accepted = made.accepted[t.name]
            stored = [(drop, line) for drop, line in self.silver(t.name) if line > 0]
            quarantined = {(drop, line) for source, drop, line in aside if source == t.name}
            events, other = places(accepted.events), places(accepted.duplicates + accepted.conflicts)
            assert len(stored) == len(set(stored))
            if t.feed == "snapshot":  # which of its rows are stored is not laid down, but that they were accepted
                assert set(stored) <= events
            else:
                assert set(stored) == events, (
                    f"silver of {t.name} has {set(stored) - events} too many, {events - set(stored)} too few"
                )
            assert quarantined >= places(accepted.broken)
            assert quarantined - places(accepted.broken) <= (other if t.feed == "events" else set())
            in_silver, in_quarantine = Counter(drop for drop, _ in stored), Counter(drop for drop, _ in quarantined)
            for (source, name), drop in self.now.consumed.items():
                if source == t.name:
                    r = consumed[source, name]
                    assert r["records"] == len(drop.rows) == r["events"] + r["duplicates"] + r["quarantined"]
                    assert (r["events"], r["quarantined"]) == (in_silver[name], in_quarantine[name])


def places(found: Iterable[oracle.Row]) -> set[tuple[str, int]]:
    return {(r.drop, r.line) for r in found}


def indexed(
    key: tuple[str, ...], found: Iterable[Mapping[str, Any]], surrogate: str | None = None
) -> dict[object, dict[str, Any]]:
    """Rows by key, and version if they have one; without the surrogate key, and the unknown member that it tells."""
    out: dict[object, dict[str, Any]] = {}
    for r in found:
        if surrogate is None or r.get(surrogate) != -1:
            at = (oracle.part(key, r), r.get("version"))
            assert at not in out, f"twice: {at}"
            out[at] = {c: v for c, v in r.items() if c != surrogate}
    return out


def assert_same(what: str, found: Mapping[object, object], expected: Mapping[object, object]) -> None:
    differing = [
        f"  {key}:\n    in the lake {found.get(key)}\n    expected    {expected.get(key)}"
        for key in {**found, **expected}
        if found.get(key) != expected.get(key)
    ]
    assert not differing, "\n".join([f"{what} is not what its drops say", *differing])
