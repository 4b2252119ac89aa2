"""A full disk, or one that may not be written: said in a sentence, and the last release stands (design §3, law 3)."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from aisle.lake.lease import FILE
from faults import Act, Fault
from forks import Forks, Outcome
from kiosk import FIRST, check_it, deliver, run_it
from scenarios import SCENARIOS, Stage

STRANGE = ("Traceback", "\x1b", "[Errno")
"""What no message shows: a trace, colours of a terminal, Python's own words."""


def faults(stage: Stage) -> list[Fault]:
    """Each act on an already full disk, and each forbidden; of a load, whose acts are statements, those that store something.

    A first run is disturbed where it does what a further one does not.
    """
    numbered = [(n, act) for n, act in enumerate(stage.acts) if act.fails and (act.stored or act.tears)]
    if stage.scenario is SCENARIOS["a first run"]:
        numbered = [(n, act) for n, act in numbered if act.what in ("make folder", "create")]
    return [*(Fault("full", n) for n, act in numbered if act.needs_room), *(Fault("denied", n) for n, _ in numbered)]


def assert_said(outcome: Outcome, stage: Stage, act: Act, why: int) -> None:
    """The error is aisle's own, and names what could not be written, where, and why."""
    loading = stage.scenario.root == "warehouse"
    assert outcome.error == ("WarehouseError" if loading else "StorageError"), outcome.says
    assert os.strerror(why) in outcome.says
    of_file = act.what not in ("make folder", "create", "commit", "restore")
    assert (os.path.dirname(act.path) if of_file else act.path.removeprefix(".")) in outcome.says
    assert ("warehouse" if loading else "The last release stands") in outcome.says
    assert not [strange for strange in STRANGE if strange in outcome.says], outcome.says


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_disk_that_cannot_be_written_is_named_and_the_next_one_goes_on(
    name: str, forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    stage = Stage(SCENARIOS[name], forks, tmp_path)
    for fault in faults(stage):
        with subtests.test(stage.named(fault)):
            assert isinstance(fault.act, int)
            place, act = stage.place(), stage.acts[fault.act]
            task = stage.scenario.task(place, fault)
            assert forks.perform(task) == 0
            # What only tidies up, or comes after all was published, may fail silently.
            tidies = fault.kind == "denied" and (act.what == "remove" or fault.act > stage.published)
            if task.outcome.error or not tidies:
                assert_said(task.outcome, stage, act, errno.ENOSPC if fault.kind == "full" else errno.EACCES)
            assert fault.kind == "denied" or not (place / "lake" / FILE).exists()
            stage.assert_goes_on(place, fault, unharmed=not task.outcome.error)


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        (0, "lake/_lease.json"),
        (200, "silver/members/part-"),
        (1000, "The log of silver/members"),
        (4096, "gold/dim_date/part-"),
    ],
)
def test_files_that_really_cannot_grow(limit: int, what: str, forks: Forks, tmp_path: Path) -> None:
    """By the system's own limit of a file's size: it is Python, DuckDB or Delta that fails."""
    stage = Stage(SCENARIOS["a first run"], forks, tmp_path)
    place = stage.place()
    task = stage.scenario.task(place, file_limit=limit)
    assert forks.perform(task) == 0
    assert task.outcome.error == "StorageError"
    assert what in task.outcome.says
    assert "File too large" in task.outcome.says
    assert not [strange for strange in STRANGE if strange in task.outcome.says], task.outcome.says
    assert not (place / "lake" / FILE).exists()
    stage.assert_goes_on(place, Fault("full", 0))


@pytest.mark.parametrize("limit", [0, 1000, 8192, 16384])
def test_a_warehouse_that_really_cannot_grow(limit: int, forks: Forks, tmp_path: Path) -> None:
    """Whether while DuckDB makes its file, or when the transaction is committed."""
    stage = Stage(SCENARIOS["a first load"], forks, tmp_path)
    place = stage.place()
    task = stage.scenario.task(place, file_limit=limit)
    assert forks.perform(task) == 0
    assert task.outcome.error == "WarehouseError"
    assert "File too large" in task.outcome.says
    stage.assert_goes_on(place, Fault("full", 0))


def test_the_command_says_it_in_a_few_lines(tmp_path: Path) -> None:
    deliver(tmp_path, FIRST)
    (tmp_path / "aisle.toml").write_text('star = "kiosk:STAR"\n', encoding="utf-8")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))

    command = [sys.executable, "-c", "from aisle.cli import main; main()", "-C", str(tmp_path), "run"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, env=environment, preexec_fn=limited, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "The log of silver/members cannot be written" in ran.stderr
    assert "File too large" in ran.stderr
    assert "The last release stands." in ran.stderr
    assert not [strange for strange in STRANGE if strange in ran.stderr]
    run_it(tmp_path)
    check_it(tmp_path)
