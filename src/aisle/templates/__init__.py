"""What `aisle init` writes: a project to begin with."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from aisle.errors import ConfigError

EXAMPLES = ("retail",)
"""The stars that a project may begin with: each is the `star.py` of a package of aisle."""

_FILES = {"aisle.toml": "aisle.toml", "README.md": "README.md", "gitignore": ".gitignore"}


def write_project(folder: Path, example: str) -> list[Path]:
    """Write a project into a folder, made if it is not there; the files written.

    Raises:
        ConfigError: something is in the folder already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty, so no project is written there.\n  Name a new folder: aisle init shop")
    texts = {"star.py": (files(f"aisle.{example}") / "star.py").read_text(encoding="utf-8")}
    for template, name in _FILES.items():
        text = (files(__package__) / template).read_text(encoding="utf-8")
        texts[name] = text.replace("{name}", folder.resolve().name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}\n  Name another folder.") from None
    return [folder / name for name in texts]
