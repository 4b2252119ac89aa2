"""What may be disturbed: a run, an undo and a load of the kiosk; and what must hold of each when it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aisle.errors import LakeError
from aisle.lake.lease import FILE
from faults import Act, Fault
from forks import Forks, Task
from kiosk import (
    CORRECTED,
    FIRST,
    SECOND,
    Content,
    check_it,
    deliver,
    in_lake,
    in_warehouse,
    load_it,
    releases,
    replace_it,
    run_it,
    undo_it,
)


@dataclass(frozen=True)
class Scenario:
    """An action: the steps before it, the folder that it stores in, what readers see, and the act that makes it visible.

    `twice`: what is said of it once it is done, if it cannot be done again.
    """

    steps: tuple[Callable[[Path], None], ...]
    action: Callable[[Path], None]
    root: str
    seen: Callable[[Path], Content | None]
    publishes: tuple[str, str]
    twice: str | None = None

    def task(self, place: Path, fault: Fault | None = None, *, watch: bool = False, file_limit: int | None = None) -> Task:
        return Task(f"{self.action.__module__}:{self.action.__name__}", place, self.root, fault, watch, file_limit)


def first(place: Path) -> None:
    deliver(place, FIRST)


def second(place: Path) -> None:
    deliver(place, SECOND)


def corrected(place: Path) -> None:
    deliver(place, CORRECTED)


SCENARIOS = {
    "a first run": Scenario((first,), run_it, "lake", in_lake, ("link", "_releases/00000001.json")),
    "a further run": Scenario((first, run_it, second), run_it, "lake", in_lake, ("link", "_releases/00000002.json")),
    "an undo": Scenario(
        (first, run_it, second, run_it),
        undo_it,
        "lake",
        in_lake,
        ("link", "_releases/00000003.json"),
        "has the content of release 1",
    ),
    "a replacement": Scenario(
        (first, run_it, corrected, run_it), replace_it, "lake", in_lake, ("link", "_releases/00000003.json"), "Nothing is held"
    ),
    "a first load": Scenario((first, run_it), load_it, "warehouse", in_warehouse, ("commit", "kiosk.duckdb")),
    "a further load": Scenario(
        (first, run_it, load_it, second, run_it), load_it, "warehouse", in_warehouse, ("commit", "kiosk.duckdb")
    ),
}


class Stage:
    """A scenario ready to be disturbed, as often as one likes, and what it does undisturbed: its acts.

    That nothing is stored between them is asserted.
    """

    def __init__(self, scenario: Scenario, forks: Forks, folder: Path) -> None:
        self.scenario, self.forks, self.folder = scenario, forks, folder
        for step in scenario.steps:
            step(folder / "start")
        undisturbed = self.place("undisturbed")
        task = scenario.task(undisturbed, watch=True)
        assert (forks.perform(task), task.outcome.error, task.outcome.unseen) == (0, "", [])
        self.acts = task.outcome.acts
        self.published = position(self.acts, *scenario.publishes)
        self.former, self.new = scenario.seen(folder / "start"), scenario.seen(undisturbed)
        self.releases = list(releases(undisturbed).values())
        assert self.former != self.new

    def place(self, name: str = "disturbed") -> Path:
        """A fresh copy of what stands before the action."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder / "start", place)
        return place

    def assert_goes_on(self, place: Path, fault: Fault, *, unharmed: bool = False) -> None:
        """Readers see what is published, and the same action once more makes all as if nothing had been.

        Args:
            unharmed: the action went through, in spite of the fault.
        """
        assert isinstance(fault.act, int)
        published = unharmed or fault.act > self.published
        assert self.scenario.seen(place) == (self.new if published else self.former)
        if self.scenario.twice and published:
            with pytest.raises(LakeError, match=self.scenario.twice):
                self.scenario.action(place)
        else:
            self.scenario.action(place)
        assert self.scenario.seen(place) == self.new
        assert len(releases(place)) == len(self.releases)
        assert list(releases(place).values())[:-1] == self.releases[:-1]
        assert not (place / "lake" / FILE).exists()
        check_it(place)

    def named(self, fault: Fault) -> str:
        """A fault, for a person."""
        assert isinstance(fault.act, int)
        return f"{fault.kind} at {self.acts[fault.act] if fault.act < len(self.acts) else 'the end'}"


def position(acts: list[Act], what: str, path: str) -> int:
    """The number of the act that does this to that."""
    return next(n for n, act in enumerate(acts) if (act.what, act.path) == (what, path))
