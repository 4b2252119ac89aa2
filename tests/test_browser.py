"""The report's page in a browser: what it shows, what choices change, and that nothing of the data runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import report_data
from aisle.report.render import render

pytest.importorskip("playwright.sync_api", reason="needs playwright")
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: make browser")]

MINUS, DASH, APOSTROPHE = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{RIGHT SINGLE QUOTATION MARK}"
DESKTOP, PHONE = (1280, 900), (390, 844)
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens a page from disk. At the end it has complained of nothing, and asked for nothing but itself."""
    contexts, wrong = [], []

    def open_page(data: dict[str, Any], size: tuple[int, int] = DESKTOP, theme: str = "light") -> Page:
        file = tmp_path / "report.html"
        file.write_text(render(data, report_data.DIAGRAM), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce", device_scale_factor=1
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: None if request.url == file.as_uri() else wrong.append(request.url))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def pictured(tmp_path: Path) -> Callable[[Page, str], None]:
    """Keeps a picture of a whole page, where AISLE_PICTURES says."""
    to = Path(os.environ.get("AISLE_PICTURES", tmp_path))
    to.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=to / f"{name}.png", full_page=True)


def drawn(page: Page) -> list[Locator]:
    """Every chart, each after it was looked at. A chart that drew nothing fails."""
    charts = [chart for chart in page.locator(".chart").all() if chart.is_visible()]
    for chart in charts:
        chart.scroll_into_view_if_needed()
        chart.locator("svg path").first.wait_for(state="attached", timeout=5000)
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    return charts


def figures(page: Page) -> dict[str, str]:
    """The first fact's figures, by their names."""
    return (
        page.locator(".fact")
        .first.locator(".figures > div")
        .evaluate_all(
            "cards => Object.fromEntries(cards.map(card => [card.children[0].textContent, card.children[1].textContent]))"
        )
    )


