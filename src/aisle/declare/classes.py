"""How a class body becomes a declaration: its annotations, its name, its docstring."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Iterable
from inspect import cleandoc
from typing import Any, get_type_hints


def did_you_mean(name: str, known: Iterable[str], *, listing: bool = True) -> str:
    """Name the nearest of the known names, or (if `listing`) all of them: the end of a message."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f": did you mean {near[0]!r}?"
    return f"; there are {', '.join(known)}" if known and listing else ""


def column_annotations(cls: type) -> dict[str, Any]:
    """The annotations of this class body alone, evaluated, also under `from __future__ import annotations`.

    Names are looked up in the class's module and in the frame that defines the class, so that a
    star may be declared inside a function.
    """
    frame, local = sys._getframe(2), {}  # noqa: SLF001  (there is no public way to the namespace of the class statement)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("aisle.declare"):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is not None:
        local = {**frame.f_globals, **frame.f_locals}
    own = inspect.get_annotations(cls)
    hints = get_type_hints(cls, localns=local, include_extras=True)
    return {name: hints[name] for name in own if not name.startswith("_")}


def snake_case(name: str) -> str:
    """OrderItems → order_items."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def docstring(cls: type) -> str:
    return cleandoc(cls.__dict__.get("__doc__") or "")


def names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
