"""A kiosk's run on Spark in a process of its own, which is to lose executors or to be killed itself.

As a module: `SparkRun`, which starts such a process and sees what it has open. As a program: that process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from faults import Acts, Fault

_HANGS = 300.0


@dataclass(frozen=True)
class SparkRun:
    """A run of the kiosk in a place.

    Args:
        home: a folder for what Spark itself writes.
        master: `local[2]`, or `local-cluster[2,1,1024]`: two executors of one core, each a process.
        fault: at one of the acts of the process that drives Spark.
    """

    place: Path
    home: Path
    master: str = "local[2]"
    fault: Fault | None = None

    def until_it_ends(self, look: Callable[[int], None] = lambda _: None) -> int:
        """Do it, looking at it again and again by its process's id; its exit code. Nothing of it is left running."""
        process = self._start()
        end = time.monotonic() + _HANGS
        try:
            while process.poll() is None:
                look(process.pid)
                if time.monotonic() > end:
                    raise TimeoutError(self._log.read_text()[-2000:])
                time.sleep(0.005)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return process.returncode

    def told(self) -> str:
        """The end of what it said."""
        return self._log.read_text()[-4000:]

    @property
    def _log(self) -> Path:
        return self.home / "log"

    def _start(self) -> subprocess.Popen[bytes]:
        import pyspark

        # Workers of a local cluster write below SPARK_HOME.
        self.home.mkdir()
        for part in ("bin", "jars"):
            (self.home / part).symlink_to(Path(pyspark.__file__).parent / part)
        task = asdict(self) | {"place": str(self.place), "home": str(self.home)}
        environment = {"SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": "127.0.0.1"}
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, __file__, json.dumps(task)],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # gone meanwhile
            continue
        parents.setdefault(parent, []).append(int(folder.name))
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            yield child
            waiting.append(child)


def writes_below(pid: int, folder: Path) -> bool:
    """Whether a process has a Parquet file of a folder open."""
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, PermissionError):
        return False
    for handle in handles:
        try:
            target = os.readlink(handle)
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and target.endswith(".parquet"):
            return True
    return False


def _perform(place: Path, home: Path, master: str, fault: dict[str, object] | None) -> None:
    from aisle.run import run
    from kiosk import STAR
    from spark_session import SETTINGS, session_of

    with session_of(home, master, SETTINGS) as session:
        at = Fault(kind=fault["kind"], act=tuple(fault["act"])) if fault else None  # type: ignore[arg-type]
        acts = Acts(place / "lake", at, watch=False)
        acts.install()
        run(STAR, lake=place / "lake", landing=place / "landing", spark=session)
        acts.end()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    _perform(Path(given["place"]), Path(given["home"]), given["master"], given["fault"])
