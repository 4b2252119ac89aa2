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
        if _parsed(self.storage.get(FILE)).get("token") != self.token:
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
    since = datetime.now(UTC).isoformat(timespec="seconds")
    mine = json.dumps({"token": token, "host": socket.gethostname(), "pid": os.getpid(), "since": since}).encode()
    while True:
        found = storage.get(FILE)
        if found is None:
            if storage.put_if_absent(FILE, mine):
                break
            continue
        held = _parsed(found)
        if held and not break_lease and not _is_dead(held):
            raise LeaseHeld(
                f"Another run is writing to {storage}: {_who(held)}.\n"
                "  Wait for it. If you know that it is gone, run again with --break-lease."
            )
        if storage.swap(FILE, found, mine):
            taken_over = _who(held) if held else None
            break
        break_lease = False
    try:
        yield Lease(storage, token, taken_over)
    finally:
        # What was done is done, even if the lease cannot be given back: it will be found dead.
        with contextlib.suppress(StorageError):
            storage.swap(FILE, mine, b"")


def holder(storage: Storage) -> dict[str, object] | None:
    """Who writes to the lake now: host, pid and since when; None if nobody, or a process that is dead."""
    held = _parsed(storage.get(FILE))
    return None if not held or _is_dead(held) else held


def _who(held: dict[str, object]) -> str:
    return f"process {held.get('pid')} on {held.get('host')}, since {held.get('since')}"


def _parsed(found: bytes | None) -> dict[str, object]:
    """Who holds a lease; nobody, if there is none or it was given back; and somebody unknown, if it cannot be read."""
    if not found:
        return {}
    try:
        return dict(json.loads(found))
    except ValueError:
        return {"host": "a host unknown"}


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
