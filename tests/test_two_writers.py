"""Two writers of one lake: whoever lost the lease publishes nothing, whenever it wakes up (design §3, law 3)."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import socket
import subprocess
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from aisle.errors import LeaseHeld
from aisle.lake.lease import FILE
from aisle.run import run
from faults import Fault
from forks import Forks, Outcome, Task
from kiosk import FIRST, STAR, check_it, deliver, in_lake, releases, run_it
from scenarios import SCENARIOS, Stage, position

ROUNDS = 50
STOPS = {
    "before its first commit": ("commit", "silver/members"),
    "before it publishes": ("link", "_releases/00000003.json"),
}


def begun(forks: Forks, task: Task) -> int:
    """The process of a task that has come to the act where it stops."""
    pid = forks.start(task)
    assert forks.wait(pid) == -signal.SIGSTOP
    return pid


def ended(forks: Forks, pid: int, task: Task) -> Outcome:
    """What came of a stopped process that goes on."""
    assert forks.go_on(pid) == 0
    return task.outcome


def test_a_writer_that_slept_while_another_took_its_lease_publishes_nothing(
    forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """It sleeps before each of its acts in turn. Readers are not blocked meanwhile."""
    stage = Stage(SCENARIOS["a further run"], forks, tmp_path)
    leased = position(stage.acts, "link", FILE)
    for n, act in enumerate(stage.acts):
        with subtests.test(f"before {act}"):
            place = stage.place()
            first = stage.scenario.task(place, Fault("stop", n))
            pid = begun(forks, first)
            check_it(place)
            run_it(place, break_lease=True)
            assert in_lake(place) == stage.new
            released = releases(place)
            assert list(released) == ([1, 2] if n <= leased or n > stage.published else [1, 3])
            outcome = ended(forks, pid, first)
            # Before its lease is seen by anybody, or when all is published, it has nothing left to do and nothing to lose.
            assert outcome.error == ("LeaseLost" if leased + 1 < n <= stage.published else ""), outcome.says
            assert releases(place) == released
            run_it(place)
            assert (in_lake(place), releases(place)) == (stage.new, released)
            check_it(place)


@pytest.mark.parametrize("stops", STOPS)
def test_a_writer_that_wakes_up_in_the_midst_of_its_successors_run_does_no_harm(
    stops: str, forks: Forks, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """It slept just before a commit, and makes it: its successor publishes what is right, or nothing."""
    stage = Stage(SCENARIOS["a further run"], forks, tmp_path)
    for n, act in ((n, act) for n, act in enumerate(stage.acts) if act.what == "commit"):
        with subtests.test(f"before {act}"):
            place = stage.place()
            first = stage.scenario.task(place, Fault("stop", n))
            pid = begun(forks, first)
            second = Task("kiosk:break_in", place, "lake", Fault("stop", STOPS[stops]))
            other = begun(forks, second)
            assert ended(forks, pid, first).error == "LeaseLost"
            assert ended(forks, other, second).error in ("", "LeaseLost")
            run_it(place)
            assert in_lake(place) == stage.new
            check_it(place)


def racer(conn: Connection, place: Path) -> None:
    """Run whenever told to, after a pause; answer with the release made and the drops taken, or with the error."""
    while (pause := conn.recv()) is not None:
        time.sleep(pause)
        try:
            summary = run(STAR, lake=place / "lake", landing=place / "landing")
            conn.send((summary.release, summary.total("drops")))
        except LeaseHeld:
            conn.send("LeaseHeld")
        except Exception as error:  # noqa: BLE001  (the test judges it)
            conn.send(repr(error))


def test_of_racing_writers_one_takes_each_drop(tmp_path: Path) -> None:
    """In each round one of them starts a little later, and so at every stage of the other's run; in some both find a dead one's lease."""
    place = tmp_path / "place"
    deliver(place, FIRST)
    run_it(place)
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(2)]
    processes = [context.Process(target=racer, args=(theirs, place), daemon=True) for _, theirs in pipes]
    for process in processes:
        process.start()
    dead = subprocess.Popen(["true"])
    dead.wait()
    taken = []
    for i in range(ROUNDS):
        drop = f"{10 + i}.csv"
        deliver(
            place,
            {f"entries/{drop}": f"ticket,entry,amount,at\n1,{i},1.00,2025-02-10\n1,1,{i}.00,2025-03-10T00:00:{i}\n"}
            if i % 2
            else {f"members/{drop}": f"member,city,at\n1,Town {i},2025-02-01T00:00:{i:02}\n"},
        )
        if abandoned := i % 5 == 4:
            lease = {"token": str(i), "host": socket.gethostname(), "pid": dead.pid, "since": "2025-01-01T00:00:00+00:00"}
            (place / "lake" / FILE).write_text(json.dumps(lease))
        for late, (conn, _) in enumerate(pipes):
            conn.send(i / ROUNDS * 0.7 if late == i % 2 and not abandoned else 0.0)
        answers = [conn.recv() for conn, _ in pipes]
        newest = max(releases(place))
        assert (newest, 1) in answers
        answers.remove((newest, 1))
        assert answers in ([(newest, 0)], ["LeaseHeld"])
        taken.append(answers[0])
    for conn, _ in pipes:
        conn.send(None)
    for process in processes:
        process.join()
    assert "LeaseHeld" in taken
    assert len(releases(place)) == ROUNDS + 1
    check_it(place)
    once = tmp_path / "once"
    shutil.copytree(place / "landing", once / "landing")
    run_it(once)
    assert in_lake(place) == in_lake(once)
