"""The lease: one writer at a time works on a lake (design §3, law 3)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from aisle.errors import LeaseHeld, LeaseLost, StorageError
from aisle.lake.storage import Storage

FILE = "_lease.json"


class Lease:
    """A held lease. `taken_over` says whose it was before, if that writer did not give it back."""

    def __init__(self, storage: Storage, token: str, taken_over: str | None) -> None:
        self.storage, self.token, self.taken_over = storage, token, taken_over

    def assert_held(self) -> None:
        """Raises LeaseLost if somebody broke the lease."""
        if (_read(self.storage) or {}).get("token") != self.token:
            raise LeaseLost("This run's lease on the lake was broken by somebody; nothing of it is published. Run again.")


@contextlib.contextmanager
def leased(storage: Storage, *, break_lease: bool = False) -> Iterator[Lease]:
    """Hold the lake's lease while the block runs.

    A lease left behind by a process of this host that is no longer alive is taken over.

    Args:
        break_lease: take it from any other writer.

    Raises:
        LeaseHeld: another writer holds it.
    """
    token, taken_over = uuid.uuid4().hex, None
    mine = {
        "token": token,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    while not storage.put_if_absent(FILE, json.dumps(mine).encode()):
        held = _read(storage)
        if held is None:
            continue
        if not break_lease and not _is_dead(held):
            raise LeaseHeld(
                f"Another run is writing to {storage}: {_who(held)}.\n"
                "  Wait for it. If you know that it is gone, run again with --break-lease."
            )
        if _put_aside(storage, held):
            taken_over = _who(held)
        break_lease = False
    try:
        yield Lease(storage, token, taken_over)
    finally:
        # What was done is done, even if the lease cannot be given back: it will be found dead.
        with contextlib.suppress(StorageError):
            if (_read(storage) or {}).get("token") == token:
                _put_aside(storage, mine)


def _put_aside(storage: Storage, expected: dict[str, object]) -> bool:
    """Take a lease away, unless another writer has done so meanwhile and holds a new one."""
    aside = f"_lease.{uuid.uuid4().hex}.gone"
    try:
        storage.move(FILE, aside)
    except FileNotFoundError:
        return False
    moved = _read(storage, aside)
    ours = moved is not None and moved.get("token") == expected.get("token")
    if not ours:
        storage.put_if_absent(FILE, storage.get(aside) or b"")
    storage.delete(aside)
    return ours


def holder(storage: Storage) -> dict[str, object] | None:
    """Who writes to the lake now: host, pid and since when; None if nobody, or a process that is dead."""
    held = _read(storage)
    return None if held is None or _is_dead(held) else held


def _who(held: dict[str, object]) -> str:
    return f"process {held.get('pid')} on {held.get('host')}, since {held.get('since')}"


def _read(storage: Storage, path: str = FILE) -> dict[str, object] | None:
    data = storage.get(path)
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
