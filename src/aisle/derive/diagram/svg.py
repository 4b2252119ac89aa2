"""Texts and elements of an SVG: text is never markup, is cut to the room it has, and is in colours that a page may set."""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree as ET

# Light, dark. A page sets its own by `--aisle-ink` and the like; without, the reader's light or dark is followed.
_COLOURS = {
    "paper": ("#faf9f7", "#14171a"),
    "card": ("#ffffff", "#1d2126"),
    "ink": ("#1c2025", "#e6e4df"),
    "muted": ("#626970", "#9aa2ab"),
    "rule": ("#e3e0da", "#343b43"),
    "wire": ("#8d949b", "#707a85"),
    "fact": ("#1f4e79", "#2a6196"),
    "dimension": ("#2a6b60", "#28705f"),
    "calendar": ("#80560f", "#85611f"),
    "head": ("#ffffff", "#ffffff"),
    "personal": ("#a3274f", "#f193b0"),
}
_SANS = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
_MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'

# Shares of the font's size, as wide as in DejaVu Sans, the widest of the fonts that are asked for.
_MONO_CELL, _LOWER, _UPPER, _NARROW, _WIDE, _FOREIGN = 0.62, 0.635, 0.78, 0.42, 1.0, 1.3
_NARROW_ONES, _WIDE_ONES = frozenset("iljtfrI.,:;'!|()[]{}/\\ -\"`·"), frozenset("mwMW@%&<>+=~#^…—")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def style(root: str) -> str:
    """The style sheet of an SVG whose root has this class; it reaches no other element of a page that holds it."""
    light, dark = ({n: f"var(--aisle-{n}, {pair[i]})" for n, pair in _COLOURS.items()} for i in (0, 1))
    return f"""
.{root} {{ max-width: 100%; height: auto; font-family: {_SANS}; }}
.{root} .name, .{root} .label {{ font-family: {_MONO}; }}
{_coloured(root, light)}
@media (prefers-color-scheme: dark) {{
{_coloured(root, dark)}
}}
"""


def _coloured(root: str, colours: dict[str, str]) -> str:
    fills = {
        ".paper": "paper",
        ".card": "card",
        ".star, .name": "ink",
        ".doc, .mark, .more, .said": "muted",
        ".label": "ink",
        ".table, .kind": "head",
        ".end": "wire",
        ".personal": "personal",
        **{f".head-{kind}": kind for kind in ("fact", "dimension", "calendar")},
    }
    strokes = {".card, .rule": "rule", ".wire": "wire", ".pill": "personal", ".lookup:hover .wire": "ink"}
    return "\n".join(
        f"{', '.join(f'.{root} {one}' for one in which.split(', '))} {{ {what}: {colours[name]}; }}"
        for what, rules in (("fill", fills), ("stroke", strokes))
        for which, name in rules.items()
    )


def element(parent: ET.Element, tag: str, text: str = "", /, **attributes: object) -> ET.Element:
    """Add an element; `text_anchor` is its attribute text-anchor, `class_` its class, and numbers are rounded."""
    given = {n.rstrip("_").replace("_", "-"): _written(v) for n, v in attributes.items()}
    made = ET.SubElement(parent, tag, given)
    made.text = plain(text) or None
    return made


def _written(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else plain(str(value))


def plain(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def width(text: str, size: float, *, mono: bool = False) -> float:
    """How wide a text is at most, in the unit of its font's size."""
    return size * sum(_share(c, mono=mono) for c in text)


def _share(character: str, *, mono: bool) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if character in _WIDE_ONES:
        return _MONO_CELL if mono and character != "…" else _WIDE
    if ord(character) >= 0x530:  # beyond Latin, Greek and Cyrillic: from another font, perhaps twice as wide
        return _FOREIGN
    if mono:
        return _MONO_CELL
    return _NARROW if character in _NARROW_ONES else _UPPER if character.isupper() else _LOWER


def cut(text: str, room: float, size: float, *, mono: bool = False) -> str:
    """A text on one line, cut with … where it has no room."""
    line = " ".join(plain(text).split())
    room += 0.01  # of a sum of floats
    if width(line, size, mono=mono) <= room:
        return line
    room -= width("…", size, mono=mono)
    kept = 0
    while kept < len(line) and (room := room - width(line[kept], size, mono=mono)) >= 0:
        kept += 1
    return line[:kept].rstrip() + "…"


def wrapped(text: str, room: float, size: float, most: int) -> tuple[str, ...]:
    """A text on `most` lines, its last one cut with … where it has no room."""
    lines, words = list[str](), plain(text).split()
    while words and len(lines) < most - 1:
        fitting = next((n for n in range(len(words), 1, -1) if width(" ".join(words[:n]), size) <= room), 1)
        lines.append(cut(" ".join(words[:fitting]), room, size))
        words = words[fitting:]
    return (*lines, cut(" ".join(words), room, size)) if words else tuple(lines)


__all__ = ["cut", "element", "plain", "style", "width", "wrapped"]
