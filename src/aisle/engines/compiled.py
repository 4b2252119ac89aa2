"""From an expression to an engine's SQL: once for each expression, and with `remembering` once for each star."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import ibis
import ibis.expr.operations as ops
from sqlglot._version import __version__ as sqlglot_version

import aisle

# One SELECT within another for each step, as the stages wrote them: fused ones repeat a costly
# expression wherever its result is used.
ibis.options.sql.fuse_selects = False

_MOST = 2000
_remembered: dict[str, str] | None = None


@functools.lru_cache(maxsize=4096)
def compiled(relation: ops.Node, dialect: str) -> str:
    """The SQL of an expression's node; equal expressions are compiled once in a process."""
    if _remembered is None:
        return _compile(relation, dialect)
    try:
        key = f"{dialect} {_digest(relation, {})}"
    except _OfThisProcess:
        return _compile(relation, dialect)
    if key not in _remembered:
        _remembered[key] = _compile(relation, dialect)
    return _remembered[key]


@contextlib.contextmanager
def remembering(name: str) -> Iterator[None]:
    """Take SQL that an earlier process compiled from a file in the user's cache, and put there what is compiled anew.

    A run asks for some eighty expressions; to compile them, and to load the compilers, takes longer than a day's rows. A file
    that cannot be read or written is done without.

    Args:
        name: of the file: what the expressions are made from, as a star's fingerprint.
    """
    global _remembered  # noqa: PLW0603  (the expressions' consumers do not know of it)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    file = Path(home, "aisle", "sql", f"{name}-{aisle.__version__}-{ibis.__version__}-{sqlglot_version}.json")
    former, _remembered = _remembered, _read(file)
    known = len(_remembered)
    try:
        yield
    finally:
        if known < len(_remembered) <= _MOST:
            _write(file, _remembered)
        _remembered = former


class _OfThisProcess(Exception):  # noqa: N818  (nothing is wrong)
    """An argument of an expression is known by its place in memory alone."""


def _compile(relation: ops.Node, dialect: str) -> str:
    return str(ibis.to_sql(relation.to_expr(), dialect=dialect, pretty=False))


def _digest(node: ops.Node, seen: dict[ops.Node, str]) -> str:
    """What an expression is, whichever process asks: a hash of its operations, each with its arguments."""
    if node not in seen:
        kind = node.__func_name__ if isinstance(node, ops.ScalarUDF) else type(node).__qualname__
        told = json.dumps([kind, *(_told(argument, seen) for argument in node.__args__)])
        seen[node] = hashlib.sha256(told.encode()).hexdigest()
    return seen[node]


def _told(argument: object, seen: dict[ops.Node, str]) -> object:
    if isinstance(argument, ops.Node):
        return _digest(argument, seen)
    if isinstance(argument, frozenset):
        return sorted(str(_told(part, seen)) for part in argument)
    if isinstance(argument, tuple):
        return [_told(part, seen) for part in argument]
    if isinstance(argument, Mapping):
        return [[_told(key, seen), _told(value, seen)] for key, value in argument.items()]
    said = repr(argument)
    if " at 0x" in said:
        raise _OfThisProcess
    return f"{type(argument).__qualname__} {said}"


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, sql: Mapping[str, str]) -> None:
    with contextlib.suppress(OSError):
        if not file.is_absolute():  # this user has no home
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w") as out:
            json.dump(sql, out)
        Path(part).replace(file)
