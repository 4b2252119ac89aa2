"""The CloudFormation template: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from aisle.errors import ConfigError


@dataclass(frozen=True)
class Resource:
    """A resource that AWS would make: its name in the template, its type, and a sentence that says what it is."""

    name: str
    type: str
    says: str


class Template:
    """The template of a file.

    Attributes:
        path: where it lies, for `aws cloudformation deploy`.
        text: what is sent to AWS, as it is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(str(files("aisle.provision") / "aisle.yaml"))
        self.text = self.path.read_text(encoding="utf-8")

    @cached_property
    def document(self) -> dict[str, Any]:
        """The template as CloudFormation's JSON would have it: `!Ref x` is {"Ref": "x"}."""
        document: dict[str, Any] = yaml.load(self.text, _Loader)  # noqa: S506  (a SafeLoader, with CloudFormation's tags)
        return document

    def parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Every parameter's value: as given, else the default.

        Raises:
            ConfigError: there is no such parameter, or it cannot have that value.
        """
        declared: dict[str, dict[str, Any]] = self.document["Parameters"]
        for name in given:
            if name not in declared:
                raise ConfigError(
                    f"The template has no parameter {name!r}.\n  It has {', '.join(declared)}; {self.path} says what each is."
                )
        values = {name: given.get(name, str(rules["Default"])) for name, rules in declared.items()}
        for name, value in values.items():
            if wrong := _wrong(value, declared[name]):
                raise ConfigError(f"{name} is {value!r}, but must be {wrong}.\n  {declared[name]['Description']}")
        return values

    def resources(self, parameters: Mapping[str, str]) -> Iterator[Resource]:
        """What AWS would make with these parameters, in the template's order."""
        for name, resource in self.document["Resources"].items():
            condition = resource.get("Condition")
            if condition is None or self._resolved(self.document["Conditions"][condition], parameters):
                yield Resource(name, resource["Type"], self._resolved(resource["Metadata"]["aisle"], parameters))

    def _resolved(self, value: Any, parameters: Mapping[str, str]) -> Any:
        """A condition or sentence with the parameters put in; just the functions that those are written with."""
        if not isinstance(value, dict):
            return [self._resolved(v, parameters) for v in value] if isinstance(value, list) else value
        ((function, argument),) = value.items()
        if function == "Ref":
            is_list = self.document["Parameters"][argument]["Type"] == "CommaDelimitedList"
            return parameters[argument].split(",") if is_list else parameters[argument]
        if function == "Fn::Sub":
            return re.sub(r"\$\{(\w+)\}", lambda found: parameters[found[1]], argument)
        arguments = self._resolved(argument, parameters)
        if function == "Fn::Equals":
            return arguments[0] == arguments[1]
        if function == "Fn::Not":
            return not arguments[0]
        if function == "Fn::Join":
            return arguments[0].join(arguments[1])
        raise NotImplementedError(f"{function} in a condition or sentence of {self.path}")


def _wrong(value: str, rules: Mapping[str, Any]) -> str | None:
    """What a parameter's value should be, if it is not."""
    allowed = [str(choice) for choice in rules.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}"
    if "MinValue" in rules:
        low, high = rules["MinValue"], rules["MaxValue"]
        if not (re.fullmatch(r"[0-9]+", value) and low <= int(value) <= high):
            return f"a whole number from {low} to {high}"
    pattern = rules.get("AllowedPattern")
    short, long = rules.get("MinLength", 0), rules.get("MaxLength", len(value))
    if pattern is not None and not (re.fullmatch(pattern, value) and short <= len(value) <= long):
        return str(rules["ConstraintDescription"])
    return None


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml is without types of its own
    """YAML with CloudFormation's short tags."""


def _function(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
        if tag == "GetAtt":
            argument = argument.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": argument}


_Loader.add_multi_constructor("!", _function)
