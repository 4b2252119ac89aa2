"""A project: the folder with `aisle.toml`, its settings, and the star they name.

Settings are read without the star: a command that needs no star does not pay for importing one.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
import tomllib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, get_args

from aisle.errors import AisleError, ConfigError, DeclarationError

if TYPE_CHECKING:
    from aisle.declare.star import Star

SETTINGS = "aisle.toml"
Engine = Literal["duckdb", "spark"]
ENGINES: tuple[Engine, ...] = get_args(Engine)


@dataclass(frozen=True)
class Project:
    """The settings of `aisle.toml`.

    Each may be overridden by an environment variable: `lake` by AISLE_LAKE, and so on.

    Attributes:
        root: the folder of `aisle.toml`; relative paths in the settings are relative to it.
        reference: where the star is: "star.py:star" (a file) or "package.module:star".
        landing: a folder, or `s3://bucket/prefix`, with a sub-folder for each source.
        lake: a folder, or `s3://bucket/prefix`.
        warehouse: address of the warehouse: a DuckDB file, or a URL; it may hold a password (`aisle.warehouses.shown`).
        truth: a folder, where `aisle generate` says what is true of the data it made.
        engine: what computes, one of ENGINES; Spark in the session that this machine is set up for.
        memory_limit: of the engine, such as "2GB"; None leaves the choice to it.
    """

    root: Path
    reference: str = "star.py:star"
    landing: str = "landing"
    lake: str = "lake"
    warehouse: str = field(default="warehouse.duckdb", repr=False)
    truth: str = "truth"
    engine: Engine = ENGINES[0]
    memory_limit: str | None = None

    @cached_property
    def star(self) -> Star:
        """The star that the settings name.

        Raises:
            ConfigError: there is none.
            DeclarationError: it is declared wrongly; the message has file and line.
        """
        return load_star(self.reference, self.root)


_KEYS = {"star": "reference"} | {f.name: f.name for f in fields(Project) if f.name not in ("root", "reference")}
_PLACES = ("landing", "lake", "warehouse", "truth")


def open_project(start: Path, environment: Mapping[str, str] = os.environ) -> Project:
    """The project of a folder: its own, or that of the nearest folder above.

    Raises:
        ConfigError: there is none, or its settings are wrong.
    """
    folder = start.absolute()
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS).is_file():
            return _read(candidate / SETTINGS, environment)
    raise ConfigError(
        f"There is no {SETTINGS} in {folder} or any folder above it, so there is no project here.\n"
        "  Go into a project's folder, or make one: aisle init shop"
    )


def _read(file: Path, environment: Mapping[str, str]) -> Project:
    try:
        given: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}\n  Correct it there.") from None
    for key, value in given.items():
        if key not in _KEYS:
            from aisle.declare.classes import did_you_mean

            raise ConfigError(f"{file}: there is no setting {key!r}{did_you_mean(key, _KEYS)}\n  Correct or remove it.")
        if not isinstance(value, str) or not value:
            raise ConfigError(f'{file}: {key} is {value!r}, not text\n  Write {key} = "…".')
    for key in _KEYS:
        if value := environment.get(f"AISLE_{key.upper()}"):
            given[key] = value
    if given.get("engine", ENGINES[0]) not in ENGINES:
        raise ConfigError(f"{file}: engine is {given['engine']!r}, none of {', '.join(ENGINES)}\n  Correct it, or AISLE_ENGINE.")
    settings: dict[str, Any] = {_KEYS[key]: value for key, value in given.items()}
    project = Project(file.parent, **settings)
    places: dict[str, Any] = {place: _below(file.parent, getattr(project, place)) for place in _PLACES}
    return replace(project, **places)


def _below(root: Path, address: str) -> str:
    """An address as it is if it is a URL, else as a path from the project's folder."""
    return address if "://" in address else str(root / Path(address).expanduser())


def load_star(reference: str, root: Path) -> Star:
    """Import the star that a reference names.

    Args:
        reference: "star.py:star" or "package.module:star"; without a name after the colon, `star`.
        root: the folder that a file is relative to, and from which modules can be imported too.

    Raises:
        ConfigError: the file, module or name is not there.
        DeclarationError: it is declared wrongly; the message has file and line.
    """
    place, _, name = reference.partition(":")
    name = name or "star"
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = _from_file(root / place, root) if place.endswith(".py") else _from_module(place, root)
    from aisle.declare.star import Star

    found = getattr(module, name, None)
    if isinstance(found, Star):
        return found
    stars = [n for n, value in vars(module).items() if isinstance(value, Star)]
    what = "is not there" if found is None else f"is a {type(found).__name__}, not a Star"
    remedy = f'Set star = "{place}:{stars[0]}".' if stars else f'Write {name} = Star("…", dimensions=[…], facts=[…]) there.'
    raise ConfigError(f'{SETTINGS}: star = "{reference}", but {name!r} in {place} {what}\n  {remedy}')


def _from_file(file: Path, root: Path) -> ModuleType:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}\n  It must hold the star: see `star` in {root / SETTINGS}."
        ) from None
    module = ModuleType(f"aisle_project_{file.stem}")
    module.__file__ = str(file)
    # Declarations look their annotations' names up in their module.
    sys.modules[module.__name__] = module
    try:
        # Compiled here rather than imported, so that no __pycache__ can show an older text.
        exec(compile(text, str(file), "exec", dont_inherit=True), vars(module))  # noqa: S102  (it is the user's own star)
    except Exception as error:
        raise _located(error, root) from error
    return module


def _from_module(name: str, root: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigError(
                f'{SETTINGS}: star = "{name}:…", but there is no module {error.name!r}\n'
                f"  Install it, or put it into {root}, or name a file: star.py:star."
            ) from None
        raise _located(error, root) from error
    except Exception as error:
        raise _located(error, root) from error


def _located(error: Exception, root: Path) -> AisleError:
    """The error with the file and line of the declaration that caused it."""
    if isinstance(error, SyntaxError):
        return DeclarationError(f"{error.filename}:{error.lineno}", error.msg, "Correct the Python there.")
    frames = traceback.extract_tb(error.__traceback__)
    library = str(Path(__file__).parent)
    own = [f for f in frames if f.filename.startswith(str(root))] or [f for f in frames if not f.filename.startswith(library)]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else str(root)
    if isinstance(error, DeclarationError):
        if own and (line := _line_of(error.where, own[-1].filename)):
            place = f"{own[-1].filename}:{line}"
        return DeclarationError(f"{place}: {error.where}", error.what, error.remedy)
    if isinstance(error, AisleError):
        return error
    if isinstance(error, AttributeError) and (spec := getattr(error.obj, "__aisle__", None)) is not None:
        from aisle.declare.classes import did_you_mean

        near = did_you_mean(str(error.name), [column.name for column in spec.columns])
        owner = getattr(error.obj, "__name__", spec)
        return DeclarationError(place, f"{owner} has no column {error.name!r}{near}", "Correct the name.")
    kind = "" if isinstance(error, AttributeError | NameError | ImportError) else f"{type(error).__name__}: "
    return DeclarationError(place, f"{kind}{error}", "The star cannot be read before this is corrected.")


def _line_of(where: str, file: str) -> int | None:
    """The line that declares `Class.column`, if it stands in the file as such."""
    owner, _, column = where.partition(".")
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            for statement in node.body:
                target = statement.target if isinstance(statement, ast.AnnAssign) else None
                if isinstance(target, ast.Name) and target.id == column:
                    return statement.lineno
            return node.lineno
    return None
