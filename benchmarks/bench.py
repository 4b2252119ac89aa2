"""aisle beside the floor (floor.py), on the same drops in one go: first run, next day, nothing new.

    python benchmarks/bench.py [--rows 5000000] [--days 500] [--mess 0]

Each step is a process of its own, measured by the operating system: wall seconds, CPU seconds,
peak memory. Seconds on a shared machine mean little; the ratios within one run are the figures.
They are printed, and written to benchmarks/out/bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LINES_PER_ORDER = 2.16


@dataclass(frozen=True)
class Measured:
    """One process: wall and CPU seconds, peak resident memory in MB."""

    wall: float
    cpu: float
    peak_mb: float


def measured(arguments: Sequence[str]) -> Measured:
    """Run a command to its end.

    Raises:
        SystemExit: it failed.
    """
    started = time.monotonic()
    process = os.posix_spawn(
        arguments[0], list(arguments), dict(os.environ), file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _pid, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(arguments)}")
    return Measured(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def aisle(*arguments: str) -> Measured:
    return measured([str(Path(sys.executable).with_name("aisle")), *arguments])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000, help="order lines of the first run, about")
    options.add_argument("--days", type=int, default=500, help="over how many days; a next day brings 1/days of the rows")
    options.add_argument("--mess", type=float, default=0.0, help="share of the generator's mess; the floor cannot take any")
    options.add_argument("--repeat", type=int, default=1, help="first runs of floor and aisle in turn; the median counts")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aisle-bench-"))
    try:
        figures = compare(folder, given.rows, given.days, given.mess, given.repeat)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out = HERE / "out"
    out.mkdir(exist_ok=True)
    (out / "bench.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def compare(folder: Path, rows: int, days: int, mess: float, repeat: int) -> dict[str, object]:
    shop = folder / "shop"
    aisle("init", str(shop))
    os.chdir(shop)
    orders = max(1, round(rows / days / LINES_PER_ORDER))
    customers = max(500, rows // 100)
    generate = [
        "generate",
        "--orders-per-day",
        str(orders),
        "--customers",
        str(customers),
        "--products",
        "2000",
        "--mess",
        str(mess),
    ]
    say("generate", aisle(*generate, "--days", str(days)))
    floors, firsts = [], []
    for _ in range(repeat):
        if not mess:
            floors.append(
                say("floor", measured([sys.executable, str(HERE / "floor.py"), str(shop / "landing"), str(folder / "floor")]))
            )
            shutil.rmtree(folder / "floor")
        shutil.rmtree(shop / "lake", ignore_errors=True)
        firsts.append(say("first run", aisle("run")))
    aisle(*generate, "--days", str(days + 1))
    following = say("next day", aisle("run"))
    nothing = say("nothing new", aisle("run"))
    load = say("load", aisle("load"))
    checked = say("check", aisle("check"))
    first = median(firsts)
    figures: dict[str, object] = {
        "rows": lines(shop),
        "mess": mess,
        "first_seconds": round(first.wall, 2),
        "next_day_seconds": round(following.wall, 2),
        "nothing_new_seconds": round(nothing.wall, 2),
        "load_seconds": round(load.wall, 2),
        "check_seconds": round(checked.wall, 2),
        "peak_mb": round(max(f.peak_mb for f in [*firsts, following])),
    }
    if floors:
        floor = median(floors)
        figures |= {
            "floor_seconds": round(floor.wall, 2),
            "floor_peak_mb": round(floor.peak_mb),
            "first_to_floor": round(first.wall / floor.wall, 3),
            "next_day_to_floor": round(following.wall / floor.wall, 3),
            "check_to_floor": round(checked.wall / floor.wall, 3),
        }
    return figures


def lines(shop: Path) -> int:
    """Lines delivered, headers not counted."""
    return sum(p.read_bytes().count(b"\n") - 1 for p in (shop / "landing" / "order_items").glob("*.csv"))


def median(runs: list[Measured]) -> Measured:
    return sorted(runs, key=lambda m: m.wall)[len(runs) // 2]


def say(step: str, m: Measured) -> Measured:
    print(f"{step:12} {m.wall:7.2f} s wall {m.cpu:7.2f} s cpu {m.peak_mb:7.0f} MB", file=sys.stderr)
    return m


if __name__ == "__main__":
    main()
