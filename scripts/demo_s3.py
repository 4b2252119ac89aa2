"""A month of a shop on S3 and PostgreSQL, the whole way, and five answers; both servers are started here, and stopped.

python scripts/demo_s3.py PROJECT QUESTIONS.sql
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from places import postgres_server
from servers import CREDENTIALS, s3_server

BIN = Path(sys.executable).parent


def main() -> None:
    project, questions = sys.argv[1:]
    with s3_server() as address, postgres_server() as postgres:
        os.environ |= {**CREDENTIALS, "AWS_ENDPOINT_URL": address}
        boto3.client("s3").create_bucket(Bucket="shop")
        aisle("init", project)
        settings = Path(project) / "aisle.toml"
        settings.write_text(
            f'star = "star.py:star"\nlanding = "s3://shop/landing"\nlake = "s3://shop/lake"\nwarehouse = "{postgres.address()}"\n'
        )
        print(f"\n{settings} says:\n\n{settings.read_text()}", flush=True)
        for words in (["generate", "--days", "30"], ["run"], ["check"], ["load"]):
            aisle("-C", project, *words)
        subprocess.run([sys.executable, str(Path(__file__).with_name("ask.py")), project, questions], check=True)


def aisle(*words: str) -> None:
    print(f"$ aisle {' '.join(words)}", flush=True)
    subprocess.run([str(BIN / "aisle"), *words], check=True)


if __name__ == "__main__":
    main()
