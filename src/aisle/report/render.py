"""The page of `aisle report`: one file with all that it needs within it, from the data that it shows."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

PAGE = Path(__file__).parent / "page"
STYLES = ("colours", "page", "controls", "charts", "trust", "model", "print")
# In this order, as one script: each knows the ones before it.
SCRIPTS = (
    "text",
    "dom",
    "charts",
    "options",
    "sums",
    "explorer",
    "comparison",
    "members",
    "moves",
    "trust",
    "drops",
    "model",
    "lives",
    "main",
)


def render(data: Mapping[str, Any], svg: str) -> str:
    """The page, as one HTML document that needs no network.

    Nothing but its own scripts runs in it, and nothing is fetched: its content security policy allows those by their hashes.

    Args:
        data: what the page shows. All of it is text: it is escaped here, and never read as markup there.
        svg: the diagram of the star, which stands in the page as it is.
    """
    style = "\n".join(_text(f"{name}.css") for name in STYLES)
    theme = _text("theme.js")
    page = '(() => {\n"use strict";\n' + "\n".join(_text(f"{name}.js") for name in SCRIPTS) + "\n})();"
    library = _text("vendor/echarts.min.js")
    return Template(_text("page.html")).substitute(
        policy=_policy([theme, page, library], [style, *_styles(svg)]),
        title=html.escape(f"{data['star']}, release {data['release']}"),
        style=style,
        theme=theme,
        svg=svg,
        data=_json(data),
        page=page,
        library=library,
    )


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def _json(data: Mapping[str, Any]) -> str:
    """JSON that ends no script element, and begins none: in a string each of these is the same character escaped."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _styles(svg: str) -> list[str]:
    """The diagram's own style sheets, as a browser reads them."""
    return [html.unescape(text) for text in re.findall(r"<style\b[^>]*>(.*?)</style>", svg, re.DOTALL)]


def _policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """What the page may do: run these scripts, use these styles, and show pictures that are within it."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


__all__ = ["render"]
