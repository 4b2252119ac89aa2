"""Operational data for the reference star: a simulated shop, the mess of its deliveries, and the truth beside."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from aisle.errors import ConfigError
from aisle.lake.storage import Storage, open_storage
from aisle.retail import truth as truths
from aisle.retail.feeds import FEEDS
from aisle.retail.landing import Landing
from aisle.retail.ledger import Ledger
from aisle.retail.mess import Mess
from aisle.retail.rows import Rows
from aisle.retail.shop import Shop


@dataclass(frozen=True)
class Generated:
    """What lies in the landing after `generate`.

    `rows` counts data rows by source, broken and repeated ones included; `mess` counts what went wrong, by kind.
    """

    days: int
    rows: dict[str, int]
    files: dict[str, int]
    mess: dict[str, int]
    facts: int
    quarantined: int
    duplicates: int


def generate(
    landing: str | Path,
    truth: str | Path,
    *,
    days: int,
    start: date = date(2025, 1, 1),
    seed: int = 7,
    customers: int = 2_000,
    products: int = 300,
    orders_per_day: int = 150,
    mess: float = 0.002,
    locale: str = "en_US",
    progress: Callable[[int, int], None] | None = None,
) -> Generated:
    """Simulate `days` days of a shop from `start` (UTC days) and write its drops and the truth about them.

    The same arguments give the same bytes. More days leave the earlier drops as they are and add to them (a drop
    that was late may then arrive under its old name). `mess` is the share of rows with which something is wrong;
    zero gives clean drops. The truth is what a correct pipeline makes of exactly the drops written, see
    `aisle.retail.truth`. `progress` is told how many days of how many are done.

    Raises ConfigError, before anything is written, if an argument makes no sense or if the folders hold the drops
    of other arguments or of more days.
    """
    place, truth = open_storage(landing), Path(truth)
    arguments = {
        "start": start.isoformat(),
        "seed": seed,
        "customers": customers,
        "products": products,
        "orders_per_day": orders_per_day,
        "mess": mess,
        "locale": locale,
        # Both have a say in the bytes: names come from one, Parquet from the other.
        "faker": version("faker"),
        "duckdb": duckdb.__version__,
    }
    _require_sense(days, arguments)
    _require_same(place, truth, days, arguments)
    midnight = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp())
    shop = Shop(seed, midnight, customers, products, orders_per_day, locale)
    truth.mkdir(parents=True, exist_ok=True)
    (truth / "generator.json").write_text(json.dumps({**arguments, "days": days}, indent=2) + "\n")
    with (
        tempfile.TemporaryDirectory(prefix=".workshop-", dir=truth) as workshop,
        duckdb.connect() as connection,
    ):
        connection.execute("SET threads = 1")  # the same rows in the same order, always
        connection.execute("SET pandas_analyze_sample = 0")  # columns of objects are texts, also if all are null
        ledger, disorder, files = Ledger(Path(workshop)), Mess(seed, mess), {feed.name: 0 for feed in FEEDS}
        writer = Landing(place, Path(workshop), connection)
        for day in range(days):
            rows = shop.step(day, disorder.strangers(orders_per_day))
            for source, count in _deliver(day, days, start, seed, rows, disorder, writer, ledger).items():
                files[source] += count
            if progress:
                progress(day + 1, days)
        facts, quarantined, duplicates = truths.write(ledger, truth, connection)
    happened = {kind: count for kind, count in sorted(disorder.counts.items()) if count}
    return Generated(days, ledger.rows(), files, happened, facts, quarantined, duplicates)


def _deliver(
    day: int, days: int, start: date, seed: int, rows: dict[str, Rows], disorder: Mess, writer: Landing, ledger: Ledger
) -> dict[str, int]:
    """Write a day's drops, as far as they arrive within the days asked for; how many files, by source."""
    fates = disorder.befall(day, {source: len(reported) for source, reported in rows.items()})
    on, files = start + timedelta(days=day), {feed.name: 0 for feed in FEEDS}
    for number, feed in enumerate(FEEDS):
        fate = fates[feed.name]
        load = disorder.consign(feed, day, rows[feed.name], fate)
        drops = {}
        if fate.empty_file:
            drops["_empty"] = b""
        if fate.header_only:
            drops["_header"] = writer.header_only(feed)
        if len(load.rows) and day + fate.late < days:
            drops[""] = writer.drop(feed, load, fate, np.random.default_rng([seed, day, 12, number]))
            delivery = ledger.enter(feed, feed.drop(on), load)
            if fate.resent is not None and day + fate.resent < days:
                drops["_resend"] = drops[""]
                ledger.enter_again(delivery, feed.drop(on, "_resend"))
        for mark, content in drops.items():
            writer.publish(feed, feed.drop(on, mark), content)
        files[feed.name] = len(drops)
    return files


def _require_sense(days: int, arguments: dict[str, Any]) -> None:
    wrong = [name for name in ("customers", "products", "orders_per_day") if arguments[name] < 1]
    wrong += ["days"] if days < 1 else []
    if wrong:
        raise ConfigError(f"{', '.join(wrong)} must be at least 1: there is no shop without; give a greater number")
    if not 0 <= arguments["mess"] <= 0.2:
        raise ConfigError(f"mess is the share of rows with which something is wrong, 0 to 0.2, not {arguments['mess']}")


def _require_same(landing: Storage, truth: Path, days: int, arguments: dict[str, Any]) -> None:
    """Refuse to mix the drops of two shops: nobody could tell any more what is true."""
    remedy = "generate into empty folders, or give the same arguments"
    record = truth / "generator.json"
    if not record.exists():
        drops = [
            landing.url(f"{feed.name}/{name}")
            for feed in FEEDS
            for name in landing.names(feed.name)
            if name.startswith(feed.name)
        ]
        if drops:
            message = f"{drops[0]} is there, but {record} is not, which would say with what arguments it was generated"
            raise ConfigError(f"{message}; its truth would be unknown; {remedy}")
        return
    before = json.loads(record.read_text())
    differing = [name for name, value in arguments.items() if before.get(name) != value]
    if differing:
        said = ", ".join(f"{name} {before.get(name)!r}, not {arguments[name]!r}" for name in differing)
        raise ConfigError(f"{landing} was generated with {said}; its drops and these do not belong together; {remedy}")
    if days < before["days"]:
        message = f"{landing} holds {before['days']} days already, and drops are never taken back"
        raise ConfigError(f"{message}; ask for {before['days']} days or more, or generate into empty folders")
