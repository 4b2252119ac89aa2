"""The report's page as a file: what is in it, and that its own policy lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import report_data
from aisle.report import render as rendering
from aisle.report.render import render

VENDOR = Path(rendering.__file__).parent / "page" / "vendor"


class Elements(HTMLParser):
    """The elements of a document, and what is within those whose content is no markup."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self.inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.raw:
            self.inside = tag
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.raw[self.inside][-1] += data


DATA = {"retail": report_data.retail, "empty": report_data.empty, "sparse": report_data.sparse, "hostile": report_data.hostile}


@pytest.fixture(params=DATA)
def data(request: pytest.FixtureRequest) -> dict[str, object]:
    return DATA[request.param]()


def test_the_data_comes_through_whole(data: dict[str, object]) -> None:
    scripts = Elements(render(data, report_data.DIAGRAM)).raw["script"]
    assert len(scripts) == 4, "a text of the data ended its element, or began another"
    assert json.loads(scripts[1]) == data


def test_the_title_is_text() -> None:
    data = report_data.empty() | {"star": "</title><script>ran()</script>&amp;"}
    assert Elements(render(data, "")).raw["title"] == ["</title><script>ran()</script>&amp;, release 1"]


def test_the_policy_allows_what_is_in_the_page_and_no_address() -> None:
    found = Elements(render(report_data.retail(), report_data.DIAGRAM))
    policy = next(
        attributes["content"] for tag, attributes in found.tags if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"

    def hashes(texts: list[str]) -> set[str]:
        return {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts}

    theme, _, page, library = found.raw["script"]
    assert set(rules["script-src"].split()) == hashes([theme, page, library])
    assert set(rules["style-src"].split()) == hashes(found.raw["style"])
    assert not re.search(r"https?:|\*|unsafe-eval", policy)


def test_the_page_names_nothing_to_fetch() -> None:
    found = Elements(render(report_data.retail(), report_data.DIAGRAM))
    for tag, attributes in found.tags:
        for name in ("src", "href", "srcset", "action", "poster"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:")), (tag, address)
    assert "url(" not in re.sub(r"url\(#\w+\)", "", "".join(found.raw["style"]))


def test_the_scripts_are_one_and_define_each_name_once() -> None:
    files = {path.stem for path in rendering.PAGE.glob("*.js")}
    assert files == {*rendering.SCRIPTS, "theme"}
    names = [
        name
        for file in rendering.SCRIPTS
        for name in re.findall(r"^(?:function|const|let) (\w+)", (rendering.PAGE / f"{file}.js").read_text(), re.MULTILINE)
    ]
    assert len(names) == len(set(names))


def test_the_chart_library_is_the_one_that_was_vendored() -> None:
    library = (VENDOR / "echarts.min.js").read_bytes()
    said = (VENDOR / "VERSION").read_text()
    assert f"sha256 {hashlib.sha256(library).hexdigest()}" in said
    assert len(library) < 600_000
    assert {"LICENSE", "NOTICE", "LICENSE.zrender", "LICENSE.tslib"} <= {path.name for path in VENDOR.iterdir()}
    # Neither ends a script element within it.
    assert b"</script" not in library.lower()
    assert b"<!--" not in library
