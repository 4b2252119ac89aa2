"""Forks: actions in processes of their own, each forked off one that has imported and compiled everything.

So a process costs milliseconds. The one they come from never touches Delta, as the runtime of
`deltalake` does not survive a fork, and keeps no connection to DuckDB.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self, cast

from aisle.errors import AisleError
from faults import Act, Acts, Fault

_HANGS = 120.0


@dataclass
class Outcome:
    """What an action did: its acts, what was stored beside them; and if it failed, the error's class, its bases and words."""

    acts: list[Act] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    error: str = ""
    kinds: list[str] = field(default_factory=list)
    says: str = ""


@dataclass(frozen=True)
class Task:
    """An action to do in a place.

    Args:
        action: "module:function", called with the place.
        place: a folder.
        root: the folder in it below which acts are counted.
        fault: at one of the acts.
        watch: look for what is stored beside the acts.
        file_limit: the most bytes that a file may have, by the system's own limit.
    """

    action: str
    place: Path
    root: str
    fault: Fault | None = None
    watch: bool = False
    file_limit: int | None = None

    def perform(self) -> None:
        """Do it in this process, and write down what came of it."""
        acts, outcome = Acts(self.place / self.root, self.fault, watch=self.watch), Outcome()
        acts.install()
        action = _named(self.action)
        # Under a limit Python would cut short what it compiles and keeps for others, too, and say nothing.
        sys.dont_write_bytecode = self.file_limit is not None
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if self.file_limit is None else self.file_limit, hard))
        try:
            action(self.place)
            acts.end()
        except Exception as error:  # noqa: BLE001  (a test judges it, whatever it is)
            outcome.error, outcome.kinds = type(error).__name__, [kind.__name__ for kind in type(error).__mro__]
            outcome.says = str(error) if isinstance(error, AisleError) else traceback.format_exc()
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        outcome.acts, outcome.unseen = acts.done, acts.unseen
        self._report.write_text(json.dumps(asdict(outcome)), encoding="utf-8")

    @property
    def outcome(self) -> Outcome:
        """What the process wrote down that ended by itself."""
        outcome = Outcome(**json.loads(self._report.read_text(encoding="utf-8")))
        outcome.acts = [Act(*act) for act in outcome.acts]
        return outcome

    @property
    def _report(self) -> Path:
        return self.place / f"outcome of {self.action.partition(':')[2]}.json"


class Forks:
    """Where processes come from. Use it as a context manager.

    Args:
        warm: "module:function", called once before the first fork.
    """

    def __init__(self, warm: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._conn, theirs = context.Pipe()
        self._server = context.Process(target=_serve, args=(theirs, warm), daemon=True)
        self._server.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._conn.close()
        self._server.join(_HANGS)

    def perform(self, task: Task) -> int:
        """Do a task. Returns how its process ended, as `wait` does."""
        return self.wait(self.start(task))

    def start(self, task: Task) -> int:
        """Begin a task. Returns the id of its process."""
        return self._ask(task)

    def wait(self, pid: int) -> int:
        """Wait until a process ends or stops. Returns its exit code, or the negative number of the signal that did it."""
        return self._ask(pid)

    def go_on(self, pid: int) -> int:
        """Let a stopped process go on, and wait for it."""
        os.kill(pid, signal.SIGCONT)
        return self.wait(pid)

    def _ask(self, what: Task | int) -> int:
        self._conn.send(what)
        if not self._conn.poll(_HANGS):
            self._server.kill()
            raise TimeoutError(f"{what} hangs")
        return cast("int", self._conn.recv())


def _serve(conn: Connection, warm: str) -> None:
    # Python warns of forks beside threads, as DuckDB's allocator has one: it copes with that.
    warnings.simplefilter("ignore", DeprecationWarning)
    _named(warm)()
    children: set[int] = set()
    with contextlib.suppress(EOFError):
        while True:
            match conn.recv():
                case Task() as task:
                    if (pid := os.fork()) == 0:
                        _child(task)
                    children.add(pid)
                    conn.send(pid)
                case pid:
                    _, status = os.waitpid(pid, os.WUNTRACED)
                    if os.WIFSTOPPED(status):
                        conn.send(-os.WSTOPSIG(status))
                    else:
                        children.discard(pid)
                        conn.send(os.waitstatus_to_exitcode(status))
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _child(task: Task) -> None:
    code = 1
    try:
        task.perform()
        code = 0
    except BaseException:  # noqa: BLE001  (nothing may get back into the server's loop)
        traceback.print_exc()
    finally:
        os._exit(code)


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    return cast("Callable[..., Any]", getattr(importlib.import_module(module), function))
