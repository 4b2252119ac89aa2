"""What S3 costs beside a folder: the same run, the next day, and nothing new, on a server of this machine.

    python benchmarks/s3.py [--rows 300000] [--days 90]

MiniStack's S3 server takes processor time from what is measured, which AWS would not; and it answers in 3 ms, which AWS does not.
The ratios are printed, and written to benchmarks/out/s3.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import boto3

from bench import HERE, LINES_PER_ORDER, Measured, aisle, say

sys.path.insert(0, str(HERE.parent / "tests"))
from servers import CREDENTIALS, s3_server


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=300_000, help="lines of orders")
    options.add_argument("--days", type=int, default=90, help="each brings four drops")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aisle-s3-"))
    try:
        with s3_server() as address:
            os.environ |= {**CREDENTIALS, "AWS_ENDPOINT_URL": address}
            figures = compare(folder, given.rows, given.days)
    finally:
        os.chdir(HERE)
        shutil.rmtree(folder, ignore_errors=True)
    (HERE / "out").mkdir(exist_ok=True)
    (HERE / "out" / "s3.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def compare(folder: Path, rows: int, days: int) -> dict[str, object]:
    shop, s3 = folder / "shop", boto3.client("s3")
    s3.create_bucket(Bucket="shop")
    aisle("init", str(shop))
    os.chdir(shop)
    orders = max(1, round(rows / days / LINES_PER_ORDER))
    generate = ["generate", "--orders-per-day", str(orders), "--customers", "5000", "--products", "2000", "--mess", "0", "--days"]
    there = {"AISLE_LANDING": "s3://shop/landing", "AISLE_LAKE": "s3://shop/lake"}
    took: dict[str, list[Measured]] = {}
    for step, until in (("first run", days), ("next day", days + 1), ("nothing new", days + 1)):
        aisle(*generate, str(until))
        for file in sorted((shop / "landing").glob("*/*")):
            s3.upload_file(str(file), "shop", f"landing/{file.parent.name}/{file.name}")
        took[step] = [say(f"{step}, here", aisle("run"))]
        os.environ |= there
        took[step].append(say(f"{step}, on S3", aisle("run")))
        for name in there:
            del os.environ[name]
    ratios = {f"{step}_ratio".replace(" ", "_"): round(on_s3.wall / here.wall, 2) for step, (here, on_s3) in took.items()}
    seconds = {step.replace(" ", "_"): [round(m.wall, 2) for m in pair] for step, pair in took.items()}
    return {"drops": 4 * days, "seconds_here_and_on_s3": seconds, **ratios}


if __name__ == "__main__":
    main()