def rows(page: Page, caption: str) -> list[list[str]]:
    """The rows of a table, by its caption; its heading and foot are among them."""
    return page.locator("table", has=page.locator("caption", has_text=re.compile(f"^{re.escape(caption)}$"))).first.evaluate(
        "table => [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )


def series(page: Page, title: str) -> list[list[float]]:
    """What a chart of the first fact draws, series by series."""
    figure = page.locator(".fact").first.locator(
        "figure", has=page.locator("figcaption", has_text=re.compile(f"^{re.escape(title)}"))
    )
    figure.scroll_into_view_if_needed()
    figure.locator("svg path").first.wait_for(state="attached")
    return figure.locator(".chart").evaluate("chart => chart.chart.drawn.getOption().series.map(one => one.data)")


def choice(within: Locator, name: str) -> Locator:
    return within.get_by_role("combobox", name=name, exact=True)


def money(units: int) -> str:
    """Hundredths as the page says them, by Python's own formatting."""
    return f"{MINUS if units < 0 else ''}{abs(units) // 100:,}.{abs(units) % 100:02}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_all_is_there_at_every_size(
    opened: Opened, pictured: Callable[[Page, str], None], size: tuple[int, int], theme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(report_data.retail(), size, theme)
    assert page.title() == "shop, release 14"
    assert page.locator("h1").inner_text() == "Shop"
    assert page.locator("h2").all_inner_texts() == ["Business", "Trust", "Model", f"A member{APOSTROPHE}s life"]
    for heading in (
        "Sales",
        "Redemption",
        "Moves",
        "Laws",
        "What became of each row",
        "How late rows came",
        "Quarantine",
        "Drops",
        "Releases",
        "Diagram",
        "Bus matrix",
        "Dictionary",
    ):
        assert page.locator("h3", has_text=heading).first.is_visible()
    # Over time, as was, as is, baskets; the other fact; moves; fates; three sources with late rows but one; releases.
    assert len(drawn(page)) == 10
    assert page.locator(".timeline svg rect").count() > 3
    assert page.locator(".spark path.line").count() == 15
    assert page.locator(".diagram svg rect").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page itself scrolls sideways"
    pictured(page, f"retail-{'phone' if size == PHONE else 'desktop'}-{theme}")
    for details in page.locator("details:not(.alternative)").all():
        details.evaluate("it => { it.open = true }")
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []


def test_charts_wait_until_they_come_near(opened: Opened) -> None:
    page = opened(report_data.retail())
    last = page.locator(".chart").last
    assert last.locator("svg").count() == 0
    last.scroll_into_view_if_needed()
    last.locator("svg path").first.wait_for(state="attached")


def test_choices_change_figures_charts_and_table(opened: Opened) -> None:
    data = report_data.retail()
    sales = data["business"][0]
    page = opened(data)
    fact = page.locator(".fact").first

    assert figures(page)["Net amount"] == money(sum(sales["totals"][2]))
    assert figures(page)["Rows"] == f"{sum(sales['totals'][0]):,}"

    choice(fact, "Measure").select_option(label="margin amount")
    choice(fact, "From").select_option(label="2025-01-11")
    choice(fact, "To").select_option(label="2025-02-10")
    days = slice(10, 41)
    orders = sum(sales["baskets"]["per_bucket"][days])
    total = sum(sales["totals"][3][days])
    assert figures(page)["Net amount"] == money(sum(sales["totals"][2][days]))
    assert figures(page)["Orders"] == f"{orders:,}"
    assert figures(page)["Average basket"] == money((2 * total + orders) // (2 * orders))
    assert series(page, "Margin amount by day") == [[units / 100 for units in sales["totals"][3][days]]]

    segment = sales["breakdowns"][0]
    was, now = ([sum(one[days]) for one in segment[which][3]] for which in ("was", "is"))
    lines = [
        [name, money(a), money(b), ("+" if b > a else "") + money(b - a)]
        for name, a, b in zip(["Consumer", "Corporate", "Home Office", "no value"], was, now, strict=True)
    ]
    caption = "Margin amount by customer segment, as was and as is"
    assert rows(page, caption)[1:-1] == lines
    assert rows(page, caption)[-1][1:3] == [money(total), money(total)]
    assert series(page, "As was") == [[units / 100 for units in one[days]] for one in segment["was"][3]]
    assert series(page, "As is") == [[units / 100 for units in one[days]] for one in segment["is"][3]]

    largest = max(range(4), key=lambda i: abs(now[i] - was[i]))
    told = fact.locator(".explains").inner_text()
    assert lines[largest][0] in told
    assert money(abs(now[largest] - was[largest])) in told

    fact.get_by_label("Consumer", exact=True).uncheck()
    fact.get_by_label("no value", exact=True).uncheck()
    assert rows(page, caption)[1:-1] == lines[1:3]
    assert figures(page)["Margin amount"] == money(was[1] + was[2])
    assert figures(page)["Orders"] == DASH
    assert len(series(page, "As is")) == 2
    assert series(page, "Margin amount by day") == [
        [sum(both) / 100 for both in zip(*(one[days] for one in segment["was"][3][1:3]), strict=True)]
    ]
    assert "2 of 4 values" in fact.locator(".chosen").inner_text()

    choice(fact, "By").select_option(label="product category")
    assert len(rows(page, "Margin amount by product category, as was and as is")) == 14
    assert figures(page)["Margin amount"] == money(total)
    choice(fact, "By").select_option(label="channel")
    assert [row[1] for row in rows(page, "Margin amount by channel")[1:-1]] == [
        money(sum(one[days])) for one in sales["breakdowns"][2]["was"][3]
    ]
    assert len([chart for chart in fact.locator(".comparison .chart").all() if chart.is_visible()]) == 1

    top = sales["top"][0]["members"]
    ranked = sorted(((sum(member["series"][3][days]), member["label"]) for member in top), key=lambda one: -one[0])
    assert [row[1] for row in rows(page, "Top members by margin amount")[1:]] == [money(units) for units, _ in ranked]
    fact.get_by_role("button", name="None").click()
    assert fact.get_by_text("No value is chosen.").is_visible()


def test_as_was_and_as_is_have_one_scale(opened: Opened) -> None:
    page = opened(report_data.retail())
    for drawing in ("lines", "stacked bars"):
        choice(page.locator(".fact").first, "Drawn as").select_option(label=drawing)
        axes = page.locator(".fact").first.locator(".pair .chart")
        axes.first.scroll_into_view_if_needed()
        axes.last.locator("svg path").first.wait_for(state="attached")
        one, other = axes.evaluate_all(
            "charts => charts.map(({chart}) => chart.drawn.getOption().yAxis.map(({min, max}) => [min, max]))"
        )
        assert one == other
        assert one[0][1] > 0


def test_a_charts_table_says_what_it_draws(opened: Opened) -> None:
    data = report_data.retail()
    page = opened(data)
    figure = page.locator(".fact").first.locator("figure").first
    figure.get_by_text("As a table").click()
    assert rows(page, "Net amount by day")[1:] == [
        [day, money(units)] for day, units in zip(data["business"][0]["buckets"], data["business"][0]["totals"][2], strict=True)
    ]
    assert money(sum(data["business"][0]["totals"][2])) in (figure.locator(".chart").get_attribute("aria-label") or "")


def test_what_means_ill_is_text(opened: Opened, pictured: Callable[[Page, str], None]) -> None:
    data = report_data.hostile()
    for size in (DESKTOP, PHONE):
        page = opened(data, size)
        charts = drawn(page)
        shown = page.locator(".fact").first.locator(".value bdi").evaluate_all("all => all.map(one => one.textContent)")
        assert shown == report_data.ILL[:-1]
        assert page.locator("main script, main img, main iframe").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for chart in charts:
            box = chart.bounding_box()
            assert box
            chart.scroll_into_view_if_needed()
            chart.hover(position={"x": box["width"] * 0.6, "y": box["height"] * 0.5})
        for details in page.locator("details").all():
            details.evaluate("it => { it.open = true }")
        page.wait_for_timeout(100)
        pictured(page, f"hostile-{size[0]}")
        assert page.evaluate("window.ran") is None
    top = page.evaluate("[...document.querySelectorAll('.spark title')].map(one => one.textContent)")
    assert f"2025-01-14: {report_data.ILL[0]}" in top


def test_a_tooltip_says_values_as_they_are(opened: Opened) -> None:
    page = opened(report_data.hostile())
    chart = page.locator(".fact").first.locator(".pair .chart").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg path").first.wait_for(state="attached")
    chart.hover(position={"x": 300, "y": 100})
    page.locator(".tip").first.wait_for()
    told = page.locator(".tip").first.locator("bdi").all_inner_texts()
    assert "<script>window.ran = true</script>" in told
    assert "{a|b} {0} {b} ${x} %s &amp; &lt;b&gt;" in told


@pytest.mark.parametrize("data", [report_data.empty, report_data.sparse])
def test_where_there_is_nothing_a_sentence_says_so(
    opened: Opened, pictured: Callable[[Page, str], None], data: Callable[[], dict[str, Any]]
) -> None:
    page = opened(data())
    said = page.locator(".says").all_inner_texts()
    pictured(page, data.__name__)
    charts = drawn(page)
    if data is report_data.empty:
        assert not charts
        assert len(said) == 11
    else:
        assert len(charts) == 1
        assert "fact_none has no rows in this release: there is nothing to add up." in said
        assert page.get_by_text("This page shows personal data").is_visible()


def test_the_keyboard_reaches_every_control(opened: Opened) -> None:
    page = opened(report_data.retail())
    drawn(page)
    page.evaluate("""() => {
        window.reached = new Set();
        document.addEventListener("focusin", (event) => reached.add(event.target));
        window.unseen = new Set();
    }""")
    controls = "a[href], button:not(:disabled), select, input, summary"
    expected = page.evaluate(f"[...document.querySelectorAll('{controls}')].filter(one => one.checkVisibility()).length")
    for _ in range(expected + 40):
        page.keyboard.press("Tab")
        page.evaluate("""() => {
            const it = document.activeElement, ring = getComputedStyle(it.closest('.value') || it);
            if (it !== document.body && ring.outlineStyle === 'none') unseen.add(it.outerHTML.slice(0, 200));
        }""")
    missed = page.evaluate(
        f"[...document.querySelectorAll('{controls}')].filter(one => one.checkVisibility() && !reached.has(one)).map(one => one.outerHTML.slice(0, 200))"
    )
    assert missed == []
    assert page.evaluate("[...unseen]") == []


def test_the_skip_link_leads_to_the_report(opened: Opened) -> None:
    page = opened(report_data.retail())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_switch_turns_the_page_and_its_charts(opened: Opened) -> None:
    page = opened(report_data.retail(), theme="dark")
    drawn(page)

    def colours() -> tuple[str, str]:
        bar = (
            page.locator(".fact").first.locator(".chart").first.evaluate("chart => chart.chart.drawn.getOption().series[0].color")
        )
        return page.evaluate("getComputedStyle(document.body).backgroundColor"), bar

    switch = page.get_by_role("button", name="Dark")
    assert switch.get_attribute("aria-pressed") == "true"
    dark = colours()
    switch.click()
    light = colours()
    assert all(a != b for a, b in zip(dark, light, strict=True))
    switch.click()
    assert colours() == dark


def test_drops_are_searched_and_sorted(opened: Opened) -> None:
    data = report_data.retail()
    page = opened(data)
    block = page.locator(".block", has=page.locator("h3", has_text=re.compile("^Drops$")))
    block.get_by_role("button", name="Rows").click()
    block.get_by_role("button", name="Rows").click()
    assert block.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    most = sorted((drop["rows"] for drop in data["trust"]["drops"]), reverse=True)
    assert [int(row[3]) for row in rows(page, "Drops")[1:]] == most[:25]
    block.get_by_role("button", name="more").click()
    assert [int(row[3]) for row in rows(page, "Drops")[1:]] == most
    block.get_by_label("Search").fill("EMPTY")
    assert [row[1] for row in rows(page, "Drops")[1:]] == ["customers_2025-01-10.csv"]
    assert "1 of 120 drops; 180 more are left out" in block.inner_text()


def test_the_dictionary_is_searched_and_its_lineage_leads_on(opened: Opened) -> None:
    page = opened(report_data.retail())
    entries = page.locator("details.entry")
    block = page.locator(".block", has=page.locator("h3", has_text="Dictionary"))
    block.get_by_label("Search").fill("unit_price")
    assert [entry.locator("b").inner_text() for entry in entries.all() if entry.is_visible()] == ["order_items", "fact_sales"]
    entries.nth(3).locator("tbody tr").last.wait_for()
    assert [row.locator("th code").inner_text() for row in entries.nth(3).locator("tbody tr").all() if row.is_visible()] == [
        "net_amount"
    ]
    entries.nth(3).get_by_role("link", name="order_items.quantity").click()
    page.wait_for_function("document.activeElement.tagName === 'TR'")
    assert page.evaluate("document.activeElement.querySelector('code').textContent") == "quantity"


def test_a_members_life_is_told(opened: Opened) -> None:
    data = report_data.retail()
    page = opened(data)
    lives = page.locator("#lives")
    choice(lives, "Dimension").select_option(label="dim_product")
    member = data["lives"][1]["members"][2]
    choice(lives, "Product").select_option(index=2)
    told = rows(page, f"Versions of {member['label']}")[1:]
    assert len(told) == len(member["versions"])
    assert [row[-2] for row in told] == [money(version["sales"][2]) for version in member["versions"]]
    marked = lives.locator("td.changed").count()
    assert marked == sum(
        a != b
        for was, now in zip(member["versions"], member["versions"][1:], strict=False)
        for a, b in zip(was["values"], now["values"], strict=True)
    )
    assert lives.locator("rect.version").count() == len(member["versions"])


def test_on_paper_it_is_light_and_whole(opened: Opened, pictured: Callable[[Page, str], None], tmp_path: Path) -> None:
    page = opened(report_data.retail(), theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every(one => !one.checkVisibility() || one.querySelector('svg path'))"
    )
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()") == "#faf9f6"
    assert not page.locator("header.top").is_visible()
    assert not page.locator(".controls").first.is_visible()
    narrow = page.evaluate(
        "[...document.querySelectorAll('.chart svg')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert narrow == 0
    pictured(page, "print")


def test_printing_draws_what_was_not_yet_looked_at(opened: Opened, tmp_path: Path) -> None:
    page = opened(report_data.retail(), theme="dark")
    assert page.locator(".chart").last.locator("svg").count() == 0
    page.pdf(path=Path(os.environ.get("AISLE_PICTURES", tmp_path)) / "report.pdf", format="A4", print_background=True)
    assert all(chart.locator("svg path").count() for chart in page.locator(".chart").all() if chart.is_visible())
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("details.entry[open]").count() == 0
