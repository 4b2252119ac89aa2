"""Each peer's own environment, made once from its locked requirements, apart from aisle's."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def python(peer: Path) -> Path:
    """The Python that runs a peer: of an environment of its own if it has a requirements.txt, else this one.

    Raises:
        subprocess.CalledProcessError: it could not be made.
    """
    requirements = peer / "requirements.txt"
    if not requirements.exists():
        return Path(sys.executable)
    mark = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = Path.home() / ".cache" / "aisle" / "peers" / mark
    found = folder / "bin" / "python"
    with alone(folder):
        if not (folder / "whole").exists():
            uv = [str(Path(sys.executable).with_name("uv"))]
            surroundings = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}
            subprocess.run([*uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder)], check=True, env=surroundings)
            subprocess.run(
                [*uv, "pip", "install", "-q", "--compile-bytecode", "-p", str(found), "-r", str(requirements)],
                check=True,
                env=surroundings,
            )
            (folder / "whole").touch()
    return found


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process makes this folder, and let none make it meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def versions(peer: Path) -> dict[str, str]:
    """The versions of what a peer is made of, by the packages that its packages.json names."""
    named = json.loads((peer / "packages.json").read_text()) if (peer / "packages.json").exists() else []
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    said = subprocess.run([str(python(peer)), "-c", code, *named], check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = json.loads(said)
    return found
