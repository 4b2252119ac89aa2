"""The lease: one writer at a time works on a lake (design §3, law 3)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from aisle.errors import LeaseHeld, LeaseLost
from aisle.lake.storage import Storage

FILE = "_lease.json"


class Lease:
    """A held lease. `assert_held` is asked before a release is published."""

    def __init__(self, storage: Storage, token: str) -> None:
        self.storage, self.token = storage, token

    def assert_held(self) -> None:
        """Raises LeaseLost if somebody broke the lease."""
        if (_read(self.storage) or {}).get("token") != self.token:
            raise LeaseLost("This run's lease on the lake was broken by somebody; nothing of it is published. Run again.")


@contextlib.contextmanager
def writing(storage: Storage, *, break_lease: bool = False) -> Iterator[Lease]:
    """Hold the lake's lease while the block runs.

    A lease left behind by a process of this host that is no longer alive is taken over.

    Raises:
        LeaseHeld: another writer holds it.
    """
    token = uuid.uuid4().hex
    mine = {
        "token": token,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if break_lease:
        storage.delete(FILE)
    while not storage.put_if_absent(FILE, json.dumps(mine).encode()):
        held = _read(storage)
        if held is None:
            continue
        if not _is_dead(held):
            raise LeaseHeld(
                f"Another run is writing to {storage}: process {held.get('pid')} on {held.get('host')}, since {held.get('since')}.\n"
                "  Wait for it. If you know that it is gone, run again with --break-lease."
            )
        _take_over(storage, held, token)
    try:
        yield Lease(storage, token)
    finally:
        if (_read(storage) or {}).get("token") == token:
            storage.delete(FILE)


def _take_over(storage: Storage, dead: dict[str, object], token: str) -> None:
    """Put a dead lease aside, unless another writer has done so meanwhile and holds a new one."""
    aside = f"_lease.{token}.dead"
    try:
        storage.move(FILE, aside)
    except FileNotFoundError:
        return
    moved = storage.get(aside) or b"{}"
    storage.delete(aside)
    if json.loads(moved).get("token") != dead.get("token"):
        storage.put_if_absent(FILE, moved)


def holder(storage: Storage) -> dict[str, object] | None:
    """Who writes to the lake now: host, pid and since when; None if nobody, or a process that is dead."""
    held = _read(storage)
    return None if held is None or _is_dead(held) else held


def _read(storage: Storage) -> dict[str, object] | None:
    data = storage.get(FILE)
    try:
        return None if data is None else json.loads(data)
    except ValueError:
        return {}


def _is_dead(held: dict[str, object]) -> bool:
    if held.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(str(held.get("pid"))), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError):
        return False
    return False
