"""Try random stars and random histories for some minutes, each round with a fresh seed, until one breaks a law.

python scripts/fuzz.py 10
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from typing import IO

TEST = "tests/test_laws_random.py"
ROUND = 20  # examples to a seed


def main(minutes: float) -> int:
    """Keep every core at it. Returns the exit code: of the first round that fails, else 0."""
    started, done = time.monotonic(), 0
    rounds: dict[int, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}
    while True:
        while len(rounds) < (os.cpu_count() or 1) and time.monotonic() - started < minutes * 60:
            seed = secrets.randbelow(2**32)
            rounds[seed] = _round(seed)
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
                print(f"To repeat it: AISLE_SEED={seed} AISLE_EXAMPLES={ROUND} {sys.executable} -m pytest {TEST} -k anew")
                return process.returncode
            done += ROUND
            print(f"{(time.monotonic() - started) / 60:5.1f} min: {done:,} histories, no law broken", flush=True)


def _round(seed: int) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    environment = os.environ | {"AISLE_SEED": str(seed), "AISLE_EXAMPLES": str(ROUND)}
    command = [sys.executable, "-m", "pytest", TEST, "-k", "anew", "-p", "no:cacheprovider"]
    said = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe would fill up and stop the round)
    return subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT), said


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
