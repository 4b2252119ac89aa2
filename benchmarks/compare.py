"""aisle beside what people would pick instead, and beside the machine's limit: on the same drops, in one go, answers compared.

    python benchmarks/compare.py [--rows 5000000] [--days 500] [--only aisle dbt …] [--scenarios first next_day …] [--publish]

Each peer is a folder of benchmarks/peers, with an environment of its own where it has a requirements.txt, and a script run.py:

    run.py take LANDING WORK BATCH    take into WORK what is new in LANDING: the files with BATCH in their names ("first": all)
    run.py answer WORK OUT            write the facts, with what their dimensions said at the time, as Parquet (truth.COLUMNS)

`take` is measured by the operating system, as a whole process with all that it starts: wall and CPU seconds, the peak memory of its
largest process, bytes written. Nothing is remembered from before the first of them. `answer` is not measured; its rows are compared
with the truth (comparison/truth.py). Printed, written to benchmarks/out/peers.json, and with --publish to docs/benchmarks/.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from comparison import environments, report, truth
from comparison.deliveries import SCENARIOS, UNMEASURED, Shop
from comparison.measuring import Measuring

BENCHMARKS = Path(__file__).parent
PEERS = {
    "floor": "the floor: one DuckDB script, the whole anew",
    "limit": "the machine: read the drops' bytes, write the star's",
    "aisle": "aisle",
    "dbt": "dbt, snapshots",
    "dbt_windows": "dbt, versions by window",
    "sqlmesh": "SQLMesh",
    "dlt": "dlt and SQL",
    "pyspark": "PySpark with Delta, by hand",
}
# A peer's script finds what it shares with the others, whatever its environment; and Python keeps its bytecode, as it usually does.
SURROUNDINGS = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
SURROUNDINGS.pop("PYTHONDONTWRITEBYTECODE", None)


@dataclass(frozen=True)
class Record:
    """What one peer took for one scenario. Seconds; MB of 10^6 bytes; rows of the fact that are wrong, missing or too many.

    `to_floor`: wall seconds to those of the floor's first load. `failed`: the end of what it said, if it did not come to its end.
    """

    peer: str
    scenario: str
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    written_mb: float
    wrong_rows: int | None
    to_floor: float | None = None
    failed: str | None = None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000, help="order lines of the first load, about")
    options.add_argument("--days", type=int, default=500, help="over how many days; a next day brings 1/days of the rows")
    options.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), help="these peers (the floor always runs)")
    options.add_argument("--publish", action="store_true", help="write docs/benchmarks/ anew")
    options.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), help="these alone, in their order")
    given = options.parse_args()
    peers = [name for name in PEERS if name in {*given.only, "floor"}]
    pythons = {name: environments.python(BENCHMARKS / "peers" / name) for name in peers}
    folder = Path(tempfile.mkdtemp(prefix="aisle-peers-"))
    try:
        with Measuring({**SURROUNDINGS, "XDG_CACHE_HOME": str(folder / "cache")}) as measuring:
            shop = Shop.generated(folder / "shop", rows=given.rows, days=given.days)
            records = measured(shop, folder, pythons, measuring, [s for s in SCENARIOS if s in given.scenarios])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run = report.Run(
        lines=shop.lines,
        days=given.days,
        day=datetime.now(UTC).date().isoformat(),
        machine=f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}",
        versions={name: environments.versions(BENCHMARKS / "peers" / name) for name in peers},
        titles=PEERS,
        records=[asdict(record) for record in records],
    )
    out = BENCHMARKS / "out"
    out.mkdir(exist_ok=True)
    report.write(run, out)
    if given.publish:
        report.write(run, BENCHMARKS.parent / "docs" / "benchmarks")
    print(report.table(run))
    if broken := [record for record in records if record.failed]:
        raise SystemExit("\n".join(f"{r.peer} failed at {r.scenario}:\n{r.failed}" for r in broken))


def measured(shop: Shop, folder: Path, pythons: dict[str, Path], measuring: Measuring, scenarios: Sequence[str]) -> list[Record]:
    """Every peer, in turn, at each scenario; the floor's answer, made of all that was delivered, is the truth."""
    records: list[Record] = []
    stopped = set()
    for scenario in scenarios:
        batch = shop.deliver(scenario)
        for name, python in pythons.items():
            if name in stopped or (name == "limit" and scenario != "first"):
                continue
            work, answer = folder / name, folder / f"{name}.parquet"
            script = [str(python), str(BENCHMARKS / "peers" / name / "run.py")]
            cost = measuring.process([*script, "take", str(shop.landing), str(work), batch], folder / "said.txt")
            wrong = None
            if cost.failed:
                stopped.add(name)
            elif name != "limit":
                subprocess.run([*script, "answer", str(work), str(answer)], check=True, stdout=sys.stderr, env=SURROUNDINGS)
                wrong = 0 if name == "floor" else truth.wrong_rows(answer, folder / "floor.parquet")
            if scenario == UNMEASURED and not cost.failed:
                continue
            record = Record(peer=name, scenario=scenario, wrong_rows=wrong, **asdict(cost))
            print(f"{name:12} {scenario:13} {record}", file=sys.stderr)
            records.append(record)
    whole = next(r.wall_seconds for r in records if r.peer == "floor")
    return [Record(**{**asdict(r), "to_floor": round(r.wall_seconds / whole, 3)}) for r in records]


if __name__ == "__main__":
    main()
