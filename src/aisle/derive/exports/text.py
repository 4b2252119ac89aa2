"""An export's text: YAML in which all that comes from a declaration is text, whatever the other tool takes for code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from aisle.declare.star import Star


class Code(str):
    """Text that the other tool is to read as its own language."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """As people write YAML: lists are indented, texts of several lines stand as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  (PyYAML's signature)
        super().increase_indent(flow, False)

    def text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.text)


def remark(command: str, star: Star) -> str:
    """What made a file, and of what: its first line, without the sign that makes it a comment."""
    return f"Made by `{command}` of the star {star.name}, declaration {star.fingerprint}. Change that, not this file."


def as_yaml(command: str, star: Star, data: Mapping[str, Any], escaped: Callable[[str], str]) -> str:
    """A file in YAML, in the order of `data`, in which what is absent (None, or empty) is left out.

    Args:
        command: the command line that makes it.
        star: of which it is made.
        data: its content.
        escaped: makes a text one that the other tool does not take for code; it is not asked for what is `Code`.
    """
    body = yaml.dump(_plain(data, escaped), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    return f"# {remark(command, star)}\n\n{body}"


def _plain(data: Any, escaped: Callable[[str], str]) -> Any:
    match data:
        case Code():
            return str(data)
        case str():
            return escaped(data)
        case Mapping():
            plain = {k: _plain(v, escaped) for k, v in data.items()}
            return {k: v for k, v in plain.items() if v not in (None, [], {}, "")}
        case Sequence():
            return [_plain(v, escaped) for v in data]
        case _:
            return data


__all__ = ["Code", "as_yaml", "remark"]
