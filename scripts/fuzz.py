"""Try random stars and random histories for some minutes, each round with a fresh seed, until one breaks a law.

python scripts/fuzz.py 10
python scripts/fuzz.py 10 spark     # by Spark and DuckDB in turn
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from typing import IO

TESTS = {"duckdb": "tests/test_laws_random.py", "spark": "tests/test_spark_random.py"}
ROUND = {"duckdb": 20, "spark": 5}  # examples to a seed


def main(minutes: float, engine: str) -> int:
    """Keep every core at it. Returns the exit code: of the first round that fails, else 0."""
    started, done = time.monotonic(), 0
    test, examples = TESTS[engine], ROUND[engine]
    rounds: dict[int, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}
    while True:
        while len(rounds) < (os.cpu_count() or 1) and time.monotonic() - started < minutes * 60:
            seed = secrets.randbelow(2**32)
            rounds[seed] = _round(seed, test, examples)
        if not rounds:
            return 0
        time.sleep(1)
        for seed, (process, said) in list(rounds.items()):
            if process.poll() is None:
                continue
            del rounds[seed]
            if process.returncode:
                for other, _ in rounds.values():
                    other.terminate()
                said.seek(0)
                print(said.read().decode())
                print(f"To repeat it: AISLE_SEED={seed} AISLE_EXAMPLES={examples} {sys.executable} -m pytest {test} -k anew")
                return process.returncode
            done += examples
            print(f"{(time.monotonic() - started) / 60:5.1f} min: {done:,} histories, no law broken", flush=True)


def _round(seed: int, test: str, examples: int) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    environment = os.environ | {"AISLE_SEED": str(seed), "AISLE_EXAMPLES": str(examples)}
    command = [sys.executable, "-m", "pytest", test, "-k", "anew", "-p", "no:cacheprovider"]
    said = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe would fill up and stop the round)
    return subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT), said


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *(sys.argv[2:] or ["duckdb"])))
