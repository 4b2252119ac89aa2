"""Whatever kills a run, an undo or a load: readers see the last release, and the next one goes on (design §3, law 3).

Each is killed by SIGKILL, in a process of its own, at every point: before each act that changes
what is stored, in the midst of each that can be done by half, and after the last. Between two acts
nothing is stored (`Stage` asserts it), so "after one" is "before the next".
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from faults import Act, Fault
from forks import Forks
from scenarios import SCENARIOS, Stage


def points(acts: list[Act]) -> list[Fault]:
    """Every way to be killed that leaves something else behind: an act that stores nothing makes no difference."""
    before = [Fault("die", n) for n, act in enumerate(acts) if act.stored]
    return [*before, *(Fault("tear", n) for n, act in enumerate(acts) if act.tears), Fault("die", len(acts))]


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_any_point_it_leaves_the_last_release_and_the_next_one_goes_on(
    name: str, forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    stage = Stage(SCENARIOS[name], forks, tmp_path)
    for fault in points(stage.acts):
        with subtests.test(stage.named(fault)):
            place = stage.place()
            assert forks.perform(stage.scenario.task(place, fault)) == -signal.SIGKILL
            stage.assert_goes_on(place, fault)
