"""What a command takes, with all the processes that it starts: asked of the operating system."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Cost:
    """Seconds, MB of 10^6 bytes (of the largest process; written), and the end of what a command said that failed."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    written_mb: float
    failed: str | None


class Measuring:
    """A small process that starts commands and waits for them: what is large itself would be taken for its children's peak."""

    def __init__(self, surroundings: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "comparison.measuring"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(surroundings),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def process(self, arguments: Sequence[str], said: Path) -> Cost:
        """Run a command to its end, and that of every process it left behind (Spark's Java); what it says goes into a file."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([*arguments, str(said)]), file=self._process.stdin, flush=True)
        return Cost(**json.loads(self._process.stdout.readline()))


def measured(arguments: Sequence[str], said: Path) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with said.open("wb") as out:
        child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        ended, peaks = {}, []
        while True:
            try:
                pid, status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            ended[pid] = status
            peaks.append(usage.ru_maxrss)
    seconds = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(ended[child.pid])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        wall_seconds=round(seconds, 2),
        cpu_seconds=round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        peak_mb=round(max(peaks) * 1024 / 1e6),
        written_mb=round((after.ru_oublock - before.ru_oublock) * 512 / 1e6, 1),
        failed=said.read_text(errors="replace")[-3000:] if child.returncode else None,
    )


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        *command, file = json.loads(line)
        print(json.dumps(asdict(measured(command, Path(file)))), flush=True)
