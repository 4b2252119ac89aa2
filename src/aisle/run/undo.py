"""Undo: back to a former release, by a new one that has its content."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from aisle.declare.star import Star
from aisle.engines.duckdb.engine import DuckDBEngine
from aisle.errors import LakeError, NothingDelivered
from aisle.lake.lake import Lake
from aisle.lake.releases import Release, Releases
from aisle.run.reread import publish, reread
from aisle.run.summary import quiet
from aisle.run.take import read_ledger
from aisle.run.writing import writing


@dataclass(frozen=True)
class Undone:
    """What an undo did: `release` is the new one, `restores` the former whose content it has.

    `drops` are those, by source, that are unconsumed again; `declaration_changed` tells whether the
    former release was made by another declaration than today's.
    """

    release: int
    restores: int
    drops: dict[str, list[str]]
    declaration_changed: bool


def undo(star: Star, *, lake: str | Path, to: int | None = None, break_lease: bool = False) -> Undone:
    """Go back to a former release. The drops consumed since are unconsumed: the next run takes those still in the landing.

    Args:
        to: the release's number; by default the one before the newest. Undo again goes one further back.
        break_lease: take the lake from another writer that is known to be gone.

    Raises:
        NothingDelivered: the lake has no release, or none before the newest.
        LakeError: there is no release `to`, or a file of it is gone.
        LeaseHeld: another run is at work on the lake.
    """
    place = Lake(lake, star)
    place.releases.standing()  # nothing is made of a lake that is not there
    with writing(place, break_lease=break_lease) as newest:
        assert newest is not None
        former = _before(place.releases, newest) if to is None else named(place.releases, to)
        if content(place.releases, former).number == content(place.releases, newest).number:
            raise LakeError(f"The lake's newest release, {newest.number}, has the content of release {former.number} already.")
        then, now = _consumed(place, former), _consumed(place, newest)
        unconsumed = {source: sorted(set(drops) - set(then.get(source, []))) for source, drops in now.items()}
        release = _published(place, former, {"undoes": newest.number})
    return Undone(release.number, former.number, {s: d for s, d in unconsumed.items() if d}, former.star != star.fingerprint)


def _published(place: Lake, former: Release, run: dict[str, int]) -> Release:
    """The next release, of a former one's content.

    Of that the values that are forgotten since are gone. Where they made a difference, such as a version of its own, there is none any
    more: so the sources concerned are read again.
    """
    if not (since := place.forgotten.since(former.number)):
        return place.publish_again(former, run)
    if former.star != place.star.fingerprint:
        raise LakeError(
            f"Personal values were erased since release {former.number}, which was made by another declaration than today's, so that it "
            "cannot be made again.\n  Go back to that declaration first, and undo then."
        )
    started = time.monotonic()
    place.restore(former)
    with DuckDBEngine() as engine:
        ledger = read_ledger(engine, place)
        ingested = reread(engine, place, ledger, sorted(since), quiet)
        return publish(engine, place, ledger, ingested, run, started, quiet, restores=former.number)[0]


def content(releases: Releases, release: Release) -> Release:
    """The release that made the content which this one has: itself, unless it undid others, or only merged files.

    Of those that the lake remembers: one that merged files outlives the one before it.
    """
    while (former := release.restores or release.run.get("compacts", {}).get("release")) is not None:
        if (origin := releases.get(former)) is None:
            break
        release = origin
    return release


def _before(releases: Releases, newest: Release) -> Release:
    origin = content(releases, newest)
    for release in releases.backwards():
        if release.number < origin.number:
            return content(releases, release)
    raise NothingDelivered(f"Release {origin.number} is the first that the lake knows: there is none before it to go back to.")


def named(releases: Releases, number: int) -> Release:
    """The release of a number.

    Raises:
        LakeError: there is none.
    """
    if (release := releases.get(number)) is None:
        found = [r.number for r in islice(releases.backwards(), 5)]
        newest = f"the newest are {', '.join(map(str, found))}" if found else "it has none yet"
        raise LakeError(f"The lake has no release {number}: {newest}.")
    return release


def _consumed(place: Lake, release: Release) -> dict[str, list[str]]:
    """The names of the drops that a release has consumed, by source."""
    place.open(release)
    with DuckDBEngine(threads=1) as engine:
        ledger = read_ledger(engine, place)
    return {source: [d.drop for d in drops if d.status == "consumed"] for source, drops in ledger.items()}
